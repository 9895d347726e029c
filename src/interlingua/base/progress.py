"""Progress on stderr: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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

_LINE_SECONDS = 10.0
_quiet: ContextVar[bool] = ContextVar("quiet", default=True)


def set_quiet(quiet: bool) -> None:
    """Switch progress and remarks off or on; a library is quiet until the command line speaks."""
    _quiet.set(quiet)


def say(message: str) -> None:
    """A remark for a person, one line on stderr, unless quiet."""
    if not _quiet.get():
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


class Track:
    """A piece of work with a known or unknown number of steps; see `track`."""

    def __init__(self, title: str, total: int | None, unit: str, done: int = 0) -> None:
        self.title = title
        self.total = total
        self.unit = unit
        self.done = done
        self._before = done
        self.note = ""
        self._started = time.monotonic()
        self._last_line = self._started
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not _quiet.get() and sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(title, total=total, completed=done, rate="", note="")
            self._bar.start()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that ``steps`` more are done; ``note`` stands at the end of the line."""
        self.done += steps
        self.note = note or self.note
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=steps, rate=self._rate(), note=self.note)
        elif not _quiet.get() and time.monotonic() - self._last_line >= _LINE_SECONDS:
            self._last_line = time.monotonic()
            say(self._line())

    def close(self) -> None:
        """Take the bar away and, when it took long enough to wonder, leave a line."""
        if self._bar is not None:
            self._bar.stop()
        if time.monotonic() - self._started >= _LINE_SECONDS:
            say(self._line())

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-9)
        here = self.done - self._before
        if 0 < here < seconds:
            return f"{seconds / here:.1f} s each"
        rate = here / seconds
        return f"{rate:.{0 if rate >= 10 or not rate else 1}f} {self.unit}/s"

    def _line(self) -> str:
        total = f"/{self.total}" if self.total is not None else ""
        elapsed = time.monotonic() - self._started
        here = self.done - self._before
        left = ""
        if self.total is not None and here > 0 and self.done < self.total:
            left = f", {elapsed / here * (self.total - self.done):.0f} s left"
        note = f", {self.note}" if self.note else ""
        return f"{self.title}: {self.done}{total} {self.unit}, {self._rate()}{left}{note}"


@contextmanager
def track(
    title: str, total: int | None = None, *, unit: str = "steps", done: int = 0
) -> Iterator[Track]:
    """Show how far a piece of work has come, ``done`` of it before it went on here.

    Example:
        >>> with track("Reading", total=2, unit="rows") as progress:
        ...     progress.advance()
        ...     progress.advance()
    """
    progress = Track(title, total, unit, done)
    try:
        yield progress
    finally:
        progress.close()
