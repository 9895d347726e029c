"""``interlingua tune``: search for the settings of a fine-tuning."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from interlingua.base.config import make, put, read_recipe
from interlingua.cli.options import Json, Out, Quiet, begin, console, emit, write


def tune(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe of finetune.")],
    out: Out,
    trials: Annotated[int | None, typer.Option(help="Trials at most.", min=1)] = None,
    minutes: Annotated[float | None, typer.Option(help="Begin no trial after this time.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a search.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as training.strategy=lora.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", min=0)] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Teach again and again with other settings and keep the best by the validation rows.

    The recipe is one of finetune. Its section search may name the settings that vary, each with low
    and high, or choices; without it the usual ones of the strategy vary.

    Example: interlingua tune recipe.yaml --out runs/tuned --trials 20 --minutes 60
    """
    begin(quiet=quiet, json=json)
    document = read_recipe(recipe, settings or ())
    flags = {"search.trials": trials, "search.minutes": minutes, "training.seed": seed}
    for key, value in flags.items():
        if value is not None:
            put(document, key, value)

    from interlingua.training.tune import TuneRecipe
    from interlingua.training.tune import tune as run

    found = run(make(TuneRecipe, document), out=out, resume=resume)
    if json:
        emit(
            {
                "out": str(found.out),
                "best": asdict(found.best),
                "trials": [asdict(tried) for tried in found.trials],
            }
        )
        return
    _show([asdict(tried) for tried in found.trials], found.best.number)
    write(f"best: trial {found.best.number}, {found.best.score:.4f}: {found.out}")
    write("chosen on the validation rows; judge it on rows that the search has not seen")


def _show(trials: list[dict[str, Any]], best: int) -> None:
    from rich.table import Table

    names = list(trials[0]["values"])
    table = Table("trial", *(name.rpartition(".")[2] for name in names), "score", "seconds")
    for tried in trials:
        values = [tried["values"][name] for name in names]
        told = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
        score = "failed" if tried["score"] is None else f"{tried['score']:.4f}"
        style = "bold green" if tried["number"] == best else None
        table.add_row(str(tried["number"]), *told, score, f"{tried['seconds']:.0f}", style=style)
    console().print(table)
