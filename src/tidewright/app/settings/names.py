"""Which names a setting may be written under: its own, a flat one, or one of an older file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import get_type_hints

from tidewright.app.settings.model import Settings
from tidewright.domain.errors import nearest

HIDDEN = frozenset(
    {
        "notes",
        "paper.currency",
        "paper.initial_balance",
        "risk.max_data_age_minutes",
        "risk.min_confidence",
    }
)
"""Fields that another setting fills, so that nothing has to be said twice."""

SECTION_ALIASES: Mapping[str, str] = {
    "backtest": "account",
    "circuit_breaker": "risk",
    "dashboard": "server",
    "data_validation": "data",
    "ml": "signals",
    "order_manager": "execution",
    "paper_trading": "paper",
    "risk_management": "risk",
    "trading": "",
    "validation": "data",
    "web": "server",
}
"""Older section name -> section; an empty one stands for no section."""

LEAF_ALIASES: Mapping[str, str] = {
    "account.initial_balance_krw": "account.initial_balance",
    "account.initial_capital": "account.initial_balance",
    "assets": "symbols",
    "initial_balance_krw": "account.initial_balance",
    "initial_capital": "account.initial_balance",
    "loop_interval_seconds": "loop_seconds",
    "max_daily_loss_krw": "risk.max_daily_loss",
    "paper.currency": "account.currency",
    "paper.initial_balance": "account.initial_balance",
    "paper.initial_balance_krw": "account.initial_balance",
    "risk.max_daily_loss_krw": "risk.max_daily_loss",
    "risk.max_data_age_minutes": "data.max_data_age_minutes",
    "risk.min_confidence": "signals.min_confidence",
    "strategy.min_confidence": "signals.min_confidence",
    "strategy.ml_weight": "signals.ml_weight",
}
"""Older name -> name."""

_LATER = "is known but has no effect in this version"
_STRATEGY = "belongs to a strategy: see `tidewright strategy show ta_confidence`"

WITHOUT_EFFECT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "strategy": (
        _STRATEGY,
        (
            "sma_short",
            "sma_long",
            "macd_fast",
            "macd_slow",
            "macd_signal",
            "rsi_period",
            "rsi_oversold",
            "rsi_overbought",
            "atr_period",
        ),
    ),
    "database": (
        _LATER,
        ("backup_enabled", "backup_interval_hours", "backup_path", "keep_backups"),
    ),
    "signals": (
        _LATER,
        (
            "enabled",
            "ab_testing",
            "ab_test_ratio",
            "retrain_interval_days",
            "min_training_samples",
        ),
    ),
    "trading_hours": (
        _LATER,
        (
            "regular_open",
            "regular_close",
            "premarket_start",
            "afterhours_end",
            "trade_premarket",
            "trade_afterhours",
            "skip_holidays",
            "early_close_buffer_minutes",
        ),
    ),
    "timezone": (_LATER, ("local", "market")),
    "exchange_rate": (_LATER, ("update_interval_minutes", "fallback_rate")),
    "display": (_LATER, ("currency_label", "show_usd_equivalent")),
    "health": (
        _LATER,
        ("heartbeat_interval_seconds", "alert_after_missed_heartbeats", "check_interval_seconds"),
    ),
    "network": (_LATER, ("check_urls", "timeout_seconds", "failure_threshold")),
    "rate_limits": (
        _LATER,
        (
            "kis_api_calls_per_second",
            "yfinance_calls_per_second",
            "max_retry_attempts",
            "base_retry_delay_seconds",
        ),
    ),
    "reconciler": (_LATER, ("run_on_startup", "run_interval_minutes", "auto_sync_to_broker")),
    "logging": (_LATER, ("level", "rotate_size_mb", "keep_days")),
    "discord": (_LATER, ("large_order_threshold_krw", "confirmation_timeout_seconds")),
}
"""Section -> why its further names do nothing yet, and those names."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a written name stands for.

    Parameters
    ----------
    path : str
        Name of the setting, such as ``"risk.max_drawdown_percent"``; empty when it has no effect.
    currency : str
        Currency that the written name says its value is in, or empty.
    note : str
        Why it has no effect, or empty.
    """

    path: str
    currency: str = ""
    note: str = ""


@cache
def sections() -> Mapping[str, type]:
    """Return each section's name and class."""
    hints = get_type_hints(Settings)
    return {name: cls for name, cls in hints.items() if isinstance(cls, type) and is_dataclass(cls)}


@cache
def known_names() -> tuple[str, ...]:
    """Return the full name of every setting."""
    found = [field.name for field in fields(Settings) if field.name not in sections()]
    for section, cls in sections().items():
        found += [f"{section}.{field.name}" for field in fields(cls)]
    return tuple(name for name in found if name not in HIDDEN)


@cache
def _flat_names() -> Mapping[str, str]:
    counted: dict[str, list[str]] = {}
    for name in known_names():
        if "." in name:
            counted.setdefault(name.partition(".")[2], []).append(name)
    return {leaf: names[0] for leaf, names in counted.items() if len(names) == 1}


@cache
def _idle_names() -> Mapping[str, str]:
    return {
        f"{section}.{leaf}": reason
        for section, (reason, leaves) in WITHOUT_EFFECT.items()
        for leaf in leaves
    }


def is_section(name: str) -> bool:
    """Return whether a top-level name holds further names."""
    return name in sections() or name in SECTION_ALIASES or name in WITHOUT_EFFECT


def resolve(written: str) -> Resolved | None:
    """Return what a written name stands for, or None when it is unknown.

    Parameters
    ----------
    written : str
        Dotted name in small letters.
    """
    head, dot, leaf = written.partition(".")
    name = written
    if dot and head in SECTION_ALIASES:
        section = SECTION_ALIASES[head]
        name = f"{section}.{leaf}" if section else leaf
    currency = "KRW" if leaf.endswith("_krw") or name.endswith("_krw") else ""
    name = LEAF_ALIASES.get(name, name)
    if name in known_names():
        return Resolved(name, currency)
    if name in _idle_names():
        return Resolved("", note=_idle_names()[name])
    flat = _flat_names().get(name)
    return Resolved(flat, currency) if flat else None


def suggestion(written: str) -> str:
    """Return a hint naming the known setting nearest to an unknown one, or an empty string."""
    candidates = {*known_names(), *LEAF_ALIASES, *_idle_names(), *_flat_names()}
    head, dot, _ = written.partition(".")
    if dot and head in SECTION_ALIASES:
        section = SECTION_ALIASES[head]
        candidates |= {
            f"{head}.{name.rpartition('.')[2]}"
            for name in candidates
            if name.startswith(f"{section}.")
        }
    return nearest(written, sorted(candidates))
