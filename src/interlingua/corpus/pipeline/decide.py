"""What only all documents together can tell: who is unlike its language, who is there twice.

The first of equal documents stays, in the order of the inputs, and so does the first of a cluster
of near-duplicates; neither depends on how many processes there were. A split is fixed by the hash
of a cluster's least key, so that it depends neither on the order of the inputs nor on what else is
in the corpus.

Legend: ``N`` documents, ``L`` languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.corpus.near_duplicates import (
    Edges,
    Signatures,
    components,
    equal_pairs,
    similar,
)
from interlingua.corpus.pipeline.prepare import Facts
from interlingua.corpus.pipeline.recipe import CorpusSettings
from interlingua.corpus.quality import MEASURES, described, fences, outside
from interlingua.corpus.tokens import Hashes, mixed

DUPLICATE, NEAR_DUPLICATE = "duplicate", "near-duplicate"
REASONS = (*(one.name for one in MEASURES), DUPLICATE, NEAR_DUPLICATE)
"""Why a document is dropped for what others are."""

_DUPLICATE = REASONS.index(DUPLICATE)
_NEAR_DUPLICATE = REASONS.index(NEAR_DUPLICATE)
_VALIDATION = 0x76616C6964617465  # "validate"
_KEPT = -1


@dataclass(frozen=True, slots=True)
class Fates:
    """What becomes of each document.

    Attributes:
        reason: Place in `REASONS`, -1 for a document that stays: int16 ``[N]``.
        cluster: Which documents must be in one split: uint64 ``[N]``.
        validation: Whether a document is put aside to validate on: bool ``[N]``.
        limits: Fences by language, as JSON values.
    """

    reason: NDArray[np.int16]
    cluster: Hashes
    validation: NDArray[np.bool_]
    limits: dict[str, dict[str, Any] | None]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which documents stay."""
        return np.asarray(self.reason == _KEPT, np.bool_)


def decide(
    facts: Facts, signatures: Signatures, names: list[str], settings: CorpusSettings
) -> Fates:
    """Decide over all documents.

    Args:
        facts: ``[N]``.
        signatures: uint32 ``[N, P]``.
        names: What the numbers of languages stand for.
        settings: The recipe.
    """
    reason = np.full(len(facts), _KEPT, np.int16)
    limits: dict[str, dict[str, Any] | None] = {}
    for lang in np.unique(facts["lang"]).tolist():
        members = np.flatnonzero(facts["lang"] == lang)
        found = None
        if settings.quality is not None:
            measures = facts["measures"][members]
            found = fences(measures, settings.quality)
            if found is not None:
                reason[members] = outside(measures, found)
        limits[names[lang]] = described(found)
    kept = np.flatnonzero(reason == _KEPT)
    own = mixed(facts["key"][kept]) ^ mixed(facts["lang"][kept].astype(np.uint64) + np.uint64(1))
    reason[kept[equal_pairs(own)[:, 1]]] = _DUPLICATE
    near = _near(facts, signatures, reason, settings)
    cluster = np.arange(len(facts))
    if len(near):
        cluster = components(len(facts), near)
        again = (cluster != np.arange(len(facts))) & (reason == _KEPT)
        reason[again] = _NEAR_DUPLICATE
    cluster_key = _clusters(facts, near)
    chance = mixed(
        cluster_key ^ mixed(np.full(1, settings.seed, np.uint64)) ^ np.uint64(_VALIDATION)
    )
    validation = chance < np.uint64(settings.split.validation * (2**64 - 2**11))
    return Fates(reason, cluster_key, validation, limits)


def _near(
    facts: Facts, signatures: Signatures, reason: NDArray[np.int16], settings: CorpusSettings
) -> Edges:
    near = settings.near_duplicates
    if near is None:
        return np.empty((0, 2), np.int64)
    compared = (reason == _KEPT) & (facts["tokens"] >= near.tokens)
    return similar(signatures, np.where(compared, facts["lang"], -1), near)


def _clusters(facts: Facts, near: Edges) -> Hashes:
    """The least key of each document's cluster: near-duplicates, equal texts, a source's group."""
    grouped = np.flatnonzero(facts["group"] > 0)
    edges = [near, equal_pairs(facts["key"]), grouped[equal_pairs(facts["group"][grouped])]]
    labels = components(len(facts), np.concatenate(edges))
    keys = np.where(facts["group"] > 0, facts["group"], facts["key"])
    least = np.full(len(facts), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, labels, keys)
    return least[labels]


def chances(facts: Facts, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each document, from its text alone: ``[N]``."""
    return mixed(facts["key"] ^ mixed(np.full(1, seed + 1, np.uint64))).astype(np.float64) / 2**64


__all__ = ["DUPLICATE", "NEAR_DUPLICATE", "REASONS", "Fates", "chances", "decide"]
