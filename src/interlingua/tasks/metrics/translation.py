"""BLEU and chrF of translations, through sacrebleu, with a tokenizer that fits the language.

sacrebleu (Post 2018, W18-6319) defaults to the tokenizer ``13a``, which takes a Chinese or Thai
sentence for one word. `tokenizer_for` chooses by the language translated into, and says when the
usual one is not installed; the signature goes with every figure, without which it means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlingua.base.optional import available, require
from interlingua.languages import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSPACED = frozenset({"Thai", "Laoo", "Khmr", "Mymr", "Tibt"})
_MECAB = {"jpn": ("ja-mecab", "MeCab"), "kor": ("ko-mecab", "mecab_ko")}


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """How BLEU cuts sentences.

    Attributes:
        name: sacrebleu's name for it.
        reason: Why this one, in words.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CorpusScore:
    """A figure of a corpus, in ``[0, 100]``, and what it was made with."""

    score: float
    signature: str


def tokenizer_for(language: str) -> Tokenizer:
    """The tokenizer of BLEU for the language translated into.

    Args:
        language: Any spelling of a language tag.

    Raises:
        LanguageError: Nobody knows the language.
    """
    target = parse(language)
    code, script = target.tag[:3], target.script
    if code in {"zho", "cmn", "yue"} or script in {"Hans", "Hant"}:
        return Tokenizer("zh", "Chinese characters stand alone")
    if code in _MECAB:
        name, module = _MECAB[code]
        if available(module):
            return Tokenizer(name, f"{target.name} is cut into words by MeCab")
        reason = f"characters: {name} needs the package '{module}', which is not installed"
        return Tokenizer("char", reason)
    if script in _UNSPACED:
        return Tokenizer("char", f"characters: {target.name} puts no space between words")
    return Tokenizer("13a", f"words and punctuation: {target.name} puts spaces between words")


def bleu(
    translations: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    tokenizer: str,
    lowercase: bool = False,
) -> CorpusScore:
    """Corpus BLEU of up to four words, smoothed as sacrebleu does by default.

    Args:
        translations: ``N`` sentences.
        references: One or more translations of the whole corpus, ``N`` sentences each.
        tokenizer: A name of sacrebleu's, as `tokenizer_for` chooses it.
        lowercase: Whether case does not matter.

    Raises:
        MissingExtraError: sacrebleu is not installed.
    """
    _check(translations, references)
    metric = require("sacrebleu", extra="metrics").BLEU(tokenize=tokenizer, lowercase=lowercase)
    score = metric.corpus_score(list(translations), [list(r) for r in references])
    return CorpusScore(float(score.score), str(metric.get_signature()))


def chrf(
    translations: Sequence[str], references: Sequence[Sequence[str]], *, word_order: int = 2
) -> CorpusScore:
    """Corpus chrF++ (Popović 2017), FLORES-200's first metric; chrF with ``word_order=0``.

    Args:
        translations: ``N`` sentences.
        references: One or more translations of the whole corpus, ``N`` sentences each.
        word_order: Words in a row to count beside the six characters in a row.

    Raises:
        MissingExtraError: sacrebleu is not installed.
    """
    _check(translations, references)
    metric = require("sacrebleu", extra="metrics").CHRF(word_order=word_order)
    score = metric.corpus_score(list(translations), [list(r) for r in references])
    return CorpusScore(float(score.score), str(metric.get_signature()))


def _check(translations: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    assert references, "no references"
    assert all(len(r) == len(translations) for r in references), "unequal numbers of sentences"
