"""``interlingua evaluate``: score a taught model on labelled files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlingua.cli.options import (
    Engine,
    Exact,
    Json,
    OnErrorChoice,
    Out,
    Quiet,
    Seed,
    begin,
    console,
    emit,
    write,
)

if TYPE_CHECKING:
    from interlingua.evaluation.records import Scorecard

Require = Annotated[
    list[str] | None,
    typer.Option(help="Leave with 3 unless it holds, as 'zero_shot_mean>=0.7' or 'swh_Latn>=0.6'."),
]


def evaluate(
    model: Annotated[str, typer.Option(help="A taught model folder.")],
    test: Annotated[list[str], typer.Option(help="Files with labelled rows, of any languages.")],
    out: Out,
    task: Annotated[str | None, typer.Option(help="The task; it must be the model's.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of every row, if known.")] = None,
    require: Require = None,
    on_error: OnErrorChoice = "stop",
    engine: Engine = "auto",
    exact: Exact = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a taught model per language and write scorecard.json, predictions.jsonl and a page.

    Example: interlingua evaluate --model runs/topic --test test.sw.jsonl --out runs/card
    """
    begin(quiet=quiet, json=json)
    from interlingua.evaluation import evaluate as room
    from interlingua.evaluation.gates import read_gates

    gates = read_gates(require or [], room.GATED)
    run = room.Run(engine=engine, exact=exact, seed=seed, on_error=on_error)
    card = room.evaluate(model, test=test, out=out, task=task, lang=lang, run=run)
    show(card, out, json=json)
    room.check_gates(card, gates)


def show(card: Scorecard, out: Path, *, json: bool) -> None:
    """Print a scorecard: as JSON, or as a table with the place of the page."""
    if json:
        emit(card.model_dump(mode="json"))
        return
    from interlingua.evaluation.table import print_scorecard

    print_scorecard(card, console())
    write(f"page: {out / 'scorecard.html'}")
