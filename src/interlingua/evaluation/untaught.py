"""Benchmarks that ask a model's vectors alone: retrieval, mining and word alignment.

Each follows one definition, which the scorecard's notes name: the figures of other definitions of
the same benchmark are not comparable.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interlingua.base.errors import DataError
from interlingua.base.files import sha256_file
from interlingua.corpus.rows import Faults, read_lines
from interlingua.evaluation.measured import Measured
from interlingua.inference.encode import Encoder
from interlingua.retrieval.alignment import WordAligner
from interlingua.retrieval.mining import first_of_equals, mine, nearest
from interlingua.tasks.datasets import DataFile
from interlingua.tasks.metrics.alignment import count_links
from interlingua.tasks.metrics.mining import bucc_threshold
from interlingua.tasks.metrics.spans import SpanCounts

Predictions = list[dict[str, Any]]
Files = list[dict[str, str | int]]
Protocol = Callable[[Encoder, DataFile], tuple[Measured, Predictions, Files]]


def tatoeba(encoder: Encoder, file: DataFile) -> tuple[Measured, Predictions, Files]:
    """XTREME's score: English sentences search the foreign pool by cosine; accuracy.

    The other direction stands in ``metrics``. LASER reports error rates, mteb F1 of foreign
    queries, sentence-transformers the mean of both directions.
    """
    english = file.path.with_suffix(".eng")
    foreign_texts, english_texts = _lines(file.path), _lines(english)
    _parallel(foreign_texts, english_texts, english)
    foreign = encoder.encode(foreign_texts).vectors
    queries = encoder.encode(english_texts).vectors
    right = np.arange(len(queries))
    scores, rows = nearest(queries, foreign, 1)
    back = nearest(foreign, queries, 1)[1]
    hits = (rows[:, 0] == right).astype(np.int64)
    ones = np.ones_like(hits)
    metrics = {
        "english_to_foreign": float(hits.mean()),
        "foreign_to_english": float((back[:, 0] == right).mean()),
    }
    found = [
        {
            "id": str(i + 1),
            "lang": file.lang,
            "text": text,
            "gold": foreign_texts[i],
            "found": foreign_texts[row],
            "right": bool(hit),
            "score": round(float(score), 6),
        }
        for i, (text, row, hit, score) in enumerate(
            zip(english_texts, rows[:, 0], hits, scores[:, 0], strict=True)
        )
    ]
    note = "English sentences search the foreign pool, as in XTREME (Hu et al. 2020)"
    return Measured(SpanCounts(hits, ones, ones), metrics, note), found, _files(file.path, english)


def bucc(encoder: Encoder, file: DataFile) -> tuple[Measured, Predictions, Files]:
    """F1 of mined pairs; the threshold of each half of the sources is chosen on the other half.

    Ratio margin, 4 neighbours, best of both directions, repeated sentences taken once, as LASER;
    the gold of the real test part is not public, and a threshold chosen on what it is scored on
    says too much.
    """
    gold_file = file.path.with_suffix(".gold")
    english = file.path.with_suffix(".en")
    foreign, targets = _numbered(file.path), _numbered(english)
    gold = {(row[0], row[1]) for row in _fields(gold_file, 2)}
    sides = [first_of_equals([text for _, text in side]) for side in (foreign, targets)]
    vectors = [encoder.encode(texts).vectors for texts, _ in sides]
    pairs = mine(vectors[0], vectors[1])
    candidates = {
        (foreign[sides[0][1][a]][0], targets[sides[1][1][b]][0]): float(score)
        for a, b, score in zip(pairs.source, pairs.target, pairs.score, strict=True)
    }
    kept: dict[tuple[str, str], float] = {}
    thresholds = []
    for half in (0, 1):
        tuned: dict[tuple[str, ...], float] = {
            pair: s for pair, s in candidates.items() if _half(pair[0]) != half
        }
        threshold = bucc_threshold(tuned, [pair for pair in gold if _half(pair[0]) != half])
        thresholds.append(threshold)
        kept |= {p: s for p, s in candidates.items() if _half(p[0]) == half and s >= threshold}
    names = [name for name, _ in foreign]
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((3, len(names)), dtype=np.int64)
    for i, group in enumerate((gold & kept.keys(), kept.keys(), gold)):
        for source, _ in group:
            counts[i, place[source]] += 1
    hits, found, wanted = counts.sum(axis=1).tolist()
    metrics = {"precision": hits / max(found, 1), "recall": hits / max(wanted, 1)}
    predictions = [
        {"id": a, "target": b, "lang": file.lang, "score": round(s, 6), "right": (a, b) in gold}
        for (a, b), s in sorted(kept.items(), key=lambda item: -item[1])
    ]
    told = " and ".join(f"{threshold:.4f}" for threshold in thresholds)
    note = f"thresholds {told}, each chosen on the other half of the sources; ratio margin, k = 4"
    measured = Measured(SpanCounts(*counts), metrics, note)
    return measured, predictions, _files(file.path, english, gold_file)


def alignment(encoder: Encoder, file: DataFile) -> tuple[Measured, Predictions, Files]:
    """F1 of word links, which is one less the error rate where all gold links are sure ones."""
    aligner = WordAligner(encoder.folder)
    rows = _fields(file.path, 3)
    sources, targets = ([row[i].split() for row in rows] for i in (0, 1))
    found = aligner.align(sources, targets)
    counts = []
    for row, links in zip(rows, found, strict=True):
        wanted = {(int(a), int(b)) for a, _, b in (link.partition("-") for link in row[2].split())}
        counts.append(count_links(links, wanted))
    columns = [
        np.array(values, dtype=np.int64)
        for values in zip(*((c.hits_sure, c.found, c.sure) for c in counts), strict=True)
    ]
    hits, made, wanted_all = (int(column.sum()) for column in columns)
    precision, recall = hits / max(made, 1), hits / max(wanted_all, 1)
    rate = 1 - 2 * hits / max(made + wanted_all, 1)
    metrics = {"precision": precision, "recall": recall, "alignment_error_rate": rate}
    predictions = [
        {
            "id": str(i + 1),
            "lang": file.lang,
            "text": row[0],
            "text_pair": row[1],
            "gold": row[2],
            "links": " ".join(f"{a}-{b}" for a, b in sorted(links)),
        }
        for i, (row, links) in enumerate(zip(rows, found, strict=True))
    ]
    note = f"states of layer {aligner.layer}, itermax"
    return Measured(SpanCounts(*columns), metrics, note), predictions, _files(file.path)


PROTOCOLS: dict[str, tuple[Protocol, str]] = {
    "tatoeba": (tatoeba, "accuracy"),
    "bucc": (bucc, "f1"),
    "alignment": (alignment, "f1"),
}
"""By name: the protocol, and what its score is."""


def _half(name: str) -> int:
    """Which half of the sources a sentence belongs to: by its id, so that it never changes."""
    return hashlib.sha256(name.encode()).digest()[0] % 2


def _lines(path: Path) -> list[str]:
    return [line for _, line in read_lines(path, Faults())]


def _parallel(a: Sequence[str], b: Sequence[str], path: Path) -> None:
    if len(a) != len(b):
        raise DataError(f"{len(b)} lines for {len(a)} of the other language", path=path)
    if not a:
        raise DataError("no lines", path=path)


def _fields(path: Path, count: int) -> list[list[str]]:
    rows = []
    for number, line in read_lines(path, Faults()):
        fields = line.rstrip("\t").split("\t")
        if not line.strip():
            continue
        if len(fields) != count:
            problem = f"{len(fields)} fields, expected {count}"
            raise DataError(problem, path=path, line=number)
        rows.append(fields)
    return rows


def _numbered(path: Path) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in _fields(path, 2)]


def _files(*paths: Path) -> Files:
    return [
        {"path": str(path), "sha256": sha256_file(path), "rows": len(_lines(path))}
        for path in paths
    ]
