"""Progress of long work in stages: one bar for each, with the time that it will still take."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Stages:
    """A progress display on standard error; called with a stage, how much is done, and of how much.

    Words in brackets after a stage's name may change while it runs.
    """

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._stage = ""
        self._task: TaskID | None = None

    def __enter__(self) -> Stages:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage got; a new name begins a new bar."""
        name = stage.partition(" (")[0]
        if name != self._stage or self._task is None:
            if self._task is not None:
                self._progress.update(self._task, visible=False)
            self._stage = name
            self._task = self._progress.add_task(stage, total=max(total, 1))
        self._progress.update(self._task, completed=done, total=max(total, 1), description=stage)
