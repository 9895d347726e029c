"""Questions made from contexts alone: a sentence without a few of its words, which are the answer.

Of a context a sentence is chosen by chance, and in it a stretch of one to six words, rather one
that begins with a capital, inside the sentence, or a digit, and never one that begins or ends with
one of the commonest words. What stands around the stretch is the question: up to fourteen words
before it and twelve after it, of which one in five is left out and one in two of the commonest,
either in order or with what followed put first. To answer, a reader has to find the sentence and
the words that the question lacks: not how people ask, yet the same search, in any language and at
no cost. No question word is put in front: by chance it would be the wrong one, and undo what
readers learn of *who* and *when*.

Source: Lewis, Denoyer and Riedel, Unsupervised Question Answering by Cloze Translation, ACL 2019,
arXiv 1906.04980, section 2.1; their translation of clozes into questions is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from interlingua.languages.segmentation import close_unspaced, script_words, word_spans
from interlingua.languages.sentences import Span, sentence_spans
from interlingua.tasks.questions import Gold, Question

if TYPE_CHECKING:
    import numpy as np

_COMMON = 0.45
"""Share of all running words that the commonest of a language make up."""
_SIZES = ((1, 0.35), (2, 0.3), (3, 0.15), (4, 0.1), (6, 0.1))
_AROUND = 5
"""Words that a sentence has besides the answer at least."""
_BEFORE, _AFTER = 14, 12
_KEPT, _KEPT_COMMON = 0.8, 0.5
_TURNED = 0.6
"""Share of questions that put first what followed."""
_PLAIN = 0.5
"""Share of the answers without a capital or digit that are taken."""
_TRIES = 12


def cloze_questions(
    rows: Sequence[Question], count: int, rng: np.random.Generator
) -> list[Question]:
    """Questions about the contexts of others.

    Args:
        rows: The others.
        count: How many to make; fewer where contexts are too short to ask about.
        rng: Where chance comes from.

    Returns:
        Questions with the languages and files of those whose contexts they share.
    """
    common = _commonest(rows)
    order = [
        int(i) for _ in range(-(-count // max(1, len(rows)))) for i in rng.permutation(len(rows))
    ]
    made: list[Question] = []
    for number in order[:count]:
        row = rows[number]
        found = _cloze(row.context, row.lang, common[row.lang], rng)
        if found is None:
            continue
        words, (start, end) = found
        name = f"cloze-{len(made)}"
        made.append(
            replace(
                row,
                id=name,
                name=name,
                question=f"{words}?",
                question_lang="",
                answers=(Gold(row.context[start:end], start),),
            )
        )
    return made


def _commonest(rows: Sequence[Question]) -> dict[str, frozenset[str]]:
    """The commonest words of each language, none of which stands only once."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for lang, context in dict.fromkeys((row.lang, row.context) for row in rows):
        counts[lang].update(script_words(context))
    found = {}
    for lang, count in counts.items():
        ranked = [(word, times) for word, times in count.most_common() if times > 1]
        covered = accumulate((times for _, times in ranked), initial=0)
        most = _COMMON * count.total()
        found[lang] = frozenset(
            word for (word, _), before in zip(ranked, covered, strict=False) if before < most
        )
    return found


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a sentence, which stands in a context."""

    context: str
    spans: list[Span]

    def text(self, first: int, last: int) -> str:
        """The stretch from one word to another."""
        return self.context[self.spans[first][0] : self.spans[last][1]]

    def is_word(self, place: int) -> bool:
        """Whether it has a letter or digit."""
        return any(character.isalnum() for character in self.text(place, place))


def _cloze(
    context: str, lang: str, common: frozenset[str], rng: np.random.Generator
) -> tuple[str, Span] | None:
    """The words of a question, and the characters of its answer; None: nothing was found."""
    sentences = sentence_spans(context, lang)
    sizes, shares = zip(*_SIZES, strict=True)
    for _ in range(_TRIES if sentences else 0):
        begin, end = sentences[int(rng.integers(len(sentences)))]
        words = _Words(context, [(begin + a, begin + b) for a, b in word_spans(context[begin:end])])
        size = int(rng.choice(sizes, p=shares))
        if len(words.spans) < size + _AROUND:
            continue
        first = int(rng.integers(len(words.spans) - size + 1))
        last = first + size - 1
        if not _can_be_asked(words, first, last, common):
            continue
        if not _stands_out(words, first) and rng.random() >= _PLAIN:
            continue
        around = _around(words, first, last, common, rng)
        if around:
            return around, (words.spans[first][0], words.spans[last][1])
    return None


def _can_be_asked(words: _Words, first: int, last: int, common: frozenset[str]) -> bool:
    """Whether a stretch is words throughout, with a rarer one at both ends."""
    ends = words.text(first, first), words.text(last, last)
    return all(words.is_word(place) for place in range(first, last + 1)) and not any(
        end.lower() in common for end in ends
    )


def _stands_out(words: _Words, first: int) -> bool:
    """Whether a stretch begins with a digit, or with a capital inside the sentence."""
    character = words.text(first, first)[0]
    return character.isdigit() or (first > 0 and character.isupper())


def _around(
    words: _Words, first: int, last: int, common: frozenset[str], rng: np.random.Generator
) -> str:
    """What stands around a stretch, as a question has it; nothing: too little is left."""

    def kept(places: range) -> list[str]:
        found = []
        for place in places:
            word = words.text(place, place)
            share = _KEPT_COMMON if word.lower() in common else _KEPT
            if words.is_word(place) and rng.random() < share:
                found.append(word)
        return found

    before = kept(range(max(0, first - int(rng.integers(4, _BEFORE + 1))), first))
    after = kept(
        range(last + 1, min(len(words.spans), last + 1 + int(rng.integers(3, _AFTER + 1))))
    )
    if len(before) + len(after) < _AROUND - 1:
        return ""
    parts = [*after, *before] if rng.random() < _TURNED else [*before, *after]
    return close_unspaced(" ".join(parts))


__all__ = ["cloze_questions"]
