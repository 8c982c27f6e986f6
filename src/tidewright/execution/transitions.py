"""The one table of legal order moves.

```
APPROVED -> SENT -> OPEN -> PARTIALLY_FILLED -> FILLED
              |       |            |
              +-------+------------+--> CANCEL_SENT -> CANCELED
              |                             |
              +-> UNKNOWN <-----------------+       (answer lost; resolved by asking alone)
              +-> REJECTED, EXPIRED, CANCELED, FILLED
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.orders import OrderState

_S = OrderState
_ENDS = frozenset({_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED})
_LIVE = frozenset({_S.OPEN, _S.PARTIALLY_FILLED})

TRANSITIONS: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    _S.APPROVED: frozenset({_S.SENT, _S.EXPIRED}),
    _S.SENT: _LIVE | _ENDS | {_S.UNKNOWN, _S.CANCEL_SENT},
    _S.UNKNOWN: _LIVE | _ENDS,
    _S.OPEN: _ENDS | {_S.PARTIALLY_FILLED, _S.CANCEL_SENT},
    _S.PARTIALLY_FILLED: frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.CANCEL_SENT}),
    _S.CANCEL_SENT: _ENDS | {_S.UNKNOWN},
    _S.FILLED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.EXPIRED: frozenset(),
}
"""State -> states that may follow it. A final state is followed by none."""


def move(client_id: str, before: OrderState, after: OrderState) -> OrderState:
    """Return the state after a legal move.

    Raises
    ------
    DataIntegrityError
        If the table does not hold the move.
    """
    if after not in TRANSITIONS[before]:
        raise DataIntegrityError(
            f"order {client_id} was to go from {before.value} to {after.value}; expected one of "
            f"{sorted(state.value for state in TRANSITIONS[before])}"
        )
    return after
