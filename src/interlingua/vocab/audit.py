"""Audit a tokenizer: what each language pays in tokens, and how its words are cut up.

Legend: ``S`` sentences that a language shares with the reference, ``R`` resamples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import regex
from numpy.typing import NDArray

from interlingua.base.config import Config
from interlingua.base.errors import DataError, UsageError
from interlingua.base.progress import track
from interlingua.base.seeding import generator
from interlingua.corpus.texts import Text, Texts
from interlingua.languages import UND, Language, parse
from interlingua.languages.segmentation import Unit, count_units, unit_of
from interlingua.vocab.changes import batched
from interlingua.vocab.document import SPACE
from interlingua.vocab.vocabulary import tokenizer_unknown

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

MAX_UNKNOWN = 0.1
"""Share of unknown characters above which no premium is told: a text that becomes one unknown token
is cheap and says nothing."""
RESAMPLES = 1000
LEVEL = 0.95
_BYTE = regex.compile(r"<0x[0-9A-F]{2}>")
_CELLS = 4_000_000  # draws held at a time


class LanguageAudit(Config):
    """What a tokenizer makes of one language."""

    name: str
    """English name of the language."""
    autonym: str
    """Its own name for itself."""
    script: str
    """ISO 15924 code."""
    low_resource: bool
    """Whether the shipped table counts it as low-resource."""
    texts: int
    """Texts that were cut up."""
    tokens: int
    """Tokens, special ones not counted."""
    unit: Unit
    """What fertility is counted per."""
    fertility: float | None
    """Tokens per word, syllable or character; null where a text has none."""
    characters_per_token: float
    """Code points of the text per token."""
    bytes_per_token: float
    """Bytes of UTF-8 per token."""
    unknown_rate: float
    """Share of the tokens that are the unknown one."""
    unknown_characters: float
    """Share of the characters that are lost in unknown tokens."""
    byte_rate: float | None
    """Share of the tokens that stand for a byte; null where the vocabulary has no such pieces."""
    single_rate: float
    """Share of the tokens that are one character."""
    used: int
    """Distinct pieces that occur."""
    shared: int
    """Texts whose translation into the reference language is there; 0 for the reference."""
    parity: float | None
    """Mean over these of tokens here by tokens there (Petrov et al. 2023); null where more than a
    tenth of the characters is unknown."""
    premium: float | None
    """Parity minus one: 0.5 means half as many tokens again for the same message."""
    premium_ci: tuple[float, float] | None
    """Its 95 % bootstrap interval."""


class Audit(Config):
    """An audited tokenizer."""

    tokenizer: str
    """What it was called."""
    kind: str
    """Such as Unigram, BPE or WordPiece."""
    size: int
    """Pieces of the vocabulary."""
    reference: str
    """Tag of the language that parity is against."""
    languages: dict[str, LanguageAudit]
    """By tag: those mostly unknown first, then the highest premium; without one, by fertility."""
    data: list[dict[str, str | int]]
    """Path, sha256 and rows of the files."""
    rejected: int = 0
    """Rows that could not be read."""
    seed: int
    """Seed of the resamples."""


@dataclass(slots=True)
class _Tally:
    unit: Unit
    texts: int = 0
    tokens: int = 0
    units: int = 0
    characters: int = 0
    unknown: int = 0
    bytes: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    lengths: dict[str, int] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)


def audit(
    tokenizer: Tokenizer,
    texts: Texts,
    *,
    name: str,
    reference: str,
    languages: Iterable[str] = (),
    seed: int = 0,
) -> Audit:
    """Audit a tokenizer on texts, parallel ones if parity is to be told.

    Args:
        tokenizer: Any tokenizer of the library `tokenizers`.
        texts: The texts; those that share an id are translations of each other.
        name: What to call the tokenizer.
        reference: Tag of the language that parity is against, English in the literature.
        languages: Only these; all where none is given.
        seed: Seed of the bootstrap.

    Raises:
        DataError: A row cannot be read, or there is no text.
        LanguageError: A language is unknown.
        UsageError: There is no text in the languages asked for.
    """
    home = parse(reference).tag
    wanted = {parse(lang).tag for lang in languages}
    chosen: Iterable[Text] = texts
    if wanted:
        chosen = (text for text in texts if text.lang in wanted | {home})
    tallies = _tally(tokenizer, chosen)
    if not tallies.keys() & (wanted or tallies.keys()):
        raise UsageError(
            f"no text in {', '.join(sorted(wanted))}",
            remedy=f"Languages of the data: {', '.join(sorted({text.lang for text in texts}))}",
        )
    kinds = _kinds(tokenizer)
    ids = tallies[home].lengths if home in tallies else {}
    found = {
        lang: _language(lang, tally, kinds, {} if lang == home else ids, seed)
        for lang, tally in tallies.items()
    }
    return Audit(
        tokenizer=name,
        kind=type(tokenizer.model).__name__,
        size=tokenizer.get_vocab_size(),
        reference=home,
        languages=dict(sorted(found.items(), key=_worst_first)),
        data=texts.facts(),
        rejected=len(texts.faults.rejected),
        seed=seed,
    )


def parity(
    lengths: Mapping[str, int], reference: Mapping[str, int], *, seed: int, names: tuple[str, ...]
) -> tuple[int, float, tuple[float, float]] | None:
    """Mean ratio of token counts over the sentences that two languages share.

    ``parity = 1/S * sum_i t_i / r_i`` (Petrov, La Malfa, Torr and Bibi, NeurIPS 2023,
    arXiv 2305.15425, section 2); sentences are resampled for the percentile interval.

    Args:
        lengths: Tokens by id in one language, ``t``.
        reference: Tokens by id in the other, ``r``.
        seed: Seed of the resamples.
        names: What the stream of random numbers is called.

    Returns:
        ``S``, the parity, its interval; None where they share no sentence.
    """
    shared = sorted(lengths.keys() & reference.keys())
    ratios = np.array([lengths[i] / reference[i] for i in shared if reference[i]])
    if not len(ratios):
        return None
    rng = generator(seed, "parity", *names)
    step = max(1, _CELLS // len(ratios))
    means = np.concatenate(
        [
            ratios[rng.integers(len(ratios), size=(min(step, RESAMPLES - done), len(ratios)))].mean(
                axis=1
            )
            for done in range(0, RESAMPLES, step)
        ]
    )
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail]).tolist()
    return len(ratios), float(ratios.mean()), (low, high)


def _tally(tokenizer: Tokenizer, texts: Iterable[Text]) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = {}
    size = tokenizer.get_vocab_size()
    unknown = tokenizer_unknown(tokenizer)
    with track("Cutting up", unit="texts") as bar:
        for batch in batched(texts):
            encodings = tokenizer.encode_batch(
                [text.text for text in batch], add_special_tokens=False
            )
            for text, encoding in zip(batch, encodings, strict=True):
                if text.lang not in tallies:
                    tallies[text.lang] = _Tally(
                        unit_of(text.lang), counts=np.zeros(size, dtype=np.int64)
                    )
                tally = tallies[text.lang]
                tally.seen[text.id] += 1
                again = tally.seen[text.id]
                tally.texts += 1
                tally.tokens += len(encoding.ids)
                tally.units += count_units(text.text, tally.unit)
                tally.characters += len(text.text)
                tally.unknown += _covered(encoding, unknown)
                tally.bytes += len(text.text.encode())
                tally.lengths[text.id if again == 1 else f"{text.id}#{again}"] = len(encoding.ids)
                np.add.at(tally.counts, encoding.ids, 1)
            bar.advance(len(batch))
    if not tallies:
        raise DataError("no text in the languages asked for")
    return tallies


def _covered(encoding: Encoding, unknown: int | None) -> int:
    """Characters of a text that unknown tokens stand for."""
    if unknown not in encoding.ids:
        return 0
    places = zip(encoding.ids, encoding.offsets, strict=True)
    return sum(end - start for i, (start, end) in places if i == unknown)


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Which ids are unknown, bytes and single characters, bool [V] each."""

    unknown: NDArray[np.bool_]
    bytes: NDArray[np.bool_]
    single: NDArray[np.bool_]


def _kinds(tokenizer: Tokenizer) -> _Kinds:
    size = tokenizer.get_vocab_size()
    pieces = [tokenizer.id_to_token(i) or "" for i in range(size)]
    unknown = np.zeros(size, dtype=np.bool_)
    unknown_id = tokenizer_unknown(tokenizer)
    if unknown_id is not None:
        unknown[unknown_id] = True
    plain = [piece.removeprefix("##").removeprefix(SPACE).removeprefix("Ġ") for piece in pieces]
    return _Kinds(
        unknown=unknown,
        bytes=np.array([_BYTE.fullmatch(piece) is not None for piece in pieces]),
        single=np.array([len(piece) <= 1 for piece in plain]) & ~unknown,
    )


def _language(
    lang: str, tally: _Tally, kinds: _Kinds, reference: Mapping[str, int], seed: int
) -> LanguageAudit:
    facts = _facts(lang)
    tokens = max(tally.tokens, 1)
    lost = tally.unknown / max(tally.characters, 1)
    told = parity(tally.lengths, reference, seed=seed, names=(lang,))
    shared = told[0] if told else 0
    if lost > MAX_UNKNOWN:
        told = None
    return LanguageAudit(
        name=facts.name if facts else "unknown",
        autonym=facts.autonym if facts else "",
        script=facts.script if facts else "Zyyy",
        low_resource=facts is None or facts.low_resource,
        texts=tally.texts,
        tokens=tally.tokens,
        unit=tally.unit,
        fertility=tally.tokens / tally.units if tally.units else None,
        characters_per_token=tally.characters / tokens,
        bytes_per_token=tally.bytes / tokens,
        unknown_rate=float(tally.counts[kinds.unknown].sum() / tokens),
        unknown_characters=lost,
        byte_rate=float(tally.counts[kinds.bytes].sum() / tokens) if kinds.bytes.any() else None,
        single_rate=float(tally.counts[kinds.single].sum() / tokens),
        used=int(np.count_nonzero(tally.counts)),
        shared=shared,
        parity=told[1] if told else None,
        premium=told[1] - 1 if told else None,
        premium_ci=(told[2][0] - 1, told[2][1] - 1) if told else None,
    )


def _facts(lang: str) -> Language | None:
    return None if lang == UND else parse(lang)


def _worst_first(item: tuple[str, LanguageAudit]) -> tuple[int, float, float, str]:
    lang, found = item
    if found.unknown_characters > MAX_UNKNOWN:
        return 0, -found.unknown_characters, 0.0, lang
    return 1 + (found.premium is None), -(found.premium or 0), -(found.fertility or 0), lang
