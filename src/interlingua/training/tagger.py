"""A tagger trained by gradient: logits and loss where a word is known, and nowhere else.

Legend: W windows, B windows of a batch, L tokens, M words of a batch, D width, C labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from interlingua.batches.buckets import IntArray, plan
from interlingua.batches.tokens import pad
from interlingua.batches.words import WordWindows
from interlingua.inference.tag import decoded
from interlingua.models.heads import Head
from interlingua.models.native import TokenStates
from interlingua.objectives.cross_entropy import cross_entropy
from interlingua.tasks.metrics.spans import span_counts, span_scores
from interlingua.tasks.tagging import TaggedExamples, in_bio
from interlingua.training.learner import HeadLearner

if TYPE_CHECKING:
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.settings import TeachingSettings

_VALIDATION_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class TaggedPart:
    """Sentences with their tags, and the windows the model is given of them.

    Attributes:
        rows: N sentences.
        read: Their W windows.
        labels: Classes of each window's words, W arrays.
    """

    rows: TaggedExamples
    read: WordWindows
    labels: list[IntArray]

    @property
    def ids(self) -> list[str]:
        """Names of the windows: of their sentences [W]."""
        return [self.rows.rows[window.sentence].id for window in self.read.windows]


class TaggerLearner(HeadLearner):
    """A linear head on the states of words' first pieces; see `HeadLearner`.

    Args:
        encoder: A bare encoder.
        head: Where the head starts.
        train: Training sentences.
        validation: Sentences the score is computed on.
        settings: What the loop is set to.
        pad_id: The tokenizer's padding id.
        arithmetic: Device and precision.
        rate: The peak learning rate of a parameter of the encoder, by its name.
        unfreezing: Top layers trained in each epoch; empty: all at once.
    """

    def __init__(  # noqa: PLR0913 - all of a learner's parts
        self,
        encoder: nn.Module,
        head: Head,
        *,
        train: TaggedPart,
        validation: TaggedPart,
        settings: TeachingSettings,
        pad_id: int,
        arithmetic: Arithmetic,
        rate: Callable[[str], float] = lambda name: 0.0,
        unfreezing: tuple[int, ...] = (),
    ) -> None:
        super().__init__(
            TokenStates(encoder),
            head,
            lengths=train.read.lengths,
            ids=train.ids,
            settings=settings,
            arithmetic=arithmetic,
            rate=rate,
            unfreezing=unfreezing,
        )
        self.train = train
        self.validation = validation
        self.pad_id = pad_id
        self.words = np.array([len(labels) for labels in train.labels], dtype=np.int64)
        self.class_weights: Tensor | None = None
        if settings.class_weights == "balanced":
            counts = np.bincount(np.concatenate(train.labels), minlength=len(head.labels))
            weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
            self.class_weights = torch.tensor(
                weights, dtype=torch.float32, device=arithmetic.device
            )

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some windows add to the mean cross-entropy of a batch's words, in nats."""
        del step
        mine = rows[part]
        labels = torch.from_numpy(np.concatenate([self.train.labels[row] for row in mine]))
        mean = cross_entropy(
            self._logits(self.train, mine),
            labels.to(self.arithmetic.device),
            weights=self.class_weights,
            smoothing=self.settings.label_smoothing,
        )
        return mean * (len(labels) / int(self.words[rows].sum()))

    @torch.inference_mode()
    def score(self) -> float:
        """Span F1 of the validation sentences: its mean over their languages."""
        rows, read = self.validation.rows, self.validation.read
        found = [np.zeros(len(row.tokens), dtype=np.int64) for row in rows.rows]
        for batch in plan(read.lengths, token_budget=_VALIDATION_TOKENS):
            classes = self._logits(self.validation, batch).argmax(dim=1).cpu().numpy()
            ends = np.cumsum([len(read.windows[row].words) for row in batch])[:-1]
            for row, own in zip(batch, np.split(classes, ends), strict=True):
                window = read.windows[row]
                found[window.sentence][window.words] = own
        tags = decoded(found, self.labels, bio=in_bio(self.labels))
        return mean_span_f1(rows, tags)

    def _logits(self, part: TaggedPart, rows: IntArray) -> Tensor:
        """Logits [M, C] of the words of some windows, one window after the other."""
        device = self.arithmetic.device
        windows = [part.read.windows[row] for row in rows]
        ids, mask = pad([window.input_ids for window in windows], self.pad_id, multiple=8)
        line = np.repeat(np.arange(len(windows)), [len(window.places) for window in windows])
        place = np.concatenate([window.places for window in windows])
        assert self.encoder is not None
        with torch.autocast(device.type, torch.bfloat16, enabled=self.arithmetic.bfloat16):
            states: Tensor = self.encoder(
                torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
            )
        known = states[torch.from_numpy(line).to(device), torch.from_numpy(place).to(device)]
        logits: Tensor = self.head(self.dropout(known.float()))
        return logits


def mean_span_f1(rows: TaggedExamples, tags: Sequence[Sequence[str]]) -> float:
    """Span F1 by seqeval's reading, each language by itself, then the mean over languages.

    Args:
        rows: N sentences with their right tags.
        tags: The tags found.
    """
    scores = []
    for own in rows.by_language.values():
        gold = [rows.rows[i].tags or () for i in own]
        scores.append(span_scores(span_counts(gold, [tags[i] for i in own])).f1)
    return float(np.mean(scores))
