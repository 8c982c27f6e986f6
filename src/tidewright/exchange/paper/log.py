"""A venue log that lasts as long as its process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import orjson

from tidewright.domain.codec import plain


class MemoryVenueLog:
    """Keeps the records in memory; for backtests, whose venue need not survive anything."""

    def __init__(self) -> None:
        self._records: list[Mapping[str, object]] = []

    def load(self) -> Sequence[Mapping[str, object]]:
        """Return every record in its written form, as any durable log would."""
        return cast(
            "list[Mapping[str, object]]", orjson.loads(orjson.dumps(self._records, default=plain))
        )

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        """Keep records."""
        self._records.extend(records)

    def close(self) -> None:
        """Release nothing: the records stay readable."""
