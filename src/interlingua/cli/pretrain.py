"""``interlingua pretrain``: train a language model on raw text."""

from __future__ import annotations

from interlingua.base.config import make
from interlingua.cli.options import (
    Json,
    Out,
    Quiet,
    Recipe,
    RecipeSeed,
    Resume,
    Settings,
    begin,
    emit,
    recipe_of,
    write,
)


def pretrain(
    recipe: Recipe,
    out: Out,
    resume: Resume = False,
    settings: Settings = None,
    seed: RecipeSeed = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a language model from nothing, or go on with one, by any mix of objectives.

    Objectives: mlm, tlm, clm, span-corruption, translation. On several processes: torchrun
    --nproc-per-node 2 -m interlingua.cli.main pretrain recipe.yaml --out runs/mine

    Example: interlingua pretrain recipes/tiny-multilingual/4-tlm.yaml --out runs/tlm
    """
    begin(quiet=quiet, json=json)
    document = recipe_of(recipe, settings, seed)

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
