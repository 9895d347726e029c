r"""Word alignment error rate by layer: which hidden states know which word translates which.

    python recipes/align/words.py --models starter runs/align/model --data-dir DATA \
        --out runs/words.json

XL-WA's test sets (Martelli et al., CLiC-it 2023), whose links are all sure ones: the error rate of
Och and Ney (2003) is then one less F1. The layer that `WordAligner` takes was chosen on development
sets; this table shows what it costs, it chooses nothing.

Legend: K layers.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.files import write_json
from interlingua.base.progress import set_quiet
from interlingua.evaluation.untaught import read_aligned
from interlingua.models.folder import open_model
from interlingua.retrieval.alignment import METHODS, WordAligner, linked
from interlingua.tasks.datasets import DATASETS, choose_files, find_files
from interlingua.tasks.metrics.alignment import count_links

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlingua.tasks.metrics.alignment import Link

    Row = tuple[list[str], list[str], set[Link]]

AT_ONCE = 64
"""Sentences whose states at all layers are held."""


def error_rates(
    aligner: WordAligner, rows: Sequence[Row], layers: Sequence[int], methods: Sequence[str]
) -> dict[str, list[float]]:
    """The alignment error rate of each method at each layer [K]."""
    wrong = {method: [0] * len(layers) for method in methods}
    whole = {method: [0] * len(layers) for method in methods}
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        sides = (aligner.states([row[side] for row in part], layers) for side in (0, 1))
        for row, (source, words), (target, other) in zip(part, *sides, strict=True):
            for method in methods:
                rule = METHODS.get(method)
                for k in range(len(layers)):
                    links = linked(rule, (source[k], words), (target[k], other))
                    counts = count_links(links, row[2])
                    whole[method][k] += counts.found + counts.sure
                    wrong[method][k] += counts.found + counts.sure - 2 * counts.hits_sure
    return {
        method: [a / max(b, 1) for a, b in zip(wrong[method], whole[method], strict=True)]
        for method in methods
    }


def table(found: dict[str, dict[str, list[float]]], method: str, layers: Sequence[int]) -> str:
    """Languages by layers, in Markdown; the least of each row is bold."""
    lines = [
        f"| {method} | {' | '.join(map(str, layers))} |",
        f"|---|{'---:|' * len(layers)}",
    ]
    rates = {lang: of[method] for lang, of in found.items()}
    count = len(rates)
    means = [sum(column) / count for column in zip(*rates.values(), strict=True)]
    for lang, row in {**rates, "mean": means}.items():
        cells = (f"**{rate:.3f}**" if rate == min(row) else f"{rate:.3f}" for rate in row)
        lines.append(f"| {lang} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure every model, print a table for each method, and write one JSON document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["starter"])
    parser.add_argument("--data-dir", type=Path, required=True, help="searched for XL-WA's files")
    parser.add_argument("--out", type=Path, required=True, help="a JSON file")
    parser.add_argument("--split", choices=("test", "dev"), default="test")
    parser.add_argument("--languages", nargs="+", default=[], help="all, if absent")
    parser.add_argument("--methods", nargs="+", choices=METHODS.names(), default=["transport"])
    parser.add_argument("--rows", type=int, default=0, help="of a language at most; 0: all")
    parser.add_argument("--json", action="store_true", help="print the document, nothing else")
    given = parser.parse_args()
    set_quiet(given.json)
    started = time.monotonic()
    files = find_files(DATASETS.get("xl_wa"), given.data_dir)
    files = choose_files(files, split=given.split, languages=given.languages)
    rows = {file.lang: read_aligned(file.path)[: given.rows or None] for file in files}
    document: dict[str, Any] = {
        "metric": "alignment_error_rate",
        "split": given.split,
        "sentences": {lang: len(some) for lang, some in rows.items()},
        "models": {},
    }
    for model in given.models:
        folder = open_model(model)
        layers = list(range((folder.depth or 12) + 1))
        aligner = WordAligner(folder)
        found = {
            lang: error_rates(aligner, some, layers, given.methods) for lang, some in rows.items()
        }
        document["models"][model] = {
            "layers": layers,
            "default_layer": aligner.layer,
            "per_language": {
                lang: {method: [round(rate, 4) for rate in of] for method, of in one.items()}
                for lang, one in found.items()
            },
        }
        for method in [] if given.json else given.methods:
            print(f"\n{model}, layers 0 (embeddings) to {layers[-1]}:\n")
            print(table(found, method, layers))
    document["seconds"] = round(time.monotonic() - started, 1)
    write_json(given.out, document)
    if given.json:
        print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
