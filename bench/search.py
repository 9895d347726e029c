"""Search among many passages: the index of LanceDB as we set it up, against an exact scan.

    python bench/search.py --json --passages 1000000 --vectors passages.npy

Peers: faiss's HNSW graph in memory (32 links, ef 64) where faiss is installed, and a scan of all
vectors by LanceDB itself. ``recall`` is of the ten exact neighbours. Without ``--vectors`` they are
drawn around random centres; give real ones, as ``interlingua embed --output passages.npy`` writes
them, for figures that mean something. Queries are rows held out.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.optional import available
from interlingua.inference.hardware import processor
from interlingua.retrieval.index import create_index
from interlingua.retrieval.mining import nearest
from interlingua.retrieval.records import Passage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Search = Callable[[Floats], list[int]]

DEPTH = 10
_BATCH = 4096


def drawn(rows: int, width: int = 384) -> Floats:
    """Vectors of length one around random centres, the same in every run."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(max(1, rows // 200), width)).astype(np.float32)
    found = centres[rng.integers(len(centres), size=rows)]
    found += 0.7 * rng.normal(size=found.shape).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def given_vectors(path: str, rows: int) -> Floats:
    """The first rows of a file, of length one, shuffled by a fixed seed."""
    found = np.load(path, mmap_mode="r")[:rows].astype(np.float32)
    found = found[np.random.default_rng(0).permutation(len(found))]
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def size_mb(folder: Path) -> float:
    """Megabytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def ours(vectors: Floats, folder: Path) -> tuple[Search, dict[str, float]]:
    """Our index, built as ``interlingua index build`` does."""
    width = vectors.shape[1]
    index = create_index(folder, store="lance", model="bench", fingerprint="0" * 64, dim=width)
    started = time.perf_counter()
    for start in range(0, len(vectors), _BATCH):
        part = vectors[start : start + _BATCH]
        index.store.add([Passage(str(start + i), f"passage {i}") for i in range(len(part))], part)
    added = time.perf_counter() - started
    index.store.optimize()
    facts = {"add_s": added, "index_s": time.perf_counter() - started - added}
    facts["size_mb"] = size_mb(folder)

    def search(query: Floats) -> list[int]:
        hits = index.store.search(query[None], k=DEPTH)[0]
        return [int(hit.passage.id) for hit in hits]

    return search, facts


def scan(vectors: Floats, folder: Path) -> Search:
    """All vectors looked at, by LanceDB."""
    import lancedb
    import pyarrow as pa

    column = pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
    rows = pa.table({"id": np.arange(len(vectors)), "vector": column})
    table = lancedb.connect(str(folder)).create_table("scan", rows)

    def search(query: Floats) -> list[int]:
        asked = table.search(query).distance_type("dot").limit(DEPTH).select(["id", "_distance"])
        return asked.to_arrow()["id"].to_pylist()

    return search


def faiss_graph(vectors: Floats) -> tuple[Search, float]:
    """A graph of faiss in memory, and the seconds it took to build."""
    import faiss

    started = time.perf_counter()
    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 64
    index.add(vectors)
    built = time.perf_counter() - started
    return lambda query: index.search(query[None], DEPTH)[1][0].tolist(), built


def measured(
    searches: dict[str, Search], queries: Floats, rounds: int
) -> tuple[dict[str, float], dict[str, list[list[int]]]]:
    """Median milliseconds of a query, and what each found; all take turns."""
    times: dict[str, list[float]] = {name: [] for name in searches}
    found: dict[str, list[list[int]]] = {}
    for name, search in searches.items():  # the warm-up
        found[name] = [search(query) for query in queries]
    for _ in range(rounds):
        for name, search in searches.items():
            for query in queries:
                started = time.perf_counter()
                search(query)
                times[name].append(1e3 * (time.perf_counter() - started))
    return {name: median(values) for name, values in times.items()}, found


def main() -> None:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vectors", default="", help="a .npy file of real vectors")
    given = parser.parse_args()
    os.environ.setdefault("LANCE_LOG", "error")
    rows = given.passages + given.queries
    table = given_vectors(given.vectors, rows) if given.vectors else drawn(rows)
    queries, vectors = table[: given.queries], table[given.queries :]
    wanted = nearest(queries, vectors, DEPTH)[1].tolist()
    with TemporaryDirectory() as folder:
        own, facts = ours(vectors, Path(folder) / "index")
        searches = {"ours": own, "scan": scan(vectors, Path(folder) / "scan")}
        if available("faiss"):
            searches["faiss"], facts["faiss_build_s"] = faiss_graph(vectors)
        times, found = measured(searches, queries, given.rounds)
    recall = {
        name: sum(len(set(a) & set(b)) for a, b in zip(rows_, wanted, strict=True))
        / (DEPTH * len(wanted))
        for name, rows_ in found.items()
    }
    document: dict[str, Any] = {
        "name": "search",
        "unit": "ms a query",
        "peer": "a scan by LanceDB",
        "peer_version": metadata.version("lancedb"),
        "ours": round(times["ours"], 2),
        "theirs": round(times["scan"], 2),
        "ratio": round(times["scan"] / times["ours"], 2),
        "passages": len(vectors),
        "ms": {name: round(value, 2) for name, value in times.items()},
        "quality": {
            "recall_at_10": {name: round(value, 4) for name, value in recall.items()},
            "ok": recall["ours"] >= 0.95,
        },
        **{name: round(value, 1) for name, value in facts.items()},
        "data": Path(given.vectors).name if given.vectors else "drawn around random centres",
        "machine": processor(),
    }
    print(json.dumps(document, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
