"""A model that reads query and document together, taught on clusters that nothing is tested on.

Of every pair of languages some synopses are searched for; the right description is a match, and the
best of the wrong ones that the fused ranking finds is none: what a reranker has to tell apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pools import plan

from interlingua.base.config import make
from interlingua.corpus.writing import write_rows
from interlingua.evaluation.documents import Pool
from interlingua.training.once import teach_once
from interlingua.training.settings import FinetuneRecipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pools import Corpus

    from interlingua.inference.encode import Encoder

CHARACTERS = 400
"""Of a document that are read with the query."""
DOCUMENTS = 150
"""Of a language at most."""
QUERIES = 80
"""Of a pair of languages at most; twice as many rows."""
SETTINGS = {
    "strategy": "lora",
    "lora": {"epochs": 1, "checkpoint": "last", "token_budget": 4096, "max_rows": 32},
}


def rows(corpus: Corpus, pairs: Sequence[str], encoder: Encoder) -> Iterator[dict[str, Any]]:
    """A match and a mismatch for every query."""
    chosen = plan(corpus, pairs, queries=QUERIES, documents=DOCUMENTS)
    pools: dict[str, Pool] = {}
    for pair, names in chosen.asked.items():
        source, target = pair.split("-")
        if target not in pools:
            pools[target] = Pool.of(encoder, corpus[target], chosen.pools[target])
        pool, asked = pools[target], corpus[source]
        queries = [asked[name].synopsis for name in names]
        found = pool.rankings(encoder, queries)["fused"]
        for name, query, ranked in zip(names, queries, found, strict=True):
            wrong = next(other for other, _ in ranked if other != name)
            for label, which in (("1", name), ("0", wrong)):
                text = pool.texts[which][:CHARACTERS]
                row = {"text": query, "text_pair": text, "label": label, "lang": source}
                yield row | {"id": f"{pair}/{name}/{label}"}


def teach(corpus: Corpus, pairs: Sequence[str], encoder: Encoder, out: Path, *, seed: int) -> Path:
    """Teach a model ``matching`` into ``out/reranker/model``, unless it is there; returns where."""
    train = out / "reranker" / "train.jsonl"
    if not train.exists():
        write_rows(train, rows(corpus, pairs, encoder))
    recipe = {
        "data": {"task": "matching", "train": [str(train)], "labels": ["0", "1"]},
        "training": {"seed": seed, **SETTINGS},
    }
    return teach_once(make(FinetuneRecipe, recipe), out / "reranker").model
