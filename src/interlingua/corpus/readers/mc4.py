"""The files of mC4 and C4 (Xue et al., "mT5", NAACL 2021; Raffel et al., JMLR 21, 2020).

One JSON object a line with ``text``, ``timestamp`` and ``url``; the language stands in the name:

    c4-cy.tfrecord-00000-of-00016.json.gz               Welsh
    c4-cy-validation.tfrecord-00000-of-00001.json.gz    Welsh
    c4-ru-Latn.tfrecord-00000-of-00004.json.gz          Russian in Latin letters
    en/c4-train.00000-of-01024.json.gz                  what the folder says
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import regex

from interlingua.base.errors import DataError, LanguageError
from interlingua.corpus.records import Document
from interlingua.corpus.rows import Faults, Row, read_jsonl, text_problem
from interlingua.languages import tag_of

PATTERN = r"/c4-[A-Za-z-]+\.[^/]*\bjson(?:\.gz|\.zst)?$"
"""What the path of such a file looks like."""
LICENCE = "ODC-By-1.0"
_NAME = regex.compile(r"c4-([A-Za-z]{2,3}(?:-[A-Z][a-z]{3})?)(?:-validation)?\.")
_META = ("timestamp", "url")


def mc4_lang(path: Path) -> str:
    """The language tag in the name of a file, or of its folder.

    Raises:
        DataError: There is none, or nobody knows it.
    """
    match = _NAME.match(path.name)
    name = match[1] if match is not None else path.absolute().parent.name.partition(".")[0]
    try:
        return tag_of(name)
    except LanguageError as error:
        remedy = "Files are called c4-xx.*.json.gz, xx being the language"
        raise DataError(error.problem, path=path, remedy=remedy) from error


def read_mc4_rows(path: Path, faults: Faults) -> Iterator[Row]:
    """Rows with ``text``, ``lang`` and ``id``, and ``timestamp`` and ``url`` where they are given.

    Raises:
        DataError: The file or a line of it cannot be read, or its language not be told.
    """
    lang = mc4_lang(path)
    for row in read_jsonl(path, faults):
        text = row.values.get("text")
        problem = text_problem(text)
        if problem:
            faults.report(DataError(problem, path=path, line=row.line, column="text"))
            continue
        values = {"text": text, "lang": lang, "id": f"{path.name}:{row.line}"}
        told = {name: row.values[name] for name in _META if isinstance(row.values.get(name), str)}
        yield Row({**values, **told}, path, row.line)


def read_mc4(path: Path, faults: Faults) -> Iterator[Document]:
    """The documents of a file; none has a name of its own, so that file and line make the id.

    Raises:
        DataError: The file or a line of it cannot be read, or its language not be told.
    """
    for row in read_mc4_rows(path, faults):
        values = row.values
        yield Document(
            text=values["text"],
            lang=values["lang"],
            id=values["id"],
            source="mc4",
            licence=LICENCE,
            meta={name: values[name] for name in _META if name in values},
        )


__all__ = ["LICENCE", "PATTERN", "mc4_lang", "read_mc4", "read_mc4_rows"]
