"""nDCG@10 of vectors, words and both on Debian's descriptions, between languages.

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.applications.searcher import CANDIDATES, WORDS_WEIGHT
from interlingua.base.files import write_json
from interlingua.base.seeding import generator
from interlingua.corpus.rows import read_table
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model
from interlingua.retrieval import fusion
from interlingua.retrieval.bm25 import BM25
from interlingua.retrieval.records import Hit, Passage
from interlingua.retrieval.rerank import Reranker
from interlingua.tasks.metrics.ranking import ndcg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scored = list[tuple[str, float]]

PAIRS = (
    "eng-deu",
    "deu-eng",
    "eng-jpn",
    "jpn-eng",
    "fra-ita",
    "rus-fra",
    "dan-deu",
    "eng-rus",
    "spa-eng",
    "ita-jpn",
    "eng-ita",
    "nld-fra",
)
CHARACTERS = 1500
RERANKED = 20
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Described:
    """One cluster of packages in one language."""

    synopsis: str
    text: str


def read_language(corpus: Path, code: str, half: str) -> dict[str, Described]:
    """The clusters of one half in one language, by name."""
    (path,) = (corpus / "documents").glob(f"{code}_*.jsonl.zst")
    found: dict[str, Described] = {}
    for row in read_table(path):
        cluster = str(row.values["cluster"])
        tuning = hashlib.sha256(cluster.encode()).digest()[0] % 10 == 0
        _, _, body = str(row.values["text"]).partition("\n\n")
        if body and tuning == (half == "tune"):
            synopsis = str(row.values["meta"]["synopsis"])
            found.setdefault(cluster, Described(synopsis, body[:CHARACTERS]))
    return found


@dataclass(frozen=True, slots=True)
class Pool:
    """Documents of one language, indexed both ways."""

    names: list[str]
    texts: dict[str, str]
    vectors: NDArray[np.float32]
    words: BM25


def make_pool(encoder: Encoder, documents: dict[str, Described], limit: int) -> Pool:
    """Index the first documents by the hash of their cluster's name."""
    names = sorted(documents, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:limit]
    texts = {name: documents[name].text for name in names}
    prefix = encoder.folder.info.prefixes.get("passage")
    vectors = encoder.encode(list(texts.values()), prefix=prefix).vectors
    return Pool(names, texts, vectors, BM25.build(Passage(n, t) for n, t in texts.items()))


def rankings(
    encoder: Encoder, pool: Pool, queries: dict[str, str], rerank: Reranker | None, weight: float
) -> dict[str, list[Scored]]:
    """What every system finds for every query."""
    texts = list(queries.values())
    prefix = encoder.folder.info.prefixes.get("query")
    scores = encoder.encode(texts, prefix=prefix).vectors @ pool.vectors.T
    order = np.argsort(-scores, axis=1)[:, :CANDIDATES]
    dense = [
        [(pool.names[j], float(row[j])) for j in best]
        for row, best in zip(scores, order, strict=True)
    ]
    words = pool.words.search(texts, k=CANDIDATES)
    found = {"dense": dense, "bm25": words}
    both = list(zip(texts, dense, words, strict=True))
    found["rrf"] = [fusion.reciprocal_rank([a, b]) for _, a, b in both]
    found["fused"] = [
        fusion.scores(
            [fusion.between(a), fusion.between(b, low=0.0, high=pool.words.ceiling(text))],
            weights=(1 - weight, weight),
        )
        for text, a, b in both
    ]
    if rerank is not None:
        found["reranked"] = [
            [(hit.passage.id, hit.score) for hit in rerank.rerank(text, hits)]
            for text, ranked in zip(texts, found["fused"], strict=True)
            for hits in [[Hit(Passage(n, pool.texts[n]), s) for n, s in ranked[:RERANKED]]]
        ]
    return found


def figures(found: dict[str, list[Scored]], wanted: list[str]) -> dict[str, NDArray[np.float64]]:
    """The nDCG@10 of every query [Q], by system; one document is relevant."""
    return {
        name: np.array(
            [
                ndcg([float(n == right) for n, _ in ranked[:10]], ideal=[1.0], depth=10)
                for ranked, right in zip(rows, wanted, strict=True)
            ]
        )
        for name, rows in found.items()
    }


def interval(values: list[NDArray[np.float64]], seed: int) -> list[float]:
    """The 95 % interval of the mean over pairs; queries of a pair are drawn with replacement."""
    rng = generator(seed, "search")
    means = [
        np.mean([rng.choice(pair, size=len(pair)).mean() for pair in values])
        for _ in range(RESAMPLES)
    ]
    return [round(float(q), 4) for q in np.quantile(means, [0.025, 0.975])]


def main() -> None:
    """Measure and write one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", nargs="+", default=PAIRS, help="query-document languages")
    parser.add_argument("--half", choices=("tune", "test"), default="test")
    parser.add_argument("--documents", type=int, default=1000, help="of a language")
    parser.add_argument("--queries", type=int, default=200, help="of a pair")
    parser.add_argument("--weight", type=float, default=WORDS_WEIGHT, help="of words, fused")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--rerank", default="", help="a model taught nli or paraphrase")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    encoder = Encoder(open_model(given.model))
    encoder.engine()  # the fastest: this is no small job
    rerank = Reranker(open_model(given.rerank)) if given.rerank else None
    pairs = [tuple(pair.split("-")) for pair in given.pairs]
    codes = {code for pair in pairs for code in pair}
    texts = {code: read_language(given.corpus, code, given.half) for code in sorted(codes)}
    targets = sorted({pair[1] for pair in pairs})
    pools = {code: make_pool(encoder, texts[code], given.documents) for code in targets}
    measured = {}
    for source, target in pairs:
        asked = [name for name in pools[target].names if name in texts[source]][: given.queries]
        queries = {name: texts[source][name].synopsis for name in asked}
        found = rankings(encoder, pools[target], queries, rerank, given.weight)
        measured[f"{source}-{target}"] = figures(found, asked)
    systems = list(next(iter(measured.values())))
    columns = {name: [pair[name] for pair in measured.values()] for name in systems}
    gaps = {
        f"fused less {name}": [a - b for a, b in zip(columns["fused"], columns[name], strict=True)]
        for name in ("dense", "bm25")
    }
    document = {
        "ndcg_at_10": {
            pair: {"queries": len(row["dense"])}
            | {name: round(float(values.mean()), 4) for name, values in row.items()}
            for pair, row in measured.items()
        },
        "mean": {
            name: {
                "value": round(float(np.mean([pair.mean() for pair in values])), 4),
                "interval": interval(values, given.seed),
            }
            for name, values in {**columns, **gaps}.items()
        },
        "documents": {code: len(pool.names) for code, pool in pools.items()},
        "half": given.half,
        "weight": given.weight,
        "model": given.model,
    }
    write_json(given.out, document)
    print(json.dumps(document["mean"], indent=2))


if __name__ == "__main__":
    main()
