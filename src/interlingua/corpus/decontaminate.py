"""Benchmark texts inside a corpus: found by the runs of tokens that they share.

A document is contaminated if it holds a run of ``run`` tokens of a benchmark text, or all of a
shorter one, wherever it stands and whatever its case and punctuation (Brown et al. 2020, arXiv
2005.14165, appendix C, with tokens that suit every script). In scripts without spaces a token is a
character, so that twice as many make a run. Texts of fewer than half a run say too little to be
searched for; they are counted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from interlingua.base.config import Config
from interlingua.base.errors import DataError
from interlingua.corpus.rows import MAX_LINE_BYTES, Faults, open_bytes, read_lines, read_table
from interlingua.corpus.tokens import (
    DENSE,
    LETTER,
    Hashes,
    Rows,
    character_classes,
    code_points,
    hash_tokens,
    runs,
)

_SIEVE_BITS = 22
_BATCH = 2000
_MAX_JSON_BYTES = 500_000_000
_NO_TEXTS = (".md", ".py", ".sh", ".html", ".pdf", ".png", ".zip", ".tar", ".tgz", ".yaml", ".yml")
_TABLES = (".jsonl", ".ndjson", ".parquet")


class Decontamination(Config):
    """Which texts must not be in the corpus, and what counts as one being there."""

    benchmarks: tuple[str, ...] = ()
    """Files, patterns or folders of benchmarks: their texts must not be in the corpus."""

    drop: tuple[str, ...] = ()
    """Lists of texts to leave out: each ``drop.jsonl`` of ``corpus contamination``."""

    run: int = Field(10, ge=4, le=100)
    """Tokens in a row that must be shared; twice as many characters in scripts without spaces."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The runs of benchmark texts.

    Attributes:
        hashes: By length of the run, ascending hashes.
        texts: Texts that are searched for.
        short: Texts that are too short for it.
    """

    hashes: dict[int, Hashes]
    texts: int = 0
    short: int = 0

    def found(self, tokens: Rows) -> NDArray[np.bool_]:
        """Which texts hold such a run: bool ``[N]``."""
        hit = np.zeros(len(tokens), bool)
        for length, hashes in self.hashes.items():
            rows = runs(tokens, length)
            sieve = np.zeros(1 << _SIEVE_BITS, bool)
            sieve[_sieved(hashes)] = True
            places = np.flatnonzero(sieve[_sieved(rows.values)])
            values = rows.values[places]
            at = np.minimum(np.searchsorted(hashes, values), len(hashes) - 1)
            places = places[hashes[at] == values]
            hit[np.searchsorted(rows.offsets, places, side="right") - 1] = True
        return hit


def _sieved(hashes: Hashes) -> NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _SIEVE_BITS)).astype(np.int64)


def index_benchmarks(files: Sequence[Path], rules: Decontamination) -> Searched:
    """Runs of all texts in benchmark files.

    Args:
        files: Of any format: all strings of JSON and of tables, the fields of lines otherwise; of a
            file with a token a line, its sentences.
        rules: How long a run is.

    Raises:
        DataError: A file cannot be read.
    """
    found: dict[int, list[Hashes]] = {}
    count = short = 0
    batch: list[str] = []

    def add() -> None:
        nonlocal count, short
        done, few = _add(batch, rules.run, found)
        count, short = count + done, short + few
        batch.clear()

    for file in files:
        for text in benchmark_texts(file):
            batch.append(text)
            if len(batch) == _BATCH:
                add()
    add()
    hashes = {length: np.unique(np.concatenate(parts)) for length, parts in sorted(found.items())}
    return Searched(hashes, count, short)


def _add(texts: Sequence[str], run: int, found: dict[int, list[Hashes]]) -> tuple[int, int]:
    tokens = hash_tokens(texts)
    sizes = tokens.counts()
    wanted = np.where(_dense(texts), 2 * run, run)
    searched = sizes >= wanted // 2
    lengths = np.minimum(sizes, wanted)
    for length in np.unique(lengths[searched]).tolist():
        rows = runs(tokens, length)
        mine = np.repeat(searched & (lengths == length), rows.counts())
        found.setdefault(length, []).append(np.unique(rows.values[mine]))
    return int(searched.sum()), int((~searched).sum())


def _dense(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Whether most letters of each text are of a script without spaces."""
    if not texts:
        return np.zeros(0, bool)
    codes, offsets = code_points(texts)
    classes = character_classes()[codes]
    dense = np.add.reduceat((classes & DENSE) > 0, offsets[:-1], dtype=np.int64)
    letters = np.add.reduceat((classes & LETTER) > 0, offsets[:-1], dtype=np.int64)
    return dense * 2 > letters


def text_sha256(text: str) -> str:
    """The name of a text in a list of texts to leave out: the sha256 of it as it was read."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def texts_to_drop(files: Sequence[str]) -> frozenset[str]:
    """The names of all texts that lists tell to leave out.

    Raises:
        DataError: A list cannot be read, or a row has no ``text_sha256``.
    """
    names = set()
    for file in files:
        for row in read_table(Path(file).expanduser()):
            name = row.values.get("text_sha256")
            if not isinstance(name, str):
                raise DataError(
                    "column 'text_sha256' is missing",
                    path=row.path,
                    line=row.line,
                    remedy="Give drop.jsonl of interlingua corpus contamination",
                )
            names.add(name)
    return frozenset(names)


def benchmark_files(names: Sequence[str]) -> list[Path]:
    """The files that names, folders and patterns mean; in folders all but what explains them.

    Raises:
        DataError: A name or pattern matches nothing.
    """
    files: list[Path] = []
    for name in names:
        path = Path(name).expanduser()
        found = [path] if path.exists() else _matches(path)
        inside = [file for one in found for file in ([one] if one.is_file() else _inside(one))]
        if not inside:
            raise DataError("no such benchmark file or folder", path=path)
        files += inside
    return files


def _matches(pattern: Path) -> list[Path]:
    return sorted(Path(pattern.anchor or ".").glob(str(pattern.relative_to(pattern.anchor))))


def _inside(folder: Path) -> list[Path]:
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not file.name.startswith((".", "README", "LICENSE", "LICENCE"))
        and file.suffix.lower() not in _NO_TEXTS
    ]


def benchmark_texts(path: Path) -> Iterator[str]:
    """All texts of a benchmark file, whatever its columns are called.

    Raises:
        DataError: The file cannot be read.
    """
    endings = [suffix for suffix in path.suffixes if suffix not in {".gz", ".zst"}]
    ending = endings[-1].lower() if endings else ""
    if ending in _TABLES:
        for row in read_table(path):
            yield from _strings(row.values)
    elif ending == ".json":
        yield from _strings(_document(path))
    else:
        yield from _fields(path)


def _document(path: Path) -> object:
    with open_bytes(path) as stream:
        data = stream.read(_MAX_JSON_BYTES + 1)
    if len(data) > _MAX_JSON_BYTES:
        raise DataError(f"longer than {_MAX_JSON_BYTES:,} bytes", path=path)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", path=path) from error


def _strings(value: object) -> Iterator[str]:
    """The strings inside JSON values; a list of strings is also a text of tokens."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            yield " ".join(value)
        for part in value:
            yield from _strings(part)


def _fields(path: Path) -> Iterator[str]:
    """The fields of lines; lines of one word, as in files of tagged tokens, are joined."""
    words: list[str] = []
    size = 0
    for _, line in read_lines(path, Faults("skip", replace=True)):
        fields = line.split("\t") if "\t" in line else [line]
        if not line.strip() or size > MAX_LINE_BYTES:
            yield " ".join(words)
            words, size = [], 0
        column = fields[1] if fields[0].isdigit() and len(fields) > 2 else fields[0]
        word = column if len(fields) > 1 else line.partition(" ")[0]
        words.append(word.rpartition(":")[2])  # of PAN-X, which puts the language before
        size += len(word)
        yield from fields
    yield " ".join(words)


__all__ = [
    "Decontamination",
    "Searched",
    "benchmark_files",
    "benchmark_texts",
    "index_benchmarks",
    "text_sha256",
    "texts_to_drop",
]
