"""Trim a vocabulary to the languages one serves.

Most of a small multilingual encoder is its embedding matrix, and most of that is for languages its
user never meets (Abdaoui et al. 2020, 2010.05609; Ushio et al. 2023, 2305.15020). What stays: the
special tokens, bytes, every single character of the scripts served, the pieces of the model's
prefixes, and the pieces that texts of these languages use, the most frequent first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ConfigError, DataError
from interlingua.base.progress import track
from interlingua.corpus.sampling import held_out
from interlingua.corpus.texts import Text, Texts
from interlingua.languages import parse, writes
from interlingua.languages.scripts import script_counts
from interlingua.vocab.changes import Change, batched, measure_change
from interlingua.vocab.vocabulary import Revision, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HELD_OUT = 0.1
"""Share of the texts put aside to measure on, where no others are given."""
MAX_HELD_OUT = 5000
"""Texts a language that are measured on at most."""


@dataclass(slots=True)
class Counts:
    """How often texts use each piece.

    Attributes:
        pieces: Occurrences by id, int64 [V].
        texts: Texts counted, by language.
        aside: Texts put aside to measure on.
        skipped: Texts in languages that are not served, by language.
    """

    pieces: NDArray[np.int64]
    texts: Counter[str] = field(default_factory=Counter)
    aside: list[Text] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A trimmed vocabulary and what it does.

    Attributes:
        revision: The vocabulary.
        covered: Share of the occurrences in the counted texts whose piece stayed.
        texts: Texts counted, by language.
        changes: What held-out texts of each language become.
        skipped: Texts in languages that are not served.
    """

    revision: Revision
    covered: float
    texts: dict[str, int]
    changes: dict[str, Change]
    skipped: int


def trim_vocabulary(  # noqa: PLR0913 - each is one choice of the user's
    tokenizer: Tokenizer,
    texts: Texts,
    *,
    name: object,
    languages: Sequence[str],
    coverage: float | None = None,
    size: int | None = None,
    prefixes: Sequence[str] = (),
    tests: Texts | None = None,
    seed: int = 0,
) -> Trimmed:
    """Trim a vocabulary to some languages.

    Args:
        tokenizer: The tokenizer.
        texts: Texts of these languages; others are skipped and counted.
        name: What to call the tokenizer in an error.
        languages: Tags of the languages served.
        coverage: Share of the occurrences in the texts whose piece must stay.
        size: Or: pieces to keep; where the texts use fewer, the likeliest of these scripts follow.
        prefixes: Texts whose pieces stay in any case.
        tests: Texts to measure on; else a tenth of the texts is put aside.
        seed: Seed of what is put aside.

    Raises:
        ModelError: The vocabulary is neither Unigram nor BPE.
        DataError: A language has no text.
        ConfigError: The size is smaller than what must stay, or larger than the vocabulary.
        LanguageError: A language is unknown.
    """
    assert (coverage is None) != (size is None)
    vocabulary = Vocabulary.of(tokenizer, name=name)
    tags = [parse(language).tag for language in languages]
    counts = count_pieces(tokenizer, texts, tags, aside=tests is None, seed=seed)
    base = must_stay(vocabulary, tags) | _ids(tokenizer, prefixes)
    if size is None:
        assert coverage is not None
        kept = base | by_coverage(counts.pieces, coverage)
    else:
        kept = by_size(vocabulary, counts.pieces, base, size, tags)
    revision = vocabulary.kept(kept)
    stayed = np.zeros(len(vocabulary), dtype=np.bool_)
    stayed[revision.origin] = True
    measured: Iterable[Text] = counts.aside
    if tests is not None:
        measured = (text for text in tests if text.lang in tags)
    return Trimmed(
        revision=revision,
        covered=float(counts.pieces[stayed].sum() / max(counts.pieces.sum(), 1)),
        texts=dict(sorted(counts.texts.items())),
        changes=measure_change(tokenizer, revision, measured),
        skipped=counts.skipped.total(),
    )


def count_pieces(
    tokenizer: Tokenizer, texts: Texts, tags: Sequence[str], *, aside: bool, seed: int
) -> Counts:
    """Count how often texts of some languages use each piece.

    Args:
        tokenizer: The tokenizer.
        texts: The texts.
        tags: The languages counted.
        aside: Whether to put some texts aside instead.
        seed: Seed of which.

    Raises:
        DataError: A language has no text.
    """
    counts = Counts(np.zeros(tokenizer.get_vocab_size(), dtype=np.int64))
    kept_aside: Counter[str] = Counter()

    def wanted() -> Iterable[Text]:
        for text in texts:
            if text.lang not in tags:
                counts.skipped[text.lang] += 1
            elif (
                aside
                and kept_aside[text.lang] < MAX_HELD_OUT
                and held_out(text.text, share=HELD_OUT, seed=seed)
            ):
                kept_aside[text.lang] += 1
                counts.aside.append(text)
            else:
                yield text

    with track("Counting pieces", unit="texts") as bar:
        for batch in batched(wanted()):
            counts.texts.update(text.lang for text in batch)
            for encoding in tokenizer.encode_batch(
                [text.text for text in batch], add_special_tokens=False
            ):
                np.add.at(counts.pieces, encoding.ids, 1)
            bar.advance(len(batch))
    for tag in tags:
        if not counts.texts[tag]:
            has = ", ".join(sorted({*counts.texts, *counts.skipped}))
            raise DataError(
                f"no text in {tag} to count pieces in (texts here: {has})",
                remedy=f"Give --data with text in {tag}, or leave the language out",
            )
    return counts


def must_stay(vocabulary: Vocabulary, tags: Sequence[str]) -> set[int]:
    """Special tokens, bytes, and the single characters of the scripts of some languages."""
    stay = set(vocabulary.special) | set(vocabulary.bytes)
    scripts = tuple(sorted({parse(tag).script for tag in tags}))
    for i in range(vocabulary.inside):
        if vocabulary.byte_level:
            if len(vocabulary.pieces[i]) == 1:
                stay.add(i)
        elif len(piece := vocabulary.text_of(i)) == 1 and written_in(piece, scripts):
            stay.add(i)
    return stay


def by_coverage(counts: NDArray[np.int64], coverage: float) -> set[int]:
    """The fewest pieces that make up a share of all occurrences, the most frequent first."""
    order = np.argsort(-counts, kind="stable")
    reached = np.cumsum(counts[order]) >= coverage * counts.sum()
    return set(order[: int(np.argmax(reached)) + 1].tolist()) if counts.any() else set()


def by_size(
    vocabulary: Vocabulary,
    counts: NDArray[np.int64],
    base: set[int],
    size: int,
    tags: Sequence[str],
) -> set[int]:
    """Exactly ``size`` pieces (of BPE: and the steps to them): used ones, then likely ones.

    Raises:
        ConfigError: The size is smaller than what must stay, or larger than the vocabulary.
    """
    least = len(vocabulary.kept(base).origin)
    if not least <= size <= len(vocabulary):
        raise ConfigError(
            f"--size {size}: the special tokens and the characters of these scripts alone are "
            f"{least} pieces, the vocabulary has {len(vocabulary)}",
            remedy=f"Give a --size from {least} to {len(vocabulary)}",
        )
    kept = set(vocabulary.kept(base).origin.tolist())
    scripts = tuple(sorted({parse(tag).script for tag in tags}))
    scores = np.full(len(vocabulary), -np.inf)
    scores[: vocabulary.inside] = vocabulary.scores
    for i in np.lexsort((-scores, -counts)).tolist():
        if len(kept) >= size:
            break
        if counts[i] or written_in(vocabulary.text_of(i), scripts):
            kept.add(i)
    return kept


@lru_cache(maxsize=1 << 18)
def written_in(piece: str, scripts: tuple[str, ...]) -> bool:
    """Whether all letters of a piece are of scripts that languages written in these may show."""
    found = script_counts(piece)
    return all(any(writes(script, each) for script in scripts) for each in found)


def _ids(tokenizer: Tokenizer, texts: Sequence[str]) -> set[int]:
    return {i for text in texts for i in tokenizer.encode(text, add_special_tokens=False).ids}
