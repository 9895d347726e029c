"""Which word of a sentence is translated by which of another, from a model's states alone.

After SimAlign (Jalili Sabet et al., Findings of EMNLP 2020): the cosines of the subwords' states at
one layer, and a rule that makes links of them. Two words are linked if any of their subwords are.

Legend: I subwords of the source, J of the target, K layers, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import DataError
from interlingua.base.registry import Registry
from interlingua.models.folder import ModelFolder
from interlingua.retrieval.states import SubwordStates, layer_of

Floats = NDArray[np.float32]
Links = NDArray[np.bool_]
Link = tuple[int, int]
"""Word of the source and word of the target, counted from 0."""


def argmax(similarity: Floats) -> Links:
    """Links of subwords that are each other's best (section 3.2, Argmax).

    Args:
        similarity: Cosines [I, J].
    """
    rows, columns = similarity.shape
    forward = np.zeros((rows, columns), dtype=np.bool_)
    backward = forward.copy()
    forward[np.arange(rows), similarity.argmax(axis=1)] = True
    backward[similarity.argmax(axis=0), np.arange(columns)] = True
    return np.asarray(forward & backward)


def itermax(similarity: Floats, *, rounds: int = 2, damping: float = 0.9) -> Links:
    """Argmax again among what is left (section 3.2, Itermax).

    In every further round, similarities of a subword that has a link count ``damping`` times, and
    those of two that both have one count nothing.

    Args:
        similarity: Cosines [I, J].
        rounds: How many in all.
        damping: The paper's alpha.
    """
    scaled = np.asarray(
        (similarity + 1) / 2, dtype=np.float32
    )  # the paper's similarities are not negative
    links = argmax(scaled)
    for _ in range(rounds - 1):
        source = links.any(axis=1, keepdims=True)
        target = links.any(axis=0, keepdims=True)
        if source.all() or target.all():
            break
        weights = np.where(source | target, damping, 1.0)
        weights[source & target] = 0.0
        again = argmax((scaled * weights).astype(np.float32)) & ~(source & target)
        if not again.any():
            break
        links |= again
    return links


def transport(similarity: Floats, *, entropy: float = 0.05, rounds: int = 100) -> Links:
    """Links that carry at least half of the lesser mass in the cheapest transport between sides.

    Every side has a mass of one, spread evenly; moving it from i to j costs ``1 - cosine``. The
    entropy term makes the plan the limit of Sinkhorn's iteration (Cuturi, NeurIPS 2013).

    Args:
        similarity: Cosines [I, J].
        entropy: Weight of the entropy; the smaller, the sharper.
        rounds: Of the iteration.
    """
    rows, columns = similarity.shape
    kernel = np.exp((similarity.astype(np.float64) - 1) / entropy)
    v = np.ones(columns)
    u = np.ones(rows)
    for _ in range(rounds):
        u = (1 / rows) / np.maximum(kernel @ v, 1e-300)
        v = (1 / columns) / np.maximum(kernel.T @ u, 1e-300)
    plan = u[:, None] * kernel * v
    return np.asarray(plan >= 0.5 / max(rows, columns))


METHODS: Registry[Callable[[Floats], Links]] = Registry("method")
METHODS.add("argmax", argmax)
METHODS.add("itermax", itermax)
METHODS.add("transport", transport)


def similarity_of(source: Floats, target: Floats) -> Floats:
    """Cosines [I, J] of states [I, D] and [J, D]."""
    sides = [
        side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
        for side in (source, target)
    ]
    return np.asarray(sides[0] @ sides[1].T, dtype=np.float32)


def word_links(links: Links, source: Sequence[int], target: Sequence[int]) -> set[Link]:
    """Links of words: those with any linked subwords.

    Args:
        links: Of subwords [I, J].
        source: The word of each subword of the source [I].
        target: The word of each subword of the target [J].
    """
    rows, columns = links.nonzero()
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {(source[i], target[j]) for i, j in pairs}


def linked(
    rule: Callable[[Floats], Links],
    source: tuple[Floats, Sequence[int]],
    target: tuple[Floats, Sequence[int]],
) -> set[Link]:
    """Links of the words of two sentences; none where one of them has no words.

    Args:
        rule: One of `METHODS`.
        source: States [I, D], and the word of each [I].
        target: States [J, D], and the word of each [J].
    """
    if not len(source[1]) or not len(target[1]):
        return set()
    return word_links(rule(similarity_of(source[0], target[0])), source[1], target[1])


class WordAligner:
    """A model, ready to align words.

    Args:
        folder: Any encoder.
        layer: Hidden state compared, 0 being the embeddings; None: `LAYER` twelfths of them.
        method: ``transport``, ``argmax`` (few links, mostly right) or ``itermax`` (many).

    Raises:
        UnknownNameError: There is no such method.
        UsageError: The model has no such layer.
    """

    def __init__(
        self, folder: ModelFolder, *, layer: int | None = None, method: str = "transport"
    ) -> None:
        self.layer = layer_of(folder, layer)
        self.method = method
        self._links = METHODS.get(method)
        self._states = SubwordStates(folder)
        self._tokenizer = folder.tokenizer()
        self._tokenizer.enable_truncation(folder.info.max_length)

    def align(
        self, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]
    ) -> list[set[Link]]:
        """Links of the words of sentence pairs; a word that was cut off has none.

        Args:
            sources: Sentences as lists of words.
            targets: Their translations.

        Raises:
            DataError: There are not as many of both.
        """
        if len(sources) != len(targets):
            raise DataError(f"{len(sources)} sources and {len(targets)} targets do not make pairs")
        sides = (self.states(side, [self.layer]) for side in (sources, targets))
        return [
            linked(self._links, (source[0], words), (target[0], other))
            for (source, words), (target, other) in zip(*sides, strict=True)
        ]

    def states(
        self, sentences: Sequence[Sequence[str]], layers: Sequence[int]
    ) -> list[tuple[Floats, list[int]]]:
        """States [K, I, D] of each sentence's subwords, special ones left out, and their words.

        Args:
            sentences: Lists of words.
            layers: Hidden states wanted, 0 being the embeddings [K].
        """
        encodings = [self._tokenizer.encode(list(s), is_pretokenized=True) for s in sentences]
        ids = [np.asarray(encoding.ids, dtype=np.int32) for encoding in encodings]
        found: dict[int, tuple[Floats, list[int]]] = {}
        for row, states in self._states.of(ids, layers, told="Aligning"):
            words = encodings[row].word_ids
            kept = [i for i, word in enumerate(words) if word is not None]
            found[row] = states[:, kept], [word for word in words if word is not None]
        return [found[row] for row in range(len(encodings))]
