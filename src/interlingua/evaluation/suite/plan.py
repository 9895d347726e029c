"""What of a benchmark can be run here: files, languages, rows, and what is missing, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import regex

from interlingua.base.errors import UsageError
from interlingua.corpus.rows import Faults, Row, read_lines
from interlingua.evaluation.suite.records import Benchmark, Part
from interlingua.languages import tag_of
from interlingua.tasks.datasets import (
    DATASETS,
    DataFile,
    Dataset,
    choose_files,
    list_files,
    matching,
    readable,
)
from interlingua.tasks.examples import EXAMPLES
from interlingua.tasks.record import TASKS


@dataclass(frozen=True, slots=True)
class PartPlan:
    """One task of a benchmark, as far as the files here allow.

    Attributes:
        part: Its record.
        dataset: The record of its data.
        languages: The official languages, as tags.
        files: What it will be tested on.
        rows: How many rows that is, by language.
        train: What it will be taught with; empty: nothing is there, or nothing is needed.
        recipe: The settings of its fine-tuning; None: the defaults.
        problem: Why it cannot be run; empty: it can.
    """

    part: Part
    dataset: Dataset
    languages: tuple[str, ...]
    files: tuple[DataFile, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    train: tuple[Path, ...] = ()
    recipe: Path | None = None
    problem: str = ""

    @property
    def missing(self) -> list[str]:
        """Official languages of which there is no file, as tags."""
        return [lang for lang in self.languages if lang not in self.rows]

    @property
    def taught(self) -> bool:
        """Whether a model has to be taught the task."""
        return bool(self.part.task)

    def facts(self) -> dict[str, object]:
        """All of it, as JSON values."""
        return {
            "task": self.part.name,
            "problem": self.problem,
            "train": [str(path) for path in self.train],
            "recipe": None if self.recipe is None else str(self.recipe),
            "files": [
                {
                    "lang": file.lang,
                    "split": file.split,
                    "rows": self.rows[file.lang],
                    "path": str(file.path),
                }
                for file in self.files
            ],
            "official_languages": list(self.languages),
            "missing": self.missing,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants of a benchmark.

    Attributes:
        tasks: Names of its tasks; empty: all.
        languages: Tags to test; empty: all that are there.
        split: ``auto`` (test, else dev), ``dev`` or ``test``.
        train: Whether models are taught first.
        recipes: A folder with settings of fine-tuning, ``TASK.yaml`` each.
    """

    tasks: Sequence[str] = ()
    languages: Sequence[str] = ()
    split: str = "auto"
    train: bool = False
    recipes: Path | None = None


def plan(benchmark: Benchmark, data_dirs: Sequence[str | Path], wanted: Wanted) -> list[PartPlan]:
    """Look what is there, and count it; nothing is run.

    Args:
        benchmark: The record.
        data_dirs: Folders searched for files; of one file in several the last counts.
        wanted: What is asked for.

    Raises:
        UnknownNameError: The benchmark has no such task.
        DataError: A folder is missing, or a file cannot be read.
        UsageError: Nothing of it can be run.
    """
    parts = [benchmark.part(name) for name in wanted.tasks] or benchmark.parts
    paths = list_files(data_dirs)
    plans = [_plan_part(benchmark, part, paths, wanted) for part in parts]
    if all(one.problem for one in plans):
        reasons = "; ".join(f"{one.part.name}: {one.problem}" for one in plans)
        raise UsageError(
            f"nothing of {benchmark.name} can be run: {reasons}",
            remedy="Name the folder of the data with --data-dir",
        )
    return plans


def _plan_part(benchmark: Benchmark, part: Part, paths: Sequence[Path], wanted: Wanted) -> PartPlan:
    languages = tuple(tag_of(code) for code in benchmark.official(part).languages)
    dataset = DATASETS.get(part.dataset)
    found = matching(dataset, paths)
    recipe = _recipe(part, wanted.recipes)
    train = _training_files(part, dataset, found, paths) if wanted.train else ()
    files = _test_files(part, found, wanted)
    problem = part.unready or (
        "" if files else f"no file to test on ({readable(dataset.patterns[0])})"
    )
    if not problem and wanted.train and part.task and not train:
        patterns = part.train or dataset.patterns
        problem = f"no file to be taught with ({readable(patterns[0])})"
    if problem:
        return PartPlan(part, dataset, languages, recipe=recipe, problem=problem)
    rows = _rows(part, dataset, files)
    return PartPlan(part, dataset, languages, tuple(files), rows, tuple(train), recipe)


def _recipe(part: Part, folder: Path | None) -> Path | None:
    """The settings of a part, else those of its task."""
    if folder is None or not part.task:
        return None
    files = (folder / f"{name}.yaml" for name in (part.name, part.task))
    return next((file for file in files if file.is_file()), None)


def _test_files(part: Part, found: Sequence[DataFile], wanted: Wanted) -> list[DataFile]:
    tags = {tag_of(language) for language in wanted.languages}
    some = [file for file in found if not tags or file.lang in tags]
    try:
        return choose_files(some, split=wanted.split, question=part.question)
    except UsageError:  # of this task nothing is there, which the plan says
        return []


def _training_files(
    part: Part, dataset: Dataset, found: Sequence[DataFile], paths: Sequence[Path]
) -> tuple[Path, ...]:
    """The first that is there of the files a part may be taught with."""
    for pattern in part.train:
        compiled = regex.compile(rf"(?:^|/){pattern}$")
        matches = [path for path in paths if compiled.search(path.as_posix())]
        if matches:
            return (matches[-1],)
    if part.train:
        return ()
    return tuple(f.path for f in found if (f.lang, f.split) == (dataset.source, "train"))


def rows_in(part: Part, dataset: Dataset, path: Path) -> Iterator[Row]:
    """The rows of a file, as the part's task reads it; where none is taught, its lines."""
    if dataset.protocol != "labels":
        lines = read_lines(path, Faults())
        return (Row({"text": line}, path, number) for number, line in lines)
    return EXAMPLES.get(TASKS.get(part.task).kind).rows_of(path, Faults())


def _rows(part: Part, dataset: Dataset, files: Sequence[DataFile]) -> dict[str, int]:
    """Rows by language, as the readers see them."""
    counts: Counter[str] = Counter()
    shared = {file.path for file in files if file.shared}
    for file in files:
        if file.path not in shared:
            counts[file.lang] += sum(1 for _ in rows_in(part, dataset, file.path))
    for path in shared:
        told = Counter(str(row.values.get("lang", "")) for row in rows_in(part, dataset, path))
        here = {file.lang for file in files if file.path == path}
        tags = {tag_of(name): number for name, number in told.items() if name}
        counts.update({tag: number for tag, number in tags.items() if tag in here})
    return dict(counts)
