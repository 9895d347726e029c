"""Labels for texts in any language, from a model taught in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import UsageError
from interlingua.batches.tokens import clean
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import classify, head_of, task_of
from interlingua.languages import UND, identify
from interlingua.models.folder import open_model
from interlingua.tasks.record import TASKS


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row; every row gets one, an empty text with ``label`` None.

    Attributes:
        text: The text, with characters that cannot be encoded replaced by U+FFFD.
        text_pair: The second text, where the task is of pairs.
        lang: Its language as identified, or ``und``.
        label: The most probable label.
        score: Its probability.
        scores: The probability of every label.
        truncated: Whether the model saw only the beginning.
    """

    text: str
    text_pair: str | None
    lang: str
    label: str | None
    score: float | None
    scores: dict[str, float]
    truncated: bool


class Classifier:
    """A taught model, ready to label texts.

    Args:
        model: A model folder with a classification head.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        exact: float32 without padding: an answer does not depend on its companions.

    Raises:
        ModelError: The folder is not a taught model.

    Example:
        >>> Classifier("runs/topic").predict(["Der Zug hat Verspätung."])  # doctest: +SKIP
    """

    def __init__(self, model: str | Path, *, engine: str = "auto", exact: bool = False) -> None:
        self.folder = open_model(model)
        self.head = head_of(self.folder)
        self.paired = TASKS.get(task_of(self.folder)).paired
        self.encoder = Encoder(self.folder, engine=engine, exact=exact)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label set."""
        return self.head.labels

    def predict(
        self, texts: Sequence[str], pairs: Sequence[str | None] | None = None
    ) -> list[Prediction]:
        """Label texts, or pairs of texts, in their order.

        Args:
            texts: The texts [N].
            pairs: Second texts [N], for a model that was taught a task of pairs, such as ``nli``;
                a row whose second text is None or empty has no label.

        Raises:
            UsageError: The model was taught pairs and there are none, or the other way round.
        """
        self._check(len(texts), pairs)
        cleaned = [clean(text) for text in texts]
        seconds = None if pairs is None else [clean(text or "") for text in pairs]
        filled = [
            i
            for i, text in enumerate(cleaned)
            if text.strip() and (seconds is None or seconds[i].strip())
        ]
        found = classify(
            self.encoder,
            self.head,
            [cleaned[i] for i in filled],
            None if seconds is None else [seconds[i] for i in filled],
        )
        place = {row: i for i, row in enumerate(filled)}
        languages = [result.tag for result in identify(cleaned)]
        predictions = []
        for i, text in enumerate(cleaned):
            second = None if seconds is None else seconds[i]
            if i not in place:
                predictions.append(Prediction(text, second, UND, None, None, {}, False))
                continue
            row = place[i]
            p = found.probabilities[row]
            scores = {name: round(float(v), 6) for name, v in zip(self.labels, p, strict=True)}
            label = found.label(row)
            cut = bool(found.encoded.truncated[row])
            predictions.append(
                Prediction(text, second, languages[i], label, scores[label], scores, cut)
            )
        return predictions

    def _check(self, rows: int, pairs: Sequence[str | None] | None) -> None:
        if self.paired == (pairs is None):
            kind = "pairs of texts" if self.paired else "single texts"
            raise UsageError(
                f"{self.folder.path} was taught {self.folder.info.task}, a task of {kind}",
                remedy="Give text_pair" if self.paired else "Leave text_pair out",
            )
        if pairs is not None and len(pairs) != rows:
            raise UsageError(f"{rows} texts and {len(pairs)} second texts do not make pairs")
