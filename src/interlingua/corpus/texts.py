"""Texts and their languages: out of tables, plain files, folders of parallel files, built corpora.

The language of a text is what its row says, else its file's path, else what the caller says, else
it is identified, else ``und`` with a warning; never a default. Texts with the same id in several
languages are translations of each other; where a table has no ids, the line does in files that are
called alike but for the language.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlingua.base.errors import DataError, LanguageError, quoted
from interlingua.corpus.formats import FORMATS, input_sha256, read_rows
from interlingua.corpus.readers.hub import is_hub
from interlingua.corpus.rows import Faults, Row
from interlingua.languages import UND, identify, tag_of
from interlingua.languages.paths import (
    language_of_path,
    language_of_texts,
    scripts_agree,
    warn_unknown,
)

MAX_CHARACTERS = 1_000_000
"""A longer text is refused: it is a book, not a row."""
_SAMPLE = 200
_ENDINGS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".txt")
_COMPRESSED = (".gz", ".zst")
_NOT_TEXT = ("labels.txt", "rejected.jsonl", "requirements.txt")
_IDS = ("id", "index_id")
_SHARDS, _TRAIN = "shards", "train"


@dataclass(frozen=True, slots=True)
class Text:
    """A text, its language tag, the name it shares with its translations, cluster and licence.

    Texts of a cluster are near-duplicates or translations, which a split keeps together.
    """

    text: str
    lang: str
    id: str
    cluster: str = ""
    licence: str = ""


@dataclass(slots=True)
class Texts:
    """The texts of files, read anew at every iteration.

    Attributes:
        files: The files, in order.
        lang: The language of texts whose file tells none.
        faults: What to do with a row that cannot be read.
        rows: Rows taken from each file at the last iteration.
    """

    files: list[Path]
    lang: str | None = None
    faults: Faults = field(default_factory=Faults)
    rows: Counter[Path] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Text]:
        """All texts, in the order of the files.

        Raises:
            DataError: A file or row cannot be read, is empty, or there is no text at all.
        """
        self.rows.clear()
        self.faults.rejected.faults.clear()
        for path in self.files:
            for text in texts_of(path, self.lang, self.faults):
                self.rows[path] += 1
                yield text
        if not self.rows:
            raise DataError(
                f"no text in {len(self.files)} files, the first of which is {self.files[0]}",
                remedy="A table has a column 'text'; of a plain file every line is a text",
            )

    def facts(self) -> list[dict[str, str | int]]:
        """Path, sha256 and rows of every file that a text came from."""
        return [
            {"path": path.as_posix(), "sha256": input_sha256(path), "rows": self.rows[path]}
            for path in self.files
            if self.rows[path]
        ]


def texts_of(path: Path, lang: str | None, faults: Faults) -> Iterator[Text]:
    """The texts of one file, read as a stream.

    Args:
        path: A table with a column ``text`` (or ``source`` and ``target``), or a plain file.
        lang: The language of texts whose row and path tell none.
        faults: What to do with a row that cannot be used.

    Raises:
        DataError: The file or a row of it cannot be used.
    """
    rows = _checked(path, faults)
    first = list(itertools.islice(rows, _SAMPLE))
    if not first:
        return
    told = _language(path, first, lang)
    family = _family(path)
    unknown = 0
    for row in itertools.chain(first, rows):
        cluster, licence = (str(row.values.get(name) or "") for name in ("cluster", "licence"))
        for text, named in _texts(row):
            tag = tag_of(str(named)) if named else told or identify([text])[0].tag
            unknown += told is None and tag == UND
            yield Text(text, tag, _identity(row, family), cluster, licence)
    if unknown:
        warn_unknown(path, unknown)


def _checked(path: Path, faults: Faults) -> Iterator[Row]:
    """The rows that hold a text; empty lines of a plain file are no rows."""
    plain = _ending(path) == ".txt"
    for row in read_rows(path, faults):
        if plain and not str(row.values.get("text", "")).strip():
            continue
        fault = _fault(row)
        if fault is not None:
            faults.report(fault)
            continue
        yield row


def _language(path: Path, first: Sequence[Row], lang: str | None) -> str | None:
    """The language of rows that do not say theirs; None: each has to be identified."""
    texts = [text for row in first for text, _ in _texts(row)]
    told = language_of_path(path)
    if told is not None and scripts_agree(told, texts):
        return told
    if lang is not None:
        return lang
    if any(named for row in first for _, named in _texts(row)):
        return None
    return language_of_texts(path, texts)


def open_texts(
    inputs: Sequence[str | Path], *, lang: str | None = None, faults: Faults | None = None
) -> Texts:
    """The texts of files and folders.

    Args:
        inputs: Tables with a column ``text`` (or ``source`` and ``target``), plain files with a
            text a line, or folders: a built corpus (its part ``train``), or any others, which are
            searched for such files.
        lang: The language of texts whose path and columns tell none.
        faults: What to do with a row that cannot be read.

    Raises:
        DataError: An input is missing, or a folder holds no such file.
        LanguageError: ``lang`` names no language.
    """
    files = [file for given in inputs for file in text_files(Path(given))]
    if not files:
        raise DataError("no files were given", remedy="Name tables, text files or folders")
    tag = None if lang is None else tag_of(lang)
    return Texts(files, tag, faults or Faults())


def text_files(path: Path, readable: Callable[[Path], bool] | None = None) -> list[Path]:
    """A file itself, or those of a folder that may hold texts; of a built corpus its part train.

    Args:
        path: A file or folder.
        readable: Which files to take besides tables, plain files and official formats.

    Raises:
        DataError: Nothing is there, or a folder without such a file.
    """
    if is_hub(path):
        return [path]
    if not path.exists():
        raise DataError("no such file or folder", path=path)
    if not path.is_dir():
        return [path]
    root = path / _SHARDS / _TRAIN if (path / _SHARDS).is_dir() else path
    found = [
        file
        for file in sorted(root.rglob("*"))
        if (_is_table(file) or (readable is not None and readable(file)))
        and not file.name.endswith(_NOT_TEXT)
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
        and file.is_file()
    ]
    if not found:
        raise DataError(
            "holds no table or text file", path=path, remedy=f"Endings: {', '.join(_ENDINGS)}"
        )
    return found


def _is_table(path: Path) -> bool:
    return _ending(path) in _ENDINGS or any(known.recognises(path) for known in FORMATS)


def _ending(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix not in _COMPRESSED]
    return suffixes[-1].lower() if suffixes else ""


def _family(path: Path) -> str:
    """The file's name without the language in it, which parallel files share."""
    parts = path.name.split(".")
    return ".".join(part for part in parts if language_of_path(Path(f"x.{part}.x")) is None)


def _identity(row: Row, family: str) -> str:
    for name in _IDS:
        if row.values.get(name) not in (None, ""):
            return str(row.values[name])
    return f"{family}:{row.line}"


def _texts(row: Row) -> list[tuple[str, str]]:
    """The texts of a row, each with its language as written there, which may be empty."""
    values = row.values
    if "text" in values:
        return [(values["text"], values.get("lang") or "")]
    return [
        (values[f"{side}"], values.get(f"{side}_lang") or "")
        for side in ("source", "target")
        if side in values
    ]


def _fault(row: Row) -> DataError | None:
    """What keeps a row from being used, if anything."""
    texts: list[tuple[Any, str]] = list(_texts(row))
    problem, remedy = "", ""
    if not texts:
        problem = f"column 'text' is missing (columns here: {', '.join(map(str, row.values))})"
        remedy = "Name a column 'text', or two 'source' and 'target'"
    for text, lang in texts:
        if not problem:
            problem, remedy = problem_of(text)
        if not problem and lang:
            problem, remedy = _problem_of_tag(str(lang))
    return DataError(problem, remedy=remedy, path=row.path, line=row.line) if problem else None


def _problem_of_tag(lang: str) -> tuple[str, str]:
    try:
        tag_of(lang)
    except LanguageError as error:
        return error.problem, error.remedy
    return "", ""


def problem_of(text: object) -> tuple[str, str]:
    """What keeps a value from being used as a text, and what to do; both empty if nothing does."""
    if not isinstance(text, str):
        return f"{type(text).__name__} {quoted(text)}, expected a text", ""
    if not text.strip():
        return "the text is empty", ""
    if len(text) > MAX_CHARACTERS:
        problem = f"a text of {len(text):,} characters, at most {MAX_CHARACTERS:,} are read"
        return problem, "Cut it into paragraphs"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds a lone surrogate", ""
    return "", ""
