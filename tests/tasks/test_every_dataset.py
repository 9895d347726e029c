"""One test for every registered data set: read, broken, perfect answers and none.

The miniature files are in `miniatures`; what a perfect and an empty prediction are, and what scores
they get, depends on the kind of the task and stands here once a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from miniatures import MINIATURES

from interlingua.base.errors import DataError
from interlingua.corpus.formats import read_rows
from interlingua.evaluation import untaught
from interlingua.evaluation.evaluate import read_files
from interlingua.evaluation.untaught import PROTOCOLS
from interlingua.tasks.datasets import DATASETS, DataFile, Dataset, choose_files, find_files
from interlingua.tasks.metrics.answers import answer_scores, squad_tokens
from interlingua.tasks.metrics.resampled import of_rows
from interlingua.tasks.metrics.spans import span_counts, span_scores
from interlingua.tasks.metrics.translation import bleu
from interlingua.tasks.record import TASKS

Extremes = tuple[float, float]
"""Scores of a perfect and of an empty prediction."""
WIDTH = 32


class Encoder:
    """Puts a text at the place its last word says; queries opposite to it, to be wrong."""

    def __init__(self, *, wrong: bool) -> None:
        self.exact = False
        self.folder = SimpleNamespace(info=SimpleNamespace(prefixes={}), wrong=wrong)
        self.places = np.eye(WIDTH, dtype=np.float32)

    def encode(self, texts: Sequence[str], prefix: str | None = None) -> Any:
        del prefix
        signs = [-1 if self.folder.wrong and t.startswith(("line", "ask")) else 1 for t in texts]
        rows = self.places[[int(text.split()[-1]) for text in texts]]
        return SimpleNamespace(vectors=rows * np.array(signs, dtype=np.float32)[:, None])


class Aligner:
    """Links every word with the one at its place, or no word with any."""

    layer, method = 0, "by place"

    def __init__(self, folder: Any) -> None:
        self.wrong = folder.wrong

    def align(
        self, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
    ) -> list[set[tuple[int, int]]]:
        del targets
        return [set() if self.wrong else {(i, i) for i in range(len(s))} for s in sources]


class Unmatched:
    """Knows of no words that match, so that vectors alone tell."""

    def __init__(self, folder: Any, *sides: Sequence[str], exact: bool) -> None:
        del folder, sides, exact

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        del columns
        return np.zeros(len(rows), np.float32)


def of_labels(files: Sequence[DataFile], dataset: Dataset) -> Extremes:
    task = TASKS.get(dataset.tasks[0])
    rows = read_files(files, task.name).rows
    labels = task.labels or tuple(sorted({str(row.label) for row in rows}))
    gold = np.array([labels.index(str(row.label)) for row in rows])
    scores = [
        of_rows(task.metric, gold, answers % len(labels), classes=len(labels))
        for answers in (gold, gold + 1)
    ]
    return scores[0], scores[1]


def of_tags(files: Sequence[DataFile], dataset: Dataset) -> Extremes:
    rows = read_files(files, dataset.tasks[0]).rows
    gold = [list(row.tags) for row in rows]
    empty = [["O"] * len(tags) for tags in gold]
    return span_scores(span_counts(gold, gold)).f1, span_scores(span_counts(gold, empty)).f1


def of_questions(files: Sequence[DataFile], dataset: Dataset) -> Extremes:
    rows = [row for file in files for row in read_rows(file.path)]
    gold = [_answers(row.values["answers"]) for row in rows]
    perfect = answer_scores([some[0] for some in gold], gold, tokens=squad_tokens)
    empty = answer_scores([""] * len(gold), gold, tokens=squad_tokens)
    assert read_files(files, dataset.tasks[0]).rows
    return float(perfect.f1.mean()), float(empty.f1.mean())


def _answers(given: Any) -> list[str]:
    return list(given["text"]) if isinstance(given, dict) else [one["text"] for one in given]


def of_writing(files: Sequence[DataFile], dataset: Dataset) -> Extremes:
    pytest.importorskip("sacrebleu")
    gold = [str(row.values["label"]) for file in files for row in read_rows(file.path)]
    perfect, empty = (bleu(found, [gold], tokenizer="13a") for found in (gold, [""] * len(gold)))
    return perfect.score / 100, empty.score / 100


def of_vectors(files: Sequence[DataFile], dataset: Dataset) -> Extremes:
    protocol, _ = PROTOCOLS[dataset.protocol]
    scores = []
    for wrong in (False, True):
        found = list(protocol(Encoder(wrong=wrong), files))  # type: ignore[arg-type]
        right = sum(measured.right.sum() for _, (measured, _, _) in found)
        scores.append(float(right / sum(measured.whole.sum() for _, (measured, _, _) in found)))
    return scores[0], scores[1]


KINDS: dict[str, Callable[[Sequence[DataFile], Dataset], Extremes]] = {
    "classification": of_labels,
    "tagging": of_tags,
    "qa": of_questions,
}


def extremes(files: Sequence[DataFile], dataset: Dataset) -> Extremes:
    if dataset.protocol != "labels":
        return of_vectors(files, dataset)
    name = dataset.tasks[0]
    if name.endswith("-generation"):
        return of_writing(files, dataset)
    return KINDS[TASKS.get(name).kind](files, dataset)


def test_every_dataset_has_a_miniature() -> None:
    assert set(MINIATURES) == set(DATASETS.names())


@pytest.mark.parametrize("name", DATASETS.names())
def test_a_dataset(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untaught, "WordAligner", Aligner)
    monkeypatch.setattr(untaught, "WordMatch", Unmatched)
    dataset, miniature = DATASETS.get(name), MINIATURES[name]
    assert dataset.summary and dataset.licence and dataset.citation
    assert dataset.url.startswith("https://")
    task = dataset.tasks[0]
    miniature.write(tmp_path)
    files = choose_files(find_files(dataset, tmp_path), split="auto")
    assert sorted(file.lang for file in files) == sorted(miniature.languages)
    if dataset.protocol == "labels" and task in TASKS:
        assert len(read_files(files, task).rows) == miniature.rows

    perfect, empty = extremes(files, dataset)
    assert perfect == pytest.approx(1)
    assert empty == 0

    path, line = miniature.spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        extremes(files, dataset)
    assert (caught.value.path, caught.value.line) == (path, line)
