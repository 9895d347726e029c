"""The vector index: one protocol, one description, several stores.

An index is a folder::

    my.index/
        index.json     what it is: store, model, fingerprint, width
        store/         passages and vectors
        bm25/          words of the passages, made anew when the store has changed

or a collection of a Milvus server, ``milvus://host:19530/passages``, or a file ``passages.db`` of
milvus-lite. Rows whose `VectorStore.add` has returned are there after a crash.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from interlingua import __version__
from interlingua.base.config import Config, make
from interlingua.base.errors import ConfigError, DataError, ModelError, UsageError, quoted
from interlingua.base.files import atomic_folder, disk_errors, file_lock, read_json_file, write_json
from interlingua.base.registry import Registry
from interlingua.models.folder import ModelFolder
from interlingua.retrieval.records import Filter, Hit, Passage

INDEX_FILE = "index.json"
STORE = "store"
FORMAT = 1


class IndexInfo(Config):
    """What an index says about itself: ``index.json``."""

    format: int = FORMAT
    """Of the folder."""
    store: str
    """``exact``, ``lance`` or ``milvus``."""
    model: str
    """The model as it was named: ``starter``, a folder or a hub id."""
    fingerprint: str
    """The sha256 of all that makes the model's vectors."""
    dim: int = Field(ge=1)
    """Features of a vector, D."""
    created: str = ""
    """Date and time, ISO 8601."""
    version: str = ""
    """Version of Interlingua that made it."""


class VectorStore(Protocol):
    """Passages with their vectors, searched by cosine."""

    info: IndexInfo

    def add(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Add passages with vectors [N, D], all or none; on return they survive a crash.

        Raises:
            DataError: An id is there already or given twice, or the vectors do not fit.
        """

    def update(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Put passages in place of those with their ids, and add the others; all or none."""

    def delete(self, ids: Sequence[str]) -> int:
        """Delete passages; returns how many were there."""

    def search(
        self, queries: NDArray[np.float32], *, k: int, where: Filter = ...
    ) -> list[list[Hit]]:
        """The ``k`` nearest passages of each query [Q, D], best first."""

    def fetch(self, ids: Sequence[str]) -> list[Passage]:
        """Passages by their ids, in that order; those that are not there are left out."""

    def passages(self, where: Filter = ...) -> Iterator[Passage]:
        """All passages, in no promised order."""

    def count(self, where: Filter = ...) -> int:
        """How many passages there are."""

    def refresh(self) -> None:
        """See what other processes have written since it was opened."""

    def optimize(self) -> None:
        """Make search fast after many changes; changes no answer of an exact search."""

    @property
    def state(self) -> str:
        """A text that changes with every change of the passages."""

    def drop(self) -> None:
        """Take away what it keeps outside the index's folder."""

    def close(self) -> None:
        """Let go of files and connections."""


class StoreOpener(Protocol):
    """Opens or makes a store at a place."""

    def __call__(self, place: str, info: IndexInfo | None, *, create: bool) -> VectorStore:
        """The store; Milvus keeps the description itself and gets none to open.

        Raises:
            DataError: It is not there, or damaged.
        """


STORES: Registry[StoreOpener] = Registry("store")
STORES.add("exact", "interlingua.retrieval.exact:open_store")
STORES.add("lance", "interlingua.retrieval.lance:open_store")
STORES.add("milvus", "interlingua.retrieval.milvus:open_store")


def is_milvus(place: str) -> bool:
    """Whether a place names a Milvus collection or a milvus-lite file, not a folder."""
    return place.startswith("milvus://") or place.endswith(".db")


class Index:
    """An index, open: its description, its store and the lock of whoever writes.

    Use `create_index` and `open_index`.
    """

    def __init__(self, place: str, store: VectorStore) -> None:
        self.place = place
        self.store = store

    @property
    def info(self) -> IndexInfo:
        """What it says about itself."""
        return self.store.info

    @property
    def folder(self) -> Path | None:
        """Its folder; None for a collection of Milvus."""
        return None if is_milvus(self.place) else Path(self.place)

    def __enter__(self) -> Self:
        """The index itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the store."""
        self.store.close()

    def check_model(self, model: ModelFolder) -> None:
        """Refuse another model than the one that made the vectors.

        Raises:
            UsageError: The fingerprints differ.
        """
        if model.fingerprint != self.info.fingerprint:
            raise UsageError(
                f"{self.place} holds vectors of the model {quoted(self.info.model)} "
                f"({self.info.fingerprint[:12]}), not of {model.path} ({model.fingerprint[:12]})",
                remedy="Search with the model it was built with, or build it anew",
            )

    def drop(self) -> None:
        """Take the index away, with all that is in it."""
        self.store.drop()
        if self.folder is not None:
            shutil.rmtree(self.folder)

    @contextmanager
    def writing(self) -> Iterator[VectorStore]:
        """The store as it is now, while nobody else writes into the folder.

        Milvus has locks of its own.

        Raises:
            UsageError: Another process is writing.
            DataError: The store is damaged.
        """
        if self.folder is None:
            yield self.store
            return
        with disk_errors(self.folder), file_lock(self.folder / "lock") as held:
            if not held:
                raise UsageError(
                    f"another process is writing into {self.place}", remedy="Wait until it is done"
                )
            self.store.refresh()  # whoever held the lock may have written
            yield self.store


def create_index(place: str | Path, *, store: str, model: str, fingerprint: str, dim: int) -> Index:
    """Make an empty index.

    Args:
        place: A folder that does not exist, ``milvus://host[:port]/collection`` or ``FILE.db``.
        store: ``exact`` or ``lance``; a place of Milvus has its own.
        model: The model's name.
        fingerprint: The model's, see `ModelFolder.fingerprint`.
        dim: Features of a vector, D.

    Raises:
        UsageError: There is something at the place.
        MissingExtraError: The store's package is not installed.
    """
    target = str(place)
    info = IndexInfo(
        store="milvus" if is_milvus(target) else store,
        model=model,
        fingerprint=fingerprint,
        dim=dim,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
    )
    if is_milvus(target):
        return Index(target, STORES.get("milvus")(target, info, create=True))
    path = Path(target)
    if path.exists():
        raise UsageError(
            f"--index {path} exists",
            remedy="Add to it with: interlingua index add, or give another name",
        )
    opener = STORES.get(store)
    with atomic_folder(path) as temporary:
        opener(str(temporary), info, create=True).close()
        write_json(temporary / INDEX_FILE, info.model_dump(mode="json"))
    return Index(target, opener(target, info, create=False))


def is_index(folder: Path) -> bool:
    """Whether a folder is an index, whole or damaged."""
    return (folder / INDEX_FILE).is_file() and (folder / STORE).is_dir()


def open_index(place: str | Path) -> Index:
    """Open an index that is there.

    Raises:
        DataError: There is none, or it is damaged.
        MissingExtraError: The store's package is not installed.
    """
    target = str(place)
    if is_milvus(target):
        return Index(target, STORES.get("milvus")(target, None, create=False))
    info = read_info(Path(target))
    return Index(target, STORES.get(info.store)(target, info, create=False))


def read_info(folder: Path) -> IndexInfo:
    """What the index in a folder says about itself.

    Raises:
        DataError: There is no index, or one that this version cannot read.
    """
    file = folder / INDEX_FILE
    if not file.is_file():
        raise DataError(
            f"{folder} is not an index: it has no {INDEX_FILE}",
            remedy="Make one with: interlingua index build --index NAME FOLDER",
        )
    try:
        info = make(IndexInfo, read_json_file(file))
    except (ConfigError, ModelError) as error:
        raise DataError(f"{file} is damaged: {error.problem}", remedy="Build it anew") from None
    if info.format != FORMAT:
        raise DataError(
            f"{folder} has format {info.format}, this version reads {FORMAT}",
            remedy="Build the index anew",
        )
    return info
