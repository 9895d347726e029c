r"""How often a text's translation is the nearest of a pool of texts, with intervals.

    python recipes/tiny-multilingual/retrieve.py --model runs/tiny/mlm --model runs/tiny/tlm \
        --pairs runs/tiny/pairs.jsonl.zst

For each language pair, ``--pool`` pairs are drawn of the clusters that the recipes held out, by the
same hash, and of Debian's descriptions only the synopses, the same for every model; each source
looks for its translation among all targets, and each target among all sources. The figure is the
mean of both directions; its interval resamples the texts. Vectors are mean-pooled states, centred
by language, since a model's means tell languages apart before anything else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlingua import Embedder
from interlingua.corpus.rows import read_table
from interlingua.training.pretrain_data import held_out

RESAMPLES = 2000


def drawn(files: list[str], pool: int, share: float) -> dict[str, list[tuple[str, str]]]:
    """``pool`` held-out pairs of every language pair that has as many, one of each cluster."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for file in files:
        for row in read_table(Path(file)):
            v = row.values
            name = f"{v['source_lang']}-{v['target_lang']}"
            cluster = str(v.get("cluster") or v["source"])
            part = (v.get("meta") or {}).get("part", "synopsis")
            if part != "synopsis" or not held_out(cluster, share):
                continue
            found.setdefault(name, {}).setdefault(cluster, (v["source"], v["target"]))
    rng = np.random.default_rng(0)
    out = {}
    for name, pairs in sorted(found.items()):
        unique = list(dict.fromkeys(pairs.values()))
        if len(unique) >= pool:
            out[name] = [unique[i] for i in rng.permutation(len(unique))[:pool]]
    return out


def hits(embedder: Embedder, pairs: list[tuple[str, str]]) -> NDArray[np.float64]:
    """Share of both directions in which each pair finds itself [P]."""
    sides = []
    for texts in zip(*pairs, strict=True):
        vectors = embedder.encode(list(texts))
        vectors = vectors - vectors.mean(axis=0)
        sides.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9))
    similar = sides[0] @ sides[1].T
    right = np.arange(len(pairs))
    forth, back = similar.argmax(axis=1) == right, similar.argmax(axis=0) == right
    found: NDArray[np.float64] = (forth.astype(float) + back) / 2
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--pairs", nargs="+", required=True)
    parser.add_argument("--pool", type=int, default=200)
    parser.add_argument("--held-out", type=float, default=0.05, help="as in the recipe")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chosen = drawn(given.pairs, given.pool, given.held_out)
    rng = np.random.default_rng(1)
    report = {}
    for model in given.model:
        embedder = Embedder(model)
        for name, pairs in chosen.items():
            found = hits(embedder, pairs)
            means = found[rng.integers(0, len(found), (RESAMPLES, len(found)))].mean(axis=1)
            low, high = np.quantile(means, [0.025, 0.975])
            report.setdefault(model, {})[name] = {
                "accuracy": round(float(found.mean()), 4),
                "ci": [round(float(low), 4), round(float(high), 4)],
            }
            if not given.json:
                print(f"{model}  {name}  {found.mean():.3f} ({low:.3f} to {high:.3f})")
    if given.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
