"""Predictions files, read back: what each model answered in each language, and how that scores.

A row is read by the kind of its scorecard's task: a class, the tags of a sentence, or the answer to
a question. What a kind needs to be scored row by row stands in one record, `_Kind`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.base.errors import DataError, UserError, quoted
from interlingua.evaluation.answered import official_tokens
from interlingua.evaluation.bootstrap import Labelled, Sums
from interlingua.evaluation.measured import Measured, f1_of, mean_of
from interlingua.tasks.metrics.answers import answer_scores
from interlingua.tasks.metrics.spans import span_counts
from interlingua.tasks.record import TASKS

if TYPE_CHECKING:
    from interlingua.evaluation.bootstrap import Sample
    from interlingua.evaluation.records import Scorecard


@dataclass(slots=True)
class Rows:
    """The rows of one language in a predictions file.

    Attributes:
        index: The place of each id.
        gold: What is right in each row.
        found: What was answered.
        texts: What was asked, hashed; None: the file does not tell.
    """

    index: dict[str, int] = field(default_factory=dict)
    gold: list[Any] = field(default_factory=list)
    found: list[Any] = field(default_factory=list)
    texts: list[int | None] = field(default_factory=list)


def read_predictions(path: Path, card: Scorecard) -> dict[str, Rows]:
    """Rows by language, checked against the scorecard they lie beside.

    Raises:
        UserError: The task is not one whose rows are scored one by one.
        DataError: The file is missing or cannot be read, or disagrees with the scorecard.
    """
    kind = _kind(card)
    labels = set(card.labels)
    languages: dict[str, Rows] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                _read_row(line, kind, labels, languages, path=path, number=number)
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            remedy="Keep predictions.jsonl beside its scorecard.json",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8", path=path) from error
    for lang in sorted(card.per_language.keys() | languages.keys()):
        if not _agrees(card, lang, languages.get(lang)):
            raise DataError(
                f"does not give the scorecard's figures for {lang}",
                path=path,
                remedy="Run interlingua evaluate again: the two files are of different runs",
            )
    return languages


def sample_of(
    card: Scorecard, lang: str, ids: Sequence[str], *, gold: Sequence[Any], found: Sequence[Any]
) -> Sample:
    """The rows of a language as they are resampled.

    Args:
        card: A scorecard of the task.
        lang: The language.
        ids: Names of N rows.
        gold: What is right in each.
        found: What each of S models answered in each row, ``[S][N]``.
    """
    measure = _kind(card).measure
    if measure is None:
        index = {label: i for i, label in enumerate(card.labels)}
        classes = np.array([[index[label] for label in row] for row in (gold, *found)])
        return Labelled(ids, classes[0], classes[1:], metric=card.metric, classes=len(card.labels))
    parts = [measure(lang, gold, one) for one in found]
    return Sums(ids, np.stack([p.right for p in parts]), np.stack([p.whole for p in parts]))


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the rows of a kind of task are read back and scored.

    Attributes:
        read: A row and the label set to what is right, what was answered, and what was asked.
        measure: A language, what is right and what was answered to what each row adds to the
            score; None: rows have classes, and the score is the scorecard's metric of them.
    """

    read: Callable[[dict[str, Any], set[str]], tuple[Any, Any, Any]]
    measure: Callable[[str, Sequence[Any], Sequence[Any]], Measured] | None = None


def _classified(row: dict[str, Any], labels: set[str]) -> tuple[str, str, Any]:
    gold, found = str(row["gold"]), str(row["label"])
    for label in (gold, found):
        if label not in labels:
            raise KeyError(label)
    text = row.get("text")
    return gold, found, None if text is None else (str(text), str(row.get("text_pair")))


def _tagged(row: dict[str, Any], labels: set[str]) -> tuple[tuple[str, ...], tuple[str, ...], Any]:
    del labels  # those of a scorecard are types of entities; spans need no list of them
    gold, found, tokens = (tuple(map(str, row[name])) for name in ("gold", "tags", "tokens"))
    if not len(gold) == len(found) == len(tokens):
        raise ValueError
    return gold, found, tokens


def _answered(row: dict[str, Any], labels: set[str]) -> tuple[tuple[Any, str], str, Any]:
    del labels
    gold = tuple(map(str, row["answers"])), str(row.get("question_lang") or "")
    return gold, str(row["answer"]), str(row["question"])


def _spans(lang: str, gold: Sequence[Any], found: Sequence[Any]) -> Measured:
    del lang
    return f1_of(span_counts(gold, found), {}, "")


def _answers(lang: str, gold: Sequence[Any], found: Sequence[Any]) -> Measured:
    tokens = official_tokens(lang, told_apart=any(asked for _, asked in gold))
    return mean_of(answer_scores(found, [right for right, _ in gold], tokens=tokens).f1, {}, "")


_KINDS: Mapping[str, _Kind] = {
    "classification": _Kind(_classified),
    "tagging": _Kind(_tagged, _spans),
    "qa": _Kind(_answered, _answers),
}


def _kind(card: Scorecard) -> _Kind:
    if card.task not in TASKS:
        raise UserError(
            f"the rows of task {card.task} are not scored one by one",
            remedy="Compare scorecards of classification, tagging or question answering",
        )
    return _KINDS[TASKS.get(card.task).kind]


def _read_row(
    line: str,
    kind: _Kind,
    labels: set[str],
    languages: dict[str, Rows],
    *,
    path: Path,
    number: int,
) -> None:
    try:
        row = json.loads(line)
        name, lang = str(row["id"]), str(row["lang"])
        gold, found, asked = kind.read(row, labels)
    except KeyError as error:
        raise DataError(
            f"{quoted(error.args[0])} is missing, or a label outside the label set",
            path=path,
            line=number,
        ) from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DataError("is not a prediction as JSON", path=path, line=number) from None
    rows = languages.setdefault(lang, Rows())
    if name in rows.index:
        raise DataError(f"id {quoted(name)} stands twice in {lang}", path=path, line=number)
    rows.index[name] = len(rows.index)
    rows.gold.append(gold)
    rows.found.append(found)
    rows.texts.append(None if asked is None else hash(asked))


def _agrees(card: Scorecard, lang: str, rows: Rows | None) -> bool:
    told = card.per_language.get(lang)
    if told is None or rows is None or told.n != len(rows.gold):
        return False
    (score,) = sample_of(card, lang, list(rows.index), gold=rows.gold, found=[rows.found]).scores
    return abs(score - told.score) < 1e-6


__all__ = ["Rows", "read_predictions", "sample_of"]
