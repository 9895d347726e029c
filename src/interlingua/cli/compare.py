"""``interlingua compare``: two scorecards row by row, or several seeds of one recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.base.errors import UsageError
from interlingua.cli.options import Json, Quiet, Seed, begin, console, emit


def compare(
    cards: Annotated[
        list[Path], typer.Argument(help="Two scorecard.json, predictions.jsonl beside each.")
    ],
    seeds: Annotated[
        bool, typer.Option("--seeds", help="Seeds of one recipe: mean and standard deviation.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say per language whether one model is better, by a paired bootstrap over the same rows.

    Example: interlingua compare runs/a/scorecard.json runs/b/scorecard.json
    """
    begin(quiet=quiet, json=json)
    if seeds:
        from interlingua.evaluation.seeds import over_seeds
        from interlingua.evaluation.table import print_seeds

        report = over_seeds(cards)
        emit(report.model_dump(mode="json")) if json else print_seeds(report, console())
        return
    if len(cards) != 2:
        raise UsageError(
            f"{len(cards)} scorecards given, two are compared",
            remedy="Or add --seeds for the spread over seeds of one recipe",
        )
    from interlingua.evaluation.compare import compare as run
    from interlingua.evaluation.table import print_comparison

    comparison = run(*cards, seed=seed)
    if json:
        emit(comparison.model_dump(mode="json"))
    else:
        print_comparison(comparison, console())
