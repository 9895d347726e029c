"""``interlingua finetune``: teach a model a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from interlingua.base.config import make, put, read_recipe
from interlingua.base.errors import UsageError
from interlingua.cli.options import Json, OnErrorChoice, Quiet, begin, emit, write

_NEXT = {
    "classification": "classify --model {} 'a text in any language'",
    "tagging": "tag --model {} 'a text in any language'",
    "qa": "answer --model {} --context 'a text in any language' 'a question in any other'",
}


def finetune(
    recipe: Annotated[Path | None, typer.Argument(help="A YAML recipe; flags override it.")] = None,
    task: Annotated[
        str | None,
        typer.Option(help="topic, sentiment, nli, paraphrase, ner, pos, qa, classification…"),
    ] = None,
    train: Annotated[list[str] | None, typer.Option(help="Files with labelled rows.")] = None,
    validation: Annotated[list[str] | None, typer.Option(help="Files to choose by.")] = None,
    model: Annotated[str | None, typer.Option(help="starter, a folder or a hub id.")] = None,
    out: Annotated[Path | None, typer.Option(help="The model folder to make.")] = None,
    strategy: Annotated[str | None, typer.Option(help="auto, probe, head, lora or full.")] = None,
    labels: Annotated[str | None, typer.Option(help="The label set, as a,b,c.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the training rows.")] = None,
    on_error: OnErrorChoice = "stop",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as training.full.epochs=3.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", min=0)] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Teach a model a task with labels in one language.

    Example: interlingua finetune --task topic --train train.en.jsonl --out runs/topic
    """
    begin(quiet=quiet, json=json)
    if out is None:
        raise UsageError(
            "--out is missing", remedy="Name the model folder to make: --out runs/topic"
        )
    flags: dict[str, Any] = {
        "model.name": model,
        "data.task": task,
        "data.train": train or None,
        "data.validation": validation or None,
        "data.labels": labels.split(",") if labels else None,
        "data.lang": lang,
        "data.on_error": on_error if on_error != "stop" else None,
        "training.strategy": strategy,
        "training.seed": seed,
    }
    document = read_recipe(recipe, settings or ()) if recipe else apply_settings(settings or [])
    for key, value in flags.items():
        if value is not None:
            put(document, key, value)
    _require_data(document)

    from interlingua.tasks.record import TASKS
    from interlingua.training.finetune import run_finetune
    from interlingua.training.settings import FinetuneRecipe

    taught = run_finetune(make(FinetuneRecipe, document), out=out, resume=resume)
    if json:
        info = taught.info.model_dump(mode="json")
        emit(
            {
                "out": str(taught.out),
                "strategy": taught.strategy,
                "rows": taught.rows,
                "rejected": taught.rejected,
                "seconds": round(taught.seconds, 2),
                **{key: info[key] for key in ("task", "labels", "source_languages", "scores")},
            }
        )
        return
    write(
        f"taught {taught.info.task} in {', '.join(taught.info.source_languages)} with "
        f"{taught.rows} rows by {taught.strategy} in {taught.seconds:.1f} s: {taught.out}"
    )
    for name, value in taught.info.scores.items():
        write(f"  {name}: {value}")
    write(f"next: interlingua {_NEXT[TASKS.get(str(taught.info.task)).kind].format(taught.out)}")


def apply_settings(settings: list[str]) -> dict[str, Any]:
    """Settings without a recipe."""
    from interlingua.base.config import override

    document: dict[str, Any] = {}
    for setting in settings:
        override(document, setting)
    return document


def _require_data(document: dict[str, Any]) -> None:
    data = document.get("data") or {}
    for name in ("task", "train"):
        if not data.get(name):
            raise UsageError(f"--{name} is missing", remedy="See: interlingua finetune --help")
