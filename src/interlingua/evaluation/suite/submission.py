"""Predictions in a benchmark's own layout, and what its official scorers give for them.

``OUT/submission/predictions`` is what the makers of the benchmark ask for, as far as it goes;
``OUT/submission/labels`` holds what is right in the layout their scorers read. What they give
stands in ``OUT/official.json``, the same as ``interlingua score`` prints for the two folders.
"""

from __future__ import annotations

import codecs
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from interlingua.base.files import atomic_folder, write_json
from interlingua.evaluation.answered import OFFICIAL as OFFICIAL_ANSWERS
from interlingua.evaluation.score.layout import code_of
from interlingua.evaluation.score.records import ScoredTask
from interlingua.evaluation.score.run import document, score
from interlingua.evaluation.scorecard import PREDICTIONS
from interlingua.evaluation.suite.records import Benchmark
from interlingua.evaluation.suite.run import Done
from interlingua.tasks.datasets import DataFile

SUBMISSION = "submission"
OFFICIAL = "official.json"
Rows = Sequence[Mapping[str, Any]]
"""Predictions of one language, in the order of its rows."""


def submit(benchmark: Benchmark, done: Iterable[Done], out: Path) -> dict[str, Any]:
    """Write a submission and its official figures.

    Args:
        benchmark: The record.
        done: The tasks that were run.
        out: The folder of all tasks.

    Returns:
        The official document; empty where no task's predictions can be laid out.
    """
    written = 0
    with atomic_folder(out / SUBMISSION) as folder:
        for one in done:
            task = benchmark.official(one.plan.part)
            if one.plan.part.name != task.name:  # MLQA's questions in other languages
                continue
            rows = _by_language(out / task.name / PREDICTIONS)
            for file in one.plan.files:
                written += _lay_out(task, file, rows.get(file.lang, []), out / task.name, folder)
    if not written:
        shutil.rmtree(out / SUBMISSION)
        return {}
    place = out / SUBMISSION
    report = score(benchmark.scored, predictions=place / "predictions", labels=place / "labels")
    official = document(report)
    write_json(out / OFFICIAL, official)
    return official


def _by_language(path: Path) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            row = json.loads(line)
            rows.setdefault(row["lang"], []).append(row)
    return rows


def _lay_out(task: ScoredTask, file: DataFile, rows: Rows, scored: Path, folder: Path) -> int:
    """Write one language's two files; how many languages that is."""
    code = code_of(task, file.lang)
    if code not in task.languages or not rows:
        return 0
    found: str | Path
    right: str | Path
    if task.measure in _LAYOUTS:
        found, right = _LAYOUTS[task.measure](rows)
    else:
        names = (file.path.name, f"test-{code}.json")
        answers = [scored / OFFICIAL_ANSWERS / name for name in names]
        found, right = next(path for path in answers if path.is_file()), file.path
    if task.measure == "pair_f1":
        right = file.path.with_suffix(".gold")
    words = {"lang": code, "question": code, "split": "test"}
    for role, template, given in (
        ("predictions", task.predictions[0], found),
        ("labels", task.labels[0], right),
    ):
        path = folder / role / template.removeprefix("**/").format(**words)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(given, Path):
            path.write_bytes(given.read_bytes().removeprefix(codecs.BOM_UTF8))
        else:
            header = "label\n" if path.name.endswith("_2k.tsv") else ""
            path.write_text(header + given, encoding="utf-8", newline="\n")
    return 1


Text = tuple[str, str]
"""The text of the predictions, and of the labels."""


def _lines(values: Iterable[object]) -> str:
    return "".join(f"{value}\n" for value in values)


def _labels(rows: Rows) -> Text:
    """One label a line; of retrieval the number of the line that was found."""
    if "found_id" in rows[0]:
        return _lines(row["found_id"] for row in rows), _lines(row["id"] for row in rows)
    return _lines(row["label"] for row in rows), _lines(row["gold"] for row in rows)


def _graded(rows: Rows) -> Text:
    """A grade a line, and beside the right one the query."""
    queries = (str(row["text"]).replace("\t", " ") for row in rows)
    labels = (f"{query}\t{row['gold']}" for query, row in zip(queries, rows, strict=True))
    return _lines(row["label"] for row in rows), _lines(labels)


def _tags(rows: Rows) -> Text:
    """A tag a line, a blank line after each sentence."""
    found = ("".join(f"{tag}\n" for tag in row["tags"]) for row in rows)
    gold = ("".join(f"{tag}\n" for tag in row["gold"]) for row in rows)
    return "\n".join(found), "\n".join(gold)


def _words_and_tags(rows: Rows) -> Text:
    """A tag a line, and beside the right one the word."""
    gold = (
        "".join(f"{word} {tag}\n" for word, tag in zip(row["tokens"], row["gold"], strict=True))
        for row in rows
    )
    return _tags(rows)[0], "\n".join(gold)


def _pairs(rows: Rows) -> Text:
    """A pair of ids a line; the gold pairs are a file of the data set's."""
    return _lines(f"{row['id']}\t{row['target']}" for row in rows), ""


_LAYOUTS: dict[str, Callable[[Rows], Text]] = {
    "line_accuracy": _labels,
    "last_column_accuracy": _labels,
    "grouped_ndcg": _graded,
    "tag_lines": _tags,
    "padded_f1": _words_and_tags,
    "padded_precision": _words_and_tags,
    "pair_f1": _pairs,
}
"""By the official scorer's measure; answers to questions are laid out when they are scored."""
