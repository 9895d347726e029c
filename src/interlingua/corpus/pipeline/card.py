"""What became of every language: the corpus card, ``card.json``.

It holds no time, no machine and no number of processes, so that equal corpora have equal cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from interlingua.base.config import Config
from interlingua.base.errors import DataError
from interlingua.corpus.personal_data import RULES
from interlingua.corpus.pipeline.decide import REASONS, Fates
from interlingua.corpus.pipeline.prepare import Facts, Prepared
from interlingua.corpus.pipeline.shards import Plan

CARD = "card.json"
NOT_SAMPLED = "not sampled"


class InOut(Config):
    """A count before and after."""

    read: int
    """What was read."""

    kept: int
    """What is in the corpus."""


class LanguageCard(Config):
    """What became of a language's documents: read = kept + all that were dropped."""

    documents: InOut
    """Documents."""

    bytes: InOut
    """Bytes of their texts in UTF-8, as read and as written."""

    dropped: dict[str, int]
    """Documents that were dropped, by reason."""

    written: dict[str, int]
    """Lines written, by part; with sampling a document may be written more than once."""

    clusters: int
    """Clusters of near-duplicates and translations among the documents kept."""

    repaired: int
    """Documents kept that had been read in a wrong encoding, or had characters to normalise."""

    lines_removed: int
    """Lines in another language, taken out of documents kept."""

    personal_data: dict[str, int]
    """Placeholders put into documents kept, by rule."""

    scripts: dict[str, int]
    """Documents kept, by the script of most of their letters."""

    licences: dict[str, int]
    """Documents kept, by licence; under an empty one those whose licence nobody told."""

    sources: dict[str, int]
    """Documents kept, by source."""

    fences: dict[str, tuple[float | None, float | None]] | None
    """Least and greatest value of each measure; null: too few documents to have any."""


class InputCard(Config):
    """A file that was read."""

    path: str
    """As the recipe finds it."""

    sha256: str
    """Of the file."""

    documents: int
    """Documents read from it."""

    rejected: int
    """Rows that could not be read."""

    replaced: int
    """Lines in which bytes that are not UTF-8 were replaced."""


class BenchmarkCard(Config):
    """What was kept out of the corpus."""

    files: dict[str, str]
    """Benchmark files, with their sha256."""

    texts: int
    """Their texts that were searched for."""

    short: int
    """Their texts that are too short to be searched for."""


class CorpusCard(Config):
    """What became of everything."""

    languages: dict[str, LanguageCard]
    """By tag, those with most documents kept first."""

    inputs: tuple[InputCard, ...]
    """Files, in the order they were read."""

    benchmarks: BenchmarkCard
    """What was kept out."""

    rejected: int
    """Rows that could not be read; they belong to no language."""

    version: str
    """Of this package."""

    settings: dict[str, Any]
    """The recipe, resolved."""

    @property
    def documents(self) -> InOut:
        """Documents of all languages."""
        return _summed([one.documents for one in self.languages.values()])

    @property
    def bytes(self) -> InOut:
        """Bytes of all languages."""
        return _summed([one.bytes for one in self.languages.values()])

    @property
    def dropped(self) -> dict[str, int]:
        """Documents that were dropped, by reason, the commonest first."""
        return _total(one.dropped for one in self.languages.values())

    @property
    def personal_data(self) -> dict[str, int]:
        """Placeholders by rule."""
        return _total(one.personal_data for one in self.languages.values())

    @property
    def licences(self) -> dict[str, int]:
        """Documents by licence."""
        return _total(one.licences for one in self.languages.values())


def _summed(parts: list[InOut]) -> InOut:
    return InOut(read=sum(one.read for one in parts), kept=sum(one.kept for one in parts))


def _total(parts: Any) -> dict[str, int]:  # noqa: ANN401 - an iterable of counts
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return _ordered(total)


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@dataclass(slots=True)
class Dropped:
    """What the first stage has dropped.

    Attributes:
        documents: By language and reason.
        bytes: By language.
    """

    documents: Counter[tuple[str, str]] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)

    def add(self, batch: Prepared) -> None:
        """Count what a batch has dropped."""
        self.documents.update(batch.dropped)
        self.bytes.update(batch.bytes_dropped)


def language_cards(
    facts: Facts, names: list[str], fates: Fates, drawn: Plan, dropped: Dropped
) -> dict[str, LanguageCard]:
    """A card for every language that a document was read in."""
    numbers = {names[number]: number for number in np.unique(facts["lang"]).tolist()}
    tags = sorted({*numbers, *(lang for lang, _ in dropped.documents)})
    cards = {
        tag: _language(
            tag, facts["lang"] == numbers.get(tag, -1), facts, names, fates, drawn, dropped
        )
        for tag in tags
    }
    return dict(sorted(cards.items(), key=lambda item: (-item[1].documents.kept, item[0])))


def _language(
    tag: str,
    members: np.ndarray[Any, np.dtype[np.bool_]],
    facts: Facts,
    names: list[str],
    fates: Fates,
    drawn: Plan,
    dropped: Dropped,
) -> LanguageCard:
    reasons = Counter(
        {reason: count for (lang, reason), count in dropped.documents.items() if lang == tag}
    )
    for place, count in zip(*np.unique(fates.reason[members], return_counts=True), strict=True):
        if place >= 0:
            reasons[REASONS[place]] += int(count)
    reasons[NOT_SAMPLED] += int((members & drawn.unused).sum())
    kept = members & fates.kept & ~drawn.unused
    mine = facts[kept]

    def named(column: str) -> dict[str, int]:
        numbers, counts = np.unique(mine[column], return_counts=True)
        return _ordered({names[n]: int(c) for n, c in zip(numbers, counts, strict=True)})

    personal = mine["personal"].sum(axis=0, dtype=np.int64)
    early = sum(count for (lang, _), count in dropped.documents.items() if lang == tag)
    return LanguageCard(
        documents=InOut(read=int(members.sum()) + early, kept=len(mine)),
        bytes=InOut(
            read=int(facts["bytes_in"][members].sum()) + dropped.bytes[tag],
            kept=int(mine["bytes"].sum()),
        ),
        dropped=_ordered(+reasons),
        written={
            name: int(copies[members].sum(dtype=np.int64)) for name, copies in drawn.parts.items()
        },
        clusters=len(np.unique(fates.cluster[kept])),
        repaired=int(mine["repaired"].sum()),
        lines_removed=int(mine["lines"].sum()),
        personal_data={rule: int(n) for rule, n in zip(RULES, personal.tolist(), strict=True) if n},
        scripts=named("script"),
        licences=named("licence"),
        sources=named("source"),
        fences=fates.limits.get(tag),
    )


def read_card(folder: str | Path) -> CorpusCard:
    """The card of a corpus folder.

    Raises:
        DataError: There is none, or it is none.
    """
    path = Path(folder) / CARD
    try:
        return CorpusCard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"no corpus: {error.strerror}",
            path=path,
            remedy="interlingua corpus build writes one",
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"no corpus card: {place} {first['msg']}", path=path) from None


__all__ = [
    "CARD",
    "NOT_SAMPLED",
    "BenchmarkCard",
    "CorpusCard",
    "Dropped",
    "InOut",
    "InputCard",
    "LanguageCard",
    "language_cards",
    "read_card",
]
