"""From rows to examples of a task: columns found, labels normalised, languages told.

The language of a file is taken from its path, then from its ``lang`` column, then identified, then
``und``; never from a default.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError, LabelError, LanguageError, quoted
from interlingua.base.files import sha256_file
from interlingua.base.registry import did_you_mean
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


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a task, checked: texts that are not blank, a label as a string, a language."""

    id: str
    text: str
    pair: str | None
    label: str | None
    lang: str
    path: Path
    line: int

    @property
    def characters(self) -> int:
        """Characters of the text, or of both."""
        return len(self.text) + len(self.pair or "")


@dataclass(slots=True)
class Examples:
    """All examples of some files, with what is worth knowing of the files.

    Attributes:
        rows: The examples, in the order of the files.
        files: Path, sha256, number of rows taken, and of rows that are not part of the task.
        rejected: Rows set aside because they could not be read.
    """

    rows: list[Example] = field(default_factory=list)
    files: list[dict[str, str | int]] = field(default_factory=list)
    rejected: Rejected = field(default_factory=Rejected)

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [row.text for row in self.rows]

    @property
    def pairs(self) -> list[str] | None:
        """The second texts, in order; None where the task is of single texts."""
        pairs = [row.pair for row in self.rows if row.pair is not None]
        assert len(pairs) in (0, len(self.rows))
        return pairs or None

    @property
    def languages(self) -> list[str]:
        """The languages that occur, most frequent first."""
        return [tag for tag, _ in Counter(row.lang for row in self.rows).most_common()]

    def select(self, chosen: NDArray[np.bool_]) -> Examples:
        """Some of the rows, in order; what is known of the files stays.

        Args:
            chosen: Whether a row is taken [N].
        """
        rows = [row for row, taken in zip(self.rows, chosen, strict=True) if taken]
        return Examples(rows, self.files, self.rejected)

    def label_ids(self, labels: Sequence[str]) -> list[int]:
        """Positions of the labels in a label space.

        Raises:
            LabelError: A label is not in the space.
        """
        index = {label: i for i, label in enumerate(labels)}
        ids = []
        for row in self.rows:
            if row.label not in index:
                raise LabelError(
                    f"label {quoted(row.label)} is not in the label set",
                    path=row.path,
                    line=row.line,
                    remedy=did_you_mean(str(row.label), labels),
                )
            ids.append(index[row.label])
        return ids


def read_examples(
    paths: Iterable[str | Path],
    task: Task,
    *,
    lang: str | None = None,
    on_error: OnError = "stop",
    labelled: bool = True,
) -> Examples:
    """Read files of a task into examples.

    Args:
        paths: Tables or official benchmark files.
        task: The task record.
        lang: The language of every row, if the caller knows it.
        on_error: ``stop`` at the first row that cannot be read, or ``skip`` and count it.
        labelled: Whether a label is demanded.

    Raises:
        DataError: A file or row cannot be read, is empty, or lacks a column.
        LanguageError: ``lang`` or a language column names no language.
    """
    known = None if lang is None else tag_of(lang)
    faults = Faults(on_error)
    examples = Examples(rejected=faults.rejected)
    for path in map(Path, paths):
        rows, outside = _read_file(path, task, faults, labelled=labelled)
        if not rows:
            raise DataError(
                "holds no row of the task" if outside or faults.rejected.faults else "is empty",
                path=path,
                remedy=f"Expected rows with a text and a label for task {task.name}",
            )
        tags = _languages(path, rows, known)
        seen: Counter[tuple[str, str]] = Counter()
        for (row, text, pair, label), tag in zip(rows, tags, strict=True):
            given = _identity(row)
            seen[tag, given] += 1
            unique = given if seen[tag, given] == 1 else f"{given}#{seen[tag, given]}"
            examples.rows.append(Example(unique, text, pair, label, tag, row.path, row.line))
        fact: dict[str, str | int] = {
            "path": path.as_posix(),
            "sha256": sha256_file(path),
            "rows": len(rows),
        }
        if outside:
            fact["rows_outside_task"] = outside
        examples.files.append(fact)
    return examples


Checked = tuple[Row, str, str | None, str | None]


def _read_file(
    path: Path, task: Task, faults: Faults, *, labelled: bool
) -> tuple[list[Checked], int]:
    checked: list[Checked] = []
    outside = 0
    for row in read_rows(path, faults):
        if any(
            name in row.values and row.values[name] not in allowed
            for name, allowed in task.where.items()
        ):
            outside += 1
            continue
        try:
            text = _text(row, task.text_columns)
            pair = _text(row, task.pair_columns) if task.paired else None
            label = _label(row, task) if labelled else None
        except DataError as fault:
            faults.report(fault)
            continue
        checked.append((row, text, pair, label))
    return checked, outside


def _column(row: Row, names: Sequence[str]) -> str:
    """The first of ``names`` that the row has.

    Raises:
        DataError: It has none of them.
    """
    for name in names:
        if name in row.values:
            return name
    has = ", ".join(map(str, row.values)) or "none"
    raise DataError(
        f"column '{names[0]}' is missing (columns here: {has})",
        path=row.path,
        line=row.line,
        remedy=f"Name a column one of: {', '.join(names)}",
    )


def _text(row: Row, columns: Sequence[str]) -> str:
    column = _column(row, columns)
    value = row.values[column]
    problem = ""
    if not isinstance(value, str):
        problem = f"{type(value).__name__} {quoted(value)}, expected a text"
    elif not value.strip():
        problem = "the text is empty"
    elif surrogates := [character for character in value if "\ud800" <= character <= "\udfff"]:
        problem = f"holds a lone surrogate (U+{ord(surrogates[0]):04X})"
    if problem:
        raise DataError(problem, path=row.path, line=row.line, column=column)
    return str(value)


def _label(row: Row, task: Task) -> str:
    column = _column(row, task.label_columns)
    value = row.values[column]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (str, int)) and str(value).strip():
        return task.label(str(value).strip())
    raise DataError(
        f"{quoted(value)} is not a label",
        path=row.path,
        line=row.line,
        column=column,
        remedy="A label is a text or a whole number",
    )


def _identity(row: Row) -> str:
    for name in ("id", "index_id"):
        if row.values.get(name) not in (None, ""):
            return str(row.values[name])
    return f"{row.path.parent.name}/{row.path.name}:{row.line}"


def _languages(path: Path, rows: list[Checked], known: str | None) -> list[str]:
    if known is not None:
        return [known] * len(rows)
    texts = [text for _, text, _, _ in rows[:_SAMPLE]]
    told = language_of_path(path)
    if told is not None and scripts_agree(told, texts):
        return [told] * len(rows)
    if any(row.values.get("lang") for row, *_ in rows):
        tags = [_language_of_row(row, text) for row, text, *_ in rows]
        if UND in tags:
            warn_unknown(path, tags.count(UND))
        return tags
    return [language_of_texts(path, texts)] * len(rows)


def _language_of_row(row: Row, text: str) -> str:
    if not row.values.get("lang"):
        return identify([text])[0].tag
    try:
        return tag_of(str(row.values["lang"]))
    except LanguageError as error:
        raise LanguageError(
            f"{row.path}, line {row.line}: {error.problem}", remedy=error.remedy
        ) from None
