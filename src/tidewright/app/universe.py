"""What may be traded: the symbols and asset classes a person chose, of what a feed carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.instrument import Instrument


def settle_universe(
    settings: Settings, instruments: Sequence[Instrument], strategies: Sequence[LoadedStrategy]
) -> Settings:
    """Return the settings with `symbols` naming exactly what may be traded; empty = everything.

    Parameters
    ----------
    settings : Settings
        Its symbols and asset classes are the person's choice.
    instruments : sequence of Instrument
        What the feed carries.
    strategies : sequence of LoadedStrategy
        Each must be left with something to trade.

    Raises
    ------
    ConfigError
        If a symbol is not carried, or nothing is left to trade.
    """
    classes = {item.id: item.asset_class for item in instruments}
    for symbol in settings.symbols:
        if symbol not in classes:
            raise ConfigError(
                f"symbol was {symbol!r}; expected one that the feed carries: "
                f"{', '.join(sorted(classes))}{nearest(symbol, classes)}"
            )
    wanted = settings.asset_classes
    absent = [kind.value for kind in wanted if kind not in classes.values()]
    notes = tuple(f"asset class {kind}: no venue or data of it in this run" for kind in absent)
    chosen = [name for name in settings.symbols or classes if not wanted or classes[name] in wanted]
    if not chosen:
        raise ConfigError(
            f"asset classes were {', '.join(kind.value for kind in wanted)}; the chosen symbols "
            f"are of {', '.join(sorted({classes[name].value for name in classes}))}"
        )
    for item in strategies:
        own = item.setup.symbols
        if own is not None and own.isdisjoint(chosen):
            raise ConfigError(
                f"strategy {item.setup.strategy.name} trades {', '.join(sorted(own))}; "
                f"expected one of {', '.join(sorted(chosen))}"
            )
    everything = len(chosen) == len(classes)
    return replace(
        settings,
        symbols=() if everything else tuple(sorted(chosen)),
        notes=(*settings.notes, *notes),
    )
