"""Extend a vocabulary for a language it serves badly.

A Unigram model is trained on text of the language; of its pieces, those the vocabulary lacks are
candidates. Their log probabilities are of another distribution, that of one language instead of a
hundred: they are shifted so that the pieces both have agree in the median. Of the candidates the
``N`` stay that save most tokens on the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ConfigError, DataError
from interlingua.base.progress import say, track
from interlingua.corpus.sampling import held_out
from interlingua.corpus.texts import Text, Texts
from interlingua.vocab.changes import Change, batched, measure_change
from interlingua.vocab.document import SPACE, SPECIAL
from interlingua.vocab.sentencepiece_model import train_model
from interlingua.vocab.train import cut
from interlingua.vocab.trim import HELD_OUT, MAX_HELD_OUT
from interlingua.vocab.vocabulary import NEW, Revision, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_BYTES = 50_000_000
"""Bytes of text that are trained on at most."""
_MORE = 3  # candidates for each piece that stays
_OVERLAP = 20  # pieces in common from which on a median is trusted


@dataclass(frozen=True, slots=True)
class Extended:
    """An extended vocabulary and what it does.

    Attributes:
        revision: The vocabulary.
        parts: For each new piece the known old ids it was cut into before.
        shift: What was added to the scores of the new pieces.
        overlap: Pieces that both vocabularies have, over which the shift is the median.
        sentences: Sentences trained on.
        changes: What held-out texts become, by language.
        skipped: Texts in other languages than the one asked for.
    """

    revision: Revision
    parts: list[list[int]]
    shift: float
    overlap: int
    sentences: int
    changes: dict[str, Change]
    skipped: int


def extend_vocabulary(
    tokenizer: Tokenizer,
    texts: Texts,
    *,
    name: object,
    lang: str,
    add: int,
    tests: Iterable[Text] | None = None,
    seed: int = 0,
) -> Extended:
    """Add pieces for a language.

    Args:
        tokenizer: The tokenizer; Unigram.
        texts: Text of the language; others are skipped and counted.
        name: What to call the tokenizer in an error.
        lang: Tag of the language.
        add: How many pieces.
        tests: Texts to measure on, of this language and of others; without any of this language, a
            tenth of the texts is put aside.
        seed: Seed of what is put aside.

    Raises:
        ModelError: The vocabulary is not Unigram.
        DataError: There is no text in the language.
        ConfigError: The text gives fewer new pieces.
    """
    vocabulary = Vocabulary.of(tokenizer, name=name)
    vocabulary.with_pieces([], [])  # refused at once, if it cannot be done
    measured = list(tests or ())
    sentences, aside, skipped = _sentences(
        texts, lang, aside=all(text.lang != lang for text in measured), seed=seed
    )
    normal = [normalized(tokenizer, sentence) for sentence in sentences]
    pieces, scores = _train(normal, size=len(SPECIAL) + _MORE * add + 1000)
    shift, overlap = median_shift(vocabulary, pieces, scores)
    known = set(vocabulary.pieces)
    candidates = [
        (piece, max(score + shift, float(vocabulary.scores.min())))
        for piece, score in zip(pieces, scores, strict=True)
        if piece not in known and piece not in SPECIAL
    ]
    chosen = _best(vocabulary, tokenizer, candidates, sentences, add)
    if len(chosen) < add:
        raise ConfigError(
            f"--add {add} is too many: the text gives {len(chosen)} pieces that the vocabulary "
            "lacks and that are used",
            remedy=f"Give --add {len(chosen)} or less, or more text",
        )
    revision = vocabulary.with_pieces(*zip(*chosen, strict=True)) if chosen else None
    assert revision is not None
    return Extended(
        revision=revision,
        parts=[
            [i for i in _parts(tokenizer, piece) if i != vocabulary.unknown_id]
            for piece, _ in chosen
        ],
        shift=shift,
        overlap=overlap,
        sentences=len(sentences),
        changes=measure_change(tokenizer, revision, [*aside, *measured]),
        skipped=skipped,
    )


def normalized(tokenizer: Tokenizer, text: str) -> str:
    """A text as the tokenizer's normaliser leaves it, before it is cut up."""
    normalizer = tokenizer.normalizer
    return text if normalizer is None else str(normalizer.normalize_str(text))


def median_shift(
    vocabulary: Vocabulary, pieces: Sequence[str], scores: Sequence[float]
) -> tuple[float, int]:
    """What to add to new scores so that they compete fairly, and over how many common pieces.

    The median over the common pieces of more than one character; where these are too few to tell,
    as for a script the vocabulary has never seen, the medians of both vocabularies are brought
    together.
    """
    inside = vocabulary.pieces[: vocabulary.inside]
    old = dict(zip(inside, vocabulary.scores.tolist(), strict=True))
    pairs = [
        (old[piece], score)
        for piece, score in zip(pieces, scores, strict=True)
        if piece in old and piece not in SPECIAL and len(piece.strip(SPACE)) > 1
    ]
    if len(pairs) >= _OVERLAP:
        return float(np.median([a - b for a, b in pairs])), len(pairs)
    ours = [score for piece, score in zip(pieces, scores, strict=True) if piece not in SPECIAL]
    return float(np.median(vocabulary.scores) - np.median(ours)), len(pairs)


def _sentences(
    texts: Texts, lang: str, *, aside: bool, seed: int
) -> tuple[list[str], list[Text], int]:
    """Sentences of the language to train on, texts to measure on, and how many were neither."""
    sentences: list[str] = []
    kept: list[Text] = []
    skipped = total = 0
    with track("Reading", unit="texts") as bar:
        for text in texts:
            bar.advance()
            if text.lang != lang:
                skipped += 1
            elif (
                aside
                and len(kept) < MAX_HELD_OUT
                and held_out(text.text, share=HELD_OUT, seed=seed)
            ):
                kept.append(text)
            elif total < MAX_BYTES:
                sentences += cut(text.text)
                total += len(text.text.encode())
    if not sentences:
        raise DataError(
            f"no text in {lang} to train on ({skipped} texts in other languages)",
            remedy=f"Give --train with text in {lang}; --lang says so where no column does",
        )
    return sentences, kept, skipped


def _train(sentences: Sequence[str], *, size: int) -> tuple[list[str], list[float]]:
    trained = train_model(
        sentences,
        kind="unigram",
        size=size,
        byte_fallback=False,
        coverage=0.9999,
        normalization="identity",
        exact_size=False,
    )
    return trained.pieces, trained.scores


def _best(
    vocabulary: Vocabulary,
    tokenizer: Tokenizer,
    candidates: Sequence[tuple[str, float]],
    sentences: Sequence[str],
    add: int,
) -> list[tuple[str, float]]:
    """The candidates that save most tokens where all may be used; unknown characters first."""
    if not candidates:
        return []
    trial = vocabulary.with_pieces(*zip(*candidates, strict=True))
    new = np.flatnonzero(trial.origin == NEW)
    counts: NDArray[np.int64] = np.zeros(len(trial.origin), dtype=np.int64)
    cutter = trial.vocabulary.tokenizer()
    with track("Trying candidates", len(sentences), unit="sentences") as bar:
        for batch in batched(sentences):
            for encoding in cutter.encode_batch(list(batch), add_special_tokens=False):
                np.add.at(counts, encoding.ids, 1)
            bar.advance(len(batch))
    unknown = vocabulary.unknown_id
    value: Counter[int] = Counter()
    for place, i in enumerate(new.tolist()):
        parts = _parts(tokenizer, candidates[place][0])
        if counts[i] and (len(parts) > 1 or unknown in parts):
            # An unknown character costs more than a token: what it meant is lost.
            value[place] = int(counts[i]) * (len(parts) - 1 + 10 * parts.count(unknown or NEW))
    best = sorted(value, key=lambda place: (-value[place], candidates[place][0]))[:add]
    say(f"{len(candidates)} candidates, {len(value)} of them used")
    return [candidates[place] for place in sorted(best)]


def _parts(tokenizer: Tokenizer, piece: str) -> list[int]:
    """The ids a piece is cut into by a vocabulary that lacks it."""
    return [token.id for token in tokenizer.model.tokenize(piece)]
