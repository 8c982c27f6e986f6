import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import MILLISECOND, MINUTE, SECOND
from tidewright.exchange.faults import FaultScript, Rule, Subject, When, actions
from tidewright.exchange.faults.conditions import FIELDS
from tidewright.exchange.faults.script import SUBJECTS
from tidewright.exchange.spot.values import SymbolStatus
from tidewright.servers.venue.faults.reading import parse_script, read_script
from tidewright.servers.venue.faults.verbs import READERS


def only(text):
    (rule,) = parse_script(f"rules:\n{text}").rules
    return rule


def act(text, subject="request"):
    """Return the actions of a ``do`` written on one line."""
    return only(f"  - when: {{{subject}: }}\n    do: {text}\n").actions


def test_a_whole_script_is_read():
    script = parse_script(
        """
rules:
  - name: answer lost after execution
    when:
      request: {method: POST, path: [/api/v3/order, order.place], symbol: "BTC*", side: BUY}
      nth: [1, 3]
      after: 1.5s
      until: 2m
    do: [drop, {hide: 250ms}]
  - when: {fill: , every: 2, times: 4, probability: 25%}
    do: {duplicate: 3}
  - when: {time: 30s, again: 60s}
    do: {restart: 5s}
"""
    )
    assert script == FaultScript(
        (
            Rule(
                "answer lost after execution",
                When(
                    Subject.REQUEST,
                    (
                        ("method", ("POST",)),
                        ("path", ("/api/v3/order", "order.place")),
                        ("symbol", ("BTC*",)),
                        ("side", ("BUY",)),
                    ),
                    nth=(1, 3),
                    after=1_500 * MILLISECOND,
                    until=2 * MINUTE,
                ),
                (actions.Drop(), actions.Hide(250 * MILLISECOND)),
            ),
            Rule(
                "rule 2",
                When(Subject.FILL, every=2, times=4, chance_ppm=250_000),
                (actions.Duplicate(3),),
            ),
            Rule(
                "rule 3",
                When(Subject.TIME, after=30 * SECOND, again=60 * SECOND),
                (actions.Restart(5 * SECOND),),
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{delay: 2s}", actions.Delay(2 * SECOND)),
        ("drop", actions.Drop()),
        ("{drop: }", actions.Drop()),
        ("{drop: true}", actions.Drop()),
        ("reset", actions.Reset()),
        ("{truncate: 20}", actions.Truncate(20)),
        ("{truncate: 50%}", actions.Truncate(share_ppm=500_000)),
        ("{truncate: {to: 0.5, body: true}}", actions.Truncate(share_ppm=500_000, body=True)),
        ("empty", actions.Empty()),
        ("html", actions.Html()),
        ("{html: 403}", actions.Html(403)),
        ("{error: 503}", actions.Error(503, 0, "", True)),
        ("{error: 403}", actions.Error(403, 0, "", False)),
        ("{error: {status: 502}}", actions.Error(502, 0, "", True)),
        ("{error: {code: -9000, message: no}}", actions.Error(400, -9000, "no", False)),
        ("{ban: 2m}", actions.Ban(2 * MINUTE)),
        ("{ban: {for: 2m, status: 429}}", actions.Ban(2 * MINUTE, 429)),
        ("{execute: true}", actions.Execute(True)),
        ("{hide: 3s}", actions.Hide(3 * SECOND)),
        ("{stale: 3s}", actions.Stale(3 * SECOND)),
        ("{mute: user}", actions.Mute("user")),
        ("{mute: {sockets: all, for: 3s}}", actions.Mute("all", 3 * SECOND)),
        ("{close: {sockets: api, code: 1008}}", actions.Close("api", 1008)),
        ("{clock: -70s}", actions.Clock(-70 * SECOND)),
        ("{clock: 70s}", actions.Clock(70 * SECOND)),
        (
            "{symbol_status: {symbol: BTCUSDT, to: HALT}}",
            actions.SetStatus("BTCUSDT", SymbolStatus.HALT),
        ),
        (
            "{filters: {symbol: BTCUSDT, PRICE_FILTER: {tickSize: 0.5}, "
            "PERCENT_PRICE_BY_SIDE: {bidMultiplierUp: 1.2}}}",
            actions.Filters(
                "BTCUSDT",
                (
                    ("PRICE_FILTER", "tick", 50_000_000),
                    ("PERCENT_PRICE_BY_SIDE", "bid_up_ppm", 1_200_000),
                ),
            ),
        ),
        ("restart", actions.Restart()),
        ("{restart: {for: 5s, lose: nothing}}", actions.Restart(5 * SECOND)),
    ],
)
def test_verbs_of_a_request_are_read(text, expected):
    assert act(text) == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("duplicate", actions.Duplicate(2)),
        ("{reorder: 3}", actions.Reorder(3)),
        ("skip", actions.Skip(1)),
        ("mute", actions.Mute()),
        ("{close: {code: 1006}}", actions.Close("", 1006)),
        ("{stale: 1s}", actions.Stale(SECOND)),
    ],
)
def test_verbs_of_a_message_are_read(text, expected):
    assert act(text, "message") == (expected,)


def test_known_errors_bring_their_status_message_and_whether_they_tell_anything():
    (unknown,) = act("{error: -1007}")
    assert (unknown.status, unknown.executes) == (504, True)
    assert unknown.message.startswith("Timeout waiting for response from backend server.")
    (busy,) = act("{error: -1008}")
    assert (busy.status, busy.executes) == (503, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: 3", "line 1, rules: was '3'; expected a list"),
        ("rule: []", "key 'rule' is unknown; expected one of rules (did you mean 'rules'?)"),
        ("rules:\n  - when: {request: }\n", "line 2, rules[0]: key 'do' is missing"),
        (
            "rules:\n  - when: {request: }\n    do: {dleay: 2s}\n",
            "line 3, rules[0].do.dleay: verb 'dleay' is unknown; expected one of delay,",
        ),
        ("rules:\n  - when: {request: }\n    do: {dleay: 2s}\n", "(did you mean 'delay'?)"),
        (
            "rules:\n  - when: {reqest: }\n    do: drop\n",
            "key 'reqest' is unknown; expected one of request, query, event",
        ),
        (
            "rules:\n  - when: {nth: 1}\n    do: drop\n",
            "rules[0].when: was about nothing; expected one of request,",
        ),
        (
            "rules:\n  - when: {request: , fill: }\n    do: drop\n",
            "was about request and fill; expected one of",
        ),
        (
            "rules:\n  - when: {request: {simbol: X}}\n    do: drop\n",
            "key 'simbol' is unknown; expected one of over, method, path, symbol",
        ),
        (
            "rules:\n  - when: {request: {side: buy}}\n    do: drop\n",
            "when.request.side: was 'buy'; expected one of BUY, SELL",
        ),
        (
            "rules:\n  - when: {request: , nth: 0}\n    do: drop\n",
            "nth: was '0'; expected a whole number from 1",
        ),
        (
            "rules:\n  - when: {request: , probability: 1.5}\n    do: drop\n",
            "was '1.5'; expected a part from 0 to 1",
        ),
        (
            "rules:\n  - when: {request: , after: 9s, until: 3s}\n    do: drop\n",
            "until: ended before it began",
        ),
        (
            "rules:\n  - when: {request: , again: 3s}\n    do: drop\n",
            "again: was for request; expected a length above 0, with time",
        ),
        (
            "rules:\n  - when: {time: 3s, after: 2s}\n    do: restart\n",
            "after: was given with time",
        ),
        (
            "rules:\n  - when: {request: }\n    do: delay\n",
            "delay came alone; expected what about it, like 'delay: ...'",
        ),
        (
            "rules:\n  - when: {request: }\n    do: {delay: 2}\n",
            "was '2'; expected a length of time like 250ms, 1.5s, 2m or 1h",
        ),
        (
            "rules:\n  - when: {request: }\n    do: {delay: -2s}\n",
            "was '-2s'; expected a length of time",
        ),
        ("rules:\n  - when: {request: }\n    do: {drop: 2s}\n", "expected nothing after drop"),
        (
            "rules:\n  - when: {request: }\n    do: {error: -9000}\n",
            "was -9000; expected a message with it",
        ),
        (
            "rules:\n  - when: {request: }\n    do: {error: {message: no}}\n",
            "had no code; expected one, or a status alone",
        ),
        (
            "rules:\n  - when: {request: }\n    do: {skip: 2}\n",
            "skip was for a request; expected one of message",
        ),
        (
            "rules:\n  - when: {request: }\n    do: [drop, reset]\n",
            "line 3, rules[0].do: was drop and reset; expected one way to end an answer",
        ),
        (
            "rules:\n  - when: {request: }\n    do: {mute: usr}\n",
            "was 'usr'; expected one of market, user, api, all (did you mean 'user'?)",
        ),
        (
            "rules:\n  - when: {time: 1s}\n    do: {filters: {symbol: X}}\n",
            "named no filter; expected one of PRICE_FILTER",
        ),
        (
            "rules:\n  - when: {time: 1s}\n    do: {filters: {symbol: X, LOT_SIZE: "
            "{tickSize: 1}}}\n",
            "key 'tickSize' is unknown; expected one of minQty, maxQty, stepSize",
        ),
        (
            "rules:\n  - when: {time: 1s}\n    do: {filters: {symbol: X, LOT_SIZE: "
            "{minQty: 0.000000001}}}\n",
            "expected whole parts of 1/100000000",
        ),
        (
            "rules:\n  - when: {time: 1s}\n    do: {restart: {lose: everything}}\n",
            "was 'everything'; expected one of nothing",
        ),
        (
            "rules:\n  - {name: a, when: {time: 1s}, do: restart}\n"
            "  - {name: a, when: {time: 1s}, do: restart}\n",
            "line 3, rules[1]: name 'a' was used before",
        ),
    ],
)
def test_an_error_names_the_line_what_came_and_what_was_expected(text, told):
    with pytest.raises(ConfigError) as error:
        parse_script(text, "bad.yaml")
    assert str(error.value).startswith("bad.yaml, line ")
    assert told in str(error.value)


def test_every_action_has_one_reader_and_its_subjects():
    verbs = [action.verb for action in SUBJECTS]
    assert sorted(verbs) == sorted(READERS)


def test_a_file_is_read_and_an_absent_one_is_named(tmp_path):
    path = tmp_path / "script.yaml"
    path.write_text("rules:\n  - {when: {request: }, do: drop}\n")
    assert len(read_script(path).rules) == 1
    with pytest.raises(ConfigError, match=r"absent\.yaml cannot be read"):
        read_script(tmp_path / "absent.yaml")


def test_written_reference_names_every_word_of_the_language():
    page = (Path(__file__).parents[3] / "docs/reference/fault-scripts.md").read_text()
    rows = {
        line.split("|")[1].strip(" `").split(":")[0]: [cell.strip() for cell in line.split("|")]
        for line in page.splitlines()
        if line.startswith("| `")
    }
    for action, subjects in SUBJECTS.items():
        named = ", ".join(one for one in Subject if one in subjects)
        assert rows[action.verb][2] == ("any" if subjects == frozenset(Subject) else named)
        verb = rows[action.verb][1].strip("`")
        more = ", drop: " if action is actions.Execute else ""
        if ":" in verb:
            assert act(f"{{{verb}{more}}}", min(subjects - {Subject.TIME}))
    for subject, fields in FIELDS.items():
        told = rows["request" if subject is Subject.QUERY else subject][3]
        assert told.split("`")[1::2] == list(fields)
    for word in ("nth", "every", "times", "until", "again", "probability"):
        assert f"`{word}`" in page


words = st.sampled_from([*READERS, *Subject, *FIELDS[Subject.REQUEST], *FIELDS[Subject.MESSAGE]])
scalars = st.sampled_from(["", "1", "0", "-1007", "2s", "-2s", "50%", "user", "BTCUSDT", "true"])
parts = st.recursive(
    scalars | words | st.none() | st.integers(-5, 5),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(words, part, max_size=2),
    max_leaves=5,
)
near_rules = st.fixed_dictionaries(
    {
        "when": st.dictionaries(st.sampled_from([*Subject, "nth", "every", "again"]), parts),
        "do": parts | st.dictionaries(st.sampled_from([*READERS]), parts, min_size=1, max_size=2),
    }
)


@settings(max_examples=300, deadline=None)
@given(st.lists(near_rules, min_size=1, max_size=2))
def test_whatever_is_written_is_a_script_or_an_error_that_says_where(rules):
    text = yaml.safe_dump(json.loads(json.dumps({"rules": rules})))
    told = "any.yaml, line 1"
    try:
        assert len(parse_script(text, "any.yaml").rules) == len(rules)
    except ConfigError as error:
        told = str(error)
    assert re.match(r"any\.yaml, line \d+", told)
