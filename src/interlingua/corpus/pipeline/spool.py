"""Documents on disk between two stages: their facts, their signatures, and their lines.

    facts.bin        one record of `FACTS` a document
    signatures.bin   one row of uint32 a document
    lines.jsonl.zst  one line a document, in the same order

Facts and signatures are mapped into memory, so that only what is looked at takes any.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from interlingua.base.optional import require
from interlingua.corpus.near_duplicates import Signatures
from interlingua.corpus.pipeline.prepare import FACTS, Facts, Prepared
from interlingua.corpus.rows import open_bytes

_LEVEL = 1  # of zstandard: read once or twice, then gone
_NAMES = ("lang", "script", "licence", "source")


class Spool:
    """A folder of documents, written once, then read.

    Args:
        folder: Made if it is not there.

    Attributes:
        names: What the numbers in the facts stand for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._width = 0
        self._open = ExitStack()
        self._streams: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        """Make the folder and begin its files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("facts.bin", "signatures.bin"):
            self._streams[name] = self._open.enter_context((self.folder / name).open("wb"))
        raw = self._open.enter_context((self.folder / "lines.jsonl.zst").open("wb"))
        made = require("zstandard", extra="text").ZstdCompressor(_LEVEL)
        self._streams["lines"] = self._open.enter_context(made.stream_writer(raw, closefd=False))
        return self

    def __exit__(self, *exception: object) -> None:
        """Finish the files."""
        self._open.close()

    def put(self, batch: Prepared) -> None:
        """Add the documents of a batch."""
        for name in batch.names:
            if name not in self._numbers:
                self._numbers[name] = len(self.names)
                self.names.append(name)
        facts = batch.facts
        if len(facts):
            translation = np.array([self._numbers[name] for name in batch.names], np.int32)
            for column in _NAMES:
                facts[column] = translation[facts[column]]
        self._width = batch.signatures.shape[1]
        self._streams["facts.bin"].write(facts.tobytes())
        self._streams["signatures.bin"].write(batch.signatures.tobytes())
        self._streams["lines"].write(b"".join(line + b"\n" for line in batch.lines))

    def facts(self) -> Facts:
        """The facts of all documents, ``[N]``."""
        found: Facts = self._mapped("facts.bin", FACTS)
        return found

    def signatures(self) -> Signatures:
        """The signatures of all documents, ``[N, P]``."""
        found: Signatures = self._mapped("signatures.bin", np.dtype(np.uint32))
        return found.reshape(-1, self._width) if self._width else found.reshape(len(found), 0)

    def lines(self) -> Iterator[bytes]:
        """The lines of all documents, without line ends."""
        with open_bytes(self.folder / "lines.jsonl.zst") as stream:
            for line in stream:
                yield line[:-1]

    def _mapped(self, name: str, kind: np.dtype) -> Any:  # noqa: ANN401 - an array of whatever kind
        path = self.folder / name
        if not path.stat().st_size:  # nothing can be mapped
            return np.empty(0, kind)
        return np.memmap(path, kind, mode="r")


__all__ = ["Spool"]
