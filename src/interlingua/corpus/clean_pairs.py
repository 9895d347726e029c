r"""Cleaning of pairs for alignment: messages of programs, descriptions, any bitext.

What is dropped has a reason, and reasons are counted: pairs in = pairs out + dropped. Lengths are
judged by the language pair's own statistics, after Gale and Church, "A Program for Aligning
Sentences in Bilingual Corpora" (Computational Linguistics 19(1), 1993), section 3.2:

    delta = (l_2 - c l_1) / sqrt(l_1 s^2)

with ``l`` the length in characters, ``c`` the characters of the target per character of the source
and ``s^2`` their variance per character; here both are robust (medians), since they are taken
before anything is dropped.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import median

import regex
from pydantic import Field

from interlingua.base.config import Config
from interlingua.corpus.records import Pair
from interlingua.corpus.ui_text import (
    fold,
    placeholders,
    plain,
    without_context,
    without_placeholders,
)
from interlingua.languages import UND, script_of, writes

REASONS = (
    "empty",
    "same language",
    "identifier",
    "copy",
    "untranslated",
    "wrong script",
    "too short",
    "too long",
    "placeholders differ",
    "length ratio",
    "duplicate",
)
"""Why a pair is dropped, in the order of the checks."""

_LETTER = regex.compile(r"[\p{L}\p{N}]")
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_IDENTIFIER = regex.compile(
    r"[\w./:@#-]*(?:[a-z]_[a-z]|[a-z]\.[a-z]|[A-Z]_[A-Z]|/|::)[\w./:@#-]*", regex.I
)
_SAMPLE = 20_000  # pairs of a language pair that its statistics are taken from
_LEAST_SAMPLE = 50
_NORMAL = 1.4826  # standard deviation of a normal distribution, by median absolute deviation
_LEAST_DEVIATION = 0.5


class CleanRules(Config):
    """What a pair must be to stay."""

    min_letters: int = Field(2, ge=1)
    """Letters and digits of either side, without placeholders; one ideograph or syllable is two."""

    min_words: int = Field(1, ge=1)
    """Words of the source, where its script parts words."""

    max_characters: int = Field(5_000, ge=1)
    """Characters of either side."""

    max_deviation: float = Field(4.0, gt=0)
    """Standard deviations from the length that the language pair lets expect."""

    max_overlap: float = Field(0.6, gt=0, le=1)
    """Share of the target's words that stand in the source too, from three words on."""


@dataclass(frozen=True, slots=True)
class LengthRatio:
    """Lengths of a language pair: ``c`` and ``s2`` of the formula above."""

    c: float
    s2: float

    def deviation(self, source: int, target: int) -> float:
        """How far the target's length is off, in standard deviations."""
        return float((target - self.c * source) / (max(source, 1) * self.s2) ** 0.5)


def length_ratios(pairs: Iterable[Pair], *, seed: int = 0) -> dict[tuple[str, str], LengthRatio]:
    """The lengths of each language pair, from at most 20,000 pairs of it, drawn at random.

    A language pair with fewer than 50 pairs has none.
    """
    chance = random.Random(seed)
    samples: dict[tuple[str, str], list[tuple[int, int]]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        key = (pair.source_lang, pair.target_lang)
        lengths = _lengths(plain(pair.source_text), plain(pair.target_text))
        if not all(lengths):
            continue
        sample = samples.setdefault(key, [])
        seen[key] += 1
        if len(sample) < _SAMPLE:
            sample.append(lengths)
        elif (place := chance.randrange(seen[key])) < _SAMPLE:  # reservoir sampling
            sample[place] = lengths
    return {key: _ratio(sample) for key, sample in samples.items() if len(sample) >= _LEAST_SAMPLE}


def _ratio(sample: list[tuple[int, int]]) -> LengthRatio:
    c = median(target / source for source, target in sample)
    spread = median(abs(target - c * source) / source**0.5 for source, target in sample)
    return LengthRatio(c, max(_NORMAL * spread, _LEAST_DEVIATION) ** 2)


def _lengths(source: str, target: str) -> tuple[int, int]:
    return len(without_placeholders(source).strip()), len(without_placeholders(target).strip())


class Cleaner:
    """Cleans a stream of pairs and counts what it drops.

    Args:
        rules: What a pair must be.
        ratios: From `length_ratios` over the same pairs; a language pair not in it is not judged by
            length.

    Example:
        >>> cleaner = Cleaner(CleanRules(), {})
        >>> pair = Pair("_Open file…", "Datei _öffnen …", "eng_Latn", "deu_Latn", "1", "demo")
        >>> [(p.source_text, p.target_text) for p in cleaner.clean([pair])]
        [('Open file…', 'Datei öffnen …')]
    """

    def __init__(self, rules: CleanRules, ratios: dict[tuple[str, str], LengthRatio]) -> None:
        self.rules = rules
        self.ratios = ratios
        self.dropped: Counter[str] = Counter()
        self.kept = 0
        self._seen: set[bytes] = set()

    def clean(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The pairs that stay, as they are shown to people."""
        for pair in pairs:
            source = plain(without_context(pair.source_text, pair.target_text))
            negatives = tuple(text for text in map(plain, pair.negatives) if text)
            made = replace(
                pair, source_text=source, target_text=plain(pair.target_text), negatives=negatives
            )
            reason = self._reason(made)
            if reason:
                self.dropped[reason] += 1
            else:
                self.kept += 1
                yield made

    def _reason(self, pair: Pair) -> str:
        source, target = fold(pair.source_text), fold(pair.target_text)
        checks = (
            ("empty", not pair.source_text or not pair.target_text),
            ("same language", pair.source_lang == pair.target_lang != UND),
            ("identifier", _IDENTIFIER.fullmatch(pair.source_text) is not None),
            ("copy", source == target),
        )
        for reason, found in checks:
            if found:
                return reason
        return self._language_reason(pair, source, target) or self._size_reason(
            pair, source, target
        )

    def _language_reason(self, pair: Pair, source: str, target: str) -> str:
        words = target.split()
        if len(words) >= 3:
            known = frozenset(source.split())
            if sum(word in known for word in words) / len(words) > self.rules.max_overlap:
                return "untranslated"
        sides = ((pair.source_lang, source), (pair.target_lang, target))
        if any(not _in_script(lang, text) for lang, text in sides):
            return "wrong script"
        return ""

    def _size_reason(self, pair: Pair, source: str, target: str) -> str:
        rules = self.rules
        few_letters = min(_letters(source), _letters(target)) < rules.min_letters
        few_words = len(source.split()) < rules.min_words and not _DENSE.search(source)
        if few_letters or few_words:
            return "too short"
        if max(len(pair.source_text), len(pair.target_text)) > rules.max_characters:
            return "too long"
        if placeholders(pair.source_text) != placeholders(pair.target_text):
            return "placeholders differ"
        ratio = self.ratios.get((pair.source_lang, pair.target_lang))
        lengths = _lengths(pair.source_text, pair.target_text)
        if ratio is not None and abs(ratio.deviation(*lengths)) > rules.max_deviation:
            return "length ratio"
        return "duplicate" if self._repeated(pair, source, target) else ""

    def _repeated(self, pair: Pair, source: str, target: str) -> bool:
        key = f"{pair.source_lang}\0{pair.target_lang}\0{source}\0{target}"
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
        before = len(self._seen)
        self._seen.add(digest)
        return len(self._seen) == before


def _letters(text: str) -> int:
    return len(_LETTER.findall(text)) + len(_DENSE.findall(text))


def _in_script(lang: str, text: str) -> bool:
    if lang == UND:
        return True
    found = script_of(text)
    return found == "Zyyy" or writes(lang[4:], found)


__all__ = ["REASONS", "CleanRules", "Cleaner", "LengthRatio", "length_ratios"]
