"""``interlingua bridge``: how well a model joins languages, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.options import (
    Engine,
    Exact,
    Json,
    OnErrorChoice,
    Quiet,
    Seed,
    begin,
    console,
    emit,
    write,
)


def bridge(
    model: Annotated[str, typer.Option(help="starter, a folder or a hub id.")],
    data: Annotated[
        list[str],
        typer.Option(help="Pairs of any form, parallel files, or rows that share ids; or folders."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for bridge.json and bridge.html.")],
    against: Annotated[
        str | None, typer.Option(help="The model before: every figure gets its difference.")
    ] = None,
    languages: Annotated[
        list[str] | None, typer.Option(help="Only these languages; all otherwise.")
    ] = None,
    items: Annotated[
        int, typer.Option(help="Items two languages are compared on, at most.", min=20, max=10_000)
    ] = 2000,
    require: Annotated[
        list[str] | None,
        typer.Option(help="Leave with 3 unless it holds, as 'retrieval_mean>=0.9'."),
    ] = None,
    on_error: OnErrorChoice = "stop",
    engine: Engine = "auto",
    exact: Exact = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell how well a model joins languages: retrieval, hubs, isotropy, preference of its own.

    Example: interlingua bridge --model runs/align/model --against starter
    --data sib200/*/test.tsv --out runs/bridge --require 'retrieval_mean>=0.9'
    """
    begin(quiet=quiet, json=json)
    from interlingua.evaluation.bridge import run as room
    from interlingua.evaluation.evaluate import Run
    from interlingua.evaluation.gates import read_gates

    gates = read_gates(require or [], room.GATED)
    report = room.bridge(
        model,
        data=data,
        out=out,
        against=against,
        languages=[tag for given in languages or [] for tag in given.split(",")],
        items=items,
        run=Run(engine=engine, exact=exact, seed=seed, on_error=on_error),
    )
    if json:
        emit(report.model_dump(mode="json"))
    else:
        from interlingua.evaluation.bridge.table import print_bridge

        print_bridge(report, console())
        write(f"page: {out / room.PAGE}")
    room.check_bridge(report, gates)
