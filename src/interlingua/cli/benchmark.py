"""``interlingua benchmark``: score a model on a benchmark that lies on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.base.errors import UsageError
from interlingua.cli.evaluate import Require, show
from interlingua.cli.options import Engine, Exact, Json, Out, Quiet, Seed, begin, emit, write


def benchmark(
    suite: Annotated[
        str, typer.Argument(help="sib200, xnli, tatoeba…; of several tasks: xtreme, xglue, mlqa.")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="A model taught the suite's task, or the folder of an earlier run; any encoder"
            " with --train."
        ),
    ],
    data_dir: Annotated[
        list[Path], typer.Option(help="Folders searched for the suite's files; the last counts.")
    ],
    out: Out,
    languages: Annotated[
        list[str] | None, typer.Option(help="Tags to test; all if absent.")
    ] = None,
    split: Annotated[str, typer.Option(help="auto (test, else dev), dev or test.")] = "auto",
    train: Annotated[
        bool, typer.Option("--train", help="Teach the model first, on the suite's English part.")
    ] = False,
    task: Annotated[
        str | None, typer.Option(help="With --train, if the data serve several.")
    ] = None,
    tasks: Annotated[
        list[str] | None, typer.Option(help="Of xtreme, xglue and mlqa: these only, as a,b.")
    ] = None,
    recipes: Annotated[
        Path | None, typer.Option(help="Of xtreme, xglue and mlqa: a folder with TASK.yaml each.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan, run nothing.")
    ] = False,
    require: Require = None,
    engine: Engine = "auto",
    exact: Exact = False,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a model on a benchmark, by its makers' files, splits and metric.

    Of several tasks (xtreme, xglue, mlqa) what can be run is, one folder a task, with a report; the
    same command goes on where it was stopped.

    Example: interlingua benchmark sib200 --model runs/topic --data-dir data/sib200 --out runs/card
    """
    begin(quiet=quiet, json=json)
    if split not in {"auto", "dev", "test"}:
        raise UsageError(f"--split {split} is none of auto, dev, test")
    from interlingua.evaluation import evaluate as room
    from interlingua.evaluation.gates import read_gates
    from interlingua.evaluation.suite.plan import Wanted
    from interlingua.evaluation.suite.records import BENCHMARKS

    gates = read_gates(require or [], room.GATED)
    tags = _listed(languages)
    run = room.Run(engine=engine, exact=exact, seed=seed)
    if suite in BENCHMARKS:
        from interlingua.cli.suite import Order, print_plan, run_all

        if require or task:
            raise UsageError(
                f"--{'require' if require else 'task'} is of one task, {suite} has more"
            )
        wanted = Wanted(_listed(tasks), tags, split, train, recipes)
        order = Order(BENCHMARKS.get(suite), model, data_dir, out, wanted, run)
        (print_plan if dry_run else run_all)(order, json=json)
        return
    if tasks or recipes:
        raise UsageError(f"--{'tasks' if tasks else 'recipes'}: {suite} is one task")
    chosen = room.plan_benchmark(suite, data_dir=data_dir, languages=tags, split=split)
    if dry_run:
        files = [{"lang": f.lang, "split": f.split, "path": str(f.path)} for f in chosen]
        if json:
            emit({"suite": suite, "files": files})
        for file in [] if json else files:
            write(f"{file['lang']}  {file['split']:5}  {file['path']}")
        return
    if train:
        model = str(_teach(suite, model, data_dir, out, task=task, seed=seed))
    card = room.benchmark(
        suite,
        model=model,
        data_dir=data_dir,
        out=out,
        languages=[file.lang for file in chosen],
        split=split,
        run=run,
    )
    show(card, out, json=json)
    room.check_gates(card, gates)


def _listed(given: list[str] | None) -> list[str]:
    return [name for names in given or [] for name in names.split(",")]


def _teach(
    suite: str, model: str, data_dir: list[Path], out: Path, *, task: str | None, seed: int
) -> Path:
    """Fine-tune on the suite's source language; the model goes to ``OUT/model``."""
    from interlingua.tasks.datasets import DATASETS, find_files
    from interlingua.training.finetune import finetune

    dataset = DATASETS.get(suite)
    name = task or dataset.tasks[0]
    if name not in dataset.tasks:
        raise UsageError(f"--task {name}: {suite} is {' or '.join(dataset.tasks)}")
    files = [
        f.path
        for f in find_files(dataset, data_dir)
        if (f.lang, f.split) == (dataset.source, "train")
    ]
    if not files:
        raise UsageError(
            f"no training file of {suite} in {dataset.source}",
            remedy="Teach with: interlingua finetune",
        )
    target = out / "model"
    finetune(task=name, train=files, model=model, out=target, lang=dataset.source, seed=seed)
    return target
