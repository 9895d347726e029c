"""``interlingua evaluate``: score a taught model on labelled files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.options import (
    Engine,
    Exact,
    Json,
    OnErrorOption,
    Out,
    Quiet,
    Seed,
    begin,
    console,
    emit,
    write,
)

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
    on_error: OnErrorOption = "stop",
    engine: Engine = "auto",
    exact: Exact = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a taught model per language and write scorecard.json, predictions.jsonl and a page.

    Example: interlingua evaluate --model runs/topic --test test.de.jsonl test.sw.jsonl --out runs/card
    """
    begin(quiet=quiet, json=json)
    from interlingua.evaluation import evaluate as room

    run = room.Run(engine=engine, exact=exact, seed=seed, on_error=skip_or_stop(on_error))
    card = room.evaluate(model, test=test, out=out, task=task, lang=lang, run=run)
    show(card, out, json=json)
    room.check_gates(card, require or [])


def skip_or_stop(value: str):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Check ``--on-error``."""
    from interlingua.base.errors import UsageError

    if value not in {"stop", "skip"}:
        raise UsageError(f"--on-error {value} is neither stop nor skip")
    return value


def show(card, out: Path, *, json: bool) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Print a scorecard: as JSON, or as a table with the place of the page."""
    if json:
        emit(card.model_dump(mode="json"))
        return
    from interlingua.evaluation.table import scorecard_table

    console().print(scorecard_table(card))
    write(f"page: {out / 'scorecard.html'}")
