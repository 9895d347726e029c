"""``interlingua quickstart``: the main job on the shipped phrasebook, offline."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlingua.cli.options import Json, Quiet, Seed, begin, console, emit, write

if TYPE_CHECKING:
    from interlingua.evaluation.records import Scorecard


def quickstart(
    out: Annotated[Path, typer.Option(help="Folder for models and scorecards.")] = Path(
        "runs/quickstart"
    ),
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Teach topics and sentiment with English sentences, then test in sixteen languages.

    Everything is shipped with the package; nothing is fetched.

    Example: interlingua quickstart
    """
    begin(quiet=quiet, json=json)
    started = time.monotonic()
    cards = {task: _teach_and_test(task, out, seed) for task in ("sentiment", "topic")}
    seconds = time.monotonic() - started
    if json:
        emit(
            {
                "seconds": round(seconds, 2),
                "scorecards": {task: card.model_dump(mode="json") for task, card in cards.items()},
            }
        )
        return
    from interlingua.evaluation.table import print_scorecard

    for task, card in cards.items():
        print_scorecard(card, console())
        write(f"{task}: macro-F1 {_macro_f1(card):.3f} over {len(card.per_language)} languages")
    write(f"\ndone in {seconds:.0f} s, from English labels alone. Look at it:")
    write(f"  {out / 'topic-card' / 'scorecard.html'}")
    write("Try a sentence of your own, in any language:")
    write(f"  interlingua classify --model {out / 'topic'} 'Treni imechelewa tena leo asubuhi.'")


def _teach_and_test(task: str, out: Path, seed: int) -> Scorecard:
    from interlingua.corpus.phrasebook import test_files, train_files
    from interlingua.evaluation.evaluate import Run, evaluate
    from interlingua.training.finetune import finetune

    finetune(task=task, train=train_files(), out=out / task, seed=seed)
    return evaluate(out / task, test=test_files(), out=out / f"{task}-card", run=Run(seed=seed))


def _macro_f1(card: Scorecard) -> float:
    values = [language.metrics["macro_f1"] or 0.0 for language in card.per_language.values()]
    return sum(values) / len(values)
