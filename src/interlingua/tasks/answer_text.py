"""The edges of an answer: from tokens to characters, in every script.

Tokens bring along what no reader would underline: the white space before a word, a full stop, half
a pair of brackets. `tidy` takes it away by four rules that ask the Unicode properties of a
character and never the language, so that they hold for scripts with and without spaces alike:

1. A character as a reader sees it is not cut: an edge inside one, as between a letter and its tone
   mark or inside an emoji, moves outwards.
2. White space, and invisible characters that only format, go from both ends.
3. Marks that end a clause (``Terminal_Punctuation``: the comma, the full stop, ``。``, ``،``,
   ``।``) go from both ends; a full stop stays behind a single letter, or where the last word holds
   another one, as in ``U.S.``.
4. A bracket or quotation mark whose partner is outside goes from the end it stands at.

An answer that would be empty then keeps what is left after rule 2.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property

import regex

_CLUSTER = regex.compile(r"\X")
_BLANK = regex.compile(r"[\s\p{Cf}\p{Cc}]")
_ENDS_CLAUSE = regex.compile(r"\p{Terminal_Punctuation}")
_INITIAL = regex.compile(r"(?:^|[^\p{L}\p{M}])\p{L}\p{M}*\.$|\.\S*\.$")
_PARTNERS = {
    **{"(": ")", "[": "]", "{": "}", "（": "）", "［": "］", "｛": "｝", "「": "」", "『": "』"},
    **{"《": "》", "〈": "〉", "【": "】", "〔": "〕", "«": "»", "‹": "›", "“": "”", "‘": "’"},
    **{"„": "“", "‚": "‘"},
}
_OPENING = frozenset(_PARTNERS)
_CLOSING = dict.fromkeys(_PARTNERS.values(), "")
for _opening, _closing in _PARTNERS.items():
    _CLOSING[_closing] += _opening
_STRAIGHT = "\"'"


class Text:
    """A text that answers are cut from."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _edges(self) -> list[int]:
        """Where a character as a reader sees it begins, and the end of the text."""
        return [*(match.start() for match in _CLUSTER.finditer(self.text)), len(self.text)]

    def whole(self, start: int, end: int) -> tuple[int, int]:
        """The stretch, its edges moved outwards where they cut a character (rule 1)."""
        if self.text.isascii():
            return start, end
        return (
            self._edges[bisect_right(self._edges, start) - 1],
            self._edges[bisect_left(self._edges, end)],
        )

    def tidy(self, start: int, end: int) -> tuple[int, int]:
        """The edges of the answer that a stretch of the text holds.

        Args:
            start: The first character of the stretch.
            end: The character after its last; beyond ``start``.

        Returns:
            Where the answer begins and ends; equal, if the stretch holds nothing but blanks.
        """
        start, end = self._trimmed(*self.whole(start, end))
        first, last = start, end
        while start < end:
            inner = self._trimmed(*self._stripped(start, end))
            if inner == (start, end):
                return self.whole(start, end)
            start, end = inner
        return first, last

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        while start < end and _BLANK.match(self.text[start]):
            start += 1
        while start < end and _BLANK.match(self.text[end - 1]):
            end -= 1
        return start, end

    def _stripped(self, start: int, end: int) -> tuple[int, int]:
        """Without one mark at either end, if rules 3 and 4 take it."""
        inside = self.text[start:end]
        if _taken_at_start(inside):
            return start + 1, end
        if _taken_at_end(inside):
            return start, end - 1
        return start, end


def _taken_at_start(inside: str) -> bool:
    mark = inside[0]
    if mark in _STRAIGHT:
        return inside.count(mark) % 2 == 1
    if mark in _OPENING and _PARTNERS[mark] not in inside[1:]:
        return True
    return mark not in _OPENING and (mark in _CLOSING or _ENDS_CLAUSE.match(mark) is not None)


def _taken_at_end(inside: str) -> bool:
    mark = inside[-1]
    if mark in _STRAIGHT:
        return inside.count(mark) % 2 == 1 and not _is_apostrophe(inside)
    if mark in _CLOSING:
        return not any(opening in inside[:-1] for opening in _CLOSING[mark])
    if mark in _OPENING:
        return True
    if mark == ".":
        return _INITIAL.search(inside) is None
    return _ENDS_CLAUSE.match(mark) is not None


def _is_apostrophe(inside: str) -> bool:
    """Whether the last mark belongs to the word before it, as in ``the Joneses'``."""
    return inside[-1] == "'" and inside[-2:-1] == "s"
