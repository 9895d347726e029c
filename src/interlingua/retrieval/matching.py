"""How well the words of two sentences match, from a model's states alone.

BERTScore (Zhang et al., ICLR 2020) between languages: every subword takes its best of the other
sentence by the cosine of their states, and rare subwords weigh more. A sentence's one vector keeps
what it is about and may lose a name or a number; its subwords have them.

Legend: N sources, M targets, P pairs, I subwords of a source, J of a target, D width.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from interlingua.base.files import disk_errors
from interlingua.base.progress import track
from interlingua.batches.tokens import tokenize
from interlingua.models.folder import ModelFolder
from interlingua.retrieval.states import SubwordStates, layer_of

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]


def bert_score(similarity: Floats, source: Floats, target: Floats) -> float:
    """The mean of recall and precision of BERTScore, its equations with idf weights; 0 of nothing.

    Args:
        similarity: Cosines of subwords [I, J].
        source: Weights of the source's [I], not all of them 0.
        target: Weights of the target's [J], not all of them 0.
    """
    if not similarity.size:
        return 0.0
    there = np.average(similarity.max(axis=1), weights=source)
    back = np.average(similarity.max(axis=0), weights=target)
    return float(there + back) / 2


def rarity(sentences: Sequence[NDArray[np.integer]]) -> list[Floats]:
    """Inverse document frequency of the subwords of each sentence: ``log((N + 1) / N_t)``.

    ``N_t`` of the N sentences have the subword. The paper smooths for subwords never seen, of which
    there are none here; the one keeps what stands in all sentences above zero.

    Args:
        sentences: Ids of subwords [I] each.
    """
    counts = Counter(token for ids in sentences for token in set(ids.tolist()))
    whole = np.log(len(sentences) + 1)
    return [
        np.array([whole - np.log(counts[token]) for token in ids.tolist()], dtype=np.float32)
        for ids in sentences
    ]


class WordMatch:
    """Two lists of sentences, ready to have any pairs of them compared.

    The states wait in a nameless file of the system's temporary folder, with 2 D bytes a subword:
    for the starter some 25 MB for a thousand sentences of thirty.

    Args:
        folder: Any encoder.
        sources: Texts [N].
        targets: Texts [M].
        exact: float32 and no padding: a pair's match does not depend on the other sentences, but
            for the rarity of its subwords.

    Raises:
        DiskError: The states do not fit on the disk.
    """

    def __init__(
        self,
        folder: ModelFolder,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        exact: bool = False,
    ) -> None:
        states = SubwordStates(folder, fast=not exact, exact=exact)
        self._sides = [_Subwords(states, folder, texts) for texts in (sources, targets)]

    def __call__(self, rows: Ints, columns: Ints) -> Floats:
        """How well pairs match [P], 1 at best; see `bert_score`.

        Args:
            rows: Of the sources [P].
            columns: Of the targets [P].
        """
        source, target = self._sides
        found = np.zeros(len(rows), dtype=np.float32)
        with track("Matching words", len(rows), unit="pairs") as bar:
            for i, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
                similarity = source.states(row) @ target.states(column).T
                found[i] = bert_score(similarity, source.weights[row], target.weights[column])
                bar.advance(1)
        return found


class _Subwords:
    """Those of one list of sentences: their weights, and states of length one in a file."""

    def __init__(self, encoder: SubwordStates, folder: ModelFolder, texts: Sequence[str]) -> None:
        tokenizer, layer = folder.tokenizer(), layer_of(folder)
        special = tokenizer.encode("").ids
        rows = tokenize(tokenizer, texts, max_length=folder.info.max_length).input_ids
        kept = [np.flatnonzero(~np.isin(ids, special)) for ids in rows]
        self.weights = rarity([ids[places] for ids, places in zip(rows, kept, strict=True)])
        self._width = folder.width
        self._starts = np.zeros(len(texts), dtype=np.int64)
        with disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as file:
            for row, states in encoder.of(rows, [layer], told="Reading words"):
                unit = states[0, kept[row]]
                unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
                self._starts[row] = file.tell() // 2
                file.write(unit.astype(np.float16).tobytes())
            size = file.tell()
            file.flush()
            # An empty file cannot be mapped; the mapping outlives the file's name and handle.
            self._all = np.memmap(file, np.float16, "r") if size else np.zeros(0, np.float16)

    def states(self, row: int) -> Floats:
        """The states of a sentence's subwords [I, D]."""
        start, count = self._starts[row], len(self.weights[row])
        read = self._all[start : start + count * self._width]
        return read.reshape(count, self._width).astype(np.float32)
