"""``interlingua models``: what there is, what a folder is, and fetching."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.options import Json, Quiet, begin, emit, write

app = typer.Typer(help="Models: list them, look at one, fetch one.", no_args_is_help=True)


@app.command("list")
def list_models(json: Json = False, quiet: Quiet = False) -> None:
    """List the models known by name; any folder or hub id works too.

    Example: interlingua models list
    """
    begin(quiet=quiet, json=json)
    from interlingua.models.catalogue import KNOWN

    if json:
        emit([asdict(entry) for entry in KNOWN])
        return
    for entry in KNOWN:
        write(f"{entry.name:<48} {entry.description}")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="starter, a folder or a hub id.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what a model is and what it was taught.

    Example: interlingua models show starter
    """
    begin(quiet=quiet, json=json)
    from interlingua.models.catalogue import describe
    from interlingua.models.folder import open_model

    facts = describe(open_model(name))
    if json:
        emit(facts)
        return
    for key, value in facts.items():
        for inner, detail in value.items() if isinstance(value, dict) else [(key, value)]:
            write(f"{inner:<18} {detail}")


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="starter or a hub id.")],
    out: Annotated[Path | None, typer.Option(help="Copy the folder there.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fetch a model over the network, the only models command that may.

    Example: interlingua models fetch starter
    """
    begin(quiet=quiet, json=json)
    from interlingua.models.catalogue import fetch as run

    path = run(name, out=out).path
    if json:
        emit({"path": str(path)})
    else:
        write(str(path))
