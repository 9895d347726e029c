"""Sentences of tagged tokens: CoNLL in its columns, and CoNLL-U.

A sentence becomes a row with ``tokens`` and ``tags``, placed at the line of its first token.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import regex

from interlingua.base.errors import DataError, quoted
from interlingua.corpus.rows import Faults, Row, read_lines

_UPOS_COLUMN = 3
_CONLLU_COLUMNS = 10
_DOCUMENT = "-DOCSTART-"
_LANGUAGE = regex.compile(r"[a-z]{2,3}(?:-[a-z]+)*:")
_SENTENCE_ID = regex.compile(r"#\s*sent_id\s*=\s*(.+)")


def read_conll(path: Path, faults: Faults) -> Iterator[Row]:
    """Token first, tag last on a line, between them tabs or blanks; a blank line ends a sentence.

    CoNLL 2002 and 2003, PAN-X, MasakhaNER and XTREME's UDPOS are laid out so. WikiANN as it was
    published writes the language before every token, as ``en:Berlin``: it is taken off if all
    tokens of the first sentence have the same.

    Raises:
        DataError: A line has no tag.
    """
    prefix: str | None = None
    for tokens, tags, line in _conll_sentences(path, faults):
        if prefix is None:
            prefix = _shared_language(tokens)
        bare = [token.removeprefix(prefix) or token for token in tokens]
        yield Row({"tokens": bare, "tags": tags}, path, line)


def _conll_sentences(path: Path, faults: Faults) -> Iterator[tuple[list[str], list[str], int]]:
    tokens: list[str] = []
    tags: list[str] = []
    first, broken = 0, False
    for number, line in read_lines(path, faults):
        if not line.strip() or line.startswith(_DOCUMENT):
            if tokens and not broken:
                yield tokens, tags, first
            tokens, tags, first, broken = [], [], 0, False
            continue
        fields = line.split("\t") if "\t" in line else line.split(" ")
        fields = [fields[0], *(field for field in fields[1:] if field.strip())]
        first = first or number
        if len(fields) < 2 or not fields[0]:
            broken = True
            faults.report(
                DataError(
                    f"{quoted(line)}, expected a token and its tag",
                    path=path,
                    line=number,
                    remedy="Write token<TAB>tag, and a blank line after every sentence",
                )
            )
            continue
        tokens.append(fields[0])
        tags.append(fields[-1].strip())
    if tokens and not broken:
        yield tokens, tags, first


def _shared_language(tokens: list[str]) -> str:
    """The language that stands before every token of a sentence, with its colon; else nothing."""
    found = _LANGUAGE.match(tokens[0])
    same = found is not None and all(token.startswith(found[0]) for token in tokens)
    return found[0] if found is not None and same else ""


def read_conllu(path: Path, faults: Faults) -> Iterator[Row]:
    """Words and their universal parts of speech (column 4) of Universal Dependencies.

    Lines of words that are written as one (``3-4``) or not at all (``3.1``) are no tokens.

    Raises:
        DataError: A line has not 10 columns, or a word has no part of speech.
    """
    tokens: list[str] = []
    tags: list[str] = []
    first, broken, name = 0, False, ""
    for number, line in read_lines(path, faults):
        if not line.strip():
            if tokens and not broken:
                yield _sentence(tokens, tags, name, path, first)
            tokens, tags, first, broken, name = [], [], 0, False, ""
            continue
        if line.startswith("#"):
            found = _SENTENCE_ID.match(line)
            name = found[1].strip() if found else name
            continue
        fields = line.split("\t")
        first = first or number
        if fields[0].isdecimal() and len(fields) == _CONLLU_COLUMNS and fields[_UPOS_COLUMN] != "_":
            tokens.append(fields[1])
            tags.append(fields[_UPOS_COLUMN].strip())
        elif len(fields) != _CONLLU_COLUMNS or fields[0].isdecimal():
            broken = True
            problem = f"{len(fields)} columns, expected {_CONLLU_COLUMNS}"
            if len(fields) == _CONLLU_COLUMNS:
                problem = "no part of speech in column 4"
            faults.report(DataError(problem, path=path, line=number))
    if tokens and not broken:
        yield _sentence(tokens, tags, name, path, first)


def _sentence(tokens: list[str], tags: list[str], name: str, path: Path, line: int) -> Row:
    named = {"id": name} if name else {}
    return Row({"tokens": tokens, "tags": tags, **named}, path, line)


__all__ = ["read_conll", "read_conllu"]
