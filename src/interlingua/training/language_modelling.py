"""The learner of pretraining: any mix of objectives over texts and pairs.

Legend: B rows, L tokens, M labelled positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, plan
from interlingua.batches.framing import MULTIPLE, Frame, Rectangle, rectangle
from interlingua.batches.mixture import Mixture, Source
from interlingua.batches.tokens import pad
from interlingua.objectives.causal_lm import next_tokens
from interlingua.objectives.masked_lm import IGNORE, mask_tokens
from interlingua.objectives.span_corruption import corrupt_spans, noise_mask
from interlingua.objectives.token_loss import token_loss
from interlingua.objectives.translation import shifted_right, target_tokens
from interlingua.objectives.translation_lm import reset_positions
from interlingua.training.pretrain_settings import VALIDATION_TOKENS
from interlingua.training.stepwise import StepwiseLearner

if TYPE_CHECKING:
    from interlingua.batches.token_store import TokenStore
    from interlingua.models.language_model import LanguageModel
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.pretrain_settings import ObjectiveSettings, PretrainSettings

_BITS_OF_A_BYTE = 8


@dataclass(frozen=True, slots=True)
class Strand:
    """An objective and the rows it draws from.

    Attributes:
        settings: The objective.
        train: Training rows.
        validation: Rows it is measured on, of `chosen`; None: it is not.
        chosen: Which rows of ``validation`` are used.
    """

    settings: ObjectiveSettings
    train: TokenStore
    validation: TokenStore | None
    chosen: IntArray

    @property
    def name(self) -> str:
        """The objective's name."""
        return self.settings.kind


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The ids that objectives need.

    Attributes:
        frame: Special tokens around texts.
        mask: Id of the mask; None: there is none.
        sentinels: Ids that stand for hidden spans.
        start: Id that a decoder starts with.
    """

    frame: Frame
    mask: int | None
    sentinels: IntArray
    start: int


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is shown and asked.

    Attributes:
        input_ids: What it reads [B, L].
        attention_mask: 1 where there is a token [B, L].
        labels: What it is to guess, `IGNORE` where nothing [B, L] or [B, L'].
        bytes: Bytes that each label covers, of its shape.
        positions: Positions from 0 [B, L]; None: those of the architecture.
        decoder_ids: What a decoder beside an encoder reads [B, L'].
    """

    input_ids: IntArray
    attention_mask: IntArray
    labels: IntArray
    bytes: IntArray
    positions: IntArray | None = None
    decoder_ids: IntArray | None = None

    @property
    def labelled(self) -> int:
        """How many labels there are."""
        return int(np.count_nonzero(self.labels != IGNORE))

    def select(self, rows: IntArray) -> Question:
        """Some of the rows."""
        return Question(
            *(
                None if value is None else value[rows]
                for value in (
                    self.input_ids,
                    self.attention_mask,
                    self.labels,
                    self.bytes,
                    self.positions,
                    self.decoder_ids,
                )
            )  # type: ignore[arg-type]
        )


def ask(
    settings: ObjectiveSettings,
    rows: Rectangle,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    rate: float,
    learned_positions: bool,
    decoder: bool,
) -> Question:
    """Make a question of rows, by an objective.

    Args:
        settings: The objective.
        rows: Texts, or texts with their translations.
        vocabulary: Special ids.
        rng: Where chance comes from.
        rate: Share of hidden tokens.
        learned_positions: Whether the model takes positions.
        decoder: Whether the model has an encoder and a decoder.
    """
    kind, frame = settings.kind, vocabulary.frame
    if kind == "clm" or (kind == "translation" and not decoder):
        labels = next_tokens(rows.input_ids, rows.attention_mask)
        if kind == "translation":
            labels = target_tokens(labels, rows.second)
        covered = np.zeros_like(rows.bytes)
        covered[:, :-1] = rows.bytes[:, 1:]
        return Question(rows.input_ids, rows.attention_mask, labels, covered)
    if kind in ("mlm", "tlm"):
        assert vocabulary.mask is not None
        starts = None
        if settings.whole_words and frame.starts is not None:
            starts = frame.starts[np.minimum(rows.input_ids, len(frame.starts) - 1)]
        corrupted, labels = mask_tokens(
            rows.input_ids,
            rows.text,
            rng,
            rate=rate,
            mask_id=vocabulary.mask,
            ordinary=frame.ordinary_ids,
            starts=starts,
        )
        positions = None
        if kind == "tlm" and settings.reset_positions and learned_positions:
            first = len(frame.before)
            positions = reset_positions(rows.second, rows.attention_mask, first=first)
        return Question(corrupted, rows.attention_mask, labels, rows.bytes, positions)
    return _of_sequences(settings, rows, vocabulary, rng, rate=rate)


def _of_sequences(
    settings: ObjectiveSettings,
    rows: Rectangle,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    *,
    rate: float,
) -> Question:
    """Questions to an encoder-decoder: span corruption and translation."""
    end = vocabulary.frame.after[-1]
    sources, targets, sizes = [], [], []
    for i, ids in enumerate(rows.input_ids):
        text = np.flatnonzero(rows.text[i] | (ids == vocabulary.frame.unknown))
        cut = int(rows.second[i])
        if settings.kind == "translation":
            first, second = text[text < cut], text[text >= cut]
            sources.append(np.append(ids[first], end))
            targets.append(np.append(ids[second], end))
            sizes.append(np.append(rows.bytes[i, second], 0))
            continue
        hidden = np.zeros(len(text), bool)
        if len(text) > 1:
            hidden = noise_mask(len(text), rng, rate=rate, mean_span=settings.mean_span)
        source, target = corrupt_spans(ids[text], hidden, vocabulary.sentinels, end)
        sources.append(source)
        targets.append(target)
        covered = np.zeros(len(target), dtype=np.int64)
        covered[~np.isin(target, [*vocabulary.sentinels, end])] = rows.bytes[i, text][hidden]
        sizes.append(covered)
    input_ids, attention_mask = pad(sources, vocabulary.frame.pad, multiple=MULTIPLE)
    labels, _ = pad(targets, IGNORE, multiple=MULTIPLE)
    covered, _ = pad(sizes, 0, multiple=MULTIPLE)
    decoder_ids = shifted_right(labels, vocabulary.start)
    return Question(input_ids, attention_mask, labels, covered, None, decoder_ids)


@dataclass(frozen=True, slots=True)
class Guesser:
    """A language model with what it takes to ask it and to charge for its answers.

    Attributes:
        model: The model, its head included.
        vocabulary: Special ids.
        arithmetic: Device and precision.
        learned_positions: Whether the model takes positions.
    """

    model: LanguageModel
    vocabulary: Vocabulary
    arithmetic: Arithmetic
    learned_positions: bool

    @property
    def decoder(self) -> bool:
        """Whether the model has an encoder and a decoder."""
        return bool(getattr(self.model.model.config, "is_encoder_decoder", False))

    def question(
        self,
        settings: ObjectiveSettings,
        store: TokenStore,
        rows: IntArray,
        rng: np.random.Generator,
        *,
        rate: float | None = None,
    ) -> Question:
        """What is asked of rows of a store, by an objective.

        Args:
            settings: The objective.
            store: Where the rows are.
            rows: Which.
            rng: Where chance comes from.
            rate: Share of hidden tokens; None: the objective's own.
        """
        return ask(
            settings,
            rectangle(store, rows, self.vocabulary.frame),
            self.vocabulary,
            rng,
            rate=rate or settings.rate,
            learned_positions=self.learned_positions,
            decoder=self.decoder,
        )

    def share(self, question: Question, part: IntArray) -> Tensor:
        """What some rows add to the mean loss over a question's labels, in nats."""
        scale = 1.0 / max(1, question.labelled)
        whole = len(part) == len(question.input_ids)
        return self.answer(question if whole else question.select(part), scale)

    def answer(self, question: Question, scale: float) -> Tensor:
        """The summed loss of a question, times ``scale``."""
        device = self.arithmetic.device

        def tensor(values: NDArray[Any] | None) -> Tensor | None:
            return None if values is None else torch.from_numpy(values).to(device)

        labels = torch.from_numpy(question.labels).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.arithmetic.bfloat16):
            states = self.model(
                tensor(question.input_ids),
                tensor(question.attention_mask),
                labels != IGNORE,
                positions=tensor(question.positions),
                decoder_ids=tensor(question.decoder_ids),
            )
        output = self.model.output
        return token_loss(
            states,
            labels[labels != IGNORE],
            output.weight,  # type: ignore[arg-type]
            output.bias,
            scale=scale,
            dtype=torch.bfloat16 if self.arithmetic.bfloat16 else torch.float32,
            cap=self.model.cap,
        )


class LanguageModelLearner(StepwiseLearner):
    """A language model and what it is taught with; the loop trains it.

    Args:
        model: The model, its head included.
        strands: Objectives with their rows.
        vocabulary: Special ids.
        settings: How it is trained.
        arithmetic: Device and precision.
        learned_positions: Whether the model takes positions.
    """

    settings: PretrainSettings

    def __init__(
        self,
        model: LanguageModel,
        strands: list[Strand],
        vocabulary: Vocabulary,
        *,
        settings: PretrainSettings,
        arithmetic: Arithmetic,
        learned_positions: bool,
    ) -> None:
        self.model = model.to(arithmetic.device)
        trained = {n: p for n, p in model.model.named_parameters() if p.requires_grad}
        super().__init__(trained, mixture_of(strands, vocabulary.frame, settings), settings)
        self.strands = strands
        self.guesser = Guesser(self.model, vocabulary, arithmetic, learned_positions)
        self.vocabulary = vocabulary
        self.settings = settings
        self.arithmetic = arithmetic
        self.learned_positions = learned_positions
        self.decoder = self.guesser.decoder
        self.phase_steps = phase_steps(settings)
        self.tokens = 0
        self._measured: dict[str, float] = {}
        self._asked: tuple[int, Question] | None = None

    def row_ids(self, rows: IntArray) -> list[str]:
        """The documents that rows are of."""
        strand, own = self._strand(rows)
        return [strand.train.name(int(row)) for row in own]

    def kind(self, rows: IntArray) -> str:
        """The objective of a batch."""
        return self._strand(rows)[0].name

    def training_mode(self, on: bool) -> None:
        """Switch dropout on or off."""
        self.model.train(on)

    def _strand(self, rows: IntArray) -> tuple[Strand, IntArray]:
        index, own = self.source_of(rows)
        return self.strands[index], own

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What some rows add to a batch's mean loss over its labels, in nats."""
        question = self.question(rows, step)
        self.tokens += int(question.attention_mask[part].sum())
        return self.guesser.share(question, part)

    def question(self, rows: IntArray, step: int) -> Question:
        """The whole batch's question, the same in every process."""
        if self._asked is None or self._asked[0] != step:
            strand, own = self._strand(rows)
            rng = generator(self.settings.seed, "question", step)
            phase = int(np.searchsorted(np.cumsum(self.phase_steps), step, side="right"))
            rate = self.settings.phases[min(phase, len(self.settings.phases) - 1)].rate
            asked = self.guesser.question(strand.settings, strand.train, own, rng, rate=rate)
            self._asked = step, asked
        return self._asked[1]

    @torch.no_grad()
    def score(self) -> float:
        """Minus the mean over objectives and languages of the bits per byte of what is guessed.

        Masks are the same at every validation. Of a causal model it is bits per byte of the text;
        otherwise of the hidden tokens, to be compared only with the same tokenizer. Every byte
        behind an unknown token that was guessed costs eight bits more, since the token does not
        tell it (as in `models.ngram.Measured`).
        """
        self._measured = {}
        means = []
        for strand in self.strands:
            found = self._bits(strand)
            for lang, bits in found.items():
                self._measured[f"{strand.name}/{lang}"] = round(bits, 5)
            if found:
                mean = sum(found.values()) / len(found)
                self._measured[strand.name] = round(mean, 5)
                means.append(mean)
        return -sum(means) / len(means) if means else 0.0

    def figures(self) -> dict[str, float]:
        """Bits per byte at the last validation, by objective and by language."""
        return dict(self._measured)

    def _bits(self, strand: Strand) -> dict[str, float]:
        store = strand.validation
        if store is None:
            return {}
        nats = np.zeros(len(store.languages))
        covered = np.zeros(len(store.languages))
        hidden = np.zeros(len(store.languages))
        for index in np.unique(store.lang[strand.chosen]):
            rows = strand.chosen[store.lang[strand.chosen] == index]
            lengths = store.lengths[rows]
            for number, batch in enumerate(plan(lengths, token_budget=VALIDATION_TOKENS)):
                rng = generator(0, "validation", strand.name, int(index), number)
                question = self.guesser.question(strand.settings, store, rows[batch], rng)
                nats[index] += float(self.guesser.answer(question, 1.0))
                covered[index] += question.bytes[question.labels != IGNORE].sum()
                unknown = question.labels == self.vocabulary.frame.unknown
                hidden[index] += question.bytes[unknown].sum()
        bits = (nats / math.log(2) + _BITS_OF_A_BYTE * hidden) / np.maximum(covered, 1)
        return {tag: float(bits[i]) for i, tag in enumerate(store.languages) if covered[i]}


def mixture_of(strands: list[Strand], frame: Frame, settings: PretrainSettings) -> Mixture:
    """Which rows each step of a run takes."""
    temperatures = [phase.temperature for phase in settings.phases]
    return Mixture(
        [_source(strand, frame) for strand in strands],
        list(zip(phase_steps(settings), temperatures, strict=True)),
        seed=settings.seed,
        token_budget=settings.token_budget,
        max_rows=settings.max_rows,
    )


def _source(strand: Strand, frame: Frame) -> Source:
    store = strand.train
    lengths = store.lengths + frame.special(pairs=bool(store.second.any()))
    return Source(lengths, store.lang.astype(np.int64), strand.settings.weight)


def phase_steps(settings: PretrainSettings) -> list[int]:
    """Steps of each phase; they add up to all."""
    ends = np.cumsum([phase.share for phase in settings.phases]) * settings.steps
    marks = [0, *(round(end) for end in ends[:-1]), settings.steps]
    return [end - start for start, end in pairwise(marks)]
