"""A reader trained by gradient: the learner that the loop is given, and the probe.

Legend: N questions, W windows, B windows of a batch, L tokens, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, plan, shuffled_plan
from interlingua.batches.tokens import pad
from interlingua.batches.windows import Windows
from interlingua.models.heads import Head
from interlingua.models.native import ANSWER_LABELS, TokenStates
from interlingua.objectives.span_extraction import span_loss
from interlingua.tasks.metrics.answers import answer_scores, squad_tokens
from interlingua.tasks.questions import Questions
from interlingua.tasks.spans import answers, best_spans
from interlingua.training.learner import HeadLearner

if TYPE_CHECKING:
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.settings import TeachingSettings

_VALIDATION_TOKENS = 4096
_STRENGTHS = (1e-4, 1e-3, 1e-2)
_ITERATIONS = 60


@dataclass(frozen=True, slots=True)
class Part:
    """Questions, and what the model is given of them.

    Attributes:
        questions: N questions.
        windows: Their W windows.
        targets: First and last token of the answer in each window, 0 and 0 for none [W, 2].
    """

    questions: Questions
    windows: Windows
    targets: IntArray

    @property
    def answered(self) -> np.ndarray:
        """Whether a window holds the answer [W]."""
        return np.asarray(self.targets[:, 0] > 0)

    def allowed(self, rows: IntArray, length: int) -> np.ndarray:
        """Which tokens of some windows, padded to a length, an answer may begin or end with.

        Returns:
            bool [B, L]: the context's tokens and the first, which stands for no answer.
        """
        places = np.arange(length)
        begin = self.windows.offset[rows, None]
        inside = (places >= begin) & (places < begin + self.windows.count[rows, None])
        inside[:, 0] = True
        return np.asarray(inside)


class ReaderLearner(HeadLearner):
    """A linear head over the states of tokens; see `HeadLearner`.

    Args:
        encoder: Token ids to states.
        head: Where the head starts.
        train: Training questions.
        validation: Questions the score is computed on.
        unanswered: Windows without the answer that an epoch sees at most, for each that has it.
        settings: What the loop is set to.
        pad_id: The tokenizer's padding id.
        arithmetic: Device and precision.
        rate: The peak learning rate of a parameter of the encoder, by its name.
        unfreezing: Top layers trained in each epoch; empty: all at once.
    """

    encoder: nn.Module

    def __init__(  # noqa: PLR0913 - all of a learner's parts
        self,
        encoder: TokenStates,
        head: Head,
        *,
        train: Part,
        validation: Part,
        unanswered: float,
        settings: TeachingSettings,
        pad_id: int,
        arithmetic: Arithmetic,
        rate: Callable[[str], float] = lambda name: 0.0,
        unfreezing: tuple[int, ...] = (),
    ) -> None:
        super().__init__(
            encoder,
            head,
            lengths=train.windows.lengths,
            ids=[train.questions.rows[row].id for row in train.windows.question],
            settings=settings,
            arithmetic=arithmetic,
            rate=rate,
            unfreezing=unfreezing,
        )
        self.train = train
        self.validation = validation
        self.unanswered = unanswered
        self.pad_id = pad_id

    def batches(self, epoch: int, seed: int) -> list[IntArray]:
        """Windows of like length together; of those without the answer others every epoch."""
        rng = generator(seed, "order", epoch)
        answered, others = np.flatnonzero(self.train.answered), np.flatnonzero(~self.train.answered)
        most = round(self.unanswered * len(answered)) if len(answered) else len(others)
        if len(others) > most:
            others = rng.choice(others, size=most, replace=False)
        rows = np.sort(np.concatenate([answered, others]))
        batches = shuffled_plan(
            self.lengths[rows],
            token_budget=self.settings.token_budget,
            rng=rng,
            max_rows=self.settings.max_rows,
        )
        return [rows[batch] for batch in batches]

    def kind(self, rows: IntArray) -> str:
        """All batches have the same loss."""
        del rows
        return "span extraction"

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some windows add to the mean loss of a batch, in nats."""
        del step
        mine = rows[part]
        logits = self._logits(self.train, mine)
        device = self.arithmetic.device
        targets = torch.from_numpy(self.train.targets[mine]).to(device)
        allowed = torch.from_numpy(self.train.allowed(mine, logits.shape[1])).to(device)
        return span_loss(logits, targets, allowed) * (len(mine) / len(rows))

    @torch.inference_mode()
    def score(self) -> float:
        """SQuAD's F1 of the validation questions: its mean over their languages."""
        part = self.validation
        batches = plan(part.windows.lengths, token_budget=_VALIDATION_TOKENS)
        return mean_f1(part, [(rows, self._logits(part, rows).cpu()) for rows in batches])

    def _logits(self, part: Part, rows: IntArray) -> Tensor:
        device = self.arithmetic.device
        ids, mask = pad([part.windows.input_ids[row] for row in rows], self.pad_id, multiple=8)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.arithmetic.bfloat16):
            states = self.encoder(
                torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
            )
        logits: Tensor = self.head(self.dropout(states.float()))
        return logits


def mean_f1(part: Part, logits: Sequence[tuple[IntArray, Tensor]]) -> float:
    """SQuAD's F1 of the best answers, its mean over the languages of the contexts.

    Args:
        part: The questions.
        logits: Of the windows in batches: their numbers, and [B, L, 2].
    """
    of_window = {
        row: found
        for rows, batch in logits
        for row, found in zip(rows.tolist(), batch, strict=True)
    }
    scores = [of_window[row].float().numpy() for row in range(len(of_window))]
    questions = part.questions
    none_right = any(not row.answers for row in questions.rows)
    found = answers(
        part.windows,
        best_spans(part.windows, scores),
        questions.texts,
        no_answer=0.0 if none_right else None,
    )
    right = [[gold.text for gold in row.answers] for row in questions.rows]
    f1 = answer_scores([best[0].text for best in found], right, tokens=squad_tokens).f1
    return float(np.mean([f1[own].mean() for own in questions.by_language.values()]))


@torch.no_grad()
def frozen_states(
    encoder: TokenStates, part: Part, *, pad_id: int, token_budget: int = _VALIDATION_TOKENS
) -> list[tuple[IntArray, Tensor]]:
    """States of the windows of a part in batches: their numbers, and bfloat16 [B, L, D]."""
    found = []
    for rows in plan(part.windows.lengths, token_budget=token_budget):
        ids, mask = pad([part.windows.input_ids[row] for row in rows], pad_id, multiple=8)
        states = encoder(torch.from_numpy(ids), torch.from_numpy(mask))
        found.append((rows, states.to(torch.bfloat16)))
    return found


def fit_reader_probe(
    states: Sequence[tuple[IntArray, Tensor]], part: Part, held_out: np.ndarray
) -> tuple[Head, float, float]:
    """A head on frozen states that minimises the loss of a reader and an L2 penalty, by L-BFGS.

    The penalty's strength is the one whose head, fitted on the other windows, loses least on those
    held out; then it is fitted on all.

    Args:
        states: What `frozen_states` gives.
        part: The windows and their targets.
        held_out: Which windows are held out, bool [W].

    Returns:
        The head, the strength chosen, and its loss on the windows held out, in nats.
    """
    measure = partial(_loss, states, part)
    losses = {
        strength: float(measure(_fitted(states, part, ~held_out, strength), held_out).detach())
        for strength in _STRENGTHS
    }
    best = min(losses, key=lambda strength: losses[strength])
    parameters = _fitted(states, part, np.ones_like(held_out), best).detach().numpy()
    head = Head(
        np.ascontiguousarray(parameters[:, :-1]),
        np.ascontiguousarray(parameters[:, -1]),
        ANSWER_LABELS,
    )
    return head, best, losses[best]


def _fitted(
    states: Sequence[tuple[IntArray, Tensor]], part: Part, chosen: np.ndarray, strength: float
) -> Tensor:
    """Weight and bias of a head, float32 [2, D + 1], fitted on some windows."""
    width = states[0][1].shape[-1]
    parameters = torch.zeros(2, width + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameters], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = _loss(states, part, parameters, chosen)
        loss = loss + strength / 2 * (parameters[:, :-1] ** 2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return parameters


def _loss(
    states: Sequence[tuple[IntArray, Tensor]], part: Part, parameters: Tensor, chosen: np.ndarray
) -> Tensor:
    """Mean loss of some windows, bool [W], with a head [2, D + 1]."""
    total = torch.zeros(())
    for rows, batch in states:
        mine = chosen[rows]
        if not mine.any():
            continue
        picked = rows[mine]
        logits = batch[torch.from_numpy(mine)].float() @ parameters[:, :-1].T + parameters[:, -1]
        targets = torch.from_numpy(part.targets[picked])
        allowed = torch.from_numpy(part.allowed(picked, logits.shape[1]))
        total = total + span_loss(logits, targets, allowed) * len(picked)
    return total / max(1, int(chosen.sum()))
