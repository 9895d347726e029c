"""Labels for texts in any language, from a model taught in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.batches.tokens import clean
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import classify, head_of
from interlingua.languages import UND, identify
from interlingua.models.folder import open_model


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text; every text gets one, an empty text with ``label`` None.

    Attributes:
        text: The text, with characters that cannot be encoded replaced by U+FFFD.
        lang: Its language as identified, or ``und``.
        label: The most probable label.
        score: Its probability.
        scores: The probability of every label.
        truncated: Whether the model saw only the beginning.
    """

    text: str
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
        self.encoder = Encoder(self.folder, engine=engine, exact=exact)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label set."""
        return self.head.labels

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Label texts, in their order."""
        cleaned = [clean(text) for text in texts]
        filled = [i for i, text in enumerate(cleaned) if text.strip()]
        found = classify(self.encoder, self.head, [cleaned[i] for i in filled])
        place = {row: i for i, row in enumerate(filled)}
        languages = [result.tag for result in identify(cleaned)]
        predictions = []
        for i, text in enumerate(cleaned):
            if i not in place:
                predictions.append(Prediction(text, UND, None, None, {}, False))
                continue
            row = place[i]
            p = found.probabilities[row]
            scores = {name: round(float(v), 6) for name, v in zip(self.labels, p, strict=True)}
            label = found.label(row)
            cut = bool(found.encoded.truncated[row])
            predictions.append(Prediction(text, languages[i], label, scores[label], scores, cut))
        return predictions
