r"""How often a text's translation is the nearest of a pool of texts, with intervals.

    python recipes/tiny-multilingual/retrieve.py --pools runs/tiny/2-split \
        --model runs/tiny/4-mlm-0 --model runs/tiny/4-tlm-0

Each source looks for its translation among all targets of its pool, and each target among all
sources; the figure is the mean of both directions, its interval resamples the texts. Vectors are
mean-pooled states of one layer, centred by language, since a model's means tell languages apart
before anything else. The layer is that which finds most in the pools of ``choice``; the figures are
of ``test``.

Legend: N texts of a pool, K layers, D width.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlingua.base.seeding import generator
from interlingua.corpus.rows import read_table
from interlingua.evaluation.bootstrap import interval
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model

RESAMPLES = 10_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """What a model finds in the pools.

    Attributes:
        layer: The layer that was chosen; 0 is the embeddings.
        by_layer: Share found in the pools of ``choice`` by each layer, mean over language pairs.
        hits: By language pair the share of both directions in which each text is found [N].
    """

    layer: int
    by_layer: list[float]
    hits: dict[str, Floats]


def pools(folder: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Sources and targets of each language pair."""
    found = {}
    for file in sorted(folder.glob("*.jsonl")):
        rows = [row.values for row in read_table(file)]
        found[file.stem] = [row["source"] for row in rows], [row["target"] for row in rows]
    return found


def hits(sources: Floats, targets: Floats) -> Floats:
    """Share of both directions in which each pair finds itself [N], of vectors [N, D]."""
    sides = []
    for vectors in (sources, targets):
        centred = vectors - vectors.mean(axis=0)
        sides.append(centred / np.linalg.norm(centred, axis=1, keepdims=True).clip(1e-9))
    similar = sides[0] @ sides[1].T
    right = np.arange(len(similar))
    both = [similar.argmax(axis=axis) == right for axis in (0, 1)]
    return np.mean(both, axis=0, dtype=np.float64)


def find(model: Path, place: Path) -> Found:
    """Choose a layer of a model, and look for the translations of ``test``."""
    folder = open_model(model)
    layers = range((folder.depth or 0) + 1)
    info = folder.info.model_copy(update={"layers": tuple(layers)})
    encoder = Encoder(replace(folder, info=info), exact=True)

    def searched(part: str) -> dict[str, list[Floats]]:
        found = {}
        for name, texts in pools(place / part).items():
            vectors = [encoder.encode(side).vectors.astype(np.float64) for side in texts]
            sides = [np.split(side, len(layers), axis=1) for side in vectors]
            found[name] = [hits(*of_layer) for of_layer in zip(*sides, strict=True)]
        return found

    chosen = [[float(one.mean()) for one in found] for found in searched("choice").values()]
    by_layer = np.mean(chosen, axis=0)
    best = int(by_layer.argmax())
    of_test = {name: found[best] for name, found in searched("test").items()}
    return Found(best, [round(share, 4) for share in by_layer.tolist()], of_test)


def told(values: Floats, name: str) -> tuple[float, float, float]:
    """A mean over texts [N] with its 95 % interval."""
    drawn = generator(0, "retrieval", name).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = interval(values[drawn].mean(axis=1), float(values.mean()))
    return float(values.mean()), low, high


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", type=Path, required=True)
    parser.add_argument("--pools", type=Path, required=True, help="what split.py made")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    report = {}
    for model in given.model:
        found = find(model, given.pools)
        figures = {name: told(of, name) for name, of in found.hits.items()}
        report[str(model)] = {"layer": found.layer, "by_layer": found.by_layer, "found": figures}
        for name, (mean, low, high) in figures.items():
            if not given.json:
                print(f"{model}  layer {found.layer}  {name}  {mean:.3f} ({low:.3f} to {high:.3f})")
    if given.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
