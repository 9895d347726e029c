"""Search across languages on Debian's descriptions: words, vectors, both, and scored again.

    python recipes/search/debian.py --corpus corpus/debian --out runs/search

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pools import Corpus, plan
from reranker import CHARACTERS as READ
from reranker import teach

from interlingua.base.files import write_json
from interlingua.base.progress import say
from interlingua.evaluation.bootstrap import mean_with_interval
from interlingua.evaluation.documents import Pool, figures
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model
from interlingua.retrieval import fusion
from interlingua.retrieval.records import Hit, Passage
from interlingua.retrieval.rerank import Reranker
from interlingua.training.pretrain_data import held_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from interlingua.evaluation.documents import Ranked

    Values = NDArray[np.float64]

PAIRS = (
    *("eng-deu", "deu-eng", "eng-jpn", "jpn-eng", "fra-ita", "rus-fra"),
    *("dan-deu", "eng-rus", "spa-eng", "ita-jpn", "eng-ita", "pol-fra"),
)
"""Language of the queries, language of the documents."""
PARTS = ("dense", "bm25")
"""What ``fused`` is made of, and must not lose to."""


def scored_again(
    rerank: Reranker, pool: Pool, query: str, ranked: Ranked, depth: int
) -> list[tuple[str, float]]:
    """The first documents by the model that reads query and document together."""
    hits = [Hit(Passage(name, pool.texts[name][:READ]), score) for name, score in ranked[:depth]]
    return [(hit.passage.id, hit.score) for hit in rerank.rerank(query, hits)]


def estimate(pairs: Sequence[Values], seed: int) -> dict[str, Any]:
    """A mean over pairs with its interval."""
    mean, ends = mean_with_interval(pairs, seed=seed)
    return {"value": round(mean, 4), "interval": [round(end, 4) for end in ends]}


def judged(pairs: Sequence[Mapping[str, Values]], seed: int) -> dict[str, Any]:
    """Every method, ``fused`` less each of its parts, and whether it loses to one of them.

    Differences are of the same queries. ``fused`` loses where the whole interval is below zero.
    """
    found = {name: estimate([pair[name] for pair in pairs], seed) for name in pairs[0]}
    gaps = {
        f"fused less {name}": estimate([pair["fused"] - pair[name] for pair in pairs], seed)
        for name in PARTS
    }
    holds = all(gap["interval"][1] >= 0 for gap in gaps.values())
    queries = sum(len(pair["fused"]) for pair in pairs)
    return {"queries": queries, **found, **gaps, "fused_loses_to_neither": holds}


def verdict(name: str, row: Mapping[str, Any]) -> str:
    """One line for a person."""
    methods = [key for key in ("bm25", "dense", "rrf", "fused", "reranked") if key in row]
    told = "  ".join(f"{key} {row[key]['value']:.3f}" for key in methods)
    gaps = ", ".join(
        f"{row[f'fused less {part}']['value']:+.3f} "
        f"({row[f'fused less {part}']['interval'][0]:+.3f} to "
        f"{row[f'fused less {part}']['interval'][1]:+.3f}) to {part}"
        for part in PARTS
    )
    end = "holds" if row["fused_loses_to_neither"] else "LOSES"
    return f"{name:8} {row['queries']:5,} queries  {told}  fused {gaps}: {end}"


def measure(
    given: argparse.Namespace, encoder: Encoder, rerank: Reranker | None
) -> dict[str, dict[str, Values]]:
    """The nDCG@10 of every query of every pair, by method."""
    corpus = Corpus(given.corpus, given.part)
    chosen = plan(
        corpus,
        given.pairs,
        queries=given.queries,
        documents=given.documents,
        askable=lambda name: not given.held_out or held_out(name, given.held_out),
    )
    pools: dict[str, Pool] = {}
    found: dict[str, dict[str, Values]] = {}
    for pair, names in chosen.asked.items():
        source, target = pair.split("-")
        if not names:
            raise SystemExit(f"{pair}: no description can be asked for")
        if target not in pools:
            pools[target] = Pool.of(encoder, corpus[target], chosen.pools[target])
        pool, asked = pools[target], corpus[source]
        queries = [asked[name].synopsis for name in names]
        ranked = pool.rankings(encoder, queries, weight=given.weight)
        if rerank is not None:
            ranked["reranked"] = [
                scored_again(rerank, pool, query, some, given.depth)
                for query, some in zip(queries, ranked["fused"], strict=True)
            ]
        found[pair] = {name: figures(rows, names) for name, rows in ranked.items()}
        say(verdict(pair, judged([found[pair]], given.seed)))
    return found


def main() -> None:
    """Teach the reranker unless one is given, measure, and write one JSON document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="of corpus fetch debian")
    parser.add_argument("--out", type=Path, required=True, help="folder of debian.json")
    parser.add_argument("--pairs", nargs="+", default=PAIRS, help="languages: query-document")
    parser.add_argument("--part", choices=("tune", "test"), default="test", help="of clusters")
    parser.add_argument("--documents", type=int, default=300, help="of a language")
    parser.add_argument("--queries", type=int, default=80, help="of a pair")
    parser.add_argument(
        "--held-out",
        type=float,
        default=0.0,
        help="ask only for clusters that a run of align with this data.held_out has put aside",
    )
    parser.add_argument(
        "--weight", type=float, default=fusion.WORDS_WEIGHT, help="of words, in the fused score"
    )
    parser.add_argument("--model", default="starter")
    parser.add_argument(
        "--rerank", default="", help="a model taught pairs, or none; without it one is taught"
    )
    parser.add_argument("--depth", type=int, default=10, help="documents that are scored again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the document, nothing else")
    given = parser.parse_args()
    started = time.monotonic()
    encoder = Encoder(open_model(given.model))
    encoder.engine()  # the fastest: this is no small job
    rerank = None
    if given.rerank != "none":
        model = given.rerank or teach(
            Corpus(given.corpus, "teach"), given.pairs, encoder, given.out, seed=given.seed
        )
        rerank = Reranker(open_model(model))
    found = measure(given, encoder, rerank)
    document = {
        "metric": "ndcg_at_10",
        "pairs": {pair: judged([values], given.seed) for pair, values in found.items()},
        "all": judged(list(found.values()), given.seed),
        **{name: getattr(given, name) for name in ("part", "documents", "queries", "weight")},
        **{name: getattr(given, name) for name in ("held_out", "depth", "model", "seed")},
        "seconds": round(time.monotonic() - started, 1),
    }
    write_json(given.out / "debian.json", document)
    if given.json:
        print(json.dumps(document, indent=2))
    else:
        print("\n".join(verdict(name, row) for name, row in document["pairs"].items()))
        print(verdict("all", document["all"]))


if __name__ == "__main__":
    main()
