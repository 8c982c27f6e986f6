"""The error tree, named by what the caller must do.

```
TidewrightError
├── ConfigError         stop and tell the person; nothing was started
├── Transient           retry with back-off; nothing happened
│   └── RateLimited     retry, not before ``retry_after`` seconds
├── Rejected            the venue said no; do not retry this intent
├── UnknownOutcome      it may have happened; ask before anything else
└── DataIntegrityError  stored facts contradict each other; halt
```
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TidewrightError(Exception):
    """Base of every error that Tidewright raises on purpose."""


class ConfigError(TidewrightError):
    """What a person wrote cannot be used; the message says what was expected and what came."""


class Transient(TidewrightError):
    """A passing fault; the call had no effect and may be repeated with back-off."""


class RateLimited(Transient):
    """The other side asks for a pause.

    Parameters
    ----------
    message : str
        What was refused, and by whom.
    retry_after : float
        Seconds to wait before the next call.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(TidewrightError):
    """A definite refusal by a venue.

    Parameters
    ----------
    message : str
        The venue's reason.
    code : str
        The venue's own code, or a Tidewright code where it has none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class UnknownOutcome(TidewrightError):
    """The answer was lost; the action may have happened and must be queried, never repeated."""


class DataIntegrityError(TidewrightError):
    """Stored facts contradict each other or themselves; trading must stop."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the known word nearest to a misspelt one.

    Parameters
    ----------
    name : str
        The word that was not found.
    known : iterable of str
        The words that would have been accepted.

    Returns
    -------
    str
        ``" (did you mean 'x'?)"``, or an empty string when nothing is near.
    """
    found = get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
