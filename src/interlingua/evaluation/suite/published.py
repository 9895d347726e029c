"""Published averages of known models, and when ours may stand beside them.

Two averages are compared only where they are of the same languages, the same part of the data with
as many rows, and of models taught with as much of the same. What differs is said in words.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from interlingua.evaluation.words import counted

if TYPE_CHECKING:
    from interlingua.evaluation.suite.run import Done

_TABLE = "published.tsv"


@dataclass(frozen=True, slots=True)
class Published:
    """An average over languages, as a paper or its repository gives it.

    Attributes:
        benchmark: Name of the benchmark.
        task: Name of its task.
        model: The model.
        metric: Which figure.
        score: In ``[0, 1]``.
        languages: Over how many languages.
        source: Paper or repository.
        year: When.
        place: The table.
        note: What else makes it unlike ours.
    """

    benchmark: str
    task: str
    model: str
    metric: str
    score: float
    languages: int
    source: str
    year: int
    place: str
    note: str

    def facts(self) -> dict[str, object]:
        """All of it, as JSON values."""
        return asdict(self)


@cache
def published() -> tuple[Published, ...]:
    """All published averages that are shipped, in the order of their file."""
    text = (resources.files("interlingua.evaluation") / "data" / _TABLE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Published(
            benchmark=row["benchmark"],
            task=row["task"],
            model=row["model"],
            metric=row["metric"],
            score=round(float(row["score"]) / 100, 6),
            languages=int(row["languages"]),
            source=row["source"],
            year=int(row["year"]),
            place=row["place"],
            note=row["note"],
        )
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    )


def of_task(benchmark: str, task: str) -> list[Published]:
    """The published averages of one task."""
    return [one for one in published() if (one.benchmark, one.task) == (benchmark, task)]


def differences(done: Done) -> list[str]:
    """Why a task's average cannot stand beside published ones; empty: it can.

    Languages, the part of the data, its rows, and what the model was taught with are looked at.
    """
    plan, part = done.plan, done.plan.part
    reasons = []
    if plan.missing:
        tested = len(plan.languages) - len(plan.missing)
        reasons.append(f"{tested} of {counted(len(plan.languages), 'official language')}")
    extra = [lang for lang in plan.rows if lang not in plan.languages]
    if extra:
        reasons.append(f"{', '.join(extra)} outside the official languages")
    others = sorted({file.split for file in plan.files} - {part.split})
    if others:
        reasons.append(f"tested on {' and '.join(others)} rows, published on {part.split} rows")
    wanted = official_rows(done)
    fewer = {lang: n for lang, n in plan.rows.items() if wanted.get(lang, n) != n}
    if fewer and not others:
        lang = next(iter(fewer))
        reasons.append(f"{fewer[lang]:,} rows of {lang}, officially {wanted[lang]:,}")
    if plan.taught:
        reasons += _taught(done)
    if part.dataset == "bucc2018":
        reasons.append("thresholds are chosen on the other half of the same rows")
    return reasons


def official_rows(done: Done) -> dict[str, int]:
    """Rows of the official part by language tag, as far as they are known."""
    from interlingua.languages import tag_of

    rows = done.plan.part.rows
    every = {lang: rows["*"] for lang in done.plan.languages if "*" in rows}
    return every | {tag_of(code): n for code, n in rows.items() if code != "*"}


def _taught(done: Done) -> list[str]:
    part = done.plan.part
    if part.train_rows is None:
        return []
    if done.train_rows is None:
        return ["nobody knows with how many rows the model was taught"]
    if done.train_rows == part.train_rows:
        return []
    official = f"{part.trained_on}, {part.train_rows:,} rows"
    return [f"taught with {done.train_rows:,} rows, published models with {official}"]
