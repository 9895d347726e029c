"""``interlingua align``: draw the languages of an encoder together."""

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


def align(
    recipe: Recipe,
    out: Out,
    resume: Resume = False,
    settings: Settings = None,
    seed: RecipeSeed = None,
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
    document = recipe_of(recipe, settings, seed)

    from interlingua.training.align.run import align as run
    from interlingua.training.align.settings import AlignRecipe

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
