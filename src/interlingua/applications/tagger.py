"""Tags for the words of texts in any language, from a model taught in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.batches.tokens import clean
from interlingua.inference.tag import SentenceTagger
from interlingua.languages import UND, identify
from interlingua.languages.segmentation import word_spans
from interlingua.models.folder import open_model
from interlingua.tasks.tagging import located


@dataclass(frozen=True, slots=True)
class TaggedEntity:
    """An entity: ``text[start:end]`` of its sentence is its ``text``.

    Attributes:
        start: The first character.
        end: The character after the last.
        type: Its type, such as ``PER``.
        text: What it covers.
    """

    start: int
    end: int
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class TaggedText:
    """The answer for one text; an empty one has no tokens.

    Attributes:
        text: The text, with characters that cannot be encoded replaced by U+FFFD; of tokens, these
            with spaces between them.
        lang: Its language as identified, or ``und``.
        tokens: Its words.
        offsets: Where each of them starts and ends in the text.
        tags: As many tags.
        scores: The probability of each tag.
        entities: The entities that the tags tell, where they are of the scheme BIO.
    """

    text: str
    lang: str
    tokens: list[str]
    offsets: list[tuple[int, int]]
    tags: list[str]
    scores: list[float]
    entities: list[TaggedEntity]


class Tagger:
    """A taught model, ready to tag.

    Args:
        model: A model folder with a token-classification head, of ours or of `transformers`.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        exact: float32 without padding: an answer does not depend on its companions.

    Raises:
        ModelError: The folder has no such head.

    Example:
        >>> Tagger("runs/ner").predict(["Angela Merkel kam aus Templin."])  # doctest: +SKIP
    """

    def __init__(self, model: str | Path, *, engine: str = "auto", exact: bool = False) -> None:
        self.folder = open_model(model)
        self._tagger = SentenceTagger(self.folder, engine=engine, exact=exact)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label set."""
        return self._tagger.labels

    def predict(self, texts: Sequence[str | Sequence[str]]) -> list[TaggedText]:
        """Tag texts in their order.

        Args:
            texts: Each a text, which is cut into words here, or the list of its words, of which
                every one gets a tag, whatever it holds.
        """
        rows = [_row(text) for text in texts]
        found = self._tagger.tag([tokens for _, tokens, _ in rows])
        filled = [i for i, (text, _, _) in enumerate(rows) if text.strip()]
        told = [result.tag for result in identify([rows[i][0] for i in filled])]
        languages = dict(zip(filled, told, strict=True))
        return [
            TaggedText(
                text,
                languages.get(i, UND),
                tokens,
                offsets,
                found.tags[i],
                [round(float(score), 6) for score in found.scores[i]],
                self._entities(text, offsets, found.tags[i]),
            )
            for i, (text, tokens, offsets) in enumerate(rows)
        ]

    def _entities(
        self, text: str, offsets: Sequence[tuple[int, int]], tags: Sequence[str]
    ) -> list[TaggedEntity]:
        if not self._tagger.bio:
            return []
        return [
            TaggedEntity(start, end, type_, text[start:end])
            for start, end, type_ in located(offsets, tags)
        ]


def _row(given: str | Sequence[str]) -> tuple[str, list[str], list[tuple[int, int]]]:
    """Text, tokens and offsets of what was given."""
    if isinstance(given, str):
        text = clean(given)
        offsets = word_spans(text)
        return text, [text[start:end] for start, end in offsets], offsets
    tokens = [clean(token) for token in given]
    offsets, place = [], 0
    for token in tokens:
        offsets.append((place, place + len(token)))
        place += len(token) + 1
    return " ".join(tokens), tokens, offsets
