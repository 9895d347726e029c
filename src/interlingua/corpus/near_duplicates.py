"""Near-duplicates: texts that share most of their runs of tokens.

The share is the Jaccard similarity of the two sets of runs, estimated by MinHash (Broder 1997);
candidates are found by locality-sensitive hashing: texts are compared only if they agree in all
rows of at least one of ``B`` bands of ``R`` rows, which two texts of similarity ``s`` do with
probability ``1 - (1 - s^R)^B`` (Leskovec, Rajaraman and Ullman 2014, section 3.4). Bands are
searched by sorting, one at a time, so that neither the order of the texts nor the number of
processes changes what is found.

Legend: ``N`` texts, ``B`` bands, ``R`` rows of a band, ``E`` pairs of texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from interlingua.base.config import Config
from interlingua.base.optional import require
from interlingua.corpus.tokens import Hashes, Rows, hash_tokens, mixed, runs

Signatures = NDArray[np.uint32]
Edges = NDArray[np.int64]

_SEED = 1
_TOGETHER = 1 << 9  # texts whose tokens are in memory at a time
_COMPARED = 1 << 16  # pairs whose signatures are in memory at a time


class NearDuplicates(Config):
    """What counts as a near-duplicate."""

    similarity: float = Field(0.75, gt=0, le=1)
    """Least estimated Jaccard similarity of the sets of runs."""

    run: int = Field(5, ge=1, le=50)
    """Tokens of a run; a shorter text is one run."""

    tokens: int = Field(24, ge=1)
    """Tokens of the shortest text that is compared: of a line, two are much alike and differ."""

    bands: int = Field(21, ge=1, le=256)
    """Bands: more find less similar texts."""

    rows: int = Field(6, ge=1, le=64)
    """Rows of a band: more compare fewer texts."""

    @property
    def permutations(self) -> int:
        """Numbers of a signature."""
        return self.bands * self.rows


def signatures(tokens: Rows, settings: NearDuplicates) -> Signatures:
    """MinHash signatures of texts: uint32 ``[N, B * R]``; equal for texts without a token.

    Raises:
        MissingExtraError: rensa is not installed.
    """
    rensa = require("rensa", extra="corpus")
    found = runs(tokens, settings.run, short=True)
    made = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        found.values, found.offsets, settings.permutations, _SEED
    )
    return np.array(made.to_rows(), np.uint32).reshape(len(tokens), settings.permutations)


def text_signatures(texts: Sequence[str], settings: NearDuplicates) -> Signatures:
    """MinHash signatures of any number of texts: uint32 ``[N, B * R]``.

    Raises:
        MissingExtraError: rensa is not installed.
    """
    parts = [
        signatures(hash_tokens(texts[start : start + _TOGETHER]), settings)
        for start in range(0, len(texts), _TOGETHER)
    ]
    return np.concatenate([np.empty((0, settings.permutations), np.uint32), *parts])


def similar(signature: Signatures, groups: NDArray[np.integer], settings: NearDuplicates) -> Edges:
    """Pairs of near-duplicates, enough of them to connect every cluster.

    In a band each text is compared with the first and with the next one that have its key.

    Args:
        signature: uint32 ``[N, B * R]``; may lie on disk.
        groups: ``[N]``; only texts of one group are compared, those of a negative one never.
        settings: What counts.

    Returns:
        int64 ``[E, 2]``, sorted, each pair once.
    """
    members = np.flatnonzero(groups >= 0)
    pairs = [np.empty((0, 2), np.int64)]
    for band in range(settings.bands):
        start = band * settings.rows
        part = np.ascontiguousarray(signature[:, start : start + settings.rows])[members]
        keys = np.zeros(len(members), np.uint64)
        for row in range(settings.rows):
            keys = mixed(keys + part[:, row].astype(np.uint64) + np.uint64(1))
        keys ^= mixed(groups[members].astype(np.uint64))
        pairs.append(members[_candidates(keys)])
    candidates = np.unique(np.concatenate(pairs), axis=0)
    found = [
        chunk[_agreement(signature, chunk) >= settings.similarity] for chunk in _chunks(candidates)
    ]
    return np.concatenate([np.empty((0, 2), np.int64), *found])


def _candidates(keys: Hashes) -> Edges:
    """Pairs of places with equal keys: each with the first of its kind and with the one before."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.ones(len(keys), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    heads = np.flatnonzero(new)
    head = order[heads[np.cumsum(new) - 1]] if len(keys) else order
    again = np.flatnonzero(~new)
    with_head = np.stack([head[again], order[again]], axis=1)
    with_last = np.stack([order[again - 1], order[again]], axis=1)
    return np.unique(np.concatenate([with_head, with_last]), axis=0)


def _chunks(pairs: Edges) -> Iterator[Edges]:
    for start in range(0, len(pairs), _COMPARED):
        yield pairs[start : start + _COMPARED]


def _agreement(signature: Signatures, pairs: Edges) -> NDArray[np.float64]:
    """Share of equal numbers of two signatures, an estimate of the Jaccard similarity."""
    left, right = signature[pairs[:, 0]], signature[pairs[:, 1]]
    return np.asarray((left == right).mean(axis=1), np.float64)


def components(count: int, pairs: Edges) -> NDArray[np.int64]:
    """The connected components of a graph: for each node the least node of its component.

    Labels flow along edges to the smaller one, and paths are halved, until nothing changes.

    Args:
        count: Nodes.
        pairs: Edges, int64 ``[E, 2]``.

    Returns:
        int64 ``[count]``.
    """
    labels = np.arange(count)
    left, right = pairs[:, 0], pairs[:, 1]
    while len(left):
        least = np.minimum(labels[left], labels[right])
        np.minimum.at(labels, labels[left], least)
        np.minimum.at(labels, labels[right], least)
        labels = _flat(labels)
        open_ = labels[left] != labels[right]
        left, right = left[open_], right[open_]
    return labels


def _flat(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    while True:
        further = labels[labels]
        if np.array_equal(further, labels):
            return labels
        labels = further


def equal_pairs(keys: NDArray[np.generic]) -> Edges:
    """Pairs that connect all places with the same key: each place with the first of its kind."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    heads = first[inverse]
    again = np.flatnonzero(heads != np.arange(len(keys)))
    return np.stack([heads[again], again], axis=1).astype(np.int64)


__all__ = [
    "Edges",
    "NearDuplicates",
    "Signatures",
    "components",
    "equal_pairs",
    "signatures",
    "similar",
    "text_signatures",
]
