"""Translations mined from two files of sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import DataError
from interlingua.batches.tokens import clean
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults, read_table
from interlingua.corpus.writing import pair_row, write_rows
from interlingua.inference.encode import Encoder
from interlingua.languages import tag_of
from interlingua.models.folder import open_model
from interlingua.retrieval.matching import WordMatch
from interlingua.retrieval.mining import (
    NEIGHBOURS,
    Mined,
    check_rules,
    first_of_equals,
    isotropic,
    mine,
)


@dataclass(frozen=True, slots=True)
class Mine:
    """How to mine; see `retrieval.mining`. A pair stays from ``threshold`` on.

    With ``words``, candidates are compared word by word too; see `retrieval.matching`.

    Raises:
        UsageError: There is no such margin or retrieval.
    """

    threshold: float
    margin: str = "ratio"
    retrieval: str = "max"
    neighbours: int = NEIGHBOURS
    isotropic: bool = False
    words: bool = False

    @property
    def kind(self) -> str:
        """What a margin is of: those of different kinds are not comparable."""
        more = (name for name in ("isotropic", "words") if getattr(self, name))
        return "+".join([self.margin, *more])

    def __post_init__(self) -> None:
        """Refuse names before anything is read or embedded."""
        check_rules(self.margin, self.retrieval)


@dataclass(frozen=True, slots=True)
class MinedFiles:
    """What became of the sentences of two files.

    Attributes:
        pairs: Pairs written.
        sources: Different source sentences.
        targets: Different target sentences.
        repeated: Sentences that stood before in their file.
        empty: Sentences without a letter.
        rejected: Rows that could not be read.
    """

    pairs: int
    sources: int
    targets: int
    repeated: int
    empty: int
    rejected: int


@dataclass(frozen=True, slots=True)
class _Side:
    lang: str
    texts: list[str]
    repeated: int
    empty: int


def mine_files(
    source: tuple[Path, str],
    target: tuple[Path, str],
    out: Path,
    *,
    model: str,
    settings: Mine,
    faults: Faults,
    engine: str = "auto",
    exact: bool = False,
) -> MinedFiles:
    """Write the translations found in two files of sentences, best first, with their margins.

    Args:
        source: A file, and its language.
        target: A file, and its language.
        out: The file to write.
        model: The model that embeds.
        settings: How to mine.
        faults: What to do with a row that cannot be read.
        engine: ``auto``, ``torch`` or ``openvino``.
        exact: float32 without padding.

    Raises:
        DataError: A file or row cannot be read.
    """
    sides = [_read(path, tag_of(lang), faults) for path, lang in (source, target)]
    encoder = Encoder(open_model(model), engine=engine, exact=exact)
    texts = [side.texts for side in sides]
    vectors = [encoder.encode(side).vectors for side in texts]
    if settings.isotropic:
        vectors = [isotropic(side) for side in vectors]
    found = mine(
        vectors[0],
        vectors[1],
        k=settings.neighbours,
        margin=settings.margin,
        retrieval=settings.retrieval,
        match=WordMatch(encoder.folder, *texts, exact=exact) if settings.words else None,
    ).above(settings.threshold)
    written = write_rows(out, _rows(found, sides[0], sides[1], settings))
    return MinedFiles(
        written,
        len(sides[0].texts),
        len(sides[1].texts),
        sum(side.repeated for side in sides),
        sum(side.empty for side in sides),
        len(faults.rejected),
    )


def _read(path: Path, lang: str, faults: Faults) -> _Side:
    texts = []
    for row in read_table(path, faults):
        if "text" not in row.values:
            raise DataError(
                "column 'text' is missing", path=path, line=row.line, remedy="Name the column text"
            )
        texts.append(clean(str(row.values["text"] or "")))
    filled = [text for text in texts if any(character.isalpha() for character in text)]
    unique, _ = first_of_equals(filled)
    return _Side(lang, unique, len(filled) - len(unique), len(texts) - len(filled))


def _rows(found: Mined, source: _Side, target: _Side, settings: Mine) -> Iterator[dict[str, Any]]:
    columns = (found.source.tolist(), found.target.tolist(), found.score.tolist())
    for i, (a, b, score) in enumerate(zip(*columns, strict=True)):
        pair = Pair(
            source.texts[a],
            target.texts[b],
            source.lang,
            target.lang,
            id=f"mined-{i + 1}",
            source="mined",
            meta={"margin": round(score, 6), "kind": settings.kind},
        )
        yield pair_row(pair)
