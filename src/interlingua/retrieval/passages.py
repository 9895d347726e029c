"""Files of a folder, cut into passages that say where they stand.

A text file is cut at its blank lines; a paragraph that is short, such as a heading, goes with the
next, and a long one is cut between sentences. Every row of a table is a text of its own, in the
column ``text``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isfinite
from pathlib import Path

import regex

from interlingua.base.errors import DataError, LanguageError
from interlingua.batches.tokens import clean
from interlingua.corpus.rows import Faults, Row, open_bytes, read_table
from interlingua.languages import UND, identify, tag_of
from interlingua.languages.paths import language_of_path, scripts_agree
from interlingua.languages.segmentation import script_words, word_spans
from interlingua.languages.sentences import Span, sentence_spans
from interlingua.retrieval.index import is_index
from interlingua.retrieval.records import Passage

TEXTS = (".txt", ".text", ".md", ".markdown", ".rst")
TABLES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
WORDS = 120
"""Words of a passage at most; characters where a script puts no spaces."""
MAX_FILE_BYTES = 64_000_000
"""Of a text file; a larger one is refused."""
_LEAST = 12
_LONG_WORD = 30  # characters; what has no words is cut as if it had such
_MAX_META = 200
_PARAGRAPH = regex.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_SAMPLE = 200


@dataclass(slots=True)
class Cut:
    """How to cut files.

    Attributes:
        lang: The language of everything; None: told by the path, a column or the text.
        words: Words of a passage at most.
        faults: What to do with what cannot be read.
    """

    lang: str | None = None
    words: int = WORDS
    faults: Faults = field(default_factory=Faults)


@dataclass(frozen=True, slots=True)
class Sources:
    """The files to cut, the folders they are from, and how many were left out by their ending."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    left_out: dict[str, int]


def find_sources(inputs: Sequence[str | Path]) -> Sources:
    """Files as they are, and all files of folders whose ending is known.

    Neither hidden files and folders are looked at nor indexes, which may lie among the texts.

    Raises:
        DataError: An input is missing or of an unknown ending, or there is no file at all.
    """
    files: dict[Path, Path] = {}  # as they are spelled first
    folders: list[Path] = []
    left_out: Counter[str] = Counter()
    for given in map(Path, inputs):
        if given.is_dir():
            folders.append(given)
            for path in _inside(given):
                if _ending(path) in (*TEXTS, *TABLES):
                    files.setdefault(path.resolve(), path)
                else:
                    left_out[_ending(path) or path.name] += 1
        elif not given.exists():
            raise DataError("no such file or folder", path=given)
        elif _ending(given) in (*TEXTS, *TABLES):
            files.setdefault(given.resolve(), given)
        else:
            raise DataError(
                f"cannot be cut into passages: its ending is {_ending(given) or 'missing'}",
                path=given,
                remedy=f"Known endings: {', '.join((*TEXTS, *TABLES))}",
            )
    if not files:
        raise DataError(
            f"no file to index in {', '.join(map(str, inputs))}",
            remedy=f"Known endings: {', '.join((*TEXTS, *TABLES))}",
        )
    return Sources(tuple(files.values()), tuple(folders), dict(sorted(left_out.items())))


def _inside(folder: Path) -> Iterator[Path]:
    """The files below a folder, by their paths."""
    if is_index(folder):
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path=folder) from error
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _inside(path)


def _ending(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    return Path(name).suffix


def is_table(path: str | Path) -> bool:
    """Whether the offsets of a file's passages are those in the text of a row."""
    return _ending(Path(path)) in TABLES


def cut_file(path: Path, cut: Cut) -> Iterator[Passage]:
    """The passages of a file, in order.

    Raises:
        DataError: The file or a row of it cannot be read.
    """
    if clean(str(path)) != str(path):
        raise DataError("the name is not UTF-8", path=path, remedy="Rename the file")
    if is_table(path):
        yield from _cut_table(path, cut)
    else:
        text = _read(path, cut.faults)
        if text is not None:
            told = _told(path, [text], cut.lang)
            for passage in _passages(path, text, told or identify([text])[0].tag, cut):
                yield passage if told else _with_own_language(passage)


def _read(path: Path, faults: Faults) -> str | None:
    with open_bytes(path) as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        faults.report(DataError(f"longer than {MAX_FILE_BYTES:,} bytes", path=path))
        return None
    try:
        return content.decode("utf-8", "replace" if faults.replace else "strict")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte {error.start + 1} (0x{content[error.start]:02x}) is not UTF-8"
        remedy = "Convert the file: iconv -f LATIN1 -t UTF-8"
        faults.report(DataError(problem, path=path, line=line, remedy=remedy))
        return None


def _cut_table(path: Path, cut: Cut) -> Iterator[Passage]:
    rows = []
    for row in read_table(path, cut.faults):
        if "text" not in row.values:
            problem = "column 'text' is missing"
            cut.faults.report(
                DataError(problem, path=path, line=row.line, remedy="Name the column text")
            )
            continue
        rows.append((row, str(row.values["text"] or "")))
    told = _told(path, [text for _, text in rows], cut.lang)
    for row, text in rows:
        column = row.values.get("lang")
        lang = told
        if column and cut.lang is None:
            try:
                lang = tag_of(str(column))
            except LanguageError as error:
                cut.faults.report(
                    DataError(error.problem, path=path, line=row.line, remedy=error.remedy)
                )
                continue
        yield from _passages(path, text, lang or identify([text])[0].tag, cut, row)


def _told(path: Path, texts: Sequence[str], given: str | None) -> str | None:
    """The language of a file that is given, or that its path names and its script bears out."""
    if given is not None:
        return tag_of(given)
    named = language_of_path(path, hyphens=False)  # how-to-bake.md is not in Tongan
    agreed = named is not None and texts and scripts_agree(named, texts[:_SAMPLE])
    return named if agreed else None


def _passages(
    path: Path, text: str, lang: str, cut: Cut, row: Row | None = None
) -> Iterator[Passage]:
    text = clean(text)
    meta = {} if row is None else _meta(row)
    line, position = 1, 0
    for start, end in passage_spans(text, lang, words=cut.words):
        line += text.count("\n", position, start)
        position = start
        part = text[start:end]
        place = line if row is None else row.line
        name = "\0".join((path.as_posix(), str(0 if row is None else row.line), str(start), part))
        found = hashlib.sha256(name.encode()).hexdigest()[:24]
        yield Passage(found, part, lang, path.as_posix(), place, start, end, meta)


def _with_own_language(passage: Passage) -> Passage:
    """The passage with the language it shows; with its file's where it shows none."""
    found = identify([passage.text])[0].tag
    return passage if found == UND else replace(passage, lang=found)


def _meta(row: Row) -> dict[str, str]:
    """The row's other columns with short values, as JSON spells them, to filter by."""
    return {
        clean(name): clean(value if isinstance(value, str) else json.dumps(value))
        for name, value in row.values.items()
        if name not in ("text", "lang", "path")
        and "=" not in name
        and name
        and (isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)))
        and len(str(value)) <= _MAX_META
    }


def passage_spans(text: str, lang: str, *, words: int = WORDS) -> list[Span]:
    """Where the passages of a text begin and end.

    Args:
        text: The text.
        lang: Its language tag, or ``und``.
        words: Words of a passage at most, but for a single sentence of up to twice as many.
    """
    spans: list[Span] = []
    held: Span | None = None
    for match in _PARAGRAPH.finditer(text):
        span = _stripped(text, match.start(), match.end())
        if span is None:
            continue
        joined = span if held is None else (held[0], span[1])
        if _words(text, joined) < _LEAST:
            held = joined
            continue
        held = None
        spans += [joined] if _words(text, joined) <= words else _cut_long(text, joined, lang, words)
    if held is not None:
        spans.append(held)
    return spans


def _cut_long(text: str, span: Span, lang: str, words: int) -> list[Span]:
    """Sentences put together up to the limit."""
    sentences = [
        part
        for start, end in sentence_spans(text[span[0] : span[1]], lang)
        for part in _bounded(text, (span[0] + start, span[0] + end), words)
    ]
    spans: list[Span] = []
    count = 0
    for sentence in sentences:
        size = _words(text, sentence)
        if spans and count + size <= words:
            spans[-1] = (spans[-1][0], sentence[1])
            count += size
        else:
            spans.append(sentence)
            count = size
    return spans


def _bounded(text: str, span: Span, words: int) -> list[Span]:
    """A sentence; stretches of it where it is too long for one passage, or a wall of characters."""
    if _words(text, span) <= 2 * words:
        return [span]
    starts, count = [span[0]], 0
    for start, end in word_spans(text[span[0] : span[1]]):
        while span[0] + end - starts[-1] > words * _LONG_WORD or count == words:
            begin = span[0] + start
            starts.append(begin if begin > starts[-1] else starts[-1] + words * _LONG_WORD)
            count = 0
        count += 1
    parts = (_stripped(text, *pair) for pair in pairwise([*starts, span[1]]))
    return [part for part in parts if part is not None]


def _stripped(text: str, start: int, end: int) -> Span | None:
    part = text[start:end]
    left = len(part) - len(part.lstrip().lstrip("\ufeff").lstrip())
    right = len(part.rstrip())
    return (start + left, start + right) if left < right else None


def _words(text: str, span: Span) -> int:
    """Words, or characters of scripts without spaces; a wall of characters counts as many."""
    return max(len(script_words(text[span[0] : span[1]])), (span[1] - span[0]) // _LONG_WORD)
