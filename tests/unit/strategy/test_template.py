"""Documents with named numbers: defaults, other choices, and names that cannot be."""

from __future__ import annotations

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.strategy.library import library, library_texts, template_named
from tidewright.strategy.spec import dump_spec, load_spec, load_template

DOCUMENT = """\
schema: 1
name: named
parameters: {fast: 5, below: -2, stop: 1.5, bars: 9}
entry:
  long: sma(fast) > below * sma(20)
stops:
  stop_loss: {atr: stop, period: fast}
time_stop_bars: bars
"""


def test_names_stand_for_their_defaults_everywhere() -> None:
    spec = load_spec(DOCUMENT)
    assert spec.entry.long is not None
    assert spec.entry.long.text == "sma(5) > -2 * sma(20)"
    assert dump_spec(spec).count("atr: 1.5\n    period: 5\n") == 1
    assert spec.time_stop_bars == 9


def test_a_choice_changes_the_spec_as_if_it_had_been_written() -> None:
    template = load_template(DOCUMENT)
    assert dict(template.parameters) == {"fast": 5, "below": -2, "stop": 1.5, "bars": 9}
    chosen = template.spec({"fast": 7, "bars": 0, "below": 3})
    written = DOCUMENT.replace("fast: 5", "fast: 7").replace("bars: 9", "bars: 0")
    assert chosen == load_spec(written.replace("below: -2", "below: 3"))
    assert chosen != load_spec(DOCUMENT)
    assert template.spec() == load_spec(DOCUMENT)


@pytest.mark.parametrize("name", list(library()))
def test_every_named_number_of_the_library_changes_its_strategy(name: str) -> None:
    template = template_named(name)
    assert f"{name}.yaml" in library_texts()
    assert template.spec() == library()[name]
    for parameter, value in template.parameters.items():
        assert template.spec({parameter: value + 1}) != library()[name], parameter


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("fast: 5", "fast: many", "line 3, parameters.fast: was 'many'; expected a number"),
        ("fast: 5", "sma: 5", "parameter was named 'sma'"),
        ("fast: 5", "Fast: 5", "parameter was named 'Fast'"),
        ("fast: 5", "fast: 5, spare: 1", "parameter 'spare' is used nowhere"),
        ("fast: 5", "fast: 5, fast: 6", "came twice"),
        ("sma(fast)", "sma(fsat)", "parameters of sma|'fsat' is no column"),
        ("{fast: 5, below: -2, stop: 1.5, bars: 9}", "[1]", "was a list; expected a mapping"),
    ],
)
def test_names_that_cannot_be_are_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_spec(DOCUMENT.replace(old, new), "f.yaml")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"fasst": 5}, r"parameter was 'fasst'.*did you mean 'fast'"),
        ({"fast": float("nan")}, "expected a finite number"),
        ({"fast": 2.5}, "window was 2.5"),
        ({"bars": -1}, "time_stop_bars: was '-1'"),
    ],
)
def test_choices_that_give_no_strategy_are_refused(values: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_template(DOCUMENT, "f.yaml").spec(values)
