"""What can go wrong, drawn as one tree.

    InterlinguaError                 exit code
    ├── UserError                    2    the reader's mistake: value, rule and remedy in one line
    │   ├── UsageError                    a command line that cannot be meant
    │   ├── ConfigError                   a recipe or option with a wrong key, type or combination
    │   ├── UnknownNameError              a task, suite, metric or strategy that does not exist
    │   ├── LanguageError                 a language tag nobody knows
    │   ├── DataError                     a file or row that cannot be read
    │   │   └── LabelError                a label outside the label set
    │   ├── ModelError                    a folder that is not a model
    │   │   └── UnsafeModelError          pickled weights or remote code
    │   ├── CheckpointError               nothing to resume from, or a run that has changed since
    │   └── MissingExtraError             an optional dependency that is not installed
    ├── MachineError                 1    a fault of the machine
    │   └── DiskError                     disk full, read-only or vanished
    ├── NonFiniteError               1    a loss or gradient that is not a number
    ├── GateError                    3    a score below what was required
    └── StoppedError                 143  asked to stop (SIGTERM), after a checkpoint

A user's mistake gets one of these classes; a programmer's mistake gets an ``assert``.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class InterlinguaError(Exception):
    """Root of everything this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class UserError(InterlinguaError):
    """The reader's mistake, told in one line: the value, the rule and the remedy.

    Args:
        problem: What was given and which rule it breaks, without a final full stop.
        remedy: What to do instead.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        self.problem = one_line(problem)
        self.remedy = one_line(remedy)
        super().__init__(f"{self.problem}. {self.remedy}" if self.remedy else self.problem)


class UsageError(UserError):
    """A command line that cannot be meant."""


class ConfigError(UserError):
    """A recipe or option with a wrong key, type or combination."""


class UnknownNameError(UserError):
    """A name that is in no registry; the remedy names near ones."""


class LanguageError(UserError):
    """A language tag nobody knows; the remedy names near ones."""


class DataError(UserError):
    """A file or row that cannot be read.

    Args:
        problem: What is wrong.
        remedy: What to do instead.
        path: The file.
        line: The line in the file, counted from 1; for Parquet the row.
        column: The column.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str = "",
        path: str | Path | None = None,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        self.reason = one_line(problem)
        self.path = path
        self.line = line
        self.column = column
        place = "" if path is None else f"{path}"
        if line is not None:
            place += f", line {line}"
        if column is not None:
            place += f", column '{column}'"
        super().__init__(f"{place}: {problem}" if place else problem, remedy=remedy)


class LabelError(DataError):
    """A label outside the label set."""


class ModelError(UserError):
    """A folder that is not a model."""


class UnsafeModelError(ModelError):
    """Pickled weights or remote code: refused, never loaded."""


class CheckpointError(UserError):
    """Nothing to resume from, or a run whose settings or data have changed since."""


class MissingExtraError(UserError):
    """An optional dependency that is not installed; the remedy is the pip line."""


class MachineError(InterlinguaError):
    """A fault of the machine, not of the reader."""


class DiskError(MachineError):
    """The disk is full, read-only or gone; nothing half-written carries a final name."""


class NonFiniteError(InterlinguaError):
    """A loss or gradient that is not a number; the message holds the ids of the batch."""


class GateError(InterlinguaError):
    """A score below what was required."""

    exit_code: ClassVar[int] = 3


class StoppedError(InterlinguaError):
    """Asked to stop by SIGTERM; a checkpoint was written first."""

    exit_code: ClassVar[int] = 143


def one_line(text: str) -> str:
    """Fold white space and control characters, so that a message stays on one line.

    Lone surrogates and other characters that a terminal cannot show are escaped.
    """
    folded = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in folded)


def quoted(value: object, limit: int = 60) -> str:
    """Show a value inside a message: quoted, on one line, cut after ``limit`` characters."""
    text = one_line(str(value))
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"
