"""What a validation found, as values; how they are shown is the business of others.

Shares are fractions of 1, and of the equity before the first day where nothing else is said. Days
are counted since 1970-01-01 UTC. None means unknown or not applicable, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass

Numbers = tuple[float, ...]
Days = tuple[int, ...]

SCHEMA = 1
"""Version of the written form of a report."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was examined.

    Parameters
    ----------
    name : str
        The strategy, or the file it was imported from.
    kind : str
        ``"rule"``, ``"search"``, ``"returns"`` or ``"trades"``.
    description : str
        One sentence: what ran over what.
    instruments : tuple of str
        What was traded; empty for imported results.
    timeframe : str
        Length of the bars; empty for imported results.
    first_day, last_day : int
        Of the examined days.
    closed_from : int or None
        First day of the part that stays closed to searches and reports; None without one.
    configurations : int
        How many were searched here, 1 for a single rule.
    tries : int or None
        Configurations ever scored on this data, these included; None when nobody knows.
    every_day : bool
        Whether the market never closes.
    days_per_year : int
        By which daily figures are annualised.
    currency : str
        Of the account.
    initial : float
        Equity before the first day, in that currency.
    made_by : str
        Version and fingerprint of what ran.
    bar_by_bar : str
        Why it ran on the event path, bar by bar; empty for the compiled loop.
    """

    name: str
    kind: str
    description: str
    instruments: tuple[str, ...]
    timeframe: str
    first_day: int
    last_day: int
    closed_from: int | None
    configurations: int
    tries: int | None
    every_day: bool
    days_per_year: int
    currency: str
    initial: float
    made_by: str
    bar_by_bar: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict.

    Parameters
    ----------
    word : str
        ``"BROKEN"``, ``"LOSES"``, ``"CANNOT TELL YET"``, ``"PROMISING"`` or ``"SUPPORTED"``.
    reasons : tuple of str
        Why, the deciding one first.
    months_to_know : float or None
        More months of results, at this rate, until the verdict could be firm; 0 when it is.
    allowed : tuple of str
        What may be done now.
    """

    word: str
    reasons: tuple[str, ...]
    months_to_know: float | None
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoiseSearch:
    """The same search on copies of the market that hold no pattern.

    Parameters
    ----------
    copies : int
        How many were searched.
    as_good : int
        In how many the best was at least as good as here.
    p_value : float
        (as_good + 1) / (copies + 1).
    stopped_early : bool
        Whether further copies could no longer have changed the answer.
    observed : float
        Statistic of the best here.
    null : tuple of float
        Statistic of the best of each copy.
    """

    copies: int
    as_good: int
    p_value: float
    stopped_early: bool
    observed: float
    null: Numbers


@dataclass(frozen=True, slots=True)
class Deflation:
    """Correction for the number of tries where the search cannot be run again.

    Parameters
    ----------
    tries : int
        Declared or counted.
    effective : float
        Independent tries that they amount to.
    expected_best : float
        Annual Sharpe ratio that the best of so many tries reaches without any skill.
    p_value : float
        Chance that luck does as well, all tries counted.
    reason : str
        Why no patternless copies were searched; empty where there was no rule to run.
    """

    tries: int
    effective: float
    expected_best: float
    p_value: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was earned after costs, against holding the same thing for the same part of the time.

    Parameters
    ----------
    net : float
        Profit after all costs.
    matched : float or None
        Profit of equal money in every instrument, times the strategy's average exposure.
    held : float or None
        Profit of equal money in every instrument, held throughout.
    exposure : float or None
        Average value of what was held.
    excess_year : float or None
        Profit beyond the matched holding, a year.
    low, high : float or None
        90 % interval of that.
    years : float
        Length of the examined time.
    stopped_day : int or None
        Day on which a loss limit ended trading for good.
    unstopped : float or None
        Profit that the same rule would have made without that limit.
    """

    net: float
    matched: float | None
    held: float | None
    exposure: float | None
    excess_year: float | None
    low: float | None
    high: float | None
    years: float
    stopped_day: int | None = None
    unstopped: float | None = None


@dataclass(frozen=True, slots=True)
class LossForecast:
    """How bad a year can get, from resampled blocks of the days that were seen.

    Parameters
    ----------
    worst : float
        Largest fall from a peak within a year that 95 % of paths stay above, 0 to 1.
    typical : float
        The median of it.
    seen : float
        The largest fall in the examined time.
    paths : int
        How many were drawn.
    gap : float or None
        Loss if everything held fell by 20 % overnight at the largest exposure.
    skipping : float or None
        Median profit with every tenth trade left out at random.
    """

    worst: float
    typical: float
    seen: float
    paths: int
    gap: float | None = None
    skipping: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One hard check; ``passed`` None where it does not apply."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Equity of each day in multiples of the equity before the first, n_days each.

    ``matched`` and ``held`` are empty where there is no market to compare with.
    """

    days: Days
    equity: Numbers
    matched: Numbers = ()
    held: Numbers = ()


@dataclass(frozen=True, slots=True)
class Month:
    """Profit of one calendar month."""

    year: int
    month: int
    profit: float


@dataclass(frozen=True, slots=True)
class TradeList:
    """Round trips: profit of each, and how far it was against and in favour of it meanwhile.

    Parameters
    ----------
    profit : tuple of float
        Share of the initial equity, after fees.
    adverse, favourable : tuple of float
        Largest move of the price against and for the position, as a share of the entry price,
        both 0 or more; empty where prices are unknown.
    minutes : tuple of float
        Durations.
    days : int
        Different days on which a round trip ended.
    """

    profit: Numbers
    adverse: Numbers
    favourable: Numbers
    minutes: Numbers
    days: int


@dataclass(frozen=True, slots=True)
class SweepMap:
    """Score of every setting of two numbers, the best over any others.

    Parameters
    ----------
    x_name, y_name : str
        The numbers; ``y_name`` is empty when only one was varied.
    x, y : tuple of float
        Their values.
    score : tuple of tuple of float or None
        One row per ``y``; the statistic that the search maximised.
    neighbours : float or None
        Median score of the settings next to the best, as a share of the best (a plateau is near 1).
    """

    x_name: str
    y_name: str
    x: Numbers
    y: Numbers
    score: tuple[tuple[float | None, ...], ...]
    neighbours: float | None


@dataclass(frozen=True, slots=True)
class Fold:
    """One step of a walk-forward: chosen on the days before, measured on days it had not seen."""

    first_day: int
    last_day: int
    chosen: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Fan:
    """A year of resampled paths: equity of each day at five levels, multiples of the start."""

    low: Numbers
    lower: Numbers
    middle: Numbers
    upper: Numbers
    high: Numbers


@dataclass(frozen=True, slots=True)
class Baseline:
    """Something simpler, over the same days and after the same costs."""

    name: str
    net: float | None
    sharpe: float | None
    drawdown: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The same rule under other costs or a slower hand."""

    name: str
    net: float
    excess_year: float | None
    trades: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of inference with its formula in words; text where no number applies."""

    name: str
    value: float | None
    text: str
    formula: str


@dataclass(frozen=True, slots=True)
class DataStamp:
    """Where the data came from and what is wrong with it.

    Parameters
    ----------
    source, fingerprint : str
        Path and digest.
    adjustment : str
        How prices were adjusted; ``"undeclared"`` when nobody said.
    adjusted_as_of, universe_as_of : str
        Dates as declared; empty when they were not.
    survivors : bool
        Whether the instruments were chosen knowing that they still exist.
    notes : tuple of str
        Gaps, rows kept out, everything inferred.
    """

    source: str
    fingerprint: str
    adjustment: str
    adjusted_as_of: str
    universe_as_of: str
    survivors: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that makes this result less believable; the weightier the higher the number."""

    weight: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a validation found.

    Parameters
    ----------
    subject, ruling, outcome
        What was examined, the verdict, the result.
    noise, deflation
        The test against luck: the first, or where no run can be repeated the second.
    losses : LossForecast or None
        None under 20 days.
    checks, curve, months, trades, baselines, scenarios, measures, data, findings
        The evidence.
    sweep, folds, fan
        Of searches, walk-forwards and Monte Carlo, where there was one.
    schema : int
        Version of the written form.
    """

    subject: Subject
    ruling: Ruling
    outcome: Outcome
    noise: NoiseSearch | None
    deflation: Deflation | None
    losses: LossForecast | None
    checks: tuple[Check, ...]
    curve: Curve
    months: tuple[Month, ...]
    trades: TradeList | None
    baselines: tuple[Baseline, ...]
    scenarios: tuple[Scenario, ...]
    measures: tuple[Measure, ...]
    data: DataStamp | None
    findings: tuple[Finding, ...]
    sweep: SweepMap | None = None
    folds: tuple[Fold, ...] = ()
    fan: Fan | None = None
    schema: int = SCHEMA
