"""Is the price plausible: a collar around the latest close."""

from __future__ import annotations

from tidewright.kernels.limits import within_share
from tidewright.risk.case import Case, Verdict, verdict
from tidewright.risk.settings import ppm
from tidewright.risk.text import number


def price_collar(case: Case) -> Verdict:
    """Keep reference and limit price near the latest close, on both sides."""
    settings, intent, mark = case.settings, case.intent, case.mark
    prices = (intent.reference_ticks, intent.limit_ticks or intent.reference_ticks)
    farthest = max(prices, key=lambda ticks: abs(ticks - mark))
    price = case.own.instrument.price
    limit = f"{number(settings.price_collar_percent)} % of {number(price(mark))}"
    value = number(price(abs(farthest - mark)))
    return verdict(
        within_share(abs(farthest - mark), mark, ppm(settings.price_collar_percent)),
        "price_collar_percent",
        f"{limit} {case.currency}",
        f"{value} {case.currency}",
        lambda: (
            f"Price {number(price(farthest))} is {value} away from the latest price; "
            f"at most {limit} is allowed."
        ),
    )
