"""Examples of question answering: a question, a context, and the stretches of it that are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

import regex

from interlingua.base.errors import DataError, LanguageError, quoted
from interlingua.base.progress import say
from interlingua.corpus.rows import Faults, OnError, Row
from interlingua.languages import UND, tag_of
from interlingua.tasks.columns import column_of, text_of
from interlingua.tasks.examples import Examples
from interlingua.tasks.record import Task

_QUESTION = ("question", "query")
_CONTEXT = ("context", "passage", "text")
_ANSWERS = ("answers",)
_LAYOUT = 'An answer is {"text": …, "answer_start": …}, and answers a list of them, or lists in it'
_PAIR = regex.compile(r"-context-[a-z]{2,3}-question-([a-z]{2,3})\b")


@dataclass(frozen=True, slots=True)
class Gold:
    """A right answer.

    Attributes:
        text: What it says.
        start: Where in the context it begins; None: the file does not tell, and the context holds
            it nowhere, or more than once.
        moved: Whether the file told another place, where it does not stand.
    """

    text: str
    start: int | None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One question, checked.

    Attributes:
        id: Its name, unique within its language.
        name: Its name as the file has it.
        question: What is asked.
        context: Where the answer is sought.
        answers: The right answers; empty: the context has none.
        passage: Name of the context.
        lang: The language of the context.
        question_lang: The language of the question, where an MLQA file's name tells it.
        path: The file.
        line: The line in it.
    """

    id: str
    name: str
    question: str
    context: str
    answers: tuple[Gold, ...]
    passage: str
    lang: str
    question_lang: str
    path: Path
    line: int

    @property
    def text(self) -> str:
        """The context, by which the language is told and questions are kept together."""
        return self.context

    @property
    def characters(self) -> int:
        """Characters of question and context."""
        return len(self.question) + len(self.context)

    @property
    def span(self) -> tuple[int, int] | None:
        """Characters of the first right answer whose place is known; None: there is none."""
        for gold in self.answers:
            if gold.start is not None:
                return gold.start, gold.start + len(gold.text)
        return None


class Questions(Examples[Question]):
    """Questions with contexts and answers."""

    expects: ClassVar[str] = "a question, a context and answers"

    @classmethod
    def example(cls, row: Row, task: Task, *, labelled: bool) -> Question:
        """A row's question, context and answers.

        Raises:
            DataError: A column is missing or its value cannot be used.
        """
        del task
        question, context = text_of(row, _QUESTION), text_of(row, _CONTEXT)
        given = row.values.get("id")
        name = str(row.line if given in (None, "") else given)
        answers = _answers(row, context) if labelled else ()
        passage = row.values.get("passage_id")
        passage = str(row.line if passage in (None, "") else passage)
        asked = _asked_in(row.path.name)
        return Question(
            "", name, question, context, answers, passage, UND, asked, row.path, row.line
        )

    @property
    def questions(self) -> list[str]:
        """The questions, in order."""
        return [row.question for row in self.rows]

    @property
    def moved(self) -> list[Question]:
        """Questions with an answer that stands elsewhere than the file says, and was found."""
        return [row for row in self.rows if any(gold.moved for gold in row.answers)]

    def placed(self, on_error: OnError) -> Self:
        """Those that can be taught: the place of an answer is known, or there is none.

        Raises:
            DataError: A question has answers, and the place of none is known, unless such are
                skipped.
        """
        faults = Faults(on_error)
        faults.rejected = self.rejected
        rows = []
        for row in self.rows:
            if row.answers and row.span is None:
                faults.report(_misplaced(row))
            else:
                rows.append(row)
        if not rows:
            raise DataError(
                "no question is left whose answer has a place", path=str(self.files[0]["path"])
            )
        moved = type(self)(rows, self.files, self.rejected).moved
        if moved:
            say(
                f"{len(moved):,} answers do not stand where answer_start says; each stands once in"
                f" its context and was found there, first {moved[0].name} in {moved[0].path}"
            )
        return type(self)(rows, self.files, self.rejected)


def _misplaced(row: Question) -> DataError:
    gold = row.answers[0]
    times = row.context.count(gold.text)
    return DataError(
        f"the answer {quoted(gold.text)} of question {quoted(row.name)} does not stand where "
        f"answer_start says, and {times or 'no'} times in the context",
        path=row.path,
        line=row.line,
        remedy="Correct answer_start, the first character counted from 0 in code points, or add"
        " --on-error skip",
    )


def _answers(row: Row, context: str) -> tuple[Gold, ...]:
    column = column_of(row, _ANSWERS)
    found = tuple(
        dict.fromkeys(_gold(text, start, context) for text, start in _pairs(row.values[column]))
    )
    if any(not gold.text for gold in found):
        problem = f"{quoted(row.values[column])} are not answers"
        raise DataError(problem, path=row.path, line=row.line, column=column, remedy=_LAYOUT)
    return found


def _pairs(value: Any) -> list[tuple[str, int | None]]:  # noqa: ANN401 - JSON
    """Texts and places, of a list of answers or of an object of lists; no text: not answers."""
    broken: list[tuple[str, int | None]] = [("", None)]
    if isinstance(value, dict):
        texts, starts = value.get("text"), value.get("answer_start")
        texts = [texts] if isinstance(texts, str) else texts
        starts = [starts] if isinstance(starts, int) else starts
        if not isinstance(texts, list):
            return broken
        starts = starts if isinstance(starts, list) and starts else [None] * len(texts)
        if len(starts) != len(texts):
            return broken
        value = [{"text": t, "answer_start": s} for t, s in zip(texts, starts, strict=True)]
    if not isinstance(value, list):
        return broken
    pairs: list[tuple[str, int | None]] = []
    for answer in value:
        text = answer.get("text") if isinstance(answer, dict) else None
        start = answer.get("answer_start") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not (start is None or isinstance(start, int)):
            return broken
        pairs.append((text, start))
    return pairs


def _gold(text: str, start: int | None, context: str) -> Gold:
    """The answer where it stands; found, where the file is wrong and the context holds it once."""
    if start is not None and start >= 0 and context.startswith(text, start):
        return Gold(text, start)
    first = context.find(text)
    if first < 0 or context.find(text, first + 1) >= 0:
        return Gold(text, None)
    return Gold(text, first, moved=start is not None)


@cache
def _asked_in(name: str) -> str:
    """The language of the questions that a file named as MLQA names its files holds; else none."""
    match = _PAIR.search(name)
    try:
        return "" if match is None else tag_of(match[1])
    except LanguageError:
        return ""


def gold_spans(rows: Sequence[Question]) -> list[tuple[int, int] | None]:
    """Characters of each question's answer."""
    return [row.span for row in rows]
