"""Pairs and texts of an alignment run, as rows of token ids, and vectors of the frozen parent.

Legend: N rows, U distinct texts, D width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from interlingua.base.files import atomic_path
from interlingua.batches.buckets import IntArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from interlingua.batches.framing import Frame
    from interlingua.batches.token_store import TokenStore

Encode = Callable[[Sequence[IntArray]], NDArray[np.float32]]


def with_prefix(frame: Frame, tokenizer: Tokenizer, prefix: str) -> Frame:
    """A frame that puts the tokens of a prefix before every text."""
    if not prefix:
        return frame
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    told = tokenizer.encode(f"{prefix}a", add_special_tokens=False).ids
    return replace(frame, before=(*frame.before, *told[: len(told) - len(plain)]))


def number_of(ids: IntArray) -> int:
    """A number for a text, by its tokens: the same text has the same wherever it stands."""
    digest = hashlib.blake2b(np.ascontiguousarray(ids, np.int64).tobytes(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class Rows:
    """Texts of a store, each a row.

    Attributes:
        store: Where their tokens are.
        lengths: Tokens of each, special ones included [N].
        groups: Index of each one's language [N].
        numbers: The number of each text [N].
    """

    def __init__(self, store: TokenStore, frame: Frame) -> None:
        self.store = store
        self.before, self.after = np.array(frame.before), np.array(frame.after)
        self.lengths: IntArray = store.lengths + len(self.before) + len(self.after)
        self.groups: IntArray = store.lang.astype(np.int64)
        self.numbers: IntArray = np.array([number_of(store.row(i)) for i in range(len(store))])

    def ids(self, row: int) -> IntArray:
        """Token ids of a text, special ones included."""
        return np.concatenate([self.before, self.store.row(row), self.after])


class NegativeRows:
    """Texts that are no translations, each with the pair whose hard negative it is.

    Args:
        store: Where their tokens are; a text's id is the number of its pair.
        frame: What stands around a text.
    """

    def __init__(self, store: TokenStore, frame: Frame) -> None:
        self.rows = Rows(store, frame)
        _, self._first = np.unique(store.documents, return_index=True)  # of a long one its start
        self._pairs = np.array([int(store.name(row)) for row in self._first.tolist()], np.int64)

    def of(self, pair: int) -> IntArray:
        """The rows of a pair's negatives."""
        start, end = np.searchsorted(self._pairs, [pair, pair + 1])
        return np.asarray(self._first[start:end])


class PairRows:
    """Pairs of a store, of two languages always the same way round: the anchor's is side 1.

    Args:
        store: Where their tokens are.
        frame: What stands around a text.
        anchor: The anchor's language.
        negatives: Hard negatives of the pairs.

    Attributes:
        store: Where their tokens are.
        lengths: Tokens that are encoded, special ones included: of both sides, or of side 0 where
            side 1 is the anchor's [N].
        languages: Tags of side 0 and side 1, of every two languages there are.
        groups: Index of each pair's languages [N].
        numbers: The numbers of side 0 and side 1 [N, 2].
        anchored: Whether side 1 is in the anchor's language [N].
    """

    def __init__(
        self,
        store: TokenStore,
        frame: Frame,
        anchor: str | None,
        negatives: NegativeRows | None = None,
    ) -> None:
        self.store = store
        self.negatives = negatives
        self.before, self.after = np.array(frame.before), np.array(frame.after)
        found = [tuple(name.split("-")) for name in store.languages]
        turned = [b != anchor and (a == anchor or b < a) for a, b in found]
        sides = [(b, a) if turn else (a, b) for (a, b), turn in zip(found, turned, strict=True)]
        self.languages: list[tuple[str, str]] = sorted(set(sides))
        self.groups: IntArray = np.array([self.languages.index(pair) for pair in sides])[store.lang]
        self.anchored = np.array([anchor == second for _, second in sides])[store.lang]
        self._turned = np.array(turned)[store.lang]
        special = len(self.before) + len(self.after)
        first = np.where(self._turned, store.lengths - store.second, store.second)
        own = np.where(self.anchored, first + special, store.lengths + 2 * special)
        self.lengths: IntArray = own.astype(np.int64)
        self.numbers: IntArray = np.array(
            [[number_of(self._tokens(i, side)) for side in (0, 1)] for i in range(len(store))]
        )

    def _tokens(self, row: int, side: int) -> IntArray:
        tokens, cut = self.store.row(row), int(self.store.second[row])
        return tokens[:cut] if side == int(self._turned[row]) else tokens[cut:]

    def ids(self, row: int, side: int) -> IntArray:
        """Token ids of one side of a pair, special ones included."""
        return np.concatenate([self.before, self._tokens(row, side), self.after])

    def drawn_negatives(
        self, row: int, count: int, rng: np.random.Generator
    ) -> list[tuple[int, IntArray]]:
        """Number and token ids of so many of a pair's hard negatives, or of all it has."""
        assert self.negatives is not None
        texts = self.negatives.rows
        chosen = rng.permutation(self.negatives.of(int(self.store.documents[row])))[:count]
        return [(int(texts.numbers[one]), texts.ids(one)) for one in chosen.tolist()]


class TextRows:
    """Texts to be kept in place: rows of texts, and the anchor sides of pairs, each text once.

    Attributes:
        lengths: Tokens of each, special ones included [N].
        groups: Index of each one's language [N].
        numbers: The number of each text [N].
    """

    def __init__(self, texts: Rows | None, pairs: PairRows | None) -> None:
        self.texts, self.pairs = texts, pairs
        self.count = 0 if texts is None else len(texts.lengths)
        parts = [] if texts is None else [texts.lengths]
        groups = [] if texts is None else [texts.groups]
        numbers = [] if texts is None else [texts.numbers]
        self._rows = np.zeros(0, np.int64)
        if pairs is not None:
            anchored = np.flatnonzero(pairs.anchored)
            _, first = np.unique(pairs.numbers[anchored, 1], return_index=True)
            self._rows = anchored[np.sort(first)]
            parts.append(
                np.array([len(pairs.ids(row, 1)) for row in self._rows.tolist()], np.int64)
            )
            tags = () if texts is None else texts.store.languages
            known = {tag: i for i, tag in enumerate(tags)}
            tag = pairs.languages[pairs.groups[self._rows[0]]][1] if len(self._rows) else ""
            groups.append(np.full(len(self._rows), known.get(tag, len(known)), np.int64))
            numbers.append(pairs.numbers[self._rows, 1])
        self.lengths: IntArray = np.concatenate(parts)
        self.groups: IntArray = np.concatenate(groups)
        self.numbers: IntArray = np.concatenate(numbers)

    def ids(self, row: int) -> IntArray:
        """Token ids of a text, special ones included."""
        if row < self.count:
            assert self.texts is not None
            return self.texts.ids(row)
        assert self.pairs is not None
        return self.pairs.ids(int(self._rows[row - self.count]), 1)


class ParentVectors:
    """Vectors of the frozen parent by the number of their text; written once, mapped into memory.

    Args:
        folder: Where they lie.
        own: Numbers of texts that may be drawn, each as often as one likes.

    Attributes:
        numbers: Of the texts, ascending [U].
        vectors: Their vectors, float32 [U, D].
        own: Rows that may be drawn, ascending.
    """

    def __init__(self, folder: Path, own: IntArray) -> None:
        self.numbers: IntArray = np.load(folder / "numbers.npy")
        self.vectors: NDArray[np.float32] = np.load(folder / "vectors.npy", mmap_mode="r")
        self.own: IntArray = np.searchsorted(self.numbers, np.unique(own))

    def of(self, numbers: IntArray) -> NDArray[np.float32]:
        """Vectors of texts [N, D]."""
        return np.asarray(self.vectors[np.searchsorted(self.numbers, numbers)])

    def drawn(self, count: int, rng: np.random.Generator) -> tuple[IntArray, NDArray[np.float32]]:
        """So many own texts at random, or all: their numbers [K] and vectors [K, D]."""
        most = len(self.own)
        rows = self.own[np.sort(rng.choice(most, min(count, most), replace=False))]
        return self.numbers[rows], np.asarray(self.vectors[rows])


def write_parent_vectors(
    folder: Path, numbers: IntArray, texts: Iterable[IntArray], encode: Encode
) -> None:
    """Encode texts, each number once; what lies in the folder already is taken.

    Args:
        folder: Where to.
        numbers: Numbers of the texts [N].
        texts: Their token ids, in that order.
        encode: From token ids to vectors.

    Raises:
        DiskError: The disk refused a write.
    """
    if (folder / "numbers.npy").is_file():
        return
    distinct, first = np.unique(numbers, return_index=True)
    wanted = set(first.tolist())
    kept = {i: ids for i, ids in enumerate(texts) if i in wanted}
    vectors = encode([kept[i] for i in first.tolist()])
    for name, array in (("vectors.npy", vectors), ("numbers.npy", distinct)):
        with atomic_path(folder / name) as temporary, temporary.open("wb") as file:
            np.save(file, array)
