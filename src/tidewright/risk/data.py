"""Is enough known to take a risk: feed, orders of unknown outcome, age of prices."""

from __future__ import annotations

from tidewright.domain.time import MINUTE
from tidewright.risk.case import Breach, Case, Verdict, verdict
from tidewright.risk.text import duration


def feed_live(case: Case) -> Verdict:
    """Refuse while the market feed is silent."""
    live = case.account.feed_live is True
    return verdict(
        live,
        "feed_live",
        "live",
        "live" if live else "not live",
        lambda: "The market feed is not live; entries wait until it is.",
    )


def unknown_order(case: Case) -> Verdict:
    """Refuse in an instrument while the outcome of one of its orders is unknown."""
    name = case.intent.instrument
    unknown = name in case.account.unknown
    return verdict(
        not unknown,
        "unknown_order",
        "0 orders",
        "1 or more orders" if unknown else "0 orders",
        lambda: (
            f"The outcome of an order of {name} is unknown; entries wait until the venue has told."
        ),
    )


def data_age(case: Case) -> Verdict:
    """Refuse without a latest price that makes sense and is fresh."""
    rule = "max_data_age_minutes"
    name, account = case.intent.instrument, case.account
    limit = f"{case.settings.max_data_age_minutes} min"
    mark, known = account.marks.get(name), account.mark_times.get(name)
    if type(mark) is not int or mark <= 0 or type(known) is not int:
        return Breach(
            rule, limit, "no price", f"{name} has no usable latest price: it was {mark!r}."
        )
    age = account.ts - known
    if age < 0:
        return Breach(
            rule,
            limit,
            f"-{duration(-age)}",
            f"The latest price of {name} is {duration(-age)} ahead of the clock.",
        )
    return verdict(
        age <= case.settings.max_data_age_minutes * MINUTE,
        rule,
        limit,
        duration(age),
        lambda: f"The latest price of {name} is {duration(age)} old; at most {limit} is allowed.",
    )
