"""Options that every command has, and the one way to print a result."""

from __future__ import annotations

import json as json_module
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from interlingua.base.config import put, read_recipe
from interlingua.base.progress import set_quiet

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.", min=0)]
Engine = Annotated[str, typer.Option("--engine", help="auto, torch or openvino.")]
Exact = Annotated[
    bool, typer.Option("--exact", help="float32, no padding: answers independent of companions.")
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write.")]
Recipe = Annotated[Path, typer.Argument(help="A YAML recipe: model, objectives, data.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Any setting, as training.steps=2000.")
]
RecipeSeed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random.", min=0)]
OnErrorChoice = Annotated[
    Literal["stop", "skip"],
    typer.Option("--on-error", help="A row that cannot be read: stop, or skip and count it."),
]


def begin(*, quiet: bool, json: bool) -> None:
    """Let progress and remarks out, unless the reader wants none.

    Of several processes that torchrun started the first alone speaks.
    """
    silent = os.environ.get("RANK", "0") != "0"
    if silent:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    set_quiet(quiet or silent)
    del json  # progress goes to stderr, where a JSON document is not


def recipe_of(path: Path, settings: list[str] | None, seed: int | None) -> dict[str, Any]:
    """A recipe with what flags say put in, not yet checked.

    Raises:
        ConfigError: The file or a setting cannot be read.
    """
    document = read_recipe(path, settings or ())
    if seed is not None:
        put(document, "training.seed", seed)
    return document


def emit(document: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print one JSON document."""
    text = json_module.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write(text + "\n")


def write(text: str) -> None:
    """Print a line for a person."""
    sys.stdout.write(text + "\n")


def console() -> Console:
    """A console on stdout; wide enough for a table when the output is not a terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=120)
