"""The trial registry as commands use it: where it lies, and one call that writes tries down.

The registry lies outside any home, in the user's data folder; the environment variable
``TIDEWRIGHT_TRIALS`` names another file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.market.arrays import BarArrays
from tidewright.research.judging.trials import (
    DataIdentity,
    TrialCount,
    TrialRun,
    configurations_digest,
    count_tries,
    family_key,
    identify,
    record_run,
)

if TYPE_CHECKING:
    from tidewright.app.settings import Settings
    from tidewright.app.strategies import LoadedStrategy
    from tidewright.storage.trials import TrialFile

VARIABLE = "TIDEWRIGHT_TRIALS"
"""Environment variable that names the registry's file."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Configurations that one run scored.

    Parameters
    ----------
    command : str
        What scored them, such as ``"sweep"``.
    strategies : sequence of LoadedStrategy
        The strategies, or the one that was varied.
    settings : Settings
        What they ran under.
    variants : sequence of str
        One text for each configuration, enough to tell it from the others; empty for the
        strategies as they are.
    parameters : mapping of str to (float, float, int)
        Smallest and largest value and number of values of every number that was varied.
    effective : float
        Independent tries that they act like; 0 where that is not known.
    """

    command: str
    strategies: Sequence[LoadedStrategy]
    settings: Settings
    variants: Sequence[str] = ()
    parameters: Mapping[str, tuple[float, float, int]] | None = None
    effective: float = 0.0

    @property
    def label(self) -> str:
        """Names of the strategies."""
        return ", ".join(one.setup.strategy.name for one in self.strategies)

    @property
    def family(self) -> str:
        """Family of ideas; several strategies on one account are a family of their own."""
        return family_of(self.strategies)

    def run(self, data: DataIdentity, span: tuple[int, int]) -> TrialRun:
        """Return the run as the registry has it."""
        common = "\0".join(
            (
                *(one.document for one in self.strategies),
                self.settings.without_pilot().decision_document(),
            )
        )
        window = f"{span[0]} {span[1]}"
        texts = [f"{common}\0{window}\0{one}" for one in self.variants or ("",)]
        return TrialRun(
            data.fingerprint,
            self.family,
            self.label,
            self.command,
            len(set(texts)),
            configurations_digest(texts),
            span[1] or data.last,
            self.parameters or {},
            self.effective,
        )


def family_of(strategies: Sequence[LoadedStrategy]) -> str:
    """Return the family of ideas that strategies belong to."""
    return family_key("\n".join(one.document for one in strategies))


def trials_path() -> Path:
    """Return the registry's file."""
    named = os.environ.get(VARIABLE, "")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tidewright", appauthor=False) / "trials.sqlite3"


@contextmanager
def open_trials(*, read_only: bool = False) -> Iterator[TrialFile]:
    """Open the registry.

    Raises
    ------
    ConfigError
        If it cannot be opened, or does not exist and is only to be read.
    """
    from tidewright.storage.trials import TrialFile

    with TrialFile(trials_path(), read_only=read_only) as file:
        yield file


def record_trials(
    scored: Scored,
    series: Sequence[BarArrays],
    *,
    span: tuple[int, int] = (0, 0),
    tell: Callable[[str], None] | None = None,
) -> TrialCount | None:
    """Write down what was scored on which data, and return how much was tried by now.

    Never fails a command: where the registry cannot be used, that is told once.

    Parameters
    ----------
    scored : Scored
        The configurations.
    series : sequence of BarArrays
        Every bar that they could see.
    span : (int, int)
        Where trading began and ended, nanoseconds UTC; 0 for the data's own border.
    tell : callable, optional
        Is given the sentence that says why nothing was written.

    Returns
    -------
    TrialCount or None
        None where the registry cannot be used.
    """
    data = identify(series)
    run = scored.run(data, span)
    try:
        with open_trials() as store:
            record_run(store, data, run, time.time_ns())
            return count_tries(store, data, run.family)
    except (ConfigError, Transient, DataIntegrityError) as error:
        if tell is not None:
            tell(f"This try is not counted, because the trial registry cannot be used: {error}")
        return None


def numbers_varied(
    assignments: Iterable[Mapping[str, float]],
) -> dict[str, tuple[float, float, int]]:
    """Return smallest, largest and number of values of every name in assignments."""
    values: dict[str, set[float]] = {}
    for one in assignments:
        for name, value in one.items():
            values.setdefault(name, set()).add(float(value))
    return {name: (min(found), max(found), len(found)) for name, found in values.items()}
