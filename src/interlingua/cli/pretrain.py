"""``interlingua pretrain``: train a language model on raw text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.base.config import make, put, read_recipe
from interlingua.cli.options import Json, Out, Quiet, begin, emit, write


def pretrain(
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
    """Train a language model from nothing, or go on with one, by any mix of objectives.

    Objectives: mlm, tlm, clm, span-corruption, translation. On several processes: torchrun
    --nproc-per-node 2 -m interlingua.cli.main pretrain recipe.yaml --out runs/mine

    Example: interlingua pretrain recipes/tiny-multilingual/3-tlm.yaml --out runs/tlm
    """
    begin(quiet=quiet, json=json)
    document = read_recipe(recipe, settings or ())
    if seed is not None:
        put(document, "training.seed", seed)

    from interlingua.training.pretrain import pretrain as run
    from interlingua.training.pretrain_settings import PretrainRecipe

    done = run(make(PretrainRecipe, document), out=out, resume=resume)
    scores = done.info.model_dump(mode="json")["scores"]
    if json:
        seconds = round(done.seconds, 2)
        emit({"out": str(out), "tokens": done.tokens, "seconds": seconds, **scores})
        return
    pace = done.tokens / max(done.seconds, 1e-9)
    write(
        f"{done.steps} steps, {done.tokens:,} tokens in {done.seconds:.0f} s "
        f"({pace:,.0f} tokens/s): {out}"
    )
    for name, bits in scores["bits_per_byte"].items():
        write(f"  {name}: {bits:.4f} bits per byte")
    write(f"next: interlingua embed --model {out} 'a text in any language'")
