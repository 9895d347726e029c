"""Answers cut from texts in any language, by a model taught in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.base.errors import UsageError
from interlingua.batches.tokens import clean
from interlingua.inference.read import ContextReader
from interlingua.models.folder import open_model
from interlingua.tasks.spans import MAX_TOKENS, Answer


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found in one text.

    Attributes:
        question: What was asked.
        answers: The best answers, best first, each a stretch of the context; the first is the
            empty one where the context has none, or is blank.
        truncated: Whether only the beginning of the question was read; a context is read whole.
    """

    question: str
    answers: tuple[Answer, ...]
    truncated: bool

    @property
    def best(self) -> Answer:
        """The best answer."""
        return self.answers[0]

    def record(self) -> dict[str, Any]:
        """Plain values, for JSON; the other answers stand under ``others``, if there are some."""
        values = {"question": self.question, **self.best.record(), "truncated": self.truncated}
        others = [answer.record() for answer in self.answers[1:]]
        return {**values, "others": others} if others else values


class Reader:
    """A model taught ``qa``, ready to answer from texts.

    Args:
        model: A model folder with a head for question answering.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        exact: float32 without padding: an answer does not depend on its companions.

    Raises:
        ModelError: The folder is not a model that was taught to read.

    Example:
        >>> Reader("runs/qa").read(["Wer schrieb Faust?"], [text])  # doctest: +SKIP
    """

    def __init__(self, model: str | Path, *, engine: str = "auto", exact: bool = False) -> None:
        self.folder = open_model(model)
        self.reader = ContextReader(self.folder, engine=engine, exact=exact)

    def read(
        self,
        questions: Sequence[str],
        contexts: Sequence[str],
        *,
        n_best: int = 1,
        max_tokens: int = MAX_TOKENS,
        no_answer: float | None = None,
    ) -> list[Reading]:
        """Answer questions, each from its own text, in their order.

        Lone surrogates are read as U+FFFD; offsets count the code points of the text as given. A
        blank question, and one about a blank text, gets the empty answer.

        Args:
            questions: The questions [N].
            contexts: Where each answer is sought [N].
            n_best: Answers to a question at most.
            max_tokens: Tokens an answer may have.
            no_answer: May the answer be that there is none? None: no. A number: yes, where its
                log-probability exceeds the best answer's by more; 0 suits a model that was taught
                with questions that have no answer.

        Raises:
            UsageError: There are not as many texts as questions.
        """
        if len(questions) != len(contexts):
            raise UsageError(f"{len(questions)} questions and {len(contexts)} texts are no pairs")
        asked, texts = list(map(clean, questions)), list(map(clean, contexts))
        filled = [i for i, text in enumerate(asked) if text.strip() and texts[i].strip()]
        found = self.reader.read(
            [asked[i] for i in filled],
            [texts[i] for i in filled],
            n_best=n_best,
            max_tokens=max_tokens,
            no_answer=no_answer,
        )
        readings = [Reading(question, (Answer("", 0, 0, 0.0),), False) for question in asked]
        for row, i in enumerate(filled):
            cut = bool(found.truncated[row])
            readings[i] = Reading(asked[i], tuple(found.answers[row]), cut)
        return readings
