"""How a reader is scored: F1 and exact match of its answers, by each benchmark's own rule.

The score is the mean F1 over questions, of the right answer that is most like, with SQuAD 1.1's
normalisation, which XQuAD and TyDiQA-GoldP use for every language; files that are named as MLQA
names its own are scored by MLQA's, keyed on the language of the context. ``f1_corrected`` and
``exact_match_corrected`` beside them follow the script of the language; see
`tasks.metrics.answers`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from interlingua.base.progress import say
from interlingua.evaluation.evaluate import Asked, Scored
from interlingua.evaluation.measured import Measured, build_measured, mean_of
from interlingua.inference.read import ContextReader
from interlingua.languages import UND, parse
from interlingua.tasks.metrics.answers import (
    MLQA_LANGUAGES,
    AnswerScores,
    answer_scores,
    mlqa_tokens,
    script_tokens,
    squad_tokens,
)
from interlingua.tasks.questions import Question, Questions
from interlingua.tasks.spans import Answer

OFFICIAL = "answers"
"""The folder of answers in the form that official scorers read: id to text, a file a language."""


def score(asked: Asked) -> Scored:
    """The scorecard and the answers of a model that was taught to read.

    The empty answer is given only where some question has no right one.

    Raises:
        ModelError: The model was not taught to read.
    """
    examples, run = asked.examples, asked.run
    assert isinstance(examples, Questions)
    _warn(examples)
    reader = ContextReader(asked.folder, engine=run.engine, exact=run.exact)
    unanswerable = any(not row.answers for row in examples.rows)
    found = reader.read(
        examples.questions, examples.texts, no_answer=0.0 if unanswerable else None
    ).best
    results = {
        lang: _measured(lang, [examples.rows[i] for i in rows], [found[i] for i in rows])
        for lang, rows in examples.by_language.items()
    }
    card = build_measured(results, **asked.facts)
    return Scored(card, _predictions(examples, found), _official(examples, found))


def _measured(lang: str, rows: Sequence[Question], found: Sequence[Answer]) -> Measured:
    """F1 of the questions about contexts in one language, and of the questions in each language."""
    code = _code(lang)
    ours = _scores(rows, found, partial(script_tokens, language=code))
    tokens = official_tokens(lang, told_apart=any(row.question_lang for row in rows))
    official = _scores(rows, found, tokens)
    metrics = {
        "exact_match": float(official.exact.mean()),
        "f1_corrected": float(ours.f1.mean()),
        "exact_match_corrected": float(ours.exact.mean()),
    }
    asked = np.array([row.question_lang for row in rows])
    for tag in sorted(set(asked.tolist())) if len(set(asked.tolist())) > 1 else []:
        metrics[f"f1_question_{tag}"] = float(official.f1[asked == tag].mean())
    by = "SQuAD 1.1" if tokens is squad_tokens else f"MLQA, {code}"
    note = f"answers normalised as {by}; corrected: by the script of {lang}"
    return mean_of(official.f1, metrics, note, ids=[row.id for row in rows])


def official_tokens(lang: str, *, told_apart: bool) -> Callable[[str], list[str]]:
    """How answers in a language are normalised: as SQuAD 1.1, or as MLQA.

    Args:
        lang: The language of the contexts.
        told_apart: Whether the files tell the language of the questions apart, as MLQA's do.
    """
    code = _code(lang)
    if told_apart and code in MLQA_LANGUAGES:
        return partial(mlqa_tokens, language=code)
    return squad_tokens


def _scores(
    rows: Sequence[Question], found: Sequence[Answer], tokens: Callable[[str], list[str]]
) -> AnswerScores:
    right = [[gold.text for gold in row.answers] for row in rows]
    return answer_scores([answer.text for answer in found], right, tokens=tokens)


def _predictions(examples: Questions, found: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    for row, answer in zip(examples.rows, found, strict=True):
        yield {
            "id": row.id,
            "lang": row.lang,
            **({"question_lang": row.question_lang} if row.question_lang else {}),
            "question": row.question,
            **answer.record(),
            "passage_id": row.passage,
            "answers": [gold.text for gold in row.answers],
        }


def _official(examples: Questions, found: Sequence[Answer]) -> dict[str, str]:
    """Files of answers by id, as `interlingua score` and the official scorers read them.

    An id that the file has already, which scorers could not tell apart, becomes the row's own.
    """
    codes = Counter(map(_code, examples.by_language))
    files: dict[str, dict[str, str]] = {}
    for row, answer in zip(examples.rows, found, strict=True):
        code = _code(row.lang)
        called = f"test-{code if codes[code] == 1 else row.lang}.json"
        name = row.path.name if row.question_lang else called
        file = files.setdefault(f"{OFFICIAL}/{name}", {})
        file[row.id if row.name in file else row.name] = answer.text
    return {
        name: json.dumps(answers, ensure_ascii=False, indent=1) + "\n"
        for name, answers in files.items()
    }


def _code(lang: str) -> str:
    """The language's code as the makers of benchmarks write it."""
    return lang if lang == UND else parse(lang).iso639_1 or lang


def _warn(examples: Questions) -> None:
    """Say where the file is wrong about the places of its answers, which no score depends on."""
    wrong = [
        row
        for row in examples.rows
        if any(gold.moved or gold.start is None for gold in row.answers)
    ]
    if wrong:
        say(
            f"{len(wrong):,} questions have an answer that does not stand where answer_start says,"
            f" first {wrong[0].name} in {wrong[0].path}, line {wrong[0].line}; texts are compared,"
            " not places"
        )
