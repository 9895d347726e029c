"""Question answering: SQuAD's JSON for labels, a JSON object of answers by id for predictions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from interlingua.base.errors import DataError, quoted
from interlingua.corpus.readers.squad import TYDIQA_PREFIXES
from interlingua.evaluation.score.lines import listed, read_text
from interlingua.evaluation.score.records import Job, Measured
from interlingua.tasks.metrics.answers import (
    answer_scores,
    mlqa_tokens,
    percentage,
    script_tokens,
    squad_tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Question:
    """Its id and the texts of its right answers."""

    id: str
    answers: tuple[str, ...]


def squad(job: Job) -> Measured:
    """SQuAD 1.1's exact match and F1, by the English normalisation whatever the language."""
    return _score(job, read_questions(job.labels), squad_tokens)


def mlqa(job: Job) -> Measured:
    """MLQA's exact match and F1, by the normalisation of the context's language."""
    return _score(job, read_questions(job.labels), partial(mlqa_tokens, language=job.lang))


def mlqa_f1(job: Job) -> Measured:
    """XGLUE's MLQA: the F1 alone, divided by 100."""
    measured = mlqa(job)
    others = {"exact_match": measured.figures["exact_match"], **measured.others}
    measured.others = {name: value / 100 for name, value in others.items()}
    measured.figures = {"score": measured.figures["f1"] / 100}
    return measured


def tydiqa(job: Job) -> Measured:
    """SQuAD 1.1's figures of one language of a TyDiQA-GoldP file, by the beginning of the ids."""
    questions = [q for q in read_questions(job.labels) if _language(q.id) in {job.key, None}]
    return _score(job, questions, squad_tokens)


def tydiqa_languages(path: Path) -> list[str]:
    """Codes of the languages that the ids of a TyDiQA-GoldP file begin with.

    Raises:
        DataError: The file is not SQuAD's JSON.
    """
    found = {_language(question.id) for question in read_questions(path)}
    return [code for code in TYDIQA_PREFIXES.values() if code in found]


def _language(name: str) -> str | None:
    return TYDIQA_PREFIXES.get(name.partition("-")[0])


def _score(job: Job, questions: list[Question], tokens: Callable[[str], list[str]]) -> Measured:
    answers, repeated = read_answers(job.predictions)
    if not questions:
        raise DataError(f"holds no question in {job.key}", path=job.labels)
    given = [answers.get(question.id) for question in questions]
    if answers and all(answer is None for answer in given):
        raise DataError(
            f"none of its {len(answers)} ids is among the {len(questions)} of {job.labels}",
            path=job.predictions,
            remedy="Give predictions for these labels",
        )
    references = [question.answers for question in questions]
    scores = answer_scores(given, references, tokens=tokens)
    ours = answer_scores(given, references, tokens=partial(script_tokens, language=job.lang))
    measured = Measured(
        {"exact_match": percentage(scores.exact), "f1": percentage(scores.f1)},
        {"exact_match_corrected": percentage(ours.exact), "f1_corrected": percentage(ours.f1)},
        len(questions),
    )
    lacking = [q.id for q, answer in zip(questions, given, strict=True) if answer is None]
    if lacking:
        measured.missing.append(f"{len(lacking)} answers, scored 0: {listed(lacking)}")
    surplus = len(answers.keys() - {question.id for question in questions})
    if surplus:
        measured.remarks.append(f"{surplus} answers to other questions are ignored")
    if repeated:
        measured.remarks.append(f"ids answered twice, the last counts: {listed(repeated)}")
    unanswerable = sum(not right for right in references)
    if unanswerable:
        measured.remarks.append(
            f"{unanswerable} questions have no answer, on which the official script fails;"
            " the empty answer counts as right, as in SQuAD 2.0"
        )
    return measured


def read_questions(path: Path) -> list[Question]:
    """The questions of a file in SQuAD's format, in its order.

    Raises:
        DataError: The file is not JSON, or not SQuAD's.
    """
    document, _ = _read_json(path)
    articles = document.get("data") if isinstance(document, dict) else document
    questions = []
    for n, article in enumerate(_items(articles, path, "data")):
        for p, paragraph in enumerate(_of(article, "paragraphs", path, f"data[{n}]")):
            place = f"data[{n}].paragraphs[{p}]"
            for q, question in enumerate(_of(paragraph, "qas", path, place)):
                spot = f"{place}.qas[{q}]"
                answers = _of(question, "answers", path, spot)
                name = question.get("id")
                name = str(name) if isinstance(name, int) else name
                texts = [a["text"] for a in answers if isinstance(a, dict) and "text" in a]
                strings = all(isinstance(text, str) for text in (name, *texts))
                if not strings or len(texts) < len(answers):
                    raise DataError(f"{spot} has no id, or an answer no text", path=path)
                questions.append(Question(str(name), tuple(texts)))
    return questions


def read_answers(path: Path) -> tuple[dict[str, str], list[str]]:
    """Answers by id, and the ids that were given more than once: the last answer counts.

    Raises:
        DataError: The file is not JSON, or not an object of strings.
    """
    document, repeated = _read_json(path)
    if isinstance(document, dict) and isinstance(document.get("data"), dict):
        document = document["data"]
    if not isinstance(document, dict) or isinstance(document.get("data"), list):
        kind = "SQuAD's JSON" if isinstance(document, dict) else type(document).__name__
        raise DataError(f"{kind}, expected an object: id to answer", path=path, line=1)
    for name, answer in document.items():
        if not isinstance(answer, str):
            raise DataError(
                f"the answer to {quoted(name)} is {quoted(answer)}, expected a string",
                path=path,
                remedy='Write "" for no answer',
            )
    return document, repeated


def _read_json(path: Path) -> tuple[Any, list[str]]:
    repeated: list[str] = []

    def keep_last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            times = Counter(name for name, _ in pairs)
            repeated.extend(name for name, count in times.items() if count > 1)
        return values

    try:
        return json.loads(read_text(path), object_pairs_hook=keep_last), repeated
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", path=path, line=error.lineno) from None
    except RecursionError:
        raise DataError("not JSON: nested too deeply", path=path, line=1) from None


def _of(value: Any, key: str, path: Path, place: str) -> list[Any]:  # noqa: ANN401 - JSON
    return _items(value.get(key) if isinstance(value, dict) else None, path, f"{place}.{key}")


def _items(value: Any, path: Path, place: str) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(value, list):
        raise DataError(f"{place} is no list, as SQuAD's format wants", path=path)
    return value
