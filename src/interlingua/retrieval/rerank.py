"""A second look at what was found: a model that reads query and passage together.

Any model taught a task of pairs will do: the score is the probability of the label that says the
two go together, or what the labels are worth on average where they are grades.

Legend: N passages, C labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import UsageError
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import classify, head_of, task_of
from interlingua.models.folder import ModelFolder
from interlingua.retrieval.records import Hit


@dataclass(frozen=True, slots=True)
class Judge:
    """How the labels of a task judge a passage.

    Attributes:
        worth: Of each label, from 0 to 1; the labels that are not named are worth nothing.
        query_first: Whether the query is the first text of a pair; else the passage is.
    """

    worth: Mapping[str, float]
    query_first: bool = False


JUDGES = {
    "nli": Judge({"entailment": 1.0}),
    "paraphrase": Judge({"1": 1.0}),
    "matching": Judge({"1": 1.0}, query_first=True),
    "relevance": Judge({str(grade): grade / 4 for grade in range(1, 5)}, query_first=True),
}
"""By task; ``matching`` with the labels 0 and 1."""


class Reranker:
    """A model taught pairs, ready to score what a search found.

    Args:
        folder: The model.
        engine: ``auto``, ``torch`` or ``openvino``.
        exact: float32 without padding.

    Raises:
        ModelError: It was taught no task.
        UsageError: It was taught a task that is not of `JUDGES`, or other labels.
    """

    def __init__(self, folder: ModelFolder, *, engine: str = "auto", exact: bool = False) -> None:
        task = task_of(folder)
        if task not in JUDGES:
            raise UsageError(
                f"{folder.path} was taught {task}, not whether two texts go together",
                remedy=f"Give a model taught one of {', '.join(JUDGES)}",
            )
        self.head = head_of(folder)
        self._judge = JUDGES[task]
        self._worth = np.array([self._judge.worth.get(name, 0.0) for name in self.head.labels])
        if not self._worth.any():
            raise UsageError(
                f"{folder.path} knows the labels {', '.join(self.head.labels)}, none of which says "
                "that two texts go together",
                remedy=f"Teach {task} with the labels 0 and {max(self._judge.worth)}",
            )
        self._encoder = Encoder(folder, engine=engine, exact=exact)

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text goes with the query, from 0 to 1, float32 [N]."""
        sides = [query] * len(texts), list(texts)
        first, second = sides if self._judge.query_first else sides[::-1]
        found = classify(self._encoder, self.head, first, second)
        return np.asarray(found.probabilities @ self._worth, dtype=np.float32)

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits by the model's score, best first; equals as they were."""
        if not hits:
            return []
        scores = self.scores(query, [hit.passage.text for hit in hits])
        order = np.argsort(-scores, kind="stable")
        return [Hit(hits[i].passage, float(scores[i])) for i in order]
