"""Examples of classification: a text, or a pair of texts, and a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

from interlingua.base.errors import DataError, LabelError, quoted
from interlingua.base.registry import did_you_mean
from interlingua.corpus.detokenize import detokenized
from interlingua.corpus.rows import Row
from interlingua.languages import UND
from interlingua.tasks.columns import column_of, text_of
from interlingua.tasks.examples import Examples
from interlingua.tasks.record import Task

_SAMPLE = 500


@dataclass(frozen=True, slots=True)
class TextExample:
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


class TextExamples(Examples[TextExample]):
    """Labelled texts, or labelled pairs of texts."""

    expects: ClassVar[str] = "a text and a label"

    @classmethod
    def example(cls, row: Row, task: Task, *, labelled: bool) -> TextExample:
        """A row's text, second text and label.

        Raises:
            DataError: A column is missing or its value cannot be used.
        """
        text = text_of(row, task.text_columns)
        pair = text_of(row, task.pair_columns) if task.paired else None
        label = _label(row, task) if labelled else None
        return TextExample("", text, pair, label, UND, row.path, row.line)

    @property
    def pairs(self) -> list[str] | None:
        """The second texts, in order; None where the task is of single texts."""
        pairs = [row.pair for row in self.rows if row.pair is not None]
        assert len(pairs) in (0, len(self.rows))
        return pairs or None

    def detokenized(self) -> Self:
        """The same examples, those in English without blanks before and behind their marks."""
        return type(self)([_detokenized(row) for row in self.rows], self.files, self.rejected)

    @property
    def share_cut_up(self) -> float:
        """Share of the rows in which words and marks stand apart, as a tokenizer leaves them.

        Of some hundred rows, evenly spread: a hint must not cost a large file seconds.
        """
        some = self.rows[:: max(1, len(self.rows) // _SAMPLE)]
        return sum(row != _detokenized(row) for row in some) / max(1, len(some))

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


def _detokenized(row: TextExample) -> TextExample:
    if not row.lang.startswith("eng_"):
        return row
    pair = None if row.pair is None else detokenized(row.pair)
    return replace(row, text=detokenized(row.text), pair=pair)


def _label(row: Row, task: Task) -> str:
    column = column_of(row, task.label_columns)
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
