"""Official benchmark files that are not plain tables: recognised by name or header.

A format says which files it recognises and reads them into rows with the standard columns
(``text``, ``text_pair``, ``label``, ``lang``, ``id``); a task record only names columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from interlingua.base.errors import DataError
from interlingua.base.files import sha256_file
from interlingua.corpus.readers.hub import is_hub, read_hub
from interlingua.corpus.readers.mc4 import PATTERN as MC4
from interlingua.corpus.readers.mc4 import read_mc4_rows
from interlingua.corpus.readers.moses import moses_sides
from interlingua.corpus.readers.squad import PATTERN as SQUAD
from interlingua.corpus.readers.squad import read_squad
from interlingua.corpus.readers.xglue import (
    GENERATION,
    INFERENCE,
    TABLES,
    read_xglue_generation,
    read_xglue_inference,
    read_xglue_table,
)
from interlingua.corpus.rows import Faults, Row, read_lines, read_table, split_tsv

_NLP4IF_COLUMNS = ["id", "text", *(f"q{n}_label" for n in range(1, 8))]
_PAIR_COLUMNS = ["text", "text_pair", "label"]
_ESCAPE = regex.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A file layout of a benchmark: how to recognise it by its path, and how to read it."""

    name: str
    pattern: str
    read: Callable[[Path, Faults], Iterator[Row]]

    def recognises(self, path: Path) -> bool:
        """Whether the path looks like this format."""
        return regex.search(self.pattern, path.absolute().as_posix()) is not None


def _read_xlmt(path: Path, faults: Faults) -> Iterator[Row]:
    r"""Two files line by line, ``*_text.txt`` and ``*_labels.txt`` (Barbieri et al., LREC 2022).

    Labels stay as they are published: 0 negative, 1 neutral, 2 positive. Some tweets hold escapes
    such as ``\u2019`` spelled out; they are turned into the character.
    """
    labels_path = path.with_name(path.name.replace("_text.txt", "_labels.txt"))
    texts = list(read_lines(path, faults))
    labels = {number: label.strip() for number, label in read_lines(labels_path, faults)}
    if texts and len(labels) != texts[-1][0]:
        raise DataError(
            f"{len(labels)} labels for {texts[-1][0]} lines of {path.name}",
            path=labels_path,
            line=min(len(labels), texts[-1][0]) + 1,
        )
    for number, text in texts:
        decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        yield Row({"text": decoded, "label": labels.get(number, "")}, path, number)


def _read_nlp4if(path: Path, faults: Faults) -> Iterator[Row]:
    """Tweets with seven yes/no questions (Shaar et al., NLP4IF 2021); gold files have no header."""
    for number, line in read_lines(path, faults):
        fields = split_tsv(line)
        if fields[0] == "tweet_no" or not line.strip():
            continue
        if len(fields) != len(_NLP4IF_COLUMNS):
            problem = f"{len(fields)} fields, expected {len(_NLP4IF_COLUMNS)}"
            faults.report(DataError(problem, path=path, line=number))
            continue
        yield Row(dict(zip(_NLP4IF_COLUMNS, fields, strict=True)), path, number)


def _read_pairs(path: Path, faults: Faults) -> Iterator[Row]:
    """XNLI and PAWS-X as XTREME lays them out: two texts and a label, without a header.

    The lines of all languages are parallel, so that the line makes the id. PAWS-X marks a text that
    was not translated by ``NS`` or leaves it empty: such a row has ``translated`` ``no``.
    """
    split = path.name.partition("-")[0]
    for number, line in read_lines(path, faults):
        if not line.strip():
            continue
        fields = split_tsv(line)
        if len(fields) != len(_PAIR_COLUMNS):
            problem = f"{len(fields)} fields, expected {len(_PAIR_COLUMNS)}"
            faults.report(DataError(problem, path=path, line=number))
            continue
        row = dict(zip(_PAIR_COLUMNS, fields, strict=True))
        told = _translated(row["text"], row["text_pair"])
        yield Row({**row, "id": f"{split}-{number}", "translated": told}, path, number)


def _translated(*texts: str) -> str:
    """Whether PAWS-X has all texts of a row: ``NS`` or nothing stands for one that it has not."""
    return "no" if any(text.strip() in ("", "NS") for text in texts) else "yes"


def _read_pawsx(path: Path, faults: Faults) -> Iterator[Row]:
    """The tables of the PAWS-X download, with a header (Yang et al., EMNLP-IJCNLP 2019)."""
    for row in read_table(path, faults):
        told = _translated(*(str(row.values.get(name, "")) for name in ("sentence1", "sentence2")))
        yield Row({**row.values, "translated": told}, path, row.line)


def _read_xnli(path: Path, faults: Faults) -> Iterator[Row]:
    """The tables of XNLI's downloads (Conneau et al., EMNLP 2018).

    Those of development and test rows have all languages in one file. Fields hold quotation marks
    that quote nothing, so that they are taken as they are.
    """
    header: list[str] = []
    for number, line in read_lines(path, faults):
        fields = line.split("\t")
        if not header:
            header = fields
            continue
        if len(fields) != len(header):
            problem = f"{len(fields)} fields, expected {len(header)} as in the header"
            faults.report(DataError(problem, path=path, line=number))
            continue
        values = dict(zip(header, fields, strict=True))
        values |= {"lang": values.get("language", ""), "id": values.get("pairID", str(number))}
        yield Row(values, path, number)


FORMATS: tuple[FileFormat, ...] = (
    FileFormat("xlmt", r"_text\.txt$", _read_xlmt),
    FileFormat("pairs", r"/(xnli|paws-?x)[^/]*/(train|dev|test)-[a-z]{2}\.tsv$", _read_pairs),
    FileFormat("xnli", r"(xnli\.(dev|test)|multinli\.train\.[a-z]{2})\.tsv$", _read_xnli),
    FileFormat("pawsx", r"/(x-final|PAWSX)/[a-z]{2}/\w+\.tsv$", _read_pawsx),
    FileFormat("xglue", TABLES, read_xglue_table),
    FileFormat("xglue-xnli", INFERENCE, read_xglue_inference),
    FileFormat("xglue-generation", GENERATION, read_xglue_generation),
    FileFormat("nlp4if", r"covid19_disinfo_binary_[a-z]+_.*\.tsv$", _read_nlp4if),
    FileFormat("mc4", MC4, read_mc4_rows),
    FileFormat("squad", SQUAD, read_squad),
)


def read_rows(path: str | Path, faults: Faults | None = None) -> Iterator[Row]:
    """Read an official file by its own rules, ``hub:`` from the hub, any table by its ending.

    Raises:
        DataError: The file or a row of it cannot be read.
    """
    file = Path(path)
    if is_hub(file):
        return read_hub(file, faults or Faults())
    for known in FORMATS:
        if known.recognises(file):
            return known.read(file, faults or Faults())
    return read_table(file, faults)


def input_sha256(path: Path) -> str:
    """The sha256 of an input: of its bytes, of both files of a pair of files, of a name on the hub.

    What stands behind a name on the hub is not hashed: a revision in the name fixes it.
    """
    if is_hub(path):
        return hashlib.sha256(str(path).encode("utf-8", "surrogatepass")).hexdigest()
    sides = moses_sides(path)
    if sides is None:
        return sha256_file(path)
    return hashlib.sha256("".join(map(sha256_file, sides)).encode()).hexdigest()
