"""Questions and contexts to answers: windowed, bucketed by length, run, and decoded.

Evaluation and applications are thin over it. Legend: N questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ModelError
from interlingua.batches.windows import OVERLAP, Windows, window_questions
from interlingua.inference.choose import LateEngine
from interlingua.inference.windows import window_logits
from interlingua.models.folder import ModelFolder
from interlingua.tasks.record import TASKS
from interlingua.tasks.spans import KEEP, MAX_TOKENS, Answer, answers, best_spans

_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Read:
    """Answers to N questions, and what the reader saw of them.

    Attributes:
        answers: The best answers to each question, best first.
        windows: Windows of each question [N].
        truncated: Whether the question was cut; a context never is [N].
    """

    answers: list[list[Answer]]
    windows: NDArray[np.int64]
    truncated: NDArray[np.bool_]

    @property
    def best(self) -> list[Answer]:
        """The best answer to each question."""
        return [found[0] for found in self.answers]


class ContextReader:
    """A model taught ``qa``, ready to read; the engine is opened with the first questions.

    Args:
        folder: The model.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        exact: float32, and batches of equal length only, so that an answer does not depend on the
            other questions.

    Raises:
        ModelError: The model was not taught to read.
    """

    def __init__(
        self,
        folder: ModelFolder,
        *,
        engine: str = "auto",
        precision: str = "auto",
        exact: bool = False,
    ) -> None:
        if not is_reader(folder):
            raise ModelError(
                f"{folder.path} was not taught to answer questions",
                remedy="Teach it: interlingua finetune --task qa --train … --model … --out …",
            )
        self.folder = folder
        self.exact = exact
        self.engine = LateEngine(
            folder, engine=engine, precision=precision, exact=exact, outputs="tokens"
        )
        self._tokenizer = folder.tokenizer()

    def windows(self, questions: Sequence[str], contexts: Sequence[str]) -> Windows:
        """What the model reads of questions and contexts [N]."""
        return window_questions(
            self._tokenizer,
            questions,
            contexts,
            max_length=self.folder.info.max_length,
            overlap=OVERLAP,
        )

    def read(
        self,
        questions: Sequence[str],
        contexts: Sequence[str],
        *,
        n_best: int = 1,
        max_tokens: int = MAX_TOKENS,
        no_answer: float | None = None,
    ) -> Read:
        """Answer questions from their contexts, in their order.

        Args:
            questions: The questions [N].
            contexts: Where each answer is sought [N].
            n_best: Answers to a question at most.
            max_tokens: Tokens an answer may have.
            no_answer: May the empty answer be given, and by how much must it win; see
                `tasks.spans.answers`.
        """
        assert len(questions) == len(contexts)
        found: list[list[Answer]] = []
        counts = np.zeros(len(questions), dtype=np.int64)
        truncated = np.zeros(len(questions), dtype=np.bool_)
        engine = self.engine(len(questions)) if questions else None
        for start in range(0, len(questions), _AT_ONCE):
            assert engine is not None
            part = slice(start, start + _AT_ONCE)
            windows = self.windows(questions[part], contexts[part])
            logits = window_logits(
                engine, windows.input_ids, pad_id=self.folder.pad_id, exact=self.exact
            )
            spans = best_spans(windows, logits, max_tokens=max_tokens, keep=max(KEEP, n_best))
            found += answers(windows, spans, contexts[part], n_best=n_best, no_answer=no_answer)
            counts[part] = np.bincount(windows.question, minlength=len(windows.pieces))
            truncated[part] = windows.truncated
        return Read(found, counts, truncated)


def is_reader(folder: ModelFolder) -> bool:
    """Whether a model was taught to answer questions."""
    task = folder.info.task
    return task is not None and task in TASKS and TASKS.get(task).kind == "qa"
