"""Work in several processes: the order kept, faults told, one thread each, closed early."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tidewright.app.processes import ProcessExecutor
from tidewright.domain.errors import ConfigError, Transient


@dataclass(frozen=True)
class Work:
    """Answers, raises or dies, as the item says."""

    added: int

    def __call__(self, item: int) -> tuple[int, int, str]:
        if item == -1:
            raise ConfigError("item was -1; expected another")
        if item == -2:
            os.kill(os.getpid(), signal.SIGKILL)
        return item + self.added, os.getpid(), os.environ["OMP_NUM_THREADS"]


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as executor:
        yield executor


@pytest.mark.full
def test_answers_come_in_the_order_of_the_items(executor: ProcessExecutor) -> None:
    found = list(executor.map(Work(5), range(20)))
    assert [value for value, _, _ in found] == list(range(5, 25))
    assert os.getpid() not in {process for _, process, _ in found}
    assert {threads for _, _, threads in found} == {"1"}
    assert [value for value, _, _ in executor.map(Work(7), [1, 2])] == [8, 9]


@pytest.mark.full
def test_a_fault_of_the_work_is_told_as_it_was(executor: ProcessExecutor) -> None:
    with pytest.raises(ConfigError, match="item was -1"):
        list(executor.map(Work(0), [1, -1, 2]))


@pytest.mark.full
def test_closing_abandons_what_was_not_begun(executor: ProcessExecutor) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1_000):
            taken.append(item)
            yield item

    answers = executor.map(Work(0), items())
    assert next(answers)[0] == 0
    answers.close()  # type: ignore[attr-defined]
    assert len(taken) < 10
    assert [value for value, _, _ in executor.map(Work(1), [1])] == [2]


@pytest.mark.full
def test_a_process_that_dies_is_told_and_the_next_work_has_new_ones(
    executor: ProcessExecutor,
) -> None:
    with pytest.raises(Transient, match="ended without an answer"):
        list(executor.map(Work(0), [1, -2, 3]))
    assert [value for value, _, _ in executor.map(Work(1), [1])] == [2]


def test_fewer_than_one_process_is_refused() -> None:
    with pytest.raises(ConfigError, match="processes were 0"):
        ProcessExecutor(0)
