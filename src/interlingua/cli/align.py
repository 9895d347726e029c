"""``interlingua align``: draw the languages of an encoder together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.base.config import make, put, read_recipe
from interlingua.cli.options import Json, Out, Quiet, begin, emit, write


def align(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe: model, objectives, data.")],
    out: Out,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as training.steps=2000.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", min=0)] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw translations together and everything else apart, so that search crosses languages.

    Objectives: infonce, xcl on pairs; cpc on documents; preserve on texts that shall stay in place.
    On several processes: torchrun --nproc-per-node 2 -m interlingua.cli.main align recipe.yaml
    --out runs/mine

    Example: interlingua align recipes/align/align.yaml --out runs/align/model
    """
    begin(quiet=quiet, json=json)
    document = read_recipe(recipe, settings or ())
    if seed is not None:
        put(document, "training.seed", seed)

    from interlingua.training.align import align as run
    from interlingua.training.align_settings import AlignRecipe

    done = run(make(AlignRecipe, document), out=out, resume=resume)
    scores = done.info.scores
    if json:
        emit({"out": str(out), "rows": done.rows, "seconds": round(done.seconds, 2), **scores})
        return
    write(
        f"{done.steps} steps, {done.rows:,} rows in {done.seconds:.0f} s "
        f"({done.rows / max(done.seconds, 1e-9):,.0f} a second): {out}"
    )
    before = scores["retrieval_accuracy_before"]
    for name, accuracy in scores["retrieval_accuracy"].items():
        write(f"  {name}: finds its translation {accuracy:.4f}, before {before[name]:.4f}")
    write(f"next: interlingua embed --model {out} 'a text in any language'")
