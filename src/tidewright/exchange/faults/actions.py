"""What a fault does, one value for each verb of the language.

Lengths of time are nanoseconds. An action says nothing about sockets or bytes; the server carries
it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tidewright.exchange.spot.values import SymbolStatus


@dataclass(frozen=True, slots=True)
class Delay:
    """An answer or a message goes out later; what follows on its connection waits behind it."""

    verb: ClassVar[str] = "delay"
    time: int


@dataclass(frozen=True, slots=True)
class Drop:
    """An answer, event or message never goes out; its connection stays open."""

    verb: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset in place of an answer or message."""

    verb: ClassVar[str] = "reset"


@dataclass(frozen=True, slots=True)
class Truncate:
    """An answer is cut.

    Parameters
    ----------
    length : int
        Bytes that are left; used when ``share_ppm`` is -1.
    share_ppm : int
        Part that is left, in millionths.
    body : bool
        Whether a whole answer with a cut body goes out, as from a careless proxy. Otherwise the
        answer is cut as it was on the wire, head included, and its connection closed.
    """

    verb: ClassVar[str] = "truncate"
    length: int = 0
    share_ppm: int = -1
    body: bool = False

    def left(self, length: int) -> int:
        """Return how many of so many bytes are left."""
        if self.share_ppm < 0:
            return min(self.length, length)
        return length * self.share_ppm // 1_000_000


@dataclass(frozen=True, slots=True)
class Empty:
    """The answer is a success without a body."""

    verb: ClassVar[str] = "empty"


@dataclass(frozen=True, slots=True)
class Html:
    """The answer is a page for people, as proxies and firewalls send it."""

    verb: ClassVar[str] = "html"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Error:
    """The answer is an error.

    Parameters
    ----------
    status : int
        HTTP status.
    code : int
        Code of the body; 0 leaves the body empty.
    message : str
        Message of the body.
    executes : bool
        Whether the request is executed all the same: such an error tells nothing.
    """

    verb: ClassVar[str] = "error"
    status: int
    code: int
    message: str
    executes: bool


@dataclass(frozen=True, slots=True)
class Ban:
    """The request and all that come from its address are refused for a while.

    Parameters
    ----------
    time : int
        How long.
    status : int
        418 for a ban, 429 for the warning before it.
    """

    verb: ClassVar[str] = "ban"
    time: int
    status: int = 418


@dataclass(frozen=True, slots=True)
class Execute:
    """Whether the request is executed, whatever its answer is."""

    verb: ClassVar[str] = "execute"
    yes: bool


@dataclass(frozen=True, slots=True)
class Hide:
    """The orders that the request makes are not found by queries for a while."""

    verb: ClassVar[str] = "hide"
    time: int


@dataclass(frozen=True, slots=True)
class Stale:
    """An older answer to the same request, or an older message of the same stream, goes out.

    Parameters
    ----------
    age : int
        How old it is at least; where nothing is as old, the oldest that is remembered.
    """

    verb: ClassVar[str] = "stale"
    age: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An event or message goes out more than once.

    Parameters
    ----------
    times : int
        How often it goes out in all, from 2.
    """

    verb: ClassVar[str] = "duplicate"
    times: int = 2


@dataclass(frozen=True, slots=True)
class Reorder:
    """An event or message goes out after later ones.

    Parameters
    ----------
    behind : int
        How many later ones overtake it; when fewer come, it never goes out.
    """

    verb: ClassVar[str] = "reorder"
    behind: int = 1


@dataclass(frozen=True, slots=True)
class Skip:
    """The message and those of its stream behind it are lost, so that sequence numbers jump.

    Parameters
    ----------
    count : int
        How many are lost.
    """

    verb: ClassVar[str] = "skip"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Mute:
    """Sockets stay open and answer pings, but nothing else comes from them.

    Parameters
    ----------
    sockets : str
        Kind of the sockets, or empty for the socket of the occurrence.
    time : int
        How long; 0 is for ever.
    """

    verb: ClassVar[str] = "mute"
    sockets: str = ""
    time: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """Sockets are closed with a code.

    Parameters
    ----------
    sockets : str
        Kind of the sockets, or empty for the socket of the occurrence.
    code : int
        Close code of the WebSocket protocol; 1006 goes away without a close frame.
    """

    verb: ClassVar[str] = "close"
    sockets: str = ""
    code: int = 1001


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's clock is shifted.

    Parameters
    ----------
    shift : int
        How far it is ahead of the true time from now on; negative is behind, 0 is right again.
    """

    verb: ClassVar[str] = "clock"
    shift: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a symbol change.

    Parameters
    ----------
    symbol : str
        The symbol.
    changes : tuple of (str, str, int)
        Name of a filter, name of its field, and the new value in the units of `exchange.spot`.
    """

    verb: ClassVar[str] = "filters"
    symbol: str
    changes: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class SetStatus:
    """A symbol's trading status changes."""

    verb: ClassVar[str] = "symbol_status"
    symbol: str
    status: SymbolStatus


@dataclass(frozen=True, slots=True)
class Restart:
    """Every connection is cut and new ones are reset for a while; nothing is lost.

    Parameters
    ----------
    time : int
        How long the venue stays away.
    """

    verb: ClassVar[str] = "restart"
    time: int = 0


MadeUp = Drop | Reset | Empty | Html | Error | Ban
"""Endings that need no answer of the venue's own."""

Ending = MadeUp | Truncate | Stale
"""How an answer ends; only one of them can come true."""

SocketAction = Mute | Close | Reset
"""What happens to sockets."""

VenueAction = Clock | Filters | SetStatus | Restart
"""What happens to the venue as a whole."""

Action = (
    Delay
    | Drop
    | Reset
    | Truncate
    | Empty
    | Html
    | Error
    | Ban
    | Execute
    | Hide
    | Stale
    | Duplicate
    | Reorder
    | Skip
    | Mute
    | Close
    | Clock
    | Filters
    | SetStatus
    | Restart
)
"""What a fault does."""
