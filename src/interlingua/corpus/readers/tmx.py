"""Translation memories: TMX 1.1 to 1.4 (LISA OSCAR, "TMX 1.4b Specification", 2005).

    <tu tuid="7"> <tuv xml:lang="en"><seg>A text</seg></tuv> <tuv xml:lang="de">…</tuv> </tu>

The file is read piece by piece and is never in memory as a whole. Entities of its own are refused
(an entity that stands for many others can stand for gigabytes), and nothing that it names elsewhere
is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat

from interlingua.base.errors import DataError, LanguageError, quoted
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import MAX_LINE_BYTES, Faults, open_bytes
from interlingua.languages import tag_of

_PIECE = 1 << 16
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})  # formatting: its content is no text
_MOST_VARIANTS = 200
_LANG = ("xml:lang", "lang")


@dataclass(slots=True)
class _Unit:
    """A translation unit: texts by language as written, in order."""

    line: int
    tuid: str = ""
    texts: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""


class _Handler:
    """Turns the parser's calls into units."""

    def __init__(self, parser: expat.XMLParserType, path: Path) -> None:
        self.parser, self.path = parser, path
        self.source = ""
        self.done: list[_Unit] = []
        self.whole = False
        self._unit: _Unit | None = None
        self._lang = ""
        self._text: list[str] | None = None
        self._size = self._inside = 0
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.EntityDeclHandler = self.refuse
        parser.buffer_text = True

    def refuse(self, name: str, *rest: object) -> None:
        del rest
        raise DataError(
            f"declares the entity {quoted(name)}: a translation memory needs none",
            path=self.path,
            line=self.parser.CurrentLineNumber,
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "header":
            self.source = attributes.get("srclang", "")
        elif name == "tu":
            self._unit = _Unit(self.parser.CurrentLineNumber, attributes.get("tuid", ""))
        elif name == "tuv":
            self._lang = next((attributes[key] for key in _LANG if key in attributes), "")
        elif name == "seg":
            self._text, self._size = [], 0
        elif name in _CODES:
            self._inside += 1

    def end(self, name: str) -> None:
        unit = self._unit
        if name == "tmx":
            self.whole = True
        elif name in _CODES:
            self._inside -= 1
        elif name == "seg" and unit is not None and self._text is not None:
            if len(unit.texts) == _MOST_VARIANTS:
                unit.problem = f"more than {_MOST_VARIANTS} texts in a unit"
            else:
                unit.texts.append((self._lang, "".join(self._text)))
            self._text = None
        elif name == "tu" and unit is not None:
            self.done.append(unit)
            self._unit = None

    def text(self, data: str) -> None:
        if self._text is None or self._inside:
            return
        self._size += len(data)
        if self._size <= MAX_LINE_BYTES:
            self._text.append(data)
        elif self._unit is not None:
            self._unit.problem = f"a text longer than {MAX_LINE_BYTES:,} characters"


def _units(stream: IO[bytes], handler: _Handler) -> Iterator[_Unit]:
    try:
        while piece := stream.read(_PIECE):
            handler.parser.Parse(piece, False)
            yield from handler.done
            handler.done.clear()
        handler.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DataError(
            f"not XML: {expat.errors.messages[error.code]}", path=handler.path, line=error.lineno
        ) from error
    yield from handler.done
    if not handler.whole:
        raise DataError("no translation memory: it has no element tmx", path=handler.path)


def read_tmx(path: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of a translation memory: its source language, or the first, with each other one.

    A unit's own name need not be unique, so that file and line make the id and ``meta`` holds it.

    Raises:
        DataError: The file is not XML, declares entities or breaks off, or a unit has not two
            texts in languages that are known.
    """
    parser = expat.ParserCreate()
    handler = _Handler(parser, path)
    with open_bytes(path) as stream:
        for unit in _units(stream, handler):
            try:
                yield from _pairs(unit, handler.source, path)
            except DataError as fault:
                faults.report(fault)


def _pairs(unit: _Unit, source: str, path: Path) -> Iterator[Pair]:
    if unit.problem:
        raise DataError(unit.problem, path=path, line=unit.line)
    if len(unit.texts) < 2:
        problem = f"a unit of {len(unit.texts)} texts, expected at least two"
        raise DataError(problem, path=path, line=unit.line)
    try:
        texts = [(tag_of(lang), text) for lang, text in unit.texts]
        preferred = tag_of(source) if source and source != "*all*" else ""
    except LanguageError as error:
        raise DataError(error.problem, remedy=error.remedy, path=path, line=unit.line) from error
    first = next((i for i, (lang, _) in enumerate(texts) if lang == preferred), 0)
    one = texts.pop(first)
    meta = {"tuid": unit.tuid} if unit.tuid else {}
    for number, (lang, text) in enumerate(texts, 1):
        name = f"{path.name}:{unit.line}" + (f"/{number}" if len(texts) > 1 else "")
        yield Pair(_spaced(one[1]), _spaced(text), one[0], lang, name, source=path.name, meta=meta)


def _spaced(text: str) -> str:
    return " ".join(text.split())


__all__ = ["read_tmx"]
