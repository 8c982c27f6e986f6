import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.trial_store import MemoryTrialStore
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.research.judging.evidence import Interval
from tidewright.research.judging.trials import Record
from tidewright.research.judging.verdict import VerdictLevel
from tidewright.research.promotion.ladder import (
    SafetyCheck,
    Stage,
    Standing,
    Step,
    VerdictRecord,
    confirmation_text,
    due_demotion,
    loss_budget,
    may_pilot,
    may_scale,
    scaled_share,
)
from tidewright.research.promotion.records import (
    PROMOTION,
    latest_verdict,
    latest_walk_forward,
    record_step,
    record_verdict,
    record_walk_forward,
    standing_of,
    standings,
    step_of,
    stopped_for_good,
)

GOOD = (SafetyCheck("Frozen", True, "yes", may_override=False),)
NO_MONEY = (VerdictLevel.BROKEN, VerdictLevel.LOSES)


def a_step(after: Stage, before: Stage = Stage.PAPER, **changes) -> Step:
    return Step("mine", "f", "d", before, after, "me", "why", **changes)


def at(stage: Stage, **changes) -> Standing:
    step = a_step(stage, budget=100, **changes)
    overrides = (step.override,) if step.override else ()
    return Standing("mine", stage, 5, None if stage is Stage.PAPER else step, overrides)


@given(st.integers(100, 10**15))
def test_pilot_may_lose_at_most_a_hundredth(equity):
    assert 0 < loss_budget(equity) * 100 <= equity < (loss_budget(equity) + 1) * 100


def test_account_without_money_has_no_pilot():
    with pytest.raises(ConfigError):
        loss_budget(99)


def test_pilot_is_open_to_what_is_not_broken_or_losing():
    for level in (None, *VerdictLevel):
        permission = may_pilot(level, GOOD, at(Stage.PAPER), stopped_before=False)
        assert permission.granted() is (level is not None and level not in NO_MONEY)
        assert permission.granted("because") is permission.granted()


def test_pilot_whose_budget_was_spent_never_begins_again():
    stopped = may_pilot(VerdictLevel.SUPPORTED, GOOD, at(Stage.PAPER), stopped_before=True)
    assert not stopped.granted("a good reason")
    assert not may_pilot(
        VerdictLevel.SUPPORTED, GOOD, at(Stage.STOPPED), stopped_before=False
    ).granted("a good reason")


def test_failed_checks_hold_a_pilot_back_and_only_some_can_be_set_aside():
    soft = (*GOOD, SafetyCheck("Paper gate", False, "3 days"))
    permission = may_pilot(VerdictLevel.PROMISING, soft, at(Stage.PAPER), stopped_before=False)
    assert permission.overridable == ("Paper gate: 3 days",)
    assert not permission.granted()
    assert not permission.granted("  ")
    assert permission.granted("known market")
    hard = (SafetyCheck("Frozen", False, "no", may_override=False),)
    permission = may_pilot(VerdictLevel.PROMISING, hard, at(Stage.PAPER), stopped_before=False)
    assert not permission.granted("known market")


def test_only_supported_pilots_are_scaled_and_by_more_than_nothing():
    for level, stage, share in itertools.product((None, *VerdictLevel), Stage, (0.0, 0.4)):
        permission = may_scale(level, at(stage), share)
        may = level is VerdictLevel.SUPPORTED and stage in (Stage.PILOT, Stage.SCALED) and share > 0
        assert permission.granted() is may
        if level in (None, *NO_MONEY) or share == 0.0:
            assert not permission.granted("a reason")


@pytest.mark.parametrize(
    ("low", "volatility", "share"),
    [(0.02, 0.2, 0.25), (0.08, 0.2, 1.0), (0.5, 0.2, 1.0), (0.0, 0.2, 0.0), (-0.1, 0.2, 0.0)],
)
def test_size_is_half_of_mean_over_variance_at_the_lower_end(low, volatility, share):
    assert scaled_share(Interval(low, 0.6, 0.7), volatility) == pytest.approx(share)


@given(st.floats(-0.5, 0.5), st.floats(0.0, 0.5), st.floats(0.01, 1.0), st.floats(1.0, 3.0))
def test_size_never_grows_with_volatility_or_a_lower_bound(low, less, volatility, more):
    high = Interval(low, 0.6, 0.7)
    assert 0.0 <= scaled_share(high, volatility * more) <= scaled_share(high, volatility) <= 1.0
    assert scaled_share(Interval(low - less, 0.6, 0.7), volatility) <= scaled_share(
        high, volatility
    )
    assert scaled_share(None, volatility) == 0.0


def test_demotion_needs_nobody():
    level = VerdictLevel
    cases = [
        (Stage.PAPER, level.LOSES, "d", True, None),
        (Stage.STOPPED, level.LOSES, "d", True, None),
        (Stage.PILOT, level.CANNOT_TELL_YET, "d", False, None),
        (Stage.PILOT, None, "d", False, None),
        (Stage.PILOT, level.SUPPORTED, "d", True, Stage.STOPPED),
        (Stage.SCALED, level.SUPPORTED, "d", True, Stage.STOPPED),
        (Stage.PILOT, level.SUPPORTED, "other", False, Stage.PAPER),
        (Stage.PILOT, level.BROKEN, "d", False, Stage.PAPER),
        (Stage.SCALED, level.LOSES, "d", False, Stage.PAPER),
        (Stage.SCALED, level.SUPPORTED, "d", False, None),
        (Stage.SCALED, level.PROMISING, "d", False, Stage.PILOT),
        (Stage.SCALED, None, "d", False, Stage.PILOT),
    ]
    for stage, verdict, digest, spent, wanted in cases:
        due = due_demotion(at(stage), verdict, digest=digest, spent=spent)
        assert (due[0] if due else None) is wanted, (stage, verdict)
    overridden = at(Stage.SCALED, override="I know")
    assert due_demotion(overridden, level.PROMISING, digest="d") is None
    assert due_demotion(overridden, level.LOSES, digest="d")[0] is Stage.PAPER


def test_record_tells_where_each_strategy_stands_and_what_was_set_aside():
    store = MemoryTrialStore()
    assert standing_of(store, "mine") == Standing("mine", Stage.PAPER, 0, None, ())
    pilot = a_step(Stage.PILOT, budget=7, confirmation="pilot", override="no paper")
    record_step(store, pilot, 10)
    record_step(store, a_step(Stage.SCALED, Stage.PILOT, share_ppm=250_000), 20)
    standing = standing_of(store, "mine")
    assert (standing.stage, standing.since, standing.overrides) == (Stage.SCALED, 20, ("no paper",))
    assert standings(store) == [standing]
    assert step_of(store.records(PROMOTION)[0]) == pilot
    assert not stopped_for_good(store, "f")
    record_step(store, a_step(Stage.STOPPED, Stage.SCALED), 30)
    assert stopped_for_good(store, "f")
    assert not stopped_for_good(store, "g")
    record_step(store, a_step(Stage.PAPER, Stage.STOPPED), 40)
    assert stopped_for_good(store, "f")


def test_newest_verdict_of_one_version_counts():
    store = MemoryTrialStore()
    assert latest_verdict(store, "d") is None
    first = VerdictRecord("mine", "d", VerdictLevel.PROMISING, 0.1, None, ("because",))
    second = VerdictRecord(
        "mine", "d", VerdictLevel.SUPPORTED, None, Interval(0.1, 0.2, 0.3), ("a", "b")
    )
    for ts, record in enumerate((first, second)):
        record_verdict(store, record, ts)
        assert latest_verdict(store, "d") == record
    assert latest_verdict(store, "e") is None
    assert latest_walk_forward(store, "d") is None
    record_walk_forward(store, "mine", "d", 60.0, 10, 1)
    assert latest_walk_forward(store, "d") == 60.0


def test_entry_of_another_form_is_named():
    with pytest.raises(DataIntegrityError, match="entry 3"):
        step_of(Record(3, 0, PROMOTION, "mine", {"name": "mine", "after": "moon"}))


def test_confirmation_names_strategy_and_stake():
    assert confirmation_text("mine", "100.00 USD") == "pilot mine may lose 100.00 USD"
