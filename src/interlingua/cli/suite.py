"""The part of ``interlingua benchmark`` that runs several tasks: xtreme, xglue, mlqa."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.base.config import make, put, read_recipe
from interlingua.base.progress import say
from interlingua.cli.options import console, emit, write

if TYPE_CHECKING:
    from interlingua.evaluation.evaluate import Run
    from interlingua.evaluation.suite.plan import PartPlan, Wanted
    from interlingua.evaluation.suite.records import Benchmark
    from interlingua.evaluation.suite.run import Teach
    from interlingua.training.cost.of_benchmark import Expected
    from interlingua.training.settings import FinetuneRecipe

_SAMPLE = 50
_TEXTS = ("text", "text_pair", "premise", "hypothesis", "sentence1", "sentence2", "context")


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for."""

    benchmark: Benchmark
    model: str
    data_dirs: Sequence[Path]
    out: Path
    wanted: Wanted
    run: Run


def print_plan(order: Order, *, json: bool) -> None:
    """Say what is there, what is missing and how long it will take; run nothing.

    Raises:
        UserError: A file cannot be read, or nothing can be run.
    """
    from interlingua.evaluation.suite.plan import plan

    plans = plan(order.benchmark, order.data_dirs, order.wanted)
    times = _expected(order, plans)
    if json:
        tasks = [one.facts() | _seconds(times.get(one.part.name)) for one in plans]
        emit({"benchmark": order.benchmark.name, "model": order.model, "tasks": tasks})
        return
    _print_table(order, plans, times)


def run_all(order: Order, *, json: bool) -> None:
    """Run what can be run, and write the report.

    Raises:
        UserError: A model, a recipe or a file cannot be used.
        StoppedError: SIGTERM came; run the same command again.
    """
    from interlingua.evaluation.suite.plan import plan
    from interlingua.evaluation.suite.report import MARKDOWN, PAGE, write_report
    from interlingua.evaluation.suite.run import run
    from interlingua.evaluation.suite.submission import submit

    plans = plan(order.benchmark, order.data_dirs, order.wanted)
    for one in plans:
        if one.problem or one.missing:
            lacks = one.problem or f"no file of {', '.join(one.missing)}"
            say(f"missing: {one.part.name}: {lacks}")
    done = run(
        plans,
        model=order.model,
        out=order.out,
        settings=order.run,
        teach=_teacher(order, plans) if order.wanted.train else None,
    )
    document = write_report(
        order.out,
        order.benchmark,
        plans,
        done,
        model=order.model,
        official=submit(order.benchmark, done, order.out),
    )
    if json:
        emit({"out": str(order.out), **document})
        return
    write((order.out / MARKDOWN).read_text(encoding="utf-8").rstrip("\n"))
    write(f"report: {order.out / PAGE}")


def _teacher(order: Order, plans: Sequence[PartPlan]) -> Teach:
    """Teaches a task's model into ``OUT/TASK/model``, unless that was done."""
    from interlingua.evaluation.suite.run import Taught
    from interlingua.training.once import teach_once

    others = [order.out / one.part.name for one in plans]

    def teach(plan: PartPlan) -> Taught:
        done = teach_once(_recipe(order, plan), order.out / plan.part.name, others=others)
        return Taught(done.model, done.rows, done.seconds)

    return teach


def _recipe(order: Order, plan: PartPlan) -> FinetuneRecipe:
    """The settings of a task's recipe, with the files that lie here."""
    from interlingua.training.settings import FinetuneRecipe

    document: dict[str, Any] = {} if plan.recipe is None else read_recipe(plan.recipe)
    put(document, "model.name", order.model)
    put(document, "data.task", plan.part.task)
    put(document, "data.train", [str(path) for path in plan.train])
    put(document, "data.lang", plan.dataset.source)
    document.setdefault("training", {}).setdefault("seed", order.run.seed)
    return make(FinetuneRecipe, document)


def _expected(order: Order, plans: Sequence[PartPlan]) -> dict[str, Expected]:
    """Seconds of every task that can be run; a model that two tasks share is taught once."""
    from interlingua.models.folder import open_model
    from interlingua.training.cost.of_benchmark import Chore, expected
    from interlingua.training.once import fingerprint, taught_before

    chores, known = [], set()
    for plan in plans:
        if plan.problem:
            continue
        recipe = None
        if order.wanted.train and plan.taught:
            recipe = _recipe(order, plan)
            name = fingerprint(recipe)
            if name in known or taught_before(name, order.out / plan.part.name):
                recipe = None
            known.add(name)
        chores.append(Chore(plan.part.name, recipe, _samples(plan), plan.rows))
    return expected(chores, open_model(order.model))


def _samples(plan: PartPlan) -> dict[str, list[str]]:
    """Texts of the first rows of every file, by language."""
    from itertools import islice

    from interlingua.evaluation.suite.plan import rows_in

    twice = 1 if plan.dataset.protocol == "labels" else 2  # the other language is encoded, too
    samples: dict[str, list[str]] = {}
    for file in plan.files:
        rows = islice(rows_in(plan.part, plan.dataset, file.path), _SAMPLE)
        texts = [" ".join([_text_of(row.values)] * twice) for row in rows]
        samples.setdefault(file.lang, []).extend(texts)
    return samples


def _text_of(values: dict[str, Any]) -> str:
    texts = [str(values[name]) for name in (*_TEXTS, "question") if name in values]
    return " ".join([*texts, *map(str, values.get("tokens", ()))])


def _seconds(times: Expected | None) -> dict[str, object]:
    if times is None:
        return {}
    return {
        "expected_seconds": {
            "teaching": round(times.teaching),
            "scoring": round(times.scoring),
            "from": times.basis,
        }
    }


def _print_table(order: Order, plans: Sequence[PartPlan], times: dict[str, Expected]) -> None:
    from rich.markup import escape
    from rich.table import Table

    title = escape(f"{order.benchmark.name} with {order.model}")
    table = Table(title=title, box=None, pad_edge=False)
    for name, justify in (
        ("task", "left"),
        ("languages", "left"),
        ("rows", "right"),
        ("taught with", "left"),
        ("minutes", "right"),
    ):
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    for plan in plans:
        name = plan.part.name
        if plan.problem:
            table.add_row(name, escape(f"left out: {plan.problem}"), "", "", "")
            continue
        here = ", ".join(sorted(plan.rows))
        of = f"{len(plan.languages) - len(plan.missing)} of {len(plan.languages)}: {here}"
        train = escape(", ".join(path.name for path in plan.train))
        minutes = (times[name].teaching + times[name].scoring) / 60
        table.add_row(name, of, f"{sum(plan.rows.values()):,}", train, f"{minutes:.0f}")
    console().print(table)
    for plan in plans:
        if plan.missing and not plan.problem:
            write(f"missing in {plan.part.name}: {', '.join(plan.missing)}")
    total = sum(one.teaching + one.scoring for one in times.values())
    basis = next(iter(times.values())).basis
    write(f"expected: {total / 3600:.1f} hours here ({basis})")
