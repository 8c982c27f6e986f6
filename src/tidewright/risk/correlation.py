"""Not one bet many times: positions in instruments that move together."""

from __future__ import annotations

from tidewright.domain.orders import LimitCheck
from tidewright.risk.case import Case, Verdict, verdict
from tidewright.risk.settings import OFF
from tidewright.risk.text import number


def max_correlated_positions(case: Case) -> Verdict:
    """Limit positions and entries that move with this one, this one included.

    Two positions move together when their correlation, with its sign turned if one is long and
    the other short, reaches the threshold. A correlation that is not known counts as reaching it.
    """
    rule = "max_correlated_positions"
    most, threshold = case.settings.max_correlated_positions, case.settings.correlation_threshold
    if most == OFF:
        return LimitCheck(rule, OFF, "not counted")
    own, level = case.intent.instrument, float(threshold)
    count = 1
    for name, commitment in case.committed.items():
        direction = commitment.direction
        if name == own or direction == 0:
            continue
        together = case.account.correlation(own, name) * direction * case.intent.side.sign
        if not together < level:
            count += 1
    return verdict(
        count <= int(most),
        rule,
        f"{most} positions at correlation {number(threshold)} and above",
        f"{count} positions",
        lambda: (
            f"{own} would be position {count} of a group that moves together; at most {most} may."
        ),
    )
