"""Text of user interfaces: placeholders, accelerators, mark-up, and what is left without them."""

from __future__ import annotations

import hashlib
import html
import unicodedata
from collections import Counter

import regex

_PLACEHOLDER = regex.compile(
    r"""
      %\([A-Za-z_][\w.]*\)[-#0+ ]*[\d.]*[a-zA-Z]            # %(name)s  Python
    | %(?:\d+\$)?[-#0+']*(?:\*|\d+)?(?:\.(?:\*|\d+))?     # %s %-5.2f %1$d  C
      (?:hh|h|ll|l|q|j|z|t|L)?[diouxXeEfFgGcsSpnmaA@]\b
    | %L?\d+ | %n\b                                         # %1  Qt and KDE
    | \$\{[^{}\n]{1,40}\} | \$\([\w.]{1,40}\) | \$[A-Za-z_]\w{0,39}\b   # ${x} $(x) $x  shell
    | \{\{[^{}\n]{1,40}\}\} | \{[\w.:,!\[\]-]{0,40}\}       # {name} {0}
    | %[A-Z][A-Z0-9_]{2,40}%? | \#[A-Z]\w{2,30}\b           # %PRODUCTNAME  LibreOffice
    """,
    regex.VERBOSE,
)
_TAG = regex.compile(
    r"</?[A-Za-z][A-Za-z0-9:_-]*(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>"
)
_ENTITY = regex.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
# Catalogues of languages without Latin letters put the key behind the text: 打开(_O)...
_APPENDED_KEY = regex.compile(r"\s*[(（][_&~][\p{L}\p{N}][)）]")
_KEY = {mark: regex.compile(rf"{mark}(?=[\p{{L}}\p{{N}}])") for mark in "_&~"}
_CONTEXT = regex.compile(r"^[\w /:-]{1,40}\|(?=\S)")
_WORD_AROUND = regex.compile(r"\S+")
_POSITION = regex.compile(r"\d+\$|[-#0+' .*\d]")
_INVISIBLE = regex.compile(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}--[\n\t\u200c\u200d]]", regex.VERSION1)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


def placeholders(text: str) -> Counter[str]:
    """The placeholders of a text, without position, width and precision."""
    found = (match[0] for match in _PLACEHOLDER.finditer(text))
    return Counter(
        _POSITION.sub("", mark)
        if mark[0] == "%" and mark[1:2] not in "(L" and mark[-1:].isalpha()
        else mark
        for mark in found
        if mark != "%n"
    )


def without_placeholders(text: str) -> str:
    """The text with a blank where each placeholder was."""
    return str(_PLACEHOLDER.sub(" ", text))


def without_context(source: str, target: str) -> str:
    """The source without a leading ``context|`` that the translation does not have."""
    return source if "|" in target else _CONTEXT.sub("", source)


def plain(text: str) -> str:
    """The text as it is shown: NFC, no tags, entities resolved, no accelerator, tidy blanks.

    Example:
        >>> plain("<b>_Save</b> &amp; close"), plain("保存(_S)...")
        ('Save & close', '保存...')
    """
    text = _TAG.sub("", text)
    if _ENTITY.search(text):
        text = _TAG.sub("", html.unescape(text))
    text = _without_key(_APPENDED_KEY.sub("", text))
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return str(regex.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


def _without_key(text: str) -> str:
    """Without the mark of an accelerator: the only one of its kind, before a letter.

    Inside a word it is taken for one in a word of a menu only: ``Sa_ve``, not ``my_file`` or Q&A.
    """
    shown = without_placeholders(text)
    for mark, pattern in _KEY.items():
        if shown.count(mark) != 1 or not pattern.search(shown):
            continue
        place = shown.index(mark)
        if shown[:place][-1:].isalnum() and not _in_menu_word(shown, place):
            continue
        return pattern.sub("", text, count=1) if text.count(mark) == 1 else text
    return text


def _in_menu_word(text: str, place: int) -> bool:
    """Whether the word around a mark begins with a capital and goes on with small letters."""
    word = _WORD_AROUND.search(text, max(text.rfind(" ", 0, place), text.rfind("\n", 0, place)) + 1)
    letters = "" if word is None else regex.sub(r"\P{L}", "", word[0])
    return letters[1:] == letters[1:].lower() and letters[:1] != letters[:1].lower()


def fold(text: str) -> str:
    """Words alone, in one case: what two messages must share to say the same."""
    shown = without_placeholders(plain(text))
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", shown).casefold()))


def message_cluster(text: str) -> str:
    """Sixteen hexadecimal digits that messages with the same words share."""
    return hashlib.sha256((fold(text) or text).encode("utf-8", "replace")).hexdigest()[:16]


__all__ = [
    "fold",
    "message_cluster",
    "placeholders",
    "plain",
    "without_context",
    "without_placeholders",
]
