"""Where the sentences of a text begin and end."""

from __future__ import annotations

from interlingua.base.optional import require
from interlingua.languages.tags import UND, parse

Span = tuple[int, int]
"""The first character, and the one after the last."""


def sentence_spans(text: str, lang: str) -> list[Span]:
    """The sentences of a text, without the white space around them.

    The rules are those of the library sentencex, which knows the marks that end a sentence in many
    scripts and the abbreviations of some languages; of a language it does not know, marks alone.

    Args:
        text: The text.
        lang: Its language tag, or ``und``.

    Raises:
        LanguageError: The language is unknown.
        MissingExtraError: sentencex is not installed.
    """
    sentencex = require("sentencex", extra="text")
    code = UND if lang == UND else parse(lang).iso639_1 or lang[:3]
    spans = []
    position = 0
    for sentence in sentencex.segment(code, text):
        begin = text.find(sentence, position)
        assert begin >= 0, "sentencex gives stretches of the text, in order"
        position = begin + len(sentence)
        stripped = sentence.strip()
        if stripped:
            start = begin + sentence.index(stripped)
            spans.append((start, start + len(stripped)))
    return spans
