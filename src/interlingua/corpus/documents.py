"""Documents out of files of every kind that this package reads.

    tables, plain text, official formats, mC4     a row, or a line, is a document
    Debian's Translation-*                        a description is a document
    message catalogues, translation memories,     either side is a document
    tables of pairs
    hub:NAME:SPLIT                                a row of the hub's data set is a document

A document's language is the one given for the input, else the row's, else the one that the path
names; else it is ``und``, to be identified. Never a default.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import regex
from pydantic import AfterValidator

from interlingua.base.config import Config
from interlingua.base.errors import DataError, LanguageError, quoted
from interlingua.corpus.formats import read_rows
from interlingua.corpus.readers.debian import read_debian
from interlingua.corpus.readers.gettext import read_mo, read_po
from interlingua.corpus.readers.hub import is_hub
from interlingua.corpus.readers.mc4 import LICENCE as MC4_LICENCE
from interlingua.corpus.readers.mc4 import PATTERN as MC4
from interlingua.corpus.readers.mc4 import mc4_lang
from interlingua.corpus.readers.tmx import read_tmx
from interlingua.corpus.records import Document, Pair
from interlingua.corpus.rows import Faults, Row, read_jsonl
from interlingua.corpus.texts import text_files
from interlingua.languages import UND, tag_of
from interlingua.languages.paths import language_of_path, scripts_agree

_DEBIAN = regex.compile(r"(?:.*_)?Translation-[A-Za-z@_%0-9]+(?:\.(?:gz|zst))?")
_CATALOGUES = {".mo": read_mo, ".po": read_po, ".tmx": read_tmx}
_LINE = "line"
_SAMPLE = 200


def _checked_tag(name: str) -> str:
    try:
        return tag_of(name)
    except LanguageError as error:
        raise ValueError(str(error)) from None


Tag = Annotated[str, AfterValidator(_checked_tag)]
"""A language in any spelling, as its tag."""


class Input(Config):
    """Files to read, and what is known of them."""

    path: str
    """A file, a folder, or a pattern such as ``texts/*.jsonl``."""

    lang: Tag | None = None
    """Language of all its texts; none: told by row or path, or identified."""

    licence: str = ""
    """SPDX identifier or expression, where the rows tell none."""

    source: str = ""
    """What the source is called; empty: as the rows say, else the file."""

    column: str = "text"
    """Column of a table that holds the text."""

    cluster: str = ""
    """Column whose value translations share, as an id, so that they lie in one split; ``line`` for
    files that are parallel line by line; empty: the rows' own ``cluster``."""

    def files(self) -> list[Path]:
        """The files, in order.

        Raises:
            DataError: There are none.
        """
        path = Path(self.path).expanduser()
        if path.exists() or is_hub(path):
            return text_files(path, _is_special)
        found = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
        files = [file for one in found for file in text_files(one, _is_special)]
        if not files:
            raise DataError("no such file, and no file that the pattern matches", path=path)
        return files


def _is_special(path: Path) -> bool:
    return path.suffix in _CATALOGUES or _DEBIAN.fullmatch(path.name) is not None


def read_documents(path: Path, given: Input, faults: Faults) -> Iterator[Document]:
    """The documents of a file, as they stand there.

    A file that breaks off is a fault like a row that cannot be read: what stood before it counts.

    Raises:
        DataError: The file or a row of it cannot be read, unless faults are set aside.
    """
    documents: Iterator[Document]
    if path.suffix in _CATALOGUES:
        pairs = _CATALOGUES[path.suffix](path, faults)
        documents = (side for pair in pairs for side in sides(pair))
    elif _DEBIAN.fullmatch(path.name):
        documents = read_debian(path, faults)
    else:
        documents = _of_rows(path, given, faults)
    licence = MC4_LICENCE if _is_mc4(path) else ""
    try:
        for document in documents:
            yield replace(
                document,
                lang=given.lang or document.lang,
                source=given.source or document.source or path.name,
                licence=document.licence or given.licence or licence,
            )
    except DataError as fault:
        faults.report(fault)


def sides(pair: Pair) -> Iterator[Document]:
    """The two documents of a pair; they share its cluster."""
    cluster = pair.cluster or f"{pair.source}/{pair.id}"
    both = ((pair.source_text, pair.source_lang), (pair.target_text, pair.target_lang))
    for text, lang in both:
        yield Document(
            text, lang, f"{pair.id}/{lang}", pair.source, pair.licence, cluster, pair.meta
        )


def _of_rows(path: Path, given: Input, faults: Faults) -> Iterator[Document]:
    mc4 = _is_mc4(path)
    rows = read_jsonl(path, faults) if mc4 else read_rows(path, faults)
    first: list[Row] = []
    broken: DataError | None = None
    try:
        first.extend(itertools.islice(rows, _SAMPLE))
    except DataError as fault:
        broken = fault
    told = given.lang or (mc4_lang(path) if mc4 else _of_path(path, given, first))
    plain = ".txt" in path.suffixes
    for row in itertools.chain(first, rows):
        if plain and not row.values["text"].strip():
            continue  # an empty line is no row
        try:
            yield from _of_row(row, given, told)
        except DataError as fault:
            faults.report(fault)
    if broken is not None:
        raise broken


def _is_mc4(path: Path) -> bool:
    return regex.search(MC4, path.absolute().as_posix()) is not None


def _of_path(path: Path, given: Input, first: list[Row]) -> str:
    """The language in the path, unless the texts are of another script."""
    told = language_of_path(path)
    texts = [value for row in first if isinstance(value := row.values.get(given.column), str)]
    return told if told is not None and texts and scripts_agree(told, texts) else UND


def _of_row(row: Row, given: Input, told: str) -> Iterator[Document]:
    values = row.values
    if given.column in values:
        yield _document(row, given, values[given.column], values.get("lang") or told)
        return
    if "source" not in values or "target" not in values:
        raise DataError(
            f"column {quoted(given.column)} is missing (columns here: "
            f"{', '.join(map(str, values))})",
            remedy="Name it in the recipe: column: ...",
            path=row.path,
            line=row.line,
        )
    pair = {**values, "source": values.get("origin") or row.path.name}
    shared = {"cluster": values.get("cluster") or f"{row.path.name}/{_identity(row)}"}
    for side in ("source", "target"):
        lang = values.get(f"{side}_lang") or UND
        made = Row({**pair, **shared, "id": f"{_identity(row)}/{lang}"}, row.path, row.line)
        yield _document(made, given, values[side], lang)


def _document(row: Row, given: Input, text: object, lang: object) -> Document:
    if not isinstance(text, str):
        problem = f"{type(text).__name__} {quoted(text)}, expected a text"
        raise DataError(problem, path=row.path, line=row.line, column=given.column)
    try:
        tag = tag_of(str(lang))
    except LanguageError as error:
        raise DataError(
            error.problem, remedy=error.remedy, path=row.path, line=row.line, column="lang"
        ) from None
    values = row.values
    return Document(
        text=text,
        lang=tag,
        id=_identity(row),
        source=_string(values, "source"),
        licence=_string(values, "licence"),
        cluster=_cluster(row, given),
        meta=_meta(values),
    )


def _identity(row: Row) -> str:
    return _string(row.values, "id") or f"{row.path.name}:{row.line}"


def _cluster(row: Row, given: Input) -> str:
    if not given.cluster:
        return _string(row.values, "cluster")
    value = row.line if given.cluster == _LINE else row.values.get(given.cluster)
    if value is None:
        raise DataError(f"column {quoted(given.cluster)} is missing", path=row.path, line=row.line)
    return f"{given.source or given.path}/{value}"


def _string(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _meta(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What else a row says, where it is not too much to carry along."""
    meta = values.get("meta")
    kept = {key: values[key] for key in ("url", "timestamp") if isinstance(values.get(key), str)}
    return {**meta, **kept} if isinstance(meta, dict) else kept


__all__ = ["Input", "Tag", "read_documents", "sides"]
