"""``interlingua compare``: two scorecards, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.options import Json, Quiet, Seed, begin, console, emit


def compare(
    a: Annotated[Path, typer.Argument(help="A scorecard.json, predictions.jsonl beside it.")],
    b: Annotated[Path, typer.Argument(help="Another, on the same rows.")],
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say per language whether one model is better, by a paired bootstrap over the same rows.

    Example: interlingua compare runs/a/scorecard.json runs/b/scorecard.json
    """
    begin(quiet=quiet, json=json)
    from interlingua.evaluation.compare import compare as run
    from interlingua.evaluation.table import print_comparison

    comparison = run(a, b, seed=seed)
    if json:
        emit(comparison.model_dump(mode="json"))
    else:
        print_comparison(comparison, console())
