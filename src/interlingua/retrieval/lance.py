"""The LanceDB store: columns on disk, an approximate index once there are many passages.

A change is a new version of the table, which takes its name only when it is whole. Small tables are
searched exactly; from `INDEX_FROM` passages on `LanceStore.optimize` makes a graph over vectors of
eight bits (HNSW_SQ), whose candidates are scored again with the vectors themselves. Of a million
real passages 96.7 % of the starter's ten neighbours are found in 9 ms, half of which are for the
texts; 95.2 % with an ``EF`` of 128 and twice the candidates, 97.1 % with 512, in 11 ms. An inverted
file (IVF_SQ) of 134 partitions had to look into 64 of them for 98 % of 18,000 titles' neighbours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from interlingua.base.errors import DataError, InterlinguaError
from interlingua.base.files import disk_errors
from interlingua.base.optional import require
from interlingua.retrieval.index import IndexInfo
from interlingua.retrieval.records import (
    EVERYTHING,
    Filter,
    Hit,
    Passage,
    check_passages,
    checked_vectors,
    meta_of,
    refuse_known,
)

INDEX_FROM = 50_000
"""Passages from which on the search is approximate."""
EF = 256
"""Candidates kept while the graph is walked."""
EF_CONSTRUCTION = 150
"""The same while it is built."""
REFINE = 3
"""Candidates scored with the vectors themselves, as a multiple of the hits wanted."""
_TABLE = "passages"
_COLUMNS = ["id", "text", "lang", "path", "line", "start", "end", "tags"]
_IDS = 1000
_KEEP = timedelta(minutes=10)  # somebody may be reading an old version


def open_store(place: str, info: IndexInfo | None, *, create: bool) -> LanceStore:
    """Open or make a LanceDB store in the folder of an index.

    Raises:
        DataError: It is damaged.
        MissingExtraError: LanceDB is not installed.
    """
    assert info is not None
    os.environ.setdefault("LANCE_LOG", "error")
    lancedb = require("lancedb", extra="index")
    folder = Path(place) / "store"
    with _faults(folder):
        database = lancedb.connect(str(folder))
        if create:
            table = database.create_table(_TABLE, schema=_schema(info.dim))
        else:
            table = database.open_table(_TABLE)
    return LanceStore(folder, info, table)


def _schema(dim: int) -> pa.Schema:
    texts = [pa.field(name, pa.string(), nullable=False) for name in _COLUMNS[:4]]
    numbers = [pa.field(name, pa.int64(), nullable=False) for name in _COLUMNS[4:7]]
    tags = pa.field("tags", pa.list_(pa.string()))
    return pa.schema([*texts, *numbers, tags, pa.field("vector", pa.list_(pa.float32(), dim))])


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    """Say in our words what the library reports of a table."""
    try:
        with disk_errors(folder):
            yield
    except InterlinguaError:
        raise
    except Exception as error:
        raise DataError(
            f"the index is damaged: {error}", path=folder, remedy="Build it anew"
        ) from error


class LanceStore:
    """Passages in a table of LanceDB; see the module's text."""

    def __init__(self, folder: Path, info: IndexInfo, table: Any) -> None:  # noqa: ANN401
        self.folder = folder
        self.info = info
        self._table = table

    def add(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Add passages with vectors [N, D]; see `VectorStore.add`."""
        table = self._arrow(passages, vectors)
        refuse_known(passages, {passage.id for passage in self.fetch([p.id for p in passages])})
        with _faults(self.folder):
            self._table.add(table)

    def update(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Replace or add passages; see `VectorStore.update`."""
        table = self._arrow(passages, vectors)
        with _faults(self.folder):
            merge = self._table.merge_insert("id").when_matched_update_all()
            merge.when_not_matched_insert_all().execute(table)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete passages; returns how many were there."""
        before = self.count()
        with _faults(self.folder):
            for part in _parts(ids):
                self._table.delete(_among("id", part))
        return before - self.count()

    def _arrow(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> pa.Table:
        check_passages(passages)
        vectors = checked_vectors(vectors, rows=len(passages), dim=self.info.dim)
        columns: dict[str, Any] = {
            name: [getattr(passage, name) for passage in passages] for name in _COLUMNS
        }
        columns["vector"] = pa.FixedSizeListArray.from_arrays(vectors.ravel(), self.info.dim)
        return pa.table(columns, schema=_schema(self.info.dim))

    def refresh(self) -> None:
        """Look at the table's newest version."""
        with _faults(self.folder):
            self._table.checkout_latest()

    def optimize(self) -> None:
        """Join small files, drop old versions; make the indexes, or add to them what is new."""
        with _faults(self.folder):
            self._table.optimize(cleanup_older_than=_KEEP)
            if self.count() < INDEX_FROM:
                return
            from lancedb.index import BTree, HnswSq

            graph = HnswSq(distance_type="dot", ef_construction=EF_CONSTRUCTION)
            there = {column for index in self._table.list_indices() for column in index.columns}
            for column, config in (("id", BTree()), ("vector", graph)):
                if column not in there:  # whoever made them may have been stopped between
                    self._table.create_index(column, config=config)

    def search(
        self, queries: NDArray[np.float32], *, k: int, where: Filter = EVERYTHING
    ) -> list[list[Hit]]:
        """The ``k`` nearest passages of each query [Q, D], best first."""
        queries = checked_vectors(queries, rows=len(queries), dim=self.info.dim)
        condition = _condition(where)
        found = []
        with _faults(self.folder):
            for query in queries:
                asked = self._table.search(query).distance_type("dot").limit(k)
                asked = asked.maximum_nprobes(0).ef(max(EF, 2 * k)).refine_factor(REFINE)
                if condition:
                    asked = asked.where(condition)
                rows = asked.select([*_COLUMNS, "_distance"]).to_arrow().to_pylist()
                hits = [Hit(_passage(row), 1.0 - row["_distance"]) for row in rows]
                found.append(sorted(hits, key=lambda hit: (-hit.score, hit.passage.id)))
        return found

    def fetch(self, ids: Sequence[str]) -> list[Passage]:
        """Passages by their ids, in that order; those that are not there are left out."""
        found: dict[str, Passage] = {}
        with _faults(self.folder):
            for part in _parts(ids):
                asked = self._table.search().where(_among("id", part)).select(_COLUMNS)
                for row in asked.limit(len(part)).to_arrow().to_pylist():
                    found[row["id"]] = _passage(row)
        return [found[name] for name in ids if name in found]

    def passages(self, where: Filter = EVERYTHING) -> Iterator[Passage]:
        """All passages, in no promised order."""
        condition = _condition(where)
        with _faults(self.folder):
            asked = self._table.search().select(_COLUMNS)
            if condition:
                asked = asked.where(condition)
            for batch in asked.to_batches():
                yield from map(_passage, batch.to_pylist())

    def count(self, where: Filter = EVERYTHING) -> int:
        """How many passages there are."""
        with _faults(self.folder):
            return int(self._table.count_rows(_condition(where) or None))

    @property
    def state(self) -> str:
        """A text that changes with every change of the passages."""
        with _faults(self.folder):
            return str(self._table.version)

    def drop(self) -> None:
        """Nothing is outside the folder."""

    def close(self) -> None:
        """Nothing is held open."""


def _passage(row: dict[str, Any]) -> Passage:
    values = {name: row[name] for name in _COLUMNS[:-1]}
    return Passage(**values, meta=meta_of(row["tags"] or ()))


def _condition(where: Filter) -> str:
    conditions = []
    if where.languages:
        conditions.append(_among("lang", where.languages))
    if where.path is not None:
        conditions.append(f"path = {_literal(where.path)}")
    conditions += [f"array_has(tags, {_literal(tag)})" for tag in where.tags]
    return " AND ".join(conditions)


def _among(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(_literal, values))})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _IDS):
        yield ids[start : start + _IDS]
