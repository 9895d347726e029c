"""Files of documents and pairs: JSON lines, compressed by the ending of the name."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Self, cast

from interlingua.base.files import atomic_path
from interlingua.base.optional import require
from interlingua.corpus.records import Document, Pair

_LEVEL = 3  # of zstandard: a higher one takes 10 MB for every open file


def pair_row(pair: Pair) -> dict[str, Any]:
    """The columns of a pair; ``source`` is its text, so that its source is called ``origin``."""
    return {
        "source": pair.source_text,
        "target": pair.target_text,
        "source_lang": pair.source_lang,
        "target_lang": pair.target_lang,
        "id": pair.id,
        "origin": pair.source,
        "licence": pair.licence,
        "cluster": pair.cluster,
        "meta": dict(pair.meta),
        **({"negatives": list(pair.negatives)} if pair.negatives else {}),
    }


def document_row(document: Document) -> dict[str, Any]:
    """The columns of a document."""
    return {
        "text": document.text,
        "lang": document.lang,
        "id": document.id,
        "source": document.source,
        "licence": document.licence,
        "cluster": document.cluster,
        "meta": dict(document.meta),
    }


@contextmanager
def compressed(path: Path, ending: str = "") -> Iterator[IO[bytes]]:
    """Open a file for writing, compressed by its ending or the one given; same data, same bytes.

    Raises:
        MissingExtraError: ``.zst``, and zstandard is not installed.
    """
    ending = ending or path.suffix
    with path.open("wb") as raw:
        if ending == ".zst":
            made = require("zstandard", extra="text").ZstdCompressor(_LEVEL)
            with made.stream_writer(raw, closefd=False) as stream:
                yield stream
        elif ending == ".gz":
            with gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as stream:
                yield cast("IO[bytes]", stream)
        else:
            yield raw


def _line(row: Mapping[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines, whole or not at all; ``.gz`` and ``.zst`` compress.

    Returns:
        How many rows were written.

    Raises:
        DiskError: The disk refused a write.
        MissingExtraError: ``.zst``, and zstandard is not installed.
    """
    count = 0
    with atomic_path(path) as temporary, compressed(temporary, path.suffix) as stream:
        for row in rows:
            stream.write(_line(row))
            count += 1
    return count


class Shelf:
    """Rows sorted into ``NAME.jsonl.zst`` as they come, inside a folder that is not yet final.

    Args:
        folder: Where the files are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counts: Counter[str] = Counter()
        self._streams: dict[str, IO[bytes]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        """Finish every file."""
        self._open.close()

    def put(self, name: str, row: Mapping[str, Any]) -> None:
        """Add a row to a file."""
        stream = self._streams.get(name)
        if stream is None:
            path = self.folder / f"{name}.jsonl.zst"
            stream = self._streams[name] = self._open.enter_context(compressed(path, ".zst"))
        stream.write(_line(row))
        self._counts[name] += 1

    def counts(self) -> dict[str, int]:
        """Rows by file name, the longest file first."""
        return dict(sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0])))


__all__ = ["Shelf", "compressed", "document_row", "pair_row", "write_rows"]
