"""The Milvus store: a collection of a cluster, or a file of milvus-lite, through one client.

``milvus://host[:port]/collection`` names a collection; ``FILE.db`` a file, where the collection is
called ``passages``. What the index says about itself is the one row of a second collection,
``NAME_info``: milvus-lite keeps no descriptions. The token of a server that wants one is read from
``$MILVUS_TOKEN``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from interlingua.base.config import make
from interlingua.base.errors import (
    ConfigError,
    DataError,
    InterlinguaError,
    MachineError,
    UsageError,
    quoted,
)
from interlingua.base.optional import require
from interlingua.retrieval.index import IndexInfo
from interlingua.retrieval.records import (
    EVERYTHING,
    MAX_ID,
    MAX_TEXT,
    Filter,
    Hit,
    Passage,
    check_passages,
    checked_vectors,
    refuse_known,
)

PORT = 19530
_COLUMNS = ["id", "text", "lang", "path", "line", "start", "end", "meta"]
_PART = 1000
_PATH = 4096


def address_of(place: str) -> tuple[str, str]:
    """The address a client connects to, and the name of the collection.

    Raises:
        UsageError: The URL names no host or no collection.
    """
    if not place.startswith("milvus://"):
        return place, "passages"
    parts = urlsplit(place)
    collection = parts.path.strip("/")
    if not parts.hostname or not collection.isidentifier():
        raise UsageError(
            f"{quoted(place)} names no host, or no collection",
            remedy="As in milvus://localhost:19530/passages",
        )
    return f"http://{parts.hostname}:{parts.port or PORT}", collection


def open_store(place: str, info: IndexInfo | None, *, create: bool) -> MilvusStore:
    """Open or make a collection.

    Raises:
        UsageError: It is to be made and is there, or the address cannot be read.
        DataError: It is not there, or not a collection of this package.
        MissingExtraError: The client is not installed.
        MachineError: The server cannot be reached.
    """
    address, collection = address_of(place)
    pymilvus = require("pymilvus", extra="milvus")
    if not place.startswith("milvus://"):
        require("milvus_lite", extra="milvus")
        if not create and not Path(place).exists():
            raise DataError("no such index", path=place)
    with _faults(place):
        client = pymilvus.MilvusClient(address, token=os.environ.get("MILVUS_TOKEN", ""))
        there = client.has_collection(collection)
        if create and there:
            raise UsageError(
                f"--index {place} exists",
                remedy="Add to it with: interlingua index add, or give another name",
            )
        if create:
            assert info is not None
            about = client.has_collection(_about(collection))
            try:
                _create(client, pymilvus.DataType, collection, info)
            except Exception:
                if not about:  # else it is somebody's
                    client.drop_collection(_about(collection))
                raise
        elif not there:
            raise DataError("no such collection", path=place)
        return MilvusStore(place, client, collection)


def _create(client: Any, kinds: Any, collection: str, info: IndexInfo) -> None:  # noqa: ANN401
    about = client.create_schema(auto_id=False)
    about.add_field("id", kinds.VARCHAR, is_primary=True, max_length=MAX_ID)
    about.add_field("text", kinds.VARCHAR, max_length=MAX_TEXT)
    about.add_field("vector", kinds.FLOAT_VECTOR, dim=2)  # a collection has to have one
    indexes = client.prepare_index_params()
    indexes.add_index(field_name="vector", index_type="FLAT", metric_type="COSINE")
    client.create_collection(
        _about(collection), schema=about, index_params=indexes, consistency_level="Strong"
    )
    text = json.dumps(info.model_dump(mode="json"))
    client.upsert(_about(collection), [{"id": "info", "text": text, "vector": [1.0, 0.0]}])
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", kinds.VARCHAR, is_primary=True, max_length=MAX_ID)
    schema.add_field("text", kinds.VARCHAR, max_length=MAX_TEXT)
    schema.add_field("lang", kinds.VARCHAR, max_length=16)
    schema.add_field("path", kinds.VARCHAR, max_length=_PATH)
    for name in ("line", "start", "end"):
        schema.add_field(name, kinds.INT64)
    schema.add_field("meta", kinds.JSON)
    schema.add_field("vector", kinds.FLOAT_VECTOR, dim=info.dim)
    indexes = client.prepare_index_params()
    indexes.add_index(field_name="vector", index_type="AUTOINDEX", metric_type="COSINE")
    client.create_collection(
        collection, schema=schema, index_params=indexes, consistency_level="Strong"
    )


def _about(collection: str) -> str:
    return f"{collection}_info"


@contextmanager
def _faults(place: str) -> Iterator[None]:
    """Say in our words what the client reports."""
    try:
        yield
    except InterlinguaError:
        raise
    except Exception as error:
        raise MachineError(f"{place}: {type(error).__name__}: {error}") from error


class MilvusStore:
    """Passages in a collection of Milvus; see the module's text.

    Raises:
        DataError: The collection was not made by this package.
    """

    def __init__(self, place: str, client: Any, collection: str) -> None:  # noqa: ANN401
        self.place = place
        self._client = client
        self._collection = collection
        rows = []
        if client.has_collection(_about(collection)):
            client.load_collection(_about(collection))
            rows = client.get(_about(collection), ids=["info"], output_fields=["text"])
        try:
            self.info = make(IndexInfo, json.loads(rows[0]["text"]))
        except (IndexError, ValueError, ConfigError):
            raise DataError(
                "the collection was not made by interlingua", path=place, remedy="Name another"
            ) from None
        client.load_collection(collection)

    def add(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Add passages with vectors [N, D]; see `VectorStore.add`."""
        rows = self._rows(passages, vectors)
        refuse_known(passages, {passage.id for passage in self.fetch([p.id for p in passages])})
        self._upsert(rows)

    def update(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Replace or add passages; see `VectorStore.update`."""
        self._upsert(self._rows(passages, vectors))

    def _upsert(self, rows: list[dict[str, Any]]) -> None:
        # An insert that is tried again after a lost answer would leave a row twice.
        with _faults(self.place):
            for start in range(0, len(rows), _PART):
                self._client.upsert(self._collection, rows[start : start + _PART])

    def _rows(
        self, passages: Sequence[Passage], vectors: NDArray[np.float32]
    ) -> list[dict[str, Any]]:
        check_passages(passages)
        vectors = checked_vectors(vectors, rows=len(passages), dim=self.info.dim)
        return [
            {name: getattr(passage, name) for name in _COLUMNS[:-1]}
            | {"meta": dict(passage.meta), "vector": vector.tolist()}
            for passage, vector in zip(passages, vectors, strict=True)
        ]

    def delete(self, ids: Sequence[str]) -> int:
        """Delete passages; returns how many were there."""
        there = [passage.id for passage in self.fetch(list(dict.fromkeys(ids)))]
        with _faults(self.place):
            for start in range(0, len(there), _PART):
                self._client.delete(self._collection, ids=there[start : start + _PART])
        return len(there)

    def refresh(self) -> None:
        """Nothing is kept here: every question goes to the server."""

    def optimize(self) -> None:
        """Write what is in memory to the disk; the server does the rest by itself."""
        with _faults(self.place):
            self._client.flush(self._collection)

    def search(
        self, queries: NDArray[np.float32], *, k: int, where: Filter = EVERYTHING
    ) -> list[list[Hit]]:
        """The ``k`` nearest passages of each query [Q, D], best first."""
        queries = checked_vectors(queries, rows=len(queries), dim=self.info.dim)
        with _faults(self.place):
            answers = self._client.search(
                self._collection,
                data=queries.tolist(),
                limit=k,
                filter=_condition(where),
                output_fields=_COLUMNS,
                search_params={"metric_type": "COSINE"},
            )
        found = []
        for answer in answers:
            hits = [Hit(_passage(row["entity"]), float(row["distance"])) for row in answer]
            found.append(sorted(hits, key=lambda hit: (-hit.score, hit.passage.id)))
        return found

    def fetch(self, ids: Sequence[str]) -> list[Passage]:
        """Passages by their ids, in that order; those that are not there are left out."""
        found: dict[str, Passage] = {}
        with _faults(self.place):
            for start in range(0, len(ids), _PART):
                part = list(ids[start : start + _PART])
                for row in self._client.get(self._collection, ids=part, output_fields=_COLUMNS):
                    found[row["id"]] = _passage(row)
        return [found[name] for name in ids if name in found]

    def passages(self, where: Filter = EVERYTHING) -> Iterator[Passage]:
        """All passages, in no promised order."""
        with _faults(self.place):
            iterator = self._client.query_iterator(
                self._collection,
                batch_size=_PART,
                filter=_condition(where),
                output_fields=_COLUMNS,
            )
            while rows := iterator.next():
                yield from map(_passage, rows)
            iterator.close()

    def count(self, where: Filter = EVERYTHING) -> int:
        """How many passages there are."""
        with _faults(self.place):
            answer = self._client.query(
                self._collection, filter=_condition(where), output_fields=["count(*)"]
            )
        return int(answer[0]["count(*)"])

    @property
    def state(self) -> str:
        """How many passages there are: the server counts no changes."""
        return str(self.count())

    def drop(self) -> None:
        """Take both collections away, and a file of milvus-lite with them."""
        with _faults(self.place):
            for name in (self._collection, _about(self._collection)):
                self._client.drop_collection(name)
        self.close()
        if not self.place.startswith("milvus://"):
            path = Path(self.place)
            shutil.rmtree(path) if path.is_dir() else path.unlink()  # a file before milvus-lite 3

    def close(self) -> None:
        """Close the connection, and the server of a file, which holds its lock."""
        self._client.close()
        if not self.place.startswith("milvus://"):
            manager = require("milvus_lite.server_manager", extra="milvus")
            manager.server_manager_instance.release_server(self.place)


def _passage(row: dict[str, Any]) -> Passage:
    return Passage(**{name: row[name] for name in _COLUMNS})


def _condition(where: Filter) -> str:
    conditions = []
    if where.languages:
        conditions.append(f"lang in {json.dumps(list(where.languages))}")
    if where.path is not None:
        conditions.append(f"path == {_literal(where.path)}")
    for tag in where.tags:
        name, _, value = tag.partition("=")
        conditions.append(f"meta[{_literal(name)}] == {_literal(value)}")
    return " and ".join(conditions)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
