"""A report with everything in it, made from a fixed draw."""

from dataclasses import replace

import numpy as np

from tidewright.research.report.values import (
    Baseline,
    Check,
    Curve,
    DataStamp,
    Deflation,
    Fan,
    Finding,
    Fold,
    LossForecast,
    Measure,
    Month,
    NoiseSearch,
    Outcome,
    Report,
    Ruling,
    Scenario,
    Subject,
    SweepMap,
    TradeList,
)

START = 18_993


def curve(days=436, seed=0, drift=0.0004):
    drawn = np.random.default_rng(seed)
    own = 1 + np.cumsum(drawn.normal(drift, 0.006, days))
    held = np.cumprod(1 + drawn.normal(-0.0004, 0.03, days))
    matched = 1 + 0.2 * (held - 1)
    return Curve(
        tuple(range(START, START + days)),
        tuple(own.tolist()),
        tuple(matched.tolist()),
        tuple(held.tolist()),
    )


def full_report(word="PROMISING", name="sma_cross"):
    drawn = np.random.default_rng(1)
    null = tuple(drawn.normal(1.6, 0.5, 200).tolist())
    as_good = sum(value >= 2.1 for value in null)
    return Report(
        subject=subject(name),
        ruling=Ruling(
            word,
            (
                "The same search found something as good in 11.4 % of patternless copies.",
                "Nothing has been seen since a freeze yet; 30 days are needed.",
            ),
            7.0,
            (
                "Freeze it now (tidewright freeze): only what comes after counts as new evidence.",
                "Run it on paper.",
                "A pilot with real money is possible.",
            ),
        ),
        outcome=Outcome(0.174, -0.031, -0.34, 0.21, 0.172, -0.05, 0.39, 1.19, None),
        noise=NoiseSearch(200, as_good, (as_good + 1) / 201, False, 2.1, null),
        deflation=None,
        losses=LossForecast(0.183, 0.092, 0.081, 2_000, 0.09, 0.15),
        curve=curve(),
        **tables(drawn),
        **figures(drawn),
    )


def subject(name):
    last = START + 435
    return Subject(
        name,
        "search",
        "240 settings of sma_cross over BTCUSDT.",
        ("BTCUSDT", "ETHUSDT"),
        "1h",
        START,
        last,
        last + 1,
        240,
        260,
        True,
        365,
        "USDT",
        10_000.0,
        "0.1.0 abc",
    )


def tables(drawn):
    return {
        "checks": (
            Check("Uses only what was known", True, "240 truncations, no difference"),
            Check("Survives twice the costs", False, "+2.1 % becomes -4.0 % a year"),
            Check("Purged folds", None, "nothing was fitted"),
        ),
        "baselines": (
            Baseline("This strategy", 0.174, 1.1, 0.081),
            Baseline("Buy and hold", -0.34, -0.17, 0.67),
            Baseline("Cash", 0.0, None, 0.0, "no interest"),
        ),
        "scenarios": (
            Scenario("as it is", 0.174, 0.17, 300),
            Scenario("costs x2", -0.02, -0.01, 300),
            Scenario("one bar later", 0.1, 0.09, 298),
        ),
        "measures": (
            Measure("t-statistic", 2.1, "", "mean / Newey-West standard error of daily excess"),
            Measure("Probability of overfitting", None, "does not apply", "CSCV"),
        ),
        "data": DataStamp(
            "btc.parquet", "0f3a", "none", "", "2023-06-30", True, ("80 bars absent",)
        ),
        "findings": (
            Finding(3, "Half of the profit comes from 5 of 300 trades."),
            Finding(2, "Costs are 71 % of the profit before them."),
        ),
    }


def figures(drawn):
    steps = np.arange(366)[:, None]
    paths = 1 + 0.002 * np.sqrt(steps) * np.array([-5.0, -2, 0.5, 3, 6])
    return {
        "months": tuple(
            Month(2022 + index // 12, index % 12 + 1, float(value))
            for index, value in enumerate(drawn.normal(0.005, 0.03, 15))
        ),
        "trades": TradeList(
            tuple(drawn.normal(0.0004, 0.004, 300).tolist()),
            tuple(np.abs(drawn.normal(0, 0.01, 300)).tolist()),
            tuple(np.abs(drawn.normal(0, 0.012, 300)).tolist()),
            (90.0,) * 300,
            122,
        ),
        "sweep": SweepMap(
            "fast",
            "slow",
            tuple(range(5, 25)),
            tuple(range(30, 150, 10)),
            tuple(tuple(row) for row in drawn.normal(0.5, 0.8, (12, 20)).tolist()),
            0.71,
        ),
        "folds": tuple(
            Fold(START + 60 * index, START + 60 * index + 59, f"fast {5 + index}", 2.0, value)
            for index, value in enumerate((0.9, -0.4, 1.2, 0.1, -0.8, 0.5))
        ),
        "fan": Fan(*(tuple(column) for column in paths.T.tolist())),
    }


def imported_report():
    full = full_report("CANNOT TELL YET", "returns.csv")
    return replace(
        full,
        noise=None,
        deflation=Deflation(40, 12.5, 1.3, 0.31),
        data=None,
        sweep=None,
        folds=(),
        trades=None,
        scenarios=(),
        curve=replace(full.curve, matched=(), held=()),
        outcome=Outcome(0.174, None, None, None, None, None, None, 1.19),
    )
