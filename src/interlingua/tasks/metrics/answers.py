r"""How good a reader is: exact match and token F1 of answers, by the official normalisations.

An answer is lower-cased, freed of punctuation and articles, and cut into tokens; what that means
is where scorers differ:

- `squad_tokens`: SQuAD 1.1 (Rajpurkar et al. 2016, ``evaluate-v1.1.py``). English: ASCII
  punctuation, ``a an the``, white space. XQuAD and TyDiQA-GoldP use it for every language, so that
  Thai and Chinese F1 is near exact match.
- `mlqa_tokens`: MLQA (Lewis et al. 2020, ``mlqa_evaluation_v1.py``), keyed on the language of the
  context: all punctuation of Unicode, articles of the language, single characters for Chinese.
  Its expression for the Arabic article has a branch that never matches and another that matches
  everywhere, so that every alef-lam is cut out, inside words too.
- `script_tokens`: ours, for every language. As MLQA, but the Arabic article goes only from the
  beginning of a word, and every script without spaces is cut into characters.

Shapes: ``N`` questions.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from interlingua.languages.segmentation import cut_unspaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MLQA_LANGUAGES = ("en", "es", "de", "ar", "hi", "vi", "zh")
_ARTICLES = {
    "en": "a|an|the",
    "es": "un|una|unos|unas|el|la|los|las",
    "vi": "của|là|cái|chiếc|những",
    "de": "ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des",
}
_GREEK = "ο|η|το|οι|τα|του|της|των|τον|την|τη|τους|τις|ένας|μια|μία|ένα|ενός|μιας|έναν"
# The scripts use re, whose word boundaries are not those of the package regex.
_PATTERNS = {
    lang: re.compile(rf"\b(?:{words})\b") for lang, words in {**_ARTICLES, "el": _GREEK}.items()
}
_ARABIC_ARTICLE = "ال"
_ARABIC_PREFIX = re.compile(rf"(?<!\w){_ARABIC_ARTICLE}(?=\w\w)")
_ASCII_PUNCTUATION = frozenset(string.punctuation)


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Exact match and F1 of every question, ``[N]`` each, in ``[0, 1]``."""

    exact: NDArray[np.float64]
    f1: NDArray[np.float64]


def answer_scores(
    predictions: Sequence[str | None],
    references: Sequence[Sequence[str]],
    *,
    tokens: Callable[[str], list[str]],
) -> AnswerScores:
    """Score each answer against the reference it is most like.

    Without a prediction (None) a question scores 0. Two answers without tokens match exactly, yet
    share no token, so their F1 is 0: the official scripts say so. A question without references
    has no score in them; here the empty answer is its one right answer, as in SQuAD 2.0.

    Args:
        predictions: ``N`` answers.
        references: The right answers of each question.
        tokens: How an answer is normalised and cut: `squad_tokens` and its siblings.
    """
    assert len(predictions) == len(references), (len(predictions), len(references))
    exact = np.zeros(len(predictions))
    f1 = np.zeros(len(predictions))
    for i, (prediction, right) in enumerate(zip(predictions, references, strict=True)):
        if prediction is None:
            continue
        found = tokens(prediction)
        if not right:
            exact[i] = f1[i] = float(not found)
            continue
        wanted = [tokens(text) for text in right]
        exact[i] = float(found in wanted)
        f1[i] = max(token_f1(found, reference) for reference in wanted)
    return AnswerScores(exact, f1)


def token_f1(prediction: Sequence[str], reference: Sequence[str]) -> float:
    """F1 over tokens as bags; 0 where none is shared, also between two empty answers."""
    shared = sum((Counter(prediction) & Counter(reference)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(prediction), shared / len(reference)
    return (2 * precision * recall) / (precision + recall)


def percentage(values: NDArray[np.float64]) -> float:
    """Mean as a percentage, added up in the order of the questions, as the scripts do.

    NumPy adds in another order, which changes the last bit. NaN without questions.
    """
    total = 0.0
    for value in values.tolist():
        total += value
    return 100.0 * total / len(values) if len(values) else float("nan")


def squad_tokens(text: str) -> list[str]:
    """Normalise and cut as SQuAD 1.1 does, for whatever language."""
    kept = "".join(c for c in text.lower() if c not in _ASCII_PUNCTUATION)
    return _PATTERNS["en"].sub(" ", kept).split()


def mlqa_tokens(text: str, *, language: str) -> list[str]:
    """Normalise and cut as MLQA does.

    Args:
        text: An answer.
        language: Of the context, one of `MLQA_LANGUAGES`.
    """
    assert language in MLQA_LANGUAGES, language
    kept = _without_punctuation(text)
    if language == "ar":
        kept = kept.replace(_ARABIC_ARTICLE, " ")
    elif language in _ARTICLES:
        kept = _PATTERNS[language].sub(" ", kept)
    if language == "zh":
        kept = "".join(f" {c} " if "\u4e00" <= c <= "\u9fa5" else c for c in kept)
    return kept.split()


def script_tokens(text: str, *, language: str) -> list[str]:
    """Normalise and cut by the language's articles and by script; no published number uses it.

    Args:
        text: An answer.
        language: Two-letter code; one without a table of articles keeps every word.
    """
    kept = _without_punctuation(unicodedata.normalize("NFC", text))
    if language == "ar":
        kept = _ARABIC_PREFIX.sub("", kept)
    elif language in _PATTERNS:
        kept = _PATTERNS[language].sub(" ", kept)
    return cut_unspaced(kept).split()


def _without_punctuation(text: str) -> str:
    return "".join(c for c in text.lower() if not _is_punctuation(c))


@lru_cache(maxsize=1 << 16)
def _is_punctuation(character: str) -> bool:
    return character in _ASCII_PUNCTUATION or unicodedata.category(character)[0] == "P"
