"""From rows to examples of a task: columns found, labels normalised, languages told.

The language of a file is taken from its path, then from its ``lang`` column, then identified, then
``und``; never from a default.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError, LanguageError
from interlingua.base.files import sha256_file
from interlingua.base.registry import Registry
from interlingua.corpus.formats import read_rows
from interlingua.corpus.rows import Faults, OnError, Rejected, Row
from interlingua.languages import UND, identify, tag_of
from interlingua.languages.paths import (
    language_of_path,
    language_of_texts,
    scripts_agree,
    warn_unknown,
)
from interlingua.tasks.record import Task

_SAMPLE = 200


class Exemplar(Protocol):
    """One row of a task, checked; a kind of task adds what it is asked and what is right."""

    @property
    def id(self) -> str:
        """Its name, unique within its language."""

    @property
    def lang(self) -> str:
        """Its language's tag, or ``und``."""

    @property
    def path(self) -> Path:
        """The file it stands in."""

    @property
    def line(self) -> int:
        """The line it stands in, from 1."""

    @property
    def text(self) -> str:
        """All of it as a text, not blank."""

    @property
    def characters(self) -> int:
        """Characters of it."""


E = TypeVar("E", bound=Exemplar)


@dataclass(slots=True)
class Examples(ABC, Generic[E]):
    """All examples of some files, with what is worth knowing of the files.

    A kind of task makes a class of it, which says how a row of a file becomes an example.

    Attributes:
        rows: The examples, in the order of the files.
        files: Path, sha256, number of rows taken, and of rows that are not part of the task.
        rejected: Rows set aside because they could not be read.
    """

    rows: list[E] = field(default_factory=list)
    files: list[dict[str, str | int]] = field(default_factory=list)
    rejected: Rejected = field(default_factory=Rejected)

    expects: ClassVar[str]
    """What a row of a file holds, for a message."""

    @classmethod
    @abstractmethod
    def example(cls, row: Row, task: Task, *, labelled: bool) -> E:
        """A row of a file as an example, without its id and language, which `read` fills in.

        Args:
            row: The row.
            task: The task record.
            labelled: Whether what is right is demanded.

        Raises:
            DataError: The row cannot be used; the message has file, line and column.
        """

    @classmethod
    def read(
        cls,
        paths: Iterable[str | Path],
        task: Task,
        *,
        lang: str | None = None,
        on_error: OnError = "stop",
        labelled: bool = True,
    ) -> Self:
        """Read files of a task; see `read_examples`."""
        known = None if lang is None else tag_of(lang)
        faults = Faults(on_error)
        examples = cls(rejected=faults.rejected)
        taken: set[tuple[str, str]] = set()
        for path in map(Path, paths):
            found, outside = cls._read_file(path, task, faults, labelled=labelled)
            if not found:
                raise DataError(
                    "holds no row of the task" if outside or faults.rejected.faults else "is empty",
                    path=path,
                    remedy=f"Expected rows with {cls.expects} for task {task.name}",
                )
            named = [
                replace(example, id=_identity(row), lang=tag)  # type: ignore[type-var]
                for (row, example), tag in zip(found, _languages(path, found, known), strict=True)
            ]
            examples.rows += _told_apart(named, taken)
            fact: dict[str, str | int] = {
                "path": path.as_posix(),
                "sha256": sha256_file(path),
                "rows": len(found),
            }
            if outside:
                fact["rows_outside_task"] = outside
            examples.files.append(fact)
        return examples

    @classmethod
    def rows_of(cls, path: Path, faults: Faults) -> Iterator[Row]:
        """The rows of a file: an official layout by its name, any table by its ending."""
        return read_rows(path, faults)

    @classmethod
    def _read_file(
        cls, path: Path, task: Task, faults: Faults, *, labelled: bool
    ) -> tuple[list[tuple[Row, E]], int]:
        found: list[tuple[Row, E]] = []
        outside = 0
        for row in cls.rows_of(path, faults):
            if any(
                name in row.values and row.values[name] not in allowed
                for name, allowed in task.where.items()
            ):
                outside += 1
                continue
            try:
                found.append((row, cls.example(row, task, labelled=labelled)))
            except DataError as fault:
                faults.report(fault)
        return found, outside

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [row.text for row in self.rows]

    @property
    def languages(self) -> list[str]:
        """The languages that occur, most frequent first."""
        return [tag for tag, _ in Counter(row.lang for row in self.rows).most_common()]

    @property
    def by_language(self) -> dict[str, NDArray[np.int64]]:
        """Which rows are in each language, by tag."""
        tags = np.array([row.lang for row in self.rows])
        return {str(tag): np.flatnonzero(tags == tag) for tag in np.unique(tags)}

    def select(self, chosen: NDArray[np.bool_]) -> Self:
        """Some of the rows, in order; what is known of the files stays.

        Args:
            chosen: Whether a row is taken [N].
        """
        rows = [row for row, taken in zip(self.rows, chosen, strict=True) if taken]
        return type(self)(rows, self.files, self.rejected)

    def add(self, other: Self) -> None:
        """Add the examples of other files; an id that is taken gets a number."""
        added = {row.lang for row in other.rows}
        taken = {(row.lang, row.id) for row in self.rows if row.lang in added}
        self.rows += _told_apart(other.rows, taken)
        self.files += other.files
        self.rejected.faults += other.rejected.faults


EXAMPLES: Registry[type[Examples[Any]]] = Registry("kind of task")
EXAMPLES.add("classification", "interlingua.tasks.texts:TextExamples")
EXAMPLES.add("qa", "interlingua.tasks.questions:Questions")
EXAMPLES.add("tagging", "interlingua.tasks.tagging:TaggedExamples")


def read_examples(
    paths: Iterable[str | Path],
    task: Task,
    *,
    lang: str | None = None,
    on_error: OnError = "stop",
    labelled: bool = True,
) -> Examples[Any]:
    """Read files of a task into examples of its kind.

    Args:
        paths: Tables or official benchmark files.
        task: The task record.
        lang: The language of every row, if the caller knows it.
        on_error: ``stop`` at the first row that cannot be read, or ``skip`` and count it.
        labelled: Whether what is right is demanded.

    Raises:
        DataError: A file or row cannot be read, is empty, or lacks a column.
        LanguageError: ``lang`` or a language column names no language.
    """
    kind = EXAMPLES.get(task.kind)
    return kind.read(paths, task, lang=lang, on_error=on_error, labelled=labelled)


def _told_apart(rows: Sequence[E], taken: set[tuple[str, str]]) -> list[E]:
    """Examples with ids that occur once in a language: the second ``a`` is called ``a#2``.

    Args:
        rows: The examples.
        taken: Languages and ids that there are already; theirs are added.
    """
    seen: Counter[tuple[str, str]] = Counter()
    named = []
    for row in rows:
        name = row.id
        while (row.lang, name) in taken:
            seen[row.lang, row.id] += 1
            name = f"{row.id}#{seen[row.lang, row.id] + 1}"
        taken.add((row.lang, name))
        named.append(row if name == row.id else replace(row, id=name))  # type: ignore[type-var]
    return named


def _identity(row: Row) -> str:
    for name in ("id", "index_id"):
        if row.values.get(name) not in (None, ""):
            return str(row.values[name])
    return f"{row.path.parent.name}/{row.path.name}:{row.line}"


def _languages(path: Path, rows: list[tuple[Row, E]], known: str | None) -> list[str]:
    if known is not None:
        return [known] * len(rows)
    texts = [example.text for _, example in rows[:_SAMPLE]]
    told = language_of_path(path)
    if told is not None and scripts_agree(told, texts):
        return [told] * len(rows)
    if any(_said(row) for row, _ in rows):
        tags = [_language_of_row(row, example.text) for row, example in rows]
        if UND in tags:
            warn_unknown(path, tags.count(UND))
        return tags
    return [language_of_texts(path, texts)] * len(rows)


def _said(row: Row) -> str:
    """What a row says its language is; a table may hold NaN where it says nothing."""
    given = row.values.get("lang")
    return given if isinstance(given, str) else ""


def _language_of_row(row: Row, text: str) -> str:
    if not _said(row):
        return identify([text])[0].tag
    try:
        return tag_of(_said(row))
    except LanguageError as error:
        raise LanguageError(
            f"{row.path}, line {row.line}: {error.problem}", remedy=error.remedy
        ) from None
