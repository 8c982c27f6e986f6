"""An endpoint: what it is asked with, who may ask, what it weighs, and what it answers.

Endpoints know no transport. A request of the REST API and one of the WebSocket API come here as a
`Sent`, and leave as a value to be written as JSON, or as an `errors.ApiError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tidewright.exchange.spot.values import Refusal
from tidewright.servers.venue import errors, signing
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.parameters import Field, Shape, Values
from tidewright.servers.venue.signing import Permission
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.writers import MILLISECONDS

_TIME_FIELDS = (
    Field("recvWindow", read.thousandths),
    Field("timestamp", read.moment, mandatory=True),
)
_SIGNATURE = Field("signature", read.any_text, mandatory=True)
NOBODY = -1
"""Number of the account of a request that needs none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sent, whatever it came by.

    Parameters
    ----------
    parameters : mapping of str to str
        Names and texts, the signature among them; the API key is not.
    key : str
        API key.
    peer : str
        IP address.
    payloads : tuple of bytes
        What the signature may be of; one that holds is enough.
    account : int
        The account, when the connection proved it before and nothing is signed; -1 otherwise.
    unit : int
        Nanoseconds in the unit of time of the answer.
    """

    parameters: Mapping[str, str]
    key: str = ""
    peer: str = "127.0.0.1"
    payloads: tuple[bytes, ...] = ()
    account: int = NOBODY
    unit: int = MILLISECONDS


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was checked and may be answered.

    Parameters
    ----------
    venue : Venue
        Where.
    values : Values
        Its parameters.
    account : int
        Who asks; -1 is anybody.
    now : int
        When, nanoseconds UTC.
    unit : int
        Nanoseconds in the unit of time of the answer.
    """

    venue: Venue
    values: Values
    account: int
    now: int
    unit: int


Weight = int | Callable[[Mapping[str, str]], int]
"""Weight of a request, or what finds it from the parameters as they were sent."""


class Endpoint:
    """One thing that can be asked.

    Parameters
    ----------
    answer : callable
        Makes the answer; may raise `errors.ApiError` and `Refusal`.
    fields : tuple of Field
        Parameters, without those of the signature.
    permission : Permission or None
        What a key must be allowed; None asks for no key.
    weight : int or callable
        What it takes from the limit of its address.
    counts_orders : bool
        Whether a good answer tells how many unfilled orders the account has.
    """

    def __init__(
        self,
        answer: Callable[[Call], object],
        *fields: Field,
        permission: Permission | None = None,
        weight: Weight = 1,
        counts_orders: bool = False,
    ) -> None:
        self._answer = answer
        self._weight = weight
        self.fields = fields
        self.permission = permission
        self.counts_orders = counts_orders
        if permission is None:
            self._shape = self._trusted_shape = Shape(*fields)
        else:
            self._shape = Shape(*fields, *_TIME_FIELDS, _SIGNATURE)
            self._trusted_shape = Shape(*fields, *_TIME_FIELDS, Field("signature", read.any_text))

    def weigh(self, parameters: Mapping[str, str]) -> int:
        """Return what a request takes from the limit of its address."""
        return self._weight if isinstance(self._weight, int) else self._weight(parameters)

    def authenticate(self, venue: Venue, sent: Sent) -> tuple[int, Values]:
        """Return who asks, and the parameters.

        Raises
        ------
        errors.ApiError
            If the key, a parameter, the time or the signature is wrong.
        """
        if self.permission is None:
            return NOBODY, self._shape.read(sent.parameters)
        if sent.account != NOBODY:
            values = self._trusted_shape.read(sent.parameters)
            _check_time(venue, values)
            return sent.account, values
        key = venue.keys.find(sent.key, self.permission, sent.peer)
        values = self._shape.read(sent.parameters)
        _check_time(venue, values)
        signing.check_signature(key, sent.payloads, values.text("signature"))
        return key.account, values

    def perform(self, venue: Venue, sent: Sent) -> tuple[int, object]:
        """Answer a request; return also who asked.

        Raises
        ------
        errors.ApiError
            If it is refused.
        """
        account, values = self.authenticate(venue, sent)
        call = Call(venue, values, account, venue.clock.now(), sent.unit)
        try:
            answer = self._answer(call)
        except Refusal as refusal:
            raise errors.of_refusal(refusal) from refusal
        if self.permission is Permission.TRADE:
            venue.record()
        return account, answer


def _check_time(venue: Venue, values: Values) -> None:
    window = values.number("recvWindow", signing.WINDOW)
    signing.check_time(values.number("timestamp"), window, venue.times())
