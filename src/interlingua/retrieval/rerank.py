"""A second look at what was found: a model that reads query and passage together.

Any model taught a task of pairs will do: the score is the probability of the label that says the
two go together, ``entailment`` of ``nli`` (the passage being the premise), ``1`` of ``paraphrase``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import UsageError
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import classify, head_of, task_of
from interlingua.models.folder import ModelFolder
from interlingua.retrieval.records import Hit

TOGETHER = {"nli": "entailment", "paraphrase": "1"}
"""The label that says that two texts go together, by task."""


class Reranker:
    """A model taught pairs, ready to score what a search found.

    Args:
        folder: The model.
        engine: ``auto``, ``torch`` or ``openvino``.
        exact: float32 without padding.

    Raises:
        ModelError: It was taught no task.
        UsageError: It was taught a task that is not of pairs.
    """

    def __init__(self, folder: ModelFolder, *, engine: str = "auto", exact: bool = False) -> None:
        task = task_of(folder)
        if task not in TOGETHER:
            raise UsageError(
                f"{folder.path} was taught {task}, not whether two texts go together",
                remedy=f"Give a model taught {' or '.join(TOGETHER)}",
            )
        self.head = head_of(folder)
        self._label = self.head.labels.index(TOGETHER[task])
        self._encoder = Encoder(folder, engine=engine, exact=exact)

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probability that each text goes with the query, float32 [N]."""
        found = classify(self._encoder, self.head, list(texts), [query] * len(texts))
        return np.asarray(found.probabilities[:, self._label])

    def rerank(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits by the model's score, best first; equals as they were."""
        if not hits:
            return []
        scores = self.scores(query, [hit.passage.text for hit in hits])
        order = np.argsort(-scores, kind="stable")
        return [Hit(hits[i].passage, float(scores[i])) for i in order]
