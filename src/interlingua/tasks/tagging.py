"""Examples of tagging: a sentence of tokens, each with a tag; and what tags say of spans.

Tags may be parts of speech, or say in the scheme BIO (Ramshaw and Marcus 1995; here IOB2) which
tokens make an entity: ``B-PER`` begins a person, ``I-PER`` goes on with it, ``O`` is outside.

Legend: T tokens of a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import regex

from interlingua.base.errors import DataError, LabelError, quoted
from interlingua.base.registry import did_you_mean
from interlingua.corpus.formats import read_rows
from interlingua.corpus.readers.hub import is_hub
from interlingua.corpus.readers.tagged import read_conll, read_conllu
from interlingua.corpus.rows import Faults, Row
from interlingua.languages import UND
from interlingua.tasks.columns import column_of
from interlingua.tasks.examples import Examples
from interlingua.tasks.metrics.spans import spans
from interlingua.tasks.record import Task

OUTSIDE = "O"
_TABLES = regex.compile(r"\.(jsonl|ndjson|csv|parquet)(\.gz|\.zst)?$", regex.IGNORECASE)
_CONLLU = regex.compile(r"\.conllu(\.gz|\.zst)?$", regex.IGNORECASE)
_SURROGATE = regex.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TaggedExample:
    """A sentence, checked: its tokens, and as many tags, or none where none were asked for."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None
    lang: str
    path: Path
    line: int

    @property
    def text(self) -> str:
        """The tokens with spaces between them."""
        return " ".join(self.tokens)

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """Where each token starts and ends in the text."""
        starts = np.cumsum([0, *(len(token) + 1 for token in self.tokens)]).tolist()
        return [
            (start, start + len(token)) for start, token in zip(starts, self.tokens, strict=False)
        ]

    @property
    def characters(self) -> int:
        """Characters of the tokens."""
        return sum(map(len, self.tokens))


class TaggedExamples(Examples[TaggedExample]):
    """Tagged sentences."""

    expects: ClassVar[str] = "tokens and as many tags"

    @classmethod
    def rows_of(cls, path: Path, faults: Faults) -> Iterator[Row]:
        """Tables by their ending, CoNLL-U by its own, and anything else as CoNLL columns."""
        if is_hub(path) or _TABLES.search(path.name):
            return read_rows(path, faults)
        return read_conllu(path, faults) if _CONLLU.search(path.name) else read_conll(path, faults)

    @classmethod
    def example(cls, row: Row, task: Task, *, labelled: bool) -> TaggedExample:
        """A row's tokens and tags.

        Raises:
            DataError: A column is missing, or there are not as many tags as tokens.
        """
        tokens = _strings(row, column_of(row, task.token_columns))
        tags = None
        if labelled:
            column = column_of(row, task.tag_columns)
            tags = tuple(map(task.label, _strings(row, column)))
            blank = next((i for i, tag in enumerate(tags) if not tag.strip()), None)
            problem = f"{len(tags)} tags for {len(tokens)} tokens"
            if len(tags) == len(tokens) and blank is not None:
                problem = f"the tag of token {blank + 1} is empty"
            if len(tags) != len(tokens) or blank is not None:
                raise DataError(problem, path=row.path, line=row.line, column=column)
        return TaggedExample("", tokens, tags, UND, row.path, row.line)

    @property
    def sentences(self) -> list[tuple[str, ...]]:
        """The tokens of each sentence."""
        return [row.tokens for row in self.rows]

    @property
    def tags(self) -> list[tuple[str, ...]]:
        """The right tags of each sentence."""
        return [row.tags or () for row in self.rows]

    def check_tags(self, labels: Sequence[str]) -> None:
        """See that every tag is in a label space.

        Raises:
            LabelError: One is not.
        """
        known = set(labels)
        for row in self.rows:
            for i, tag in enumerate(row.tags or ()):
                if tag not in known:
                    raise LabelError(
                        f"tag {quoted(tag)} of token {i + 1} ({quoted(row.tokens[i])}) of the "
                        "sentence is not in the label set",
                        path=row.path,
                        line=row.line,
                        remedy=did_you_mean(tag, labels),
                    )


def _strings(row: Row, column: str) -> tuple[str, ...]:
    value: Any = row.values[column]
    problem = ""
    if not isinstance(value, list):
        problem = f"{type(value).__name__} {quoted(value)}, expected a list of texts"
    elif not value:
        problem = "the list is empty"
    elif odd := [part for part in value if not isinstance(part, str)]:
        problem = f"the list holds {type(odd[0]).__name__} {quoted(odd[0])}, expected texts"
    elif broken := next((m for part in value if (m := _SURROGATE.search(part))), None):
        problem = f"holds a lone surrogate (U+{ord(broken[0]):04X})"
    if problem:
        raise DataError(problem, path=row.path, line=row.line, column=column)
    return tuple(value)


@dataclass(frozen=True, slots=True)
class Entity:
    """A type and the tokens it covers, ``first`` to ``last``."""

    type: str
    first: int
    last: int


def in_bio(labels: Iterable[str]) -> bool:
    """Whether a label set is of the scheme BIO: ``O``, and all others with ``B-`` or ``I-``."""
    names = set(labels)
    return OUTSIDE in names and all(name[:2] in ("B-", "I-") for name in names - {OUTSIDE})


def repaired(tags: Sequence[str]) -> list[str]:
    """Tags in which every entity begins with ``B-``: an ``I-`` that continues nothing becomes it.

    Seqeval's lenient reading finds the same spans before and after; a strict one finds those only
    after.

    Example:
        >>> repaired(["O", "I-PER", "I-PER", "I-LOC"])
        ['O', 'B-PER', 'I-PER', 'B-LOC']
    """
    found: list[str] = []
    before = OUTSIDE
    for tag in tags:
        stray = tag.startswith("I-") and before[:2] not in ("B-", "I-")
        changed = tag.startswith("I-") and before[2:] != tag[2:]
        found.append(f"B-{tag[2:]}" if stray or changed else tag)
        before = tag
    return found


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """The entities of a sentence in the scheme BIO, in their order; none of other tags.

    Args:
        tags: T tags; an ``I-`` that continues nothing is outside, see `repaired`.
    """
    (found,) = spans([tags], reading="iob2") if tags else (set(),)
    ordered = sorted(found, key=lambda span: span[1])
    return [Entity(type_, first, last) for type_, first, last in ordered]


def located(offsets: Sequence[tuple[int, int]], tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The entities of a sentence by the characters they cover: start, end and type.

    Args:
        offsets: Where each token starts and ends in the text [T].
        tags: T tags.
    """
    return [
        (offsets[entity.first][0], offsets[entity.last][1], entity.type)
        for entity in entities_of(tags)
    ]
