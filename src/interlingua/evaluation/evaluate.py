"""Run a taught model on labelled rows, or on a benchmark, and write the scorecard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from interlingua.base.errors import ModelError
from interlingua.base.files import refuse_file, write_text
from interlingua.base.registry import Registry
from interlingua.corpus.rows import OnError
from interlingua.evaluation.gates import Gate, hold
from interlingua.evaluation.records import Scorecard, Summary
from interlingua.evaluation.scorecard import write
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import task_of
from interlingua.languages import UND
from interlingua.models.folder import ModelFolder, open_model
from interlingua.tasks.datasets import DATASETS, DataFile, Dataset, choose_files, find_files
from interlingua.tasks.examples import EXAMPLES, Examples, read_examples
from interlingua.tasks.record import TASKS, Task


@dataclass(frozen=True, slots=True)
class Run:
    """How to run a model: the engine, its precision, and the seed of the intervals."""

    engine: str = "auto"
    exact: bool = False
    seed: int = 0
    on_error: OnError = "stop"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be scored.

    Attributes:
        folder: A model that was taught the task.
        task: The task record.
        examples: Labelled rows, of one language or many.
        run: Engine and seed.
        split: Which part of a benchmark the rows are.
    """

    folder: ModelFolder
    task: Task
    examples: Examples[Any]
    run: Run
    split: str | None

    @property
    def facts(self) -> dict[str, Any]:
        """What a scorecard tells of task, model, data and seeds, by the names of its fields."""
        info = self.folder.info
        return {
            "task": self.task.name,
            "metric": self.task.metric,
            "model": self.folder.path.name,
            "source_languages": [tag for tag in info.source_languages if tag != UND],
            "data": self.examples.files,
            "split": self.split,
            "seed": self.run.seed,
            "seeds": {} if info.seed is None else {"training": info.seed},
            "checkpoint": str(info.scores.get("checkpoint", "")),
        }


@dataclass(frozen=True, slots=True)
class Scored:
    """The scorecard, and the predictions in the order of the rows, one JSON object each.

    Attributes:
        card: The scorecard.
        predictions: The predictions.
        official: Texts of files that official scorers read, by their place in the output folder.
    """

    card: Scorecard
    predictions: Iterable[Mapping[str, Any]]
    official: Mapping[str, str] = field(default_factory=dict)


Scorer = Callable[[Asked], Scored]
SCORERS: Registry[Scorer] = Registry("kind of task")
SCORERS.add("classification", "interlingua.evaluation.classified:score")
SCORERS.add("qa", "interlingua.evaluation.answered:score")
SCORERS.add("tagging", "interlingua.evaluation.tagged:score")


def evaluate(
    model: str | Path,
    *,
    test: Sequence[str | Path],
    out: str | Path,
    task: str | None = None,
    lang: str | None = None,
    run: Run | None = None,
) -> Scorecard:
    """Score a taught model on labelled files.

    Args:
        model: A model folder with a head.
        test: Files with labelled rows, of one language or many.
        out: Folder for scorecard, predictions and page.
        task: The task; it must be the one the model was taught. None: that one.
        lang: The language of every row, if known.
        run: Engine, seed, and what to do with rows that cannot be read.

    Raises:
        UserError: The model, a file or a label cannot be used; nothing was written.
    """
    refuse_file(Path(out))
    settings = run or Run()
    folder = open_model(model)
    name = task_of(folder, task)
    examples = read_examples(test, TASKS.get(name), lang=lang, on_error=settings.on_error)
    return _score(folder, name, examples, Path(out), settings, split=None)


def benchmark(
    suite: str,
    *,
    model: str | Path,
    data_dir: str | Path | Sequence[str | Path],
    out: str | Path,
    languages: Sequence[str] = (),
    split: str = "auto",
    run: Run | None = None,
) -> Scorecard:
    """Score a taught model on a benchmark the reader has on disk.

    Args:
        suite: The suite's name, such as ``sib200``.
        model: A model folder taught the suite's task; any encoder where a suite needs no head.
        data_dir: Folder searched for the suite's files, or several; the last counts first.
        out: Folder for scorecard, predictions and page.
        languages: Tags to test; empty: all that are there.
        split: ``auto`` (test, else dev), ``dev`` or ``test``.
        run: Engine and seed.

    Raises:
        UserError: The suite, model or files cannot be used; nothing was written.
    """
    chosen = plan_benchmark(suite, data_dir=data_dir, languages=languages, split=split)
    return score_files(DATASETS.get(suite), chosen, open_model(model), out=out, run=run)


def score_files(
    dataset: Dataset,
    chosen: Sequence[DataFile],
    folder: ModelFolder,
    *,
    out: str | Path,
    run: Run | None = None,
) -> Scorecard:
    """Score a model on some files of a data set.

    Args:
        dataset: Its record.
        chosen: The files.
        folder: A model taught the task, or any encoder where none is needed.
        out: Folder for scorecard, predictions and page.
        run: Engine and seed.

    Raises:
        UserError: The model or a file cannot be used; nothing was written.
    """
    refuse_file(Path(out))
    settings = run or Run()
    if dataset.protocol != "labels":
        return _score_untaught(folder, dataset, chosen, Path(out), settings)
    name = task_of(folder, None)
    if name not in dataset.tasks:
        raise ModelError(
            f"{folder.path} was taught {name}, {dataset.name} is {' or '.join(dataset.tasks)}",
            remedy=f"Give a model taught {dataset.tasks[0]}, or add --train",
        )
    examples = read_files(chosen, name, on_error=settings.on_error)
    parts = sorted({file.split for file in chosen})
    return _score(folder, name, examples, Path(out), settings, split="+".join(parts))


def read_files(
    chosen: Sequence[DataFile], task: str, *, on_error: OnError = "stop"
) -> Examples[Any]:
    """Examples of the files of a data set; a file of many languages is read once.

    Raises:
        UserError: A file or a row cannot be read.
    """
    wanted: dict[Path, set[str]] = {}
    for file in chosen:
        wanted.setdefault(file.path, set()).add(file.lang)
    shared = {file.path for file in chosen if file.shared}
    record = TASKS.get(task)
    examples = EXAMPLES.get(record.kind)()
    for path, tags in wanted.items():
        lang = None if path in shared else next(iter(tags))
        part = read_examples([path], record, lang=lang, on_error=on_error)
        examples.add(part.select(np.array([row.lang in tags for row in part.rows], dtype=bool)))
    return examples


def _score_untaught(
    folder: ModelFolder, dataset: Dataset, chosen: Sequence[DataFile], out: Path, run: Run
) -> Scorecard:
    """Score what a model's vectors say, without any head."""
    from interlingua.evaluation.measured import Measured, build_measured
    from interlingua.evaluation.untaught import PROTOCOLS, Files, Predictions

    protocol, metric = PROTOCOLS[dataset.protocol]
    encoder = Encoder(folder, engine=run.engine, exact=run.exact)
    lines = sum(file.path.read_bytes().count(b"\n") for file in chosen)
    encoder.engine(2 * lines)  # the whole job, not its first language, decides which one
    results: dict[str, Measured] = {}
    predictions: Predictions = []
    data: Files = []
    for lang, (measured, found, files) in protocol(encoder, chosen):
        results[lang] = measured
        predictions += found
        data += files
    card = build_measured(
        results,
        task=dataset.tasks[0],
        metric=metric,
        model=folder.path.name,
        data=data,
        split="+".join(sorted({file.split for file in chosen})),
        seed=run.seed,
    )
    write(out, card, predictions)
    return card


def plan_benchmark(
    suite: str,
    *,
    data_dir: str | Path | Sequence[str | Path],
    languages: Sequence[str] = (),
    split: str = "auto",
) -> list[DataFile]:
    """The files a benchmark run would read.

    Raises:
        UserError: There is no such suite, or no file of it.
    """
    files = find_files(DATASETS.get(suite), data_dir)
    return choose_files(files, split=split, languages=languages)


def _score(
    folder: ModelFolder,
    task: str,
    examples: Examples[Any],
    out: Path,
    run: Run,
    *,
    split: str | None,
) -> Scorecard:
    record = TASKS.get(task)
    scored = SCORERS.get(record.kind)(Asked(folder, record, examples, run, split))
    for name, text in scored.official.items():
        write_text(out / name, text)
    write(out, scored.card, scored.predictions)
    if examples.rejected.faults:
        examples.rejected.write(out / "rejected.jsonl")
    return scored.card


GATED = tuple(name for name in Summary.model_fields if name != "worst_language")
"""The figures of a scorecard that can be required, languages apart."""


def check_gates(card: Scorecard, gates: Sequence[Gate]) -> None:
    """Hold a scorecard against requirements on figures of its summary or on languages.

    Raises:
        UsageError: A requirement names what the card does not have.
        GateError: One or more are missed; the message names each with its figure.
    """
    summary = card.summary.model_dump().items()
    figures = {key: float(value) for key, value in summary if isinstance(value, (int, float))}
    hold(figures | {tag: result.score for tag, result in card.per_language.items()}, gates)
