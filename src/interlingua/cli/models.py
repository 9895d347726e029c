"""``interlingua models``: what there is, what a folder is, and fetching."""

from __future__ import annotations

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
    from interlingua.models.catalogue import CATALOGUE

    if json:
        emit([{"name": known.name, "summary": known.summary} for known in CATALOGUE])
        return
    for known in CATALOGUE:
        write(f"{known.name:<42} {known.summary}")


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
    from interlingua.models.folder import open_model

    folder = open_model(name)
    facts = {
        "path": str(folder.path),
        "architecture": folder.config["model_type"],
        "width": folder.width,
        "fingerprint": folder.fingerprint,
        **folder.info.model_dump(mode="json"),
    }
    if json:
        emit(facts)
        return
    for key, value in facts.items():
        write(f"{key:<18} {value}")


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

    path = run(name, out=out)
    if json:
        emit({"path": str(path)})
    else:
        write(str(path))
