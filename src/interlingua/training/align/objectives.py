"""The objectives of an alignment run, each with the rows it draws from.

An objective asks for vectors of texts, and makes a loss of them. Texts have one or two sides; a
side's vector may be known already, from the frozen parent.

Legend: P rows of a batch, D width, K length of a queue.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from interlingua.base.errors import DataError
from interlingua.batches.buckets import IntArray
from interlingua.batches.mixture import Source
from interlingua.objectives.contrastive_predictive import (
    contrastive_predictive,
    predicted,
    prediction_heads,
)
from interlingua.objectives.cross_lingual_contrastive import cross_lingual_contrastive
from interlingua.objectives.info_nce import (
    FalseNegatives,
    Further,
    clamp_log_scale,
    cosines,
    duplicates,
    info_nce,
    log_scale,
)
from interlingua.objectives.matryoshka import matryoshka
from interlingua.objectives.momentum_queue import KeyQueue, follow
from interlingua.objectives.preserving import preserving

if TYPE_CHECKING:
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align.data import PairRows, ParentVectors, Rows, TextRows
    from interlingua.training.align.settings import ContrastSettings


@dataclass(slots=True)
class Asked:
    """A batch as an objective sees it.

    Attributes:
        texts: Of each side the token ids of P texts; None where the vector is known.
        known: Of each side the vectors that are known [P, D], zero where they are not.
        facts: Tensors that the loss needs besides, by name.
    """

    texts: list[list[IntArray | None]]
    known: list[Tensor | None]
    facts: dict[str, Tensor] = field(default_factory=dict)


class Objective:
    """One objective of a run.

    Args:
        settings: What it is set to.
        pooled: The trained encoder, with the layer and pooling that the objective compares.
        width: D.

    Attributes:
        parent: Vectors of the frozen parent, where it needs them.
    """

    def __init__(self, settings: ContrastSettings, pooled: PooledEncoder, *, width: int) -> None:
        self.settings = settings
        self.pooled = pooled
        self.parent: ParentVectors | None = None
        self.width = width
        self.device = next(pooled.parameters()).device
        self.follower: PooledEncoder | None = None
        self.own: dict[str, nn.Parameter] = {}
        if settings.learned_temperature:
            self.own["log_scale"] = nn.Parameter(log_scale(settings.temperature).to(self.device))

    @property
    def temperature(self) -> float | Tensor:
        """The temperature as it stands."""
        learned = self.own.get("log_scale")
        return self.settings.temperature if learned is None else (-learned).exp()

    def source(self) -> Source:
        """The rows it draws from."""
        raise NotImplementedError

    def ask(self, rows: IntArray, rng: np.random.Generator) -> Asked:
        """What it needs to know of rows."""
        raise NotImplementedError

    def name(self, row: int) -> str:
        """A row's name in messages."""
        raise NotImplementedError

    def of_parent(self, rows: IntArray) -> tuple[IntArray, Iterator[IntArray]]:
        """Texts of rows whose vectors the frozen parent makes: their numbers, and token ids."""
        del rows
        return np.zeros(0, np.int64), iter(())

    def loss(self, vectors: list[Tensor], asked: Asked, keys: list[Tensor]) -> Tensor:
        """The mean loss of vectors, one tensor [P, D] a side.

        Args:
            vectors: Of the trained encoder, or known.
            asked: The batch.
            keys: Of the encoder that follows; none where there is no such encoder.
        """
        dimensions = self.settings.dimensions or (self.width,)

        def cut(length: int) -> Tensor:
            of = [v[:, :length] for v in vectors]
            return self.loss_at(of, asked, [k[:, :length] for k in keys], length)

        return matryoshka(cut, dimensions)

    def loss_at(
        self, vectors: list[Tensor], asked: Asked, keys: list[Tensor], length: int
    ) -> Tensor:
        """The loss of vectors cut to a length."""
        raise NotImplementedError

    def begin(self) -> None:
        """Called before a step: the temperature is kept in its bounds, the follower follows."""
        if "log_scale" in self.own:
            clamp_log_scale(self.own["log_scale"])
        if self.follower is not None:
            follow(*self._followed(self.follower), self.settings.momentum)

    def remember(self, vectors: list[Tensor], asked: Asked, keys: list[Tensor]) -> None:
        """Called after a step's loss: keys are put into the queue."""

    def state(self) -> dict[str, Tensor]:
        """What steps change beside the trained parameters."""
        return {}

    def _followed(self, follower: PooledEncoder) -> tuple[list[Tensor], list[Tensor]]:
        """The follower's parameters that move, and those they follow."""
        pairs = [
            (mine, theirs)
            for mine, theirs in zip(follower.parameters(), self.pooled.parameters(), strict=True)
            if mine is not theirs
        ]
        return [mine for mine, _ in pairs], [theirs for _, theirs in pairs]


class PairObjective(Objective):
    """``infonce``, ``xcl`` and ``distill``: a text chooses its translation, or goes to its place.

    Raises:
        DataError: The rows have not what the settings ask for.
    """

    def __init__(
        self,
        settings: ContrastSettings,
        pooled: PooledEncoder,
        rows: PairRows,
        *,
        width: int,
        apart: bool,
    ) -> None:
        super().__init__(settings, pooled, width=width)
        if settings.kind == "distill" and not rows.anchored.all():
            raise DataError(
                "objective distill needs pairs with training.anchor, some have other languages",
                remedy="Choose languages by data.languages",
            )
        if settings.hard_negatives and rows.negatives is None:
            raise DataError(
                "no pair has negatives", remedy="Give a column negatives, a list of texts"
            )
        self.rows = rows
        self.apart = apart
        self.queues: list[KeyQueue] = []
        if settings.queue_length:
            self.queues = [KeyQueue(settings.queue_length, width, self.device) for _ in range(2)]
            still = {id(p): p for p in pooled.parameters() if not p.requires_grad}
            self.follower = copy.deepcopy(pooled, memo=dict(still)).eval().requires_grad_(False)

    def source(self) -> Source:
        """All pairs."""
        rows = self.rows
        return Source(rows.lengths, rows.groups, self.settings.weight, apart=self.apart, least=2)

    def name(self, row: int) -> str:
        """The pair's id."""
        return self.rows.store.name(row)

    def of_parent(self, rows: IntArray) -> tuple[IntArray, Iterator[IntArray]]:
        """The sides in the anchor's language."""
        anchored = rows[self.rows.anchored[rows]]
        return self.rows.numbers[anchored, 1], (self.rows.ids(int(row), 1) for row in anchored)

    def ask(self, rows: IntArray, rng: np.random.Generator) -> Asked:
        """Both sides; those of the anchor's language are known. Then hard negatives, a side each.

        Facts: ``numbers`` [P, 2], ``anchored`` [P], ``bank`` [K, D] and ``bank_numbers`` [K] of
        texts the parent has encoded, ``hard_numbers`` [k P]: -1 where a pair has no negative.
        """
        anchored = self.rows.anchored[rows]
        first: list[IntArray | None] = [self.rows.ids(int(row), 0) for row in rows]
        second = [
            None if still else self.rows.ids(int(row), 1)
            for row, still in zip(rows, anchored, strict=True)
        ]
        known = None
        if anchored.any():
            assert self.parent is not None
            found = np.zeros((len(rows), self.width), np.float32)
            found[anchored] = self.parent.of(self.rows.numbers[rows[anchored], 1])
            known = torch.from_numpy(found)
        facts = {
            "numbers": torch.from_numpy(self.rows.numbers[rows]),
            "anchored": torch.from_numpy(anchored),
        }
        if self.settings.anchor_negatives and self.parent is not None:
            numbers, vectors = self.parent.drawn(self.settings.anchor_negatives, rng)
            facts |= {"bank": torch.from_numpy(vectors), "bank_numbers": torch.from_numpy(numbers)}
        asked = Asked([first, second], [None, known], facts)
        if self.settings.hard_negatives:
            self._add_hard(asked, rows, rng)
        return asked

    def _add_hard(self, asked: Asked, rows: IntArray, rng: np.random.Generator) -> None:
        """Put negatives of pairs beside their sides; of a pair that has too few, zeros."""
        count = self.settings.hard_negatives
        drawn = [self.rows.drawn_negatives(int(row), count, rng) for row in rows]
        numbers = np.full((count, len(rows)), -1, np.int64)
        for side in range(count):
            texts: list[IntArray | None] = [None] * len(rows)
            for place, found in enumerate(drawn):
                if side < len(found):
                    numbers[side, place], texts[place] = found[side]
            asked.texts.append(texts)
            asked.known.append(torch.zeros(len(rows), self.width))
        asked.facts["hard_numbers"] = torch.from_numpy(numbers.ravel())

    def loss_at(
        self, vectors: list[Tensor], asked: Asked, keys: list[Tensor], length: int
    ) -> Tensor:
        """The contrast, and of the squared distance between translations what was asked for."""
        settings = self.settings
        if settings.kind == "distill":
            return preserving(vectors[0], vectors[1])
        contrast = self._contrast(vectors, asked, keys, length)
        if not settings.distance_weight:
            return contrast
        return contrast + settings.distance_weight * preserving(vectors[0], vectors[1])

    def _contrast(
        self, vectors: list[Tensor], asked: Asked, keys: list[Tensor], length: int
    ) -> Tensor:
        """InfoNCE within the batch; with a queue, both ways among keys and queue."""
        settings, numbers = self.settings, asked.facts["numbers"]
        found = settings.false_negatives
        false = None
        if found is not None and found.rule != "parent":
            false = FalseNegatives(found.rule, found.value)
        ignored = duplicates(numbers[:, 0], numbers[:, 0]) | duplicates(
            numbers[:, 1], numbers[:, 1]
        )
        if found is not None and found.rule == "parent":
            ignored = ignored | self._near(asked, asked.known[1], found.value)
        if not self.queues and settings.kind == "infonce":
            return info_nce(
                vectors[0],
                vectors[1],
                temperature=self.temperature,
                symmetric=settings.symmetric,
                margin=settings.margin,
                ignored=ignored,
                further=self._further(vectors, asked, length),
                false_negatives=false,
            )
        among, queues, absent = (vectors[0], vectors[1]), None, None
        if self.queues:
            still = asked.facts["anchored"].unsqueeze(1)
            # A translation that stands still chooses among vectors that are trained.
            among = torch.where(still, vectors[0], keys[0]), torch.where(still, vectors[1], keys[1])
            queues = self.queues[0].keys[:, :length], self.queues[1].keys[:, :length]
            absent = self.queues[0].ignored(numbers), self.queues[1].ignored(numbers)
        return cross_lingual_contrastive(
            (vectors[0], vectors[1]),
            among,
            temperature=self.temperature,
            queues=queues,
            ignored=ignored,
            ignored_in_queues=absent,
            margin=settings.margin,
            false_negatives=false,
        )

    def _further(
        self, vectors: list[Tensor], asked: Asked, length: int
    ) -> tuple[Further | None, Further | None]:
        """Candidates beside the batch: hard negatives both ways, the parent's texts for sources."""
        facts, found = asked.facts, self.settings.false_negatives
        numbers = facts["numbers"]
        hard = None
        if "hard_numbers" in facts:
            names = facts["hard_numbers"]
            own = duplicates(numbers[:, 0], names) | duplicates(numbers[:, 1], names)
            hard = Further(torch.cat(vectors[2:]), own | (names < 0))
        if "bank" not in facts:
            return hard, hard
        ignored = duplicates(numbers[:, 1], facts["bank_numbers"])
        if found is not None and found.rule == "parent":
            ignored = ignored | self._near(asked, facts["bank"], found.value)
        bank = Further(facts["bank"][:, :length], ignored)
        if hard is None:
            return bank, None
        assert hard.ignored is not None and bank.ignored is not None
        return Further(
            torch.cat([bank.vectors, hard.vectors]), torch.cat([bank.ignored, hard.ignored], dim=1)
        ), hard

    def _near(self, asked: Asked, others: Tensor | None, cosine: float) -> Tensor:
        """Where others [N, D] lie nearer to a text's translation than a cosine, by the parent.

        All vectors are the parent's; a text without one is near to nothing. A mask [P, N].
        """
        anchored, known = asked.facts["anchored"], asked.known[1]
        if known is None or others is None:
            return torch.zeros(len(anchored), len(anchored), dtype=torch.bool, device=self.device)
        near = cosines(known.to(self.device), others.to(self.device)) > cosine
        return near & anchored.unsqueeze(1)

    def remember(self, vectors: list[Tensor], asked: Asked, keys: list[Tensor]) -> None:
        """Put the keys of both sides into their queues; of a known side its vectors."""
        if self.queues:
            still = asked.facts["anchored"].unsqueeze(1)
            second = torch.where(still, vectors[1], keys[1])
            for queue, new in zip(self.queues, (keys[0], second), strict=True):
                queue.add(new, asked.facts["numbers"])

    def state(self) -> dict[str, Tensor]:
        """The queues and the parameters of the encoder that follows."""
        found = {
            f"queue.{side}.{name}": tensor
            for side, queue in enumerate(self.queues)
            for name, tensor in queue.tensors().items()
        }
        if self.follower is not None:
            moved = self._followed(self.follower)[0]
            found |= {f"follower.{i}": tensor for i, tensor in enumerate(moved)}
        return found


class SegmentObjective(Objective):
    """``cpc``: a segment chooses another one of its document.

    Raises:
        DataError: No document has two segments.
    """

    def __init__(
        self, settings: ContrastSettings, pooled: PooledEncoder, rows: Rows, *, width: int
    ) -> None:
        super().__init__(settings, pooled, width=width)
        self.rows = rows
        documents = rows.store.documents
        first, count = np.unique(documents, return_index=True, return_counts=True)[1:]
        which = np.searchsorted(documents[first], documents)
        self.place = np.arange(len(documents)) - first[which]
        self.count = count[which]
        self.usable = np.flatnonzero(self.count > 1)
        if not len(self.usable):
            raise DataError(
                "no document has two segments to choose between",
                remedy="Lower training.max_length, or give longer documents",
            )
        if settings.head:
            heads = prediction_heads(width, settings.horizon)
            self.own["heads"] = nn.Parameter(heads.to(self.device))

    def source(self) -> Source:
        """Segments of documents that have two at least."""
        lengths = 2 * self.rows.lengths[self.usable]
        groups = self.rows.groups[self.usable]
        return Source(lengths, groups, self.settings.weight, least=2)

    def name(self, row: int) -> str:
        """The document's id."""
        return self.rows.store.name(int(self.usable[row]))

    def ask(self, rows: IntArray, rng: np.random.Generator) -> Asked:
        """Each segment, and another of its document not further off than the horizon."""
        own = self.usable[rows]
        place, horizon = self.place[own], self.settings.horizon
        behind = np.minimum(place, horizon)
        ahead = np.minimum(self.count[own] - 1 - place, horizon)
        drawn = (rng.random(len(own)) * (behind + ahead)).astype(np.int64)
        offsets = np.where(drawn < behind, drawn - behind, drawn - behind + 1)
        texts: list[list[IntArray | None]] = [
            [self.rows.ids(int(row)) for row in which] for which in (own, own + offsets)
        ]
        facts = {
            "documents": torch.from_numpy(self.rows.store.documents[own]),
            "offsets": torch.from_numpy(offsets),
        }
        return Asked(texts, [None, None], facts)

    def loss_at(
        self, vectors: list[Tensor], asked: Asked, keys: list[Tensor], length: int
    ) -> Tensor:
        """The loss among segments of other documents."""
        del keys
        contexts = vectors[0]
        if "heads" in self.own:
            heads = self.own["heads"][:, :length, :length]
            contexts = predicted(contexts, heads, asked.facts["offsets"])
        documents = asked.facts["documents"]
        return contrastive_predictive(contexts, vectors[1], documents, temperature=self.temperature)


class PreserveObjective(Objective):
    """``preserve``: a text stays where the parent had it."""

    def __init__(
        self, settings: ContrastSettings, pooled: PooledEncoder, rows: TextRows, *, width: int
    ) -> None:
        super().__init__(settings, pooled, width=width)
        self.rows = rows

    def source(self) -> Source:
        """All texts."""
        return Source(self.rows.lengths, self.rows.groups, self.settings.weight)

    def name(self, row: int) -> str:
        """The text's number among those that are kept in place."""
        return f"preserve:{row}"

    def of_parent(self, rows: IntArray) -> tuple[IntArray, Iterator[IntArray]]:
        """All of them."""
        return self.rows.numbers[rows], (self.rows.ids(int(row)) for row in rows)

    def ask(self, rows: IntArray, rng: np.random.Generator) -> Asked:
        """The texts, and where the parent has them."""
        del rng
        assert self.parent is not None
        texts: list[IntArray | None] = [self.rows.ids(int(row)) for row in rows]
        parents = torch.from_numpy(self.parent.of(self.rows.numbers[rows]))
        return Asked([texts], [None], {"parents": parents})

    def loss_at(
        self, vectors: list[Tensor], asked: Asked, keys: list[Tensor], length: int
    ) -> Tensor:
        """The squared distance of unit vectors."""
        del keys
        return preserving(vectors[0], asked.facts["parents"][:, :length])


__all__ = ["Asked", "Objective", "PairObjective", "PreserveObjective", "SegmentObjective"]
