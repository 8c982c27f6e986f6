from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import SECOND
from tidewright.exchange.faults import FaultDirector, FaultScript, Occurrence, Rule, Subject, When
from tidewright.exchange.faults import director as directing
from tidewright.exchange.faults.actions import (
    Ban,
    Clock,
    Close,
    Delay,
    Drop,
    Duplicate,
    Empty,
    Error,
    Execute,
    Hide,
    Mute,
    Reorder,
    Restart,
    Skip,
    Truncate,
)
from tidewright.exchange.faults.lines import Line
from tidewright.exchange.faults.plans import PushPlan, plan_answer, plan_push

START = 1_000 * SECOND


def request(subject=Subject.REQUEST, **fields):
    return Occurrence(subject, fields)


def director(*whens, seed=1, does=Drop()):  # noqa: B008
    rules = tuple(Rule(f"rule {place}", when, (does,)) for place, when in enumerate(whens))
    return FaultDirector(FaultScript(rules), seed, START)


def counts_that_fire(when, number=30, seed=1):
    run = director(when, seed=seed)
    return [
        count
        for count in range(1, number + 1)
        if run.meet(request(path="/api/v3/order"), START + count)
    ]


def test_nth_every_and_times_look_at_the_count_of_what_fitted():
    about = When(Subject.REQUEST)
    assert counts_that_fire(replace(about, nth=(3, 5))) == [3, 5]
    assert counts_that_fire(replace(about, every=10)) == [10, 20, 30]
    assert counts_that_fire(replace(about, every=10, times=2)) == [10, 20]
    assert counts_that_fire(replace(about, times=2)) == [1, 2]


def test_other_paths_sides_and_times_are_not_counted():
    when = When(
        Subject.REQUEST,
        (("path", ("/api/v3/order", "order.*")), ("side", ("BUY",))),
        nth=(2,),
        after=2 * SECOND,
        until=9 * SECOND,
    )
    run = director(when)
    buy = request(path="/api/v3/order", side="BUY")
    assert not run.meet(buy, START + SECOND)
    assert not run.meet(buy, START + 2 * SECOND)
    assert not run.meet(request(path="/api/v3/order", side="SELL"), START + 3 * SECOND)
    assert not run.meet(request(path="/api/v3/time", side="BUY"), START + 3 * SECOND)
    assert run.meet(request(path="order.place", side="BUY"), START + 3 * SECOND)
    late = director(replace(when, nth=()))
    assert not late.meet(buy, START + 9 * SECOND)


def test_a_query_is_a_request_and_a_fill_an_event_but_not_the_other_way():
    run = director(When(Subject.REQUEST), When(Subject.QUERY), When(Subject.EVENT))
    assert [rule.name for rule in run.meet(request(Subject.QUERY), START)] == ["rule 0", "rule 1"]
    assert [rule.name for rule in run.meet(request(), START)] == ["rule 0"]
    assert [rule.name for rule in run.meet(request(Subject.FILL), START)] == ["rule 2"]
    assert run.watches(Subject.FILL)
    assert not run.watches(Subject.MESSAGE)


def test_a_probability_is_kept_drawn_by_seed_and_repeated_exactly():
    when = When(Subject.REQUEST, chance_ppm=250_000)
    fired = counts_that_fire(when, 4_000, seed=7)
    assert 900 < len(fired) < 1_100
    assert fired == counts_that_fire(when, 4_000, seed=7)
    assert fired != counts_that_fire(when, 4_000, seed=8)


def test_time_rules_fire_at_their_moments_whenever_they_are_asked():
    run = director(
        When(Subject.TIME, after=5 * SECOND, again=10 * SECOND, times=3),
        When(Subject.TIME, after=15 * SECOND),
        does=Restart(),
    )
    assert run.next_due() == START + 5 * SECOND
    assert run.due(START + 4 * SECOND) == ()
    assert [rule.name for rule in run.due(START + 20 * SECOND)] == ["rule 0", "rule 0", "rule 1"]
    assert run.next_due() == START + 25 * SECOND
    run.due(START + 90 * SECOND)
    assert run.next_due() is None
    assert [(one.time - START) // SECOND for one in run.firings] == [5, 15, 15, 25]


def test_every_firing_is_recorded_with_what_and_when(monkeypatch):
    monkeypatch.setattr(directing, "MOST_FIRINGS", 2)
    run = director(When(Subject.REQUEST, every=2))
    for count in range(1, 9):
        run.meet(request(path="/api/v3/order", side="BUY", symbol=""), START + count)
    assert len(run.firings) == 2
    first, second = run.firings
    assert (first.number, first.time, first.rule, first.count) == (1, START + 2, "rule 0", 2)
    assert first.what == "request path=/api/v3/order side=BUY"
    assert second.verbs == ("drop",)
    assert run.counts == {"rule 0": 4}


def test_a_clock_that_steps_back_does_not_reopen_what_is_over():
    run = director(When(Subject.REQUEST, until=5 * SECOND))
    assert run.meet(request(), START)
    assert not run.meet(request(), START + 6 * SECOND)
    assert not run.meet(request(), START + SECOND)


occurrences = st.builds(
    lambda subject, path, side: Occurrence(subject, {"path": path, "side": side}),
    st.sampled_from([Subject.REQUEST, Subject.QUERY]),
    st.sampled_from(["/api/v3/order", "/api/v3/time"]),
    st.sampled_from(["", "BUY", "SELL"]),
)
whens = st.builds(
    When,
    st.sampled_from([Subject.REQUEST, Subject.QUERY]),
    st.sampled_from([(), (("side", ("BUY",)),), (("path", ("*order",)),)]),
    nth=st.sampled_from([(), (1,), (2, 4)]),
    every=st.integers(0, 3),
    times=st.integers(0, 3),
    after=st.integers(0, 40),
    chance_ppm=st.sampled_from([1_000_000, 500_000, 0]),
)


@given(
    st.lists(whens, max_size=4), st.lists(st.tuples(occurrences, st.integers(0, 20))), st.integers()
)
def test_the_same_seed_script_and_occurrences_fire_the_same(rules, came, seed):
    runs = [director(*rules, seed=seed), director(*rules, seed=seed)]
    now = START
    for what, wait in came:
        now += wait
        assert runs[0].meet(what, now) == runs[1].meet(what, now)
    assert runs[0].firings == runs[1].firings
    assert sum(runs[0].counts.values()) == len(runs[0].firings)
    for rule, fired in zip(rules, runs[0].counts.values(), strict=True):
        assert not rule.times or fired <= rule.times


@given(st.lists(whens, min_size=1, max_size=3), st.lists(occurrences))
def test_a_rule_fires_the_same_whatever_rules_stand_after_it(rules, came):
    alone, among = director(rules[0]), director(*rules)
    for place, what in enumerate(came):
        alone.meet(what, START + place)
        among.meet(what, START + place)
    assert alone.counts["rule 0"] == among.counts["rule 0"]


def rule(*actions, subject=Subject.REQUEST, name="one"):
    return Rule(name, When(subject), actions)


def test_plans_add_delays_and_keep_the_first_ending():
    unknown = Error(504, -1007, "?", True)
    plan = plan_answer([rule(Delay(2), unknown), rule(Delay(3), Empty(), Hide(7))])
    assert (plan.delay, plan.ending, plan.hide, plan.executes) == (5, unknown, 7, True)
    assert not plan_answer([rule(Error(503, -1008, "?", False))]).executes
    assert not plan_answer([rule(Ban(1))]).executes
    assert not plan_answer([rule(unknown, Execute(False)), rule(Execute(True))]).executes
    first = rule(Truncate(5))
    assert plan_answer([first, rule(Execute(False), Empty())]) == plan_answer([first])
    assert plan_answer([rule(Clock(5), Close("user"))]).venue == (Clock(5),)


def test_push_plans_let_a_drop_win():
    pushed = Subject.EVENT
    plan = plan_push([rule(Duplicate(3), Delay(1), subject=pushed), rule(Drop(), subject=pushed)])
    assert (plan.copies, plan.delay) == (0, 1)
    assert plan_push([rule(Reorder(2), Mute("all"), subject=pushed)]).behind == 2


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: rule(), "did nothing"),
        (lambda: rule(Skip()), "skip was for a request; expected one of message"),
        (lambda: rule(Mute()), "did not say which sockets"),
        (lambda: rule(Drop(), Empty()), "was drop and empty; expected one way"),
        (lambda: rule(Execute(False), Truncate(5)), "left nothing to answer"),
        (lambda: rule(Delay(1), Delay(2)), "delay came twice"),
        (lambda: FaultScript((rule(Drop()), rule(Empty()))), "two rules were named 'one'"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(make, told):
    with pytest.raises(ConfigError, match=told):
        make()


def test_truncate_leaves_bytes_or_a_part():
    assert Truncate(10).left(4) == 4
    assert Truncate(10).left(40) == 10
    assert Truncate(share_ppm=500_000).left(41) == 20
    assert Truncate(share_ppm=0).left(41) == 0


plans = st.builds(
    PushPlan,
    copies=st.integers(0, 3),
    delay=st.integers(0, 50),
    behind=st.sampled_from([0, 0, 1, 2]),
    skip=st.sampled_from([0, 0, 0, 1, 2]),
)


@given(st.lists(st.tuples(plans, st.integers(0, 30), st.sampled_from("ab"))))
def test_a_line_never_goes_back_in_time_and_loses_only_what_it_was_told_to(came):
    line: Line[int] = Line()
    now, left = 0, []
    for number, (plan, wait, stream) in enumerate(came):
        now += wait
        leaving = line.push(number, plan, now, stream)
        assert all(time >= now for time, _ in leaving)
        left += leaving
    assert [time for time, _ in left] == sorted(time for time, _ in left)
    for number, (plan, _, _) in enumerate(came):
        assert [item for _, item in left].count(number) in (0, plan.copies)
    if all(plan.behind == plan.skip == 0 for plan, _, _ in came):
        order = [number for number, (plan, _, _) in enumerate(came) for _ in range(plan.copies)]
        assert [item for _, item in left] == order


def test_a_line_reorders_skips_and_delays_by_hand():
    line: Line[str] = Line()
    plain = PushPlan()
    assert line.push("a", PushPlan(behind=2), 0, "x") == []
    assert line.push("other", plain, 1, "y") == [(1, "other")]
    assert line.push("b", plain, 2, "x") == [(2, "b")]
    assert line.push("c", plain, 3, "x") == [(3, "c"), (3, "a")]
    assert line.push("d", PushPlan(skip=2), 4, "x") == []
    assert line.push("other", plain, 4, "y") == [(4, "other")]
    assert line.push("e", plain, 5, "x") == []
    assert line.push("f", PushPlan(delay=10), 6, "x") == [(16, "f")]
    assert line.push("g", plain, 7, "y") == [(16, "g")]
