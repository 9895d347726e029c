r"""Tables of rows: JSONL, CSV, TSV, Parquet and plain text, compressed or not.

One small record travels, the `Row`: its values by column name, and where it came from. A reader
is a function from a path to a stream of rows; whatever cannot be read is an error with file, line
and column, or, when the caller asks to go on, a `Rejected` row that is counted and kept:
rows in = rows out + rows rejected.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import regex

from interlingua.base.errors import DataError, quoted
from interlingua.base.files import write_text
from interlingua.base.optional import require
from interlingua.base.registry import near_names

OnError = Literal["stop", "skip", "replace"]

MAX_LINE_BYTES = 500_000
"""A longer line is refused: it is a broken file or a book, not a row."""

_CHUNK = 1 << 13  # of compressed bytes: what they unpack to is held in memory
_LONE_SURROGATE = regex.compile(r"[\ud800-\udfff]")
_QUOTED = regex.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: values by column, the file and the line (from 1; Parquet: the row)."""

    values: dict[str, Any]
    path: Path
    line: int


@dataclass(slots=True)
class Rejected:
    """What was set aside instead of stopping: a place and a reason each."""

    faults: list[DataError] = field(default_factory=list)

    def __len__(self) -> int:
        """How many rows were set aside."""
        return len(self.faults)

    def write(self, path: Path) -> None:
        """Write ``rejected.jsonl``: path, line, column and reason, one JSON object a line."""
        lines = [
            json.dumps(
                {"path": str(f.path), "line": f.line, "column": f.column, "reason": f.reason},
                ensure_ascii=False,
            )
            for f in self.faults
        ]
        write_text(path, "".join(line + "\n" for line in lines))


class Faults:
    """What to do with a row that cannot be read: stop with the error, or set it aside.

    With ``replace``, bytes that are not UTF-8 become U+FFFD instead of a fault, and such lines are
    counted; applications read so, since they answer for every row. ``on_error="replace"`` means
    both: to replace what can be, and to set the rest aside.

    Attributes:
        rejected: What was set aside.
        replaced: Lines with bytes that were replaced.
    """

    def __init__(self, on_error: OnError = "stop", *, replace: bool = False) -> None:
        self.on_error = on_error
        self.replace = replace or on_error == "replace"
        self.rejected = Rejected()
        self.replaced = 0

    def report(self, fault: DataError) -> None:
        """Raise ``fault``, or keep it and let the reader go on.

        Raises:
            DataError: ``fault`` itself, unless faults are skipped.
        """
        if self.on_error == "stop":
            raise fault
        self.rejected.faults.append(fault)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, through gzip or zstandard by its ending.

    Raises:
        DataError: The file is missing, a folder, or not what its ending says.
    """
    try:
        with path.open("rb") as raw:
            if path.suffix == ".gz":
                with gzip.open(raw) as stream:
                    yield io.BufferedReader(stream)
            elif path.suffix == ".zst":
                yield io.BufferedReader(_Zstandard(raw))
            else:
                yield raw
    except FileNotFoundError:
        near = near_names(path.name, _neighbours(path))
        remedy = f"Did you mean {', '.join(near)}?" if near else ""
        raise DataError("no such file", path=path, remedy=remedy) from None
    except IsADirectoryError:
        raise DataError("a folder, expected a file", path=path) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}", path=path) from error


class _Zstandard(io.RawIOBase):
    """A stream through zstandard that tells when the file ends inside a frame."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._library = require("zstandard", extra="text")
        self._frame: Any = None
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any buffer that can be written to
        """Fill a buffer with what comes next; 0 at the end."""
        while not self._ready:
            data = self._raw.read(_CHUNK)
            if not data:
                if self._frame is not None:
                    raise EOFError("the file ends before its end-of-stream marker was reached")
                return 0
            frame = self._frame or self._library.ZstdDecompressor().decompressobj()
            try:
                self._ready = memoryview(frame.decompress(data))
            except self._library.ZstdError as error:
                raise OSError(f"not zstandard: {error}") from error
            self._frame = None if frame.eof else frame
            if frame.unused_data:  # the next frame
                self._raw.seek(-len(frame.unused_data), io.SEEK_CUR)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def read_lines(path: Path, faults: Faults) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 text file with their numbers, without the line ends.

    Raises:
        DataError: A line is not UTF-8 or longer than `MAX_LINE_BYTES`.
    """
    with open_bytes(path) as stream:
        yield from lines_of(stream, path, faults)


def lines_of(stream: IO[bytes], path: Path, faults: Faults) -> Iterator[tuple[int, str]]:
    """The lines of an open UTF-8 text, such as stdin; see `read_lines`.

    Raises:
        DataError: A line is not UTF-8 or longer than `MAX_LINE_BYTES`.
    """
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(MAX_LINE_BYTES + 1)
            faults.report(
                DataError(f"longer than {MAX_LINE_BYTES:,} bytes", path=path, line=number)
            )
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            yield number, raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            if faults.replace:
                faults.replaced += 1
                yield number, raw.decode("utf-8", "replace").rstrip("\r\n")
                continue
            faults.report(
                DataError(
                    f"byte {error.start + 1} (0x{raw[error.start]:02x}) is not UTF-8",
                    path=path,
                    line=number,
                    remedy="Convert the file: iconv -f LATIN1 -t UTF-8",
                )
            )


def read_jsonl(path: Path, faults: Faults) -> Iterator[Row]:
    """The objects of a file of JSON lines; empty lines are no rows.

    Raises:
        DataError: The file or a line of it cannot be read, or a line holds no object.
    """
    for number, line in read_lines(path, faults):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.report(DataError(f"not JSON: {error}", path=path, line=number))
            continue
        if not isinstance(values, dict):
            kind = type(values).__name__
            faults.report(DataError(f"{kind}, expected an object", path=path, line=number))
            continue
        yield Row(values, path, number)


def text_problem(value: object) -> str:
    """What keeps a value from being a text: another type, emptiness, half of a character.

    Returns:
        The problem, empty if there is none.
    """
    if not isinstance(value, str):
        return f"{type(value).__name__}, expected a text"
    if not value.strip():
        return "the text is empty"
    found = _LONE_SURROGATE.search(value)
    return f"holds a lone surrogate (U+{ord(found[0]):04X})" if found else ""


def unquote(value: str) -> str:
    """Undo the quoting that spreadsheet writers put around a field that holds quotes or tabs."""
    if '""' in value[1:-1] and _QUOTED.fullmatch(value):
        return value[1:-1].replace('""', '"')
    return value


def split_tsv(line: str) -> list[str]:
    """The fields of a line of tab-separated values, unquoted where they were quoted."""
    return [unquote(value) for value in line.split("\t")]


def _read_tsv(path: Path, faults: Faults) -> Iterator[Row]:
    header: list[str] | None = None
    for number, line in read_lines(path, faults):
        fields = split_tsv(line)
        if header is None:
            header = _checked_header([name.strip() for name in fields], path, number)
            continue
        if not line.strip():
            continue
        if len(fields) != len(header):
            problem = f"{len(fields)} fields, expected {len(header)} as in the header"
            faults.report(DataError(problem, path=path, line=number))
            continue
        yield Row(dict(zip(header, fields, strict=True)), path, number)


def _read_csv(path: Path, faults: Faults) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE_BYTES)
    place: list[int] = []  # the lines of the record that is being read

    def lines() -> Iterator[str]:
        for number, line in read_lines(path, faults):
            place.append(number)
            yield line + "\n"

    reader = csv.reader(lines(), strict=True)
    header: list[str] | None = None
    while True:
        place.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.report(DataError(f"not CSV: {error}", path=path, line=place[-1]))
            continue
        if header is None:
            header = _checked_header([name.strip() for name in fields], path, place[0])
        elif fields and len(fields) != len(header):
            problem = f"{len(fields)} fields, expected {len(header)} as in the header"
            faults.report(DataError(problem, path=path, line=place[0]))
        elif fields:
            yield Row(dict(zip(header, fields, strict=True)), path, place[0])


def _checked_header(names: list[str], path: Path, line: int) -> list[str]:
    repeated = {name for name in names if names.count(name) > 1 and name}
    if repeated:
        raise DataError(
            f"the header names {quoted(min(repeated))} more than once", path=path, line=line
        )
    return names


def _read_parquet(path: Path, faults: Faults) -> Iterator[Row]:
    del faults  # a Parquet file is whole or broken
    parquet = require("pyarrow.parquet", extra="text")
    try:
        file = parquet.ParquetFile(path)
    except FileNotFoundError:
        raise DataError("no such file", path=path) from None
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise DataError(f"not a Parquet file: {error}", path=path) from error
    number = 0
    try:
        for batch in file.iter_batches():
            for values in batch.to_pylist():
                number += 1
                yield Row(values, path, number)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", path=path, line=number + 1) from error


def _read_text(path: Path, faults: Faults) -> Iterator[Row]:
    for number, line in read_lines(path, faults):
        yield Row({"text": line}, path, number)


_READERS: dict[str, Callable[[Path, Faults], Iterator[Row]]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
    ".txt": _read_text,
}


def read_table(path: str | Path, faults: Faults | None = None) -> Iterator[Row]:
    """Read a table, by the ending of its name (``.gz`` and ``.zst`` may follow).

    Raises:
        DataError: The ending is unknown, or the file cannot be read.
        MissingExtraError: A ``.zst`` file, and zstandard is not installed.
    """
    file = Path(path)
    suffixes = [suffix for suffix in file.suffixes if suffix not in {".gz", ".zst"}]
    suffix = suffixes[-1].lower() if suffixes else ""
    if suffix not in _READERS:
        raise DataError(
            f"cannot tell the format from the ending {quoted(suffix)}",
            path=file,
            remedy=f"Known endings: {', '.join(_READERS)}, each also with .gz or .zst",
        )
    yield from _READERS[suffix](file, faults or Faults())


def _neighbours(path: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in path.parent.iterdir())[:200]
    except OSError:
        return []


__all__ = [
    "MAX_LINE_BYTES",
    "Faults",
    "OnError",
    "Rejected",
    "Row",
    "open_bytes",
    "read_jsonl",
    "read_lines",
    "read_table",
    "split_tsv",
    "text_problem",
    "unquote",
]
