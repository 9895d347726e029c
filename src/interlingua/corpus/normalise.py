r"""Repair and normalisation of text, by the script it is written in.

    bytes read in the wrong encoding ("cafÃ©")  ->  repaired where ftfy is sure
    control and invisible characters            ->  removed, unless the script needs them
    compatibility characters                    ->  their plain letters, where it means no more
    NFC; one kind of blank; no blank at the ends of a line; at most one empty line

What a script needs stays: ZWJ and ZWNJ part letters in Persian and join them in Indic scripts
(Unicode 16, section 23.2); full-width punctuation is the plain one in Chinese and Japanese.
Normalising twice changes nothing more.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import regex
from numpy.typing import NDArray

from interlingua.base.optional import require
from interlingua.corpus.tokens import CODES, code_points, every_character

_JOINED = frozenset(
    ["Arab", "Syrc", "Nkoo", "Mong", "Thaa", "Rohg", "Adlm", "Mand", "Deva", "Beng", "Gujr"]
) | frozenset(["Guru", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh", "Khmr", "Mymr", "Tibt"])
"""Scripts in which ZWJ and ZWNJ change what is read."""

_JOINERS = regex.compile(r"[\u200c\u200d]+")
# Emoji sequences and flags are joined by ZWJ whatever the script around them.
_JOINERS_OUTSIDE_EMOJI = regex.compile(
    r"(?<![\p{Extended_Pictographic}\ufe0f\U0001f3fb-\U0001f3ff])[\u200c\u200d]+|\u200c+"
)
_INVISIBLE = regex.compile(
    r"[\p{Cc}\p{Cs}\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\p{Noncharacter_Code_Point}--[\n\t]]+",
    regex.VERSION1,
)
_LINE_END = regex.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = regex.compile(r"[\p{Zs}\t]+")
_AROUND_LINE_END = regex.compile(r" *\n *")
_EMPTY_LINES = regex.compile(r"\n{3,}")
# Presentation forms and ligatures of printing; full-width Latin and half-width kana; not the signs.
_COMPATIBLE = regex.compile(
    r"[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufb4f\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdf9"
    r"\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\uffa1-\uffdc"
    r"\u2126\u212a\u212b]+"
)
_OTHER_BLANKS = regex.compile(r"[\p{Zs}\t--[ ]]", regex.VERSION1)
_MIXED_UP = regex.compile(r"(?![\0-\x7f])[\p{Latin}\p{Greek}\p{Cyrillic}]")
_JAMO = slice(0x1161, 0x11C3)  # vowels and finals of Hangul, which join the letter before
_LISTED, _LEADING, _ODD, _ENDING, _BROKEN = 1, 2, 4, 8, 16


@cache
def _looks() -> NDArray[np.uint8]:
    """What each code point says at a quick look.

    It may be a part of mojibake, or be one before another such part, or wants a closer look.
    """
    table = np.zeros(CODES, np.uint8)
    every = every_character()
    badness = require("ftfy.badness", extra="text")
    listed = "".join(badness.MOJIBAKE_CATEGORIES.values()) + "\u20ac\u0160\u0161\xa0\xad"
    table[0xD800:0xE000] |= _BROKEN
    table[0x80:0xA0] |= _BROKEN  # control characters, which are letters in Windows
    places = np.array([m.start() for m in regex.finditer(f"[{listed.replace(' ', '')}]", every)])
    table[places[places > 0x7F]] |= _LISTED | _LEADING
    table[[m.start() for m in _MIXED_UP.finditer(every)]] |= _LEADING
    for pattern in (_JOINERS, _INVISIBLE, _LINE_END, _COMPATIBLE, _OTHER_BLANKS):
        for match in pattern.finditer(every):
            table[match.start() : match.end()] |= _ODD
    unstable = [
        code
        for code, character in enumerate(every)
        if unicodedata.combining(character) or not unicodedata.is_normalized("NFC", character)
    ]
    table[unstable] |= _ODD
    table[_JAMO] |= _ODD
    table[[ord(character) for character in "ÂÃØÙÐÎàŒœ"]] |= _ENDING  # whose second half was a blank
    return table


def looks(texts: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which texts `repair` and which `normalise` might change; quick, for many texts at once.

    Returns:
        Two bool ``[N]``: a text that is False may be left as it is.
    """
    if not texts:
        return np.zeros(0, bool), np.zeros(0, bool)
    codes, offsets = code_points(texts)
    table = _looks()[codes]
    newline = codes == ord("\n")
    blank = (codes == ord(" ")) | newline
    before = np.roll(blank, 1)
    parted = newline & np.roll(newline, 1)  # an empty line, which may stay, but not two
    parted &= ~np.roll(parted, 1)
    parted[offsets[1:] - 1] = False  # behind a text stands a line end that is not its own
    before[offsets[:-1]] = True  # a blank at the beginning is as odd as one after another
    parted[offsets[:-1]] = False
    odd = ((table & _ODD) > 0) | (blank & before & ~parted)
    listed = (table & _LISTED) > 0
    mojibake = listed & np.roll((table & _LEADING) > 0, 1)
    mojibake |= blank & np.roll((table & _ENDING) > 0, 1)
    mojibake[offsets[1:] - 1] = False
    mojibake |= (table & _BROKEN) > 0
    return (
        np.logical_or.reduceat(mojibake, offsets[:-1]),
        np.logical_or.reduceat(odd, offsets[:-1]),
    )


def repair(text: str) -> str:
    """Text that was read in the wrong encoding, read in the right one where ftfy is sure.

    Lone surrogates become U+FFFD. Nothing else that ftfy can do is wanted: entities and quotation
    marks are part of what a text says.

    Example:
        >>> repair("cafÃ© and naÃ¯ve"), repair("São Tomé")
        ('café and naïve', 'São Tomé')
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        text = require("ftfy.fixes", extra="text").fix_surrogates(text)
    return str(require("ftfy", extra="text").fix_encoding(text))


def normalise(text: str, script: str) -> str:
    r"""One spelling of what reads the same.

    Args:
        text: Any text without lone surrogates.
        script: ISO 15924 code of the script it is in, as ``script_of`` tells.

    Returns:
        Text in NFC with ``\n`` between its lines and no blank around them.

    Example:
        >>> normalise("ﬁnal  word \r\n\r\n\r\nＡＢＣ", "Latn"), normalise("می\u200cخواهم", "Arab")
        ('final word\n\nABC', 'می\u200cخواهم')
    """
    text = _LINE_END.sub("\n", text)
    if not text.isascii():
        text = _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
        if script not in _JOINED and _JOINERS.search(text):
            text = _JOINERS_OUTSIDE_EMOJI.sub("", text)
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = _AROUND_LINE_END.sub("\n", _BLANKS.sub(" ", text))
    return str(_EMPTY_LINES.sub("\n\n", text).strip())


__all__ = ["looks", "normalise", "repair"]
