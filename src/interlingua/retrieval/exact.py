"""The exact store: every vector is looked at; for up to some hundred thousand passages.

Two files grow at their ends and are never changed elsewhere::

    vectors.f32    the vectors, one after the other
    rows.jsonl     what was added and deleted; a line ``{"commit": …}`` ends every change

A change counts from its commit line on, which is written after everything else has reached the
disk and holds checksums of it. What follows the last commit line is of a writer that was killed:
it is passed over, and cut off by the next writer.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError
from interlingua.base.files import atomic_folder, disk_errors
from interlingua.retrieval.index import IndexInfo
from interlingua.retrieval.records import (
    EVERYTHING,
    Filter,
    Hit,
    Passage,
    check_passages,
    checked_vectors,
    refuse_known,
)

_VECTORS, _ROWS = "vectors.f32", "rows.jsonl"
_BLOCK = 65_536
_PAUSE = 0.05  # seconds, in which a writer moves a folder twice
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
_NO_SCORES, _NO_ROWS = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
_COMMIT = b'{"commit":'


def open_store(place: str, info: IndexInfo | None, *, create: bool) -> ExactStore:
    """Open or make an exact store in the folder of an index.

    Raises:
        DataError: It is damaged.
    """
    assert info is not None
    folder = Path(place) / "store"
    if create:
        with disk_errors(folder):
            folder.mkdir()
            for name in (_VECTORS, _ROWS):
                (folder / name).touch()
    return ExactStore(folder, info)


class ExactStore:
    """Passages in memory, vectors mapped from the disk; see the module's text.

    Raises:
        DataError: A file is missing or damaged.
    """

    def __init__(self, folder: Path, info: IndexInfo) -> None:
        self.folder = folder
        self.info = info
        self._load()

    # -- reading ---------------------------------------------------------------------------------

    def _load(self) -> None:
        """Read the files; once more where a writer put others in their place meanwhile."""
        try:
            self._read()
        except DataError:
            if not self._replaced():
                raise
            time.sleep(_PAUSE)
            self._read()

    def _replaced(self) -> bool:
        """Whether other files lie there than were opened, or none."""
        try:
            return (self.folder / _ROWS).stat().st_ino != self._file
        except OSError:
            return True

    def _read(self) -> None:
        self._file = 0  # inode of rows.jsonl
        self._rows: list[Passage | None] = []  # by the row of the vector; None: deleted
        self._place: dict[str, int] = {}
        self._commits = 0
        self._last = 0  # checksum of the last commit
        self._end = 0  # bytes of rows.jsonl up to the last commit
        try:
            with (self.folder / _ROWS).open("rb") as file:
                self._file = os.fstat(file.fileno()).st_ino
                lines = file.read().splitlines(keepends=True)
            self._vectors = self._map()
            pending: list[bytes] = []
            for line in lines:
                if line.startswith(_COMMIT) and line.endswith(b"\n"):
                    self._replay(pending, json.loads(line))
                    self._end += sum(map(len, pending)) + len(line)
                    pending = []
                else:
                    pending.append(line)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(str(error)) from None
        self._vectors = self._vectors[: len(self._rows)]  # what follows was never committed

    def _map(self) -> NDArray[np.float32]:
        file = self.folder / _VECTORS
        width = 4 * self.info.dim
        rows = file.stat().st_size // width
        if rows == 0:
            return np.zeros((0, self.info.dim), dtype=np.float32)
        return np.memmap(file, dtype="<f4", mode="r", shape=(rows, self.info.dim))

    def _replay(self, lines: list[bytes], commit: Mapping[str, Any]) -> None:
        """Apply the lines of one change, whose checksums have to fit."""
        first, last = len(self._rows), int(commit["vectors"])
        vectors = self._vectors[first:last]
        if zlib.crc32(b"".join(lines)) != commit["commit"] or len(vectors) != last - first:
            raise ValueError(f"change {self._commits + 1} of {_ROWS} is not as it was written")
        if zlib.crc32(vectors.tobytes()) != commit["crc"]:
            raise ValueError(f"vectors {first} to {last} are not as they were written")
        for line in lines:
            record = json.loads(line)
            if "delete" in record:
                self._forget(record["delete"])
            else:
                self._keep(Passage(**record))
        self._commits += 1
        self._last = commit["commit"]

    def _keep(self, passage: Passage) -> None:
        self._place[passage.id] = len(self._rows)
        self._rows.append(passage)

    def _forget(self, ids: Sequence[str]) -> None:
        for name in ids:
            self._rows[self._place.pop(name)] = None

    def _damaged(self, reason: str) -> DataError:
        return DataError(f"the index is damaged: {reason}", path=self.folder, remedy="Build anew")

    # -- writing ---------------------------------------------------------------------------------

    def add(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Add passages with vectors [N, D]; see `VectorStore.add`."""
        check_passages(passages)
        refuse_known(passages, self._place)
        self._change((), passages, vectors)

    def update(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Replace or add passages; see `VectorStore.update`."""
        check_passages(passages)
        self._change([p.id for p in passages if p.id in self._place], passages, vectors)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete passages; returns how many were there."""
        there = [name for name in dict.fromkeys(ids) if name in self._place]
        if there:
            self._change(there, (), np.zeros((0, self.info.dim), dtype=np.float32))
        return len(there)

    def _change(
        self, deleted: Sequence[str], added: Sequence[Passage], vectors: NDArray[np.float32]
    ) -> None:
        vectors = checked_vectors(vectors, rows=len(added), dim=self.info.dim)
        if not deleted and not added:
            return
        lines = [_line({"delete": list(deleted)})] if deleted else []
        lines += [_line(_record(passage)) for passage in added]
        before = len(self._rows)
        with disk_errors(self.folder):
            _append(self.folder / _VECTORS, before * 4 * self.info.dim, vectors.tobytes())
            body = b"".join(lines)
            _append(self.folder / _ROWS, self._end, body)
            checks = {"crc": zlib.crc32(vectors.tobytes()), "vectors": before + len(added)}
            check = zlib.crc32(body)
            commit = _line({"commit": check, **checks})
            _append(self.folder / _ROWS, self._end + len(body), commit)
        self._end += len(body) + len(commit)
        self._commits += 1
        self._last = check
        self._forget(deleted)
        for passage in added:
            self._keep(passage)
        self._vectors = self._map()

    def refresh(self) -> None:
        """Read the files again if they are not as this process left them."""
        try:
            found = (self.folder / _ROWS).stat()
        except OSError as error:
            raise self._damaged(str(error)) from None
        if (found.st_ino, found.st_size) != (self._file, self._end):
            self._load()

    def optimize(self) -> None:
        """Write the files anew without what was deleted, once that is a quarter of them."""
        alive = [i for i, passage in enumerate(self._rows) if passage is not None]
        if 4 * (len(self._rows) - len(alive)) <= len(self._rows) or not self._rows:
            return
        rows = [passage for passage in self._rows if passage is not None]
        with atomic_folder(self.folder) as temporary:
            for name in (_VECTORS, _ROWS):
                (temporary / name).touch()
            fresh = ExactStore(temporary, self.info)
            for start in range(0, len(alive), _BLOCK):
                part = slice(start, start + _BLOCK)
                fresh.add(rows[part], self._vectors[alive[part]])
        self._load()

    # -- answering -------------------------------------------------------------------------------

    def search(
        self, queries: NDArray[np.float32], *, k: int, where: Filter = EVERYTHING
    ) -> list[list[Hit]]:
        """The ``k`` nearest passages of each query [Q, D], best first; then by age."""
        queries = checked_vectors(queries, rows=len(queries), dim=self.info.dim)
        rows = self._matching(where)
        whole = len(rows) == len(self._rows)
        best: list[tuple[Floats, Ints]] = [(_NO_SCORES, _NO_ROWS) for _ in queries]
        for start in range(0, len(rows), _BLOCK):
            part = rows[start : start + _BLOCK]
            block = self._vectors[start : start + _BLOCK] if whole else self._vectors[part]
            for i, scores in enumerate(queries @ block.T):
                there, places = best[i]
                best[i] = _top(np.append(there, scores), np.append(places, part), k)
        return [
            [
                Hit(passage, score)
                for score, row in zip(scores.tolist(), places.tolist(), strict=True)
                if (passage := self._rows[row]) is not None
            ]
            for scores, places in best
        ]

    def _matching(self, where: Filter) -> Ints:
        if not where and len(self._place) == len(self._rows):
            return np.arange(len(self._rows))
        rows = [i for i, row in enumerate(self._rows) if row is not None and where.takes(row)]
        return np.array(rows, dtype=np.int64)

    def fetch(self, ids: Sequence[str]) -> list[Passage]:
        """Passages by their ids, in that order; those that are not there are left out."""
        found = (self._rows[self._place[name]] for name in ids if name in self._place)
        return [passage for passage in found if passage is not None]

    def passages(self, where: Filter = EVERYTHING) -> Iterator[Passage]:
        """All passages, as they were added."""
        for passage in self._rows:
            if passage is not None and where.takes(passage):
                yield passage

    def count(self, where: Filter = EVERYTHING) -> int:
        """How many passages there are."""
        return sum(1 for _ in self.passages(where)) if where else len(self._place)

    @property
    def state(self) -> str:
        """A text that changes with every change of the passages."""
        return f"{self._commits}-{self._end}-{self._last:08x}"

    def drop(self) -> None:
        """Nothing is outside the folder."""

    def close(self) -> None:
        """Let go of the mapped file."""
        self._vectors = np.zeros((0, self.info.dim), dtype=np.float32)


def _top(scores: Floats, rows: Ints, k: int) -> tuple[Floats, Ints]:
    """The ``k`` largest scores and their rows, best first; equals in the order of the rows."""
    if k < len(scores):
        bound = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= bound)
        scores, rows = scores[kept], rows[kept]
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], rows[order]


def _record(passage: Passage) -> dict[str, Any]:
    return {**asdict(passage), "meta": dict(passage.meta)}


def _line(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, ensure_ascii=True) + "\n").encode()


def _append(path: Path, offset: int, data: bytes) -> None:
    """Write at ``offset``, where the last whole change ended, and let it reach the disk."""
    with path.open("r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
