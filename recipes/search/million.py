"""Search among a million real passages: embedded in shards, indexed, compared with an exact scan.

    python recipes/search/million.py --corpus corpus/debian/documents corpus/messages/pairs
        --out runs/million

See README.md beside this file. It may be stopped and run again: shards that are whole are not
embedded again, and what the index holds is not added again.

Legend: Q queries, N passages, D features.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import time
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.files import atomic_path, write_json
from interlingua.base.progress import say
from interlingua.corpus.rows import read_table
from interlingua.corpus.writing import write_rows
from interlingua.inference.encode import Encoder
from interlingua.inference.hardware import processor
from interlingua.models.folder import open_model
from interlingua.retrieval import lance
from interlingua.retrieval.index import create_index, open_index
from interlingua.retrieval.mining import nearest
from interlingua.retrieval.records import MAX_TEXT, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

DEPTH = 10
SHARD = 10_000
LEAST = 12  # characters of a passage


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file's documents, or the target sides of its pairs."""
    for row in read_table(path):
        values = row.values
        text, lang = values.get("text"), values.get("lang")
        if text is None:
            text, lang = values.get("target"), values.get("target_lang")
        for line in str(text or "").splitlines():
            if len(line.strip()) >= LEAST and len(line.encode()) <= MAX_TEXT:
                yield {"text": line.strip(), "lang": str(lang), "path": path.name, "line": row.line}


def passages_of(corpus: list[Path]) -> Iterator[dict[str, Any]]:
    """Distinct passages, from every file in turn, so that languages are mixed."""
    files = [file for folder in corpus for file in sorted(folder.rglob("*.jsonl*"))]
    turns = deque(lines_of(file) for file in files)
    seen: set[bytes] = set()
    while turns:
        stream = turns.popleft()
        row = next(stream, None)
        if row is None:
            continue
        turns.append(stream)
        key = hashlib.blake2b(f"{row['lang']}\0{row['text']}".encode(), digest_size=8).digest()
        if key not in seen:
            seen.add(key)
            yield row


def shards_of(out: Path) -> list[Path]:
    """The vectors of shards that are whole, in order."""
    return sorted((out / "shards").glob("*.npy"))


def embed(encoder: Encoder, given: argparse.Namespace) -> float:
    """Write the texts and vectors of queries and of every shard; returns the seconds it took."""
    started = time.perf_counter()
    stream = passages_of(given.corpus)
    place: Path = given.out / "shards"
    sizes = [("queries", given.queries)]
    rest = given.passages
    while rest > 0:
        sizes.append((f"{len(sizes) - 1:05d}", min(SHARD, rest)))
        rest -= SHARD
    for name, size in sizes:
        rows = list(islice(stream, size))
        folder = given.out if name == "queries" else place
        vectors = folder / f"{name}.npy"
        if not rows or vectors.exists():
            continue
        write_rows(folder / f"{name}.jsonl.zst", rows)
        found = encoder.encode([row["text"] for row in rows]).vectors
        with atomic_path(vectors) as temporary, temporary.open("wb") as file:
            np.save(file, found)
        say(f"{name}: {time.perf_counter() - started:.0f} s")
    return time.perf_counter() - started


def build(out: Path, encoder: Encoder) -> dict[str, float]:
    """Put the shards that the index lacks into it; seconds of adding and of the graph."""
    place = out / "index"
    if not place.exists():
        folder = encoder.folder
        create_index(
            place, store="lance", model="million", fingerprint=folder.fingerprint, dim=encoder.width
        ).store.close()
    started = time.perf_counter()
    with open_index(place) as index, index.writing() as store:
        there = store.count()
        first = 0
        for vectors in shards_of(out):
            found = np.load(vectors)
            if first + len(found) > there:  # a shard is added as a whole or not at all
                rows = read_table(vectors.with_suffix(".jsonl.zst"))
                store.add([_passage(first + i, row.values) for i, row in enumerate(rows)], found)
                there = first + len(found)
                say(f"{there:,} passages in the index")
            first += len(found)
        added = time.perf_counter() - started
        store.optimize()
    return {"add_s": added, "graph_s": time.perf_counter() - started - added}


def _passage(number: int, row: dict[str, Any]) -> Passage:
    return Passage(str(number), row["text"], row["lang"], row["path"], int(row["line"]))


def exact(out: Path, queries: Floats) -> Ints:
    """The nearest passages by a scan of all shards [Q, DEPTH]."""
    best, rows, first = np.zeros((len(queries), 0)), np.zeros((len(queries), 0), np.int64), 0
    for shard in shards_of(out):
        vectors = np.load(shard)
        scores, found = nearest(queries, vectors, DEPTH)
        best, rows = np.hstack([best, scores]), np.hstack([rows, found + first])
        order = np.argsort(-best, axis=1, kind="stable")[:, :DEPTH]
        best, rows = np.take_along_axis(best, order, 1), np.take_along_axis(rows, order, 1)
        first += len(vectors)
    return rows


def search(out: Path, encoder: Encoder, rounds: int) -> dict[str, Any]:
    """Recall of the ten nearest, and milliseconds of one query at a time, its encoding apart."""
    texts = [str(row.values["text"]) for row in read_table(out / "queries.jsonl.zst")]
    queries = np.load(out / "queries.npy")
    wanted = exact(out, queries)
    with open_index(out / "index") as index:
        found = [
            [hit.passage.id for hit in index.store.search(q[None], k=DEPTH)[0]] for q in queries
        ]
        times, encoding = [], []
        for _ in range(rounds):
            for text, query in zip(texts, queries, strict=True):
                begun = time.perf_counter()
                encoder.encode([text])
                encoded = time.perf_counter()
                index.store.search(query[None], k=DEPTH)
                encoding.append(1e3 * (encoded - begun))
                times.append(1e3 * (time.perf_counter() - encoded))
    shared = [
        len({int(i) for i in a} & set(b)) for a, b in zip(found, wanted.tolist(), strict=True)
    ]
    return {
        "queries": len(queries),
        "recall_at_10": round(sum(shared) / wanted.size, 4),
        "ms_median": round(median(times), 2),
        "ms_95": round(float(np.percentile(times, 95)), 2),
        "ms_encoding_median": round(median(encoding), 2),
    }


def main() -> None:
    """Embed, index, measure, and write one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of .jsonl")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=500, help="passages that are held out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or int8")
    parser.add_argument(
        "--index-from", type=int, default=lance.INDEX_FROM, help="passages that a graph is made for"
    )
    given = parser.parse_args()
    os.environ.setdefault("LANCE_LOG", "error")
    lance.INDEX_FROM = given.index_from
    encoder = Encoder(open_model(given.model), precision=given.precision)
    encoder.engine()  # the fastest: this is no small job
    seconds = {"embed_s": embed(encoder, given), **build(given.out, encoder)}
    languages: Counter[str] = Counter()
    for shard in shards_of(given.out):
        rows = read_table(shard.with_suffix(".jsonl.zst"))
        languages.update(str(row.values["lang"]) for row in rows)
    index = given.out / "index"
    size = sum(file.stat().st_size for file in index.rglob("*") if file.is_file())
    document = {
        "passages": languages.total(),
        "languages": len(languages),
        **search(given.out, encoder, given.rounds),
        **{name: round(value, 1) for name, value in seconds.items()},
        "size_mb": round(size / 1e6, 1),
        "free_mb": round(shutil.disk_usage(given.out).free / 1e6),
        "machine": processor(),
    }
    write_json(given.out / "million.json", document)
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
