"""What a run has to do: steps of such and such sizes, and passes without a backward one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from interlingua.base.seeding import generator
from interlingua.batches.framing import rectangle
from interlingua.training.cost.architecture import Architecture, Batch, Trained
from interlingua.training.cost.memory import Memory, memory_at_rest, memory_of
from interlingua.training.pretrain_settings import VALIDATION_TOKENS, PretrainSettings

if TYPE_CHECKING:
    from interlingua.training.language_modelling import Question, Strand, Vocabulary

_SAMPLE_STEPS = 48


@dataclass(frozen=True, slots=True)
class Passes:
    """Batches that are run forward only, and how many times, which need not be a whole number."""

    batches: tuple[Batch, ...]
    times: float


@dataclass(frozen=True, slots=True)
class Load:
    """A run, as far as its cost goes.

    Attributes:
        command: The command that runs it.
        architecture: The model, without what is not run.
        trained: Which part of it is trained.
        steps: Updates.
        batches: The sizes of some of the steps, drawn as the run draws them.
        largest: The most that is worked on at once.
        passes: What is run forward only: validation, and features of frozen encoders.
        dropout: Whether hidden states are dropped.
        copies: Copies of what is trained that are kept beside it.
        note: Where the sizes come from.
        checked: The largest batch that is run forward only.
        head: Parameters of a head that is trained beside the architecture.
    """

    command: Literal["pretrain", "align", "finetune"]
    architecture: Architecture
    trained: Trained
    steps: int
    batches: tuple[Batch, ...]
    largest: Batch
    passes: tuple[Passes, ...]
    dropout: bool
    copies: int
    note: str
    checked: Batch | None = None
    head: int = 0

    @property
    def parameters(self) -> dict[str, int]:
        """All parameters, those that are trained, and those of tables that are looked up."""
        taught = self.architecture.trained(self.trained) if self.steps else 0
        return {
            "total": self.architecture.total + self.head,
            "trained": taught + self.head,
            "embedding": self.architecture.embedding,
        }

    @property
    def tokens(self) -> int:
        """Tokens of all steps that are no padding."""
        return self._of_all(sum(batch.tokens for batch in self.batches))

    @property
    def padded(self) -> int:
        """Tokens of all steps with padding."""
        return self._of_all(sum(batch.padded for batch in self.batches))

    @property
    def labelled(self) -> int:
        """Labels of all steps."""
        return self._of_all(sum(batch.labelled for batch in self.batches))

    @property
    def step_flops(self) -> int:
        """Operations of all steps."""
        return self._of_all(sum(self.architecture.step(b, self.trained) for b in self.batches))

    @property
    def forward_flops(self) -> int:
        """Operations of all passes that are forward only."""
        return round(
            sum(
                passes.times * self.architecture.forward(batch, self.trained)
                for passes in self.passes
                for batch in passes.batches
            )
        )

    @property
    def flops(self) -> int:
        """All operations."""
        return self.step_flops + self.forward_flops

    def memory(self, *, bfloat16: bool, cpu: bool = False, process: int = 0) -> Memory:
        """The largest memory of the run, on a processor or another device."""
        if not self.steps:
            found = memory_at_rest(self.architecture, self.largest, bfloat16=bfloat16)
        else:
            found = memory_of(
                self.architecture,
                self.largest,
                self.trained,
                bfloat16=bfloat16,
                dropout=self.dropout,
                copies=self.copies,
                cpu=cpu,
                checked=self.checked,
            )
        return replace(found, process=process)

    def _of_all(self, of_sample: float) -> int:
        return round(of_sample / max(1, len(self.batches)) * self.steps)


def facts_of(load: Load) -> dict[str, Any]:
    """What can be told of a run without looking at any machine."""
    tokens = load.tokens or sum(
        round(passes.times * batch.tokens) for passes in load.passes for batch in passes.batches
    )
    count = load.parameters
    return {
        "command": load.command,
        "family": load.architecture.family,
        "parameters": count,
        "steps": load.steps,
        "tokens": tokens,
        "padded_tokens": load.padded,
        "labelled_tokens": load.labelled,
        "flops": {
            "total": load.flops,
            "training": load.step_flops,
            "forward_only": load.forward_flops,
            "per_token": round(load.flops / max(1, tokens)),
            "six_n_per_token": 6 * (count["total"] - count["embedding"]),
        },
        "sizes_from": load.note,
    }


def of_question(question: Question) -> Batch:
    """The sizes of a question."""
    rows, length = question.input_ids.shape
    decoder = question.decoder_ids
    tokens = int(question.attention_mask.sum())
    return Batch(
        rows, length, question.labelled, 0 if decoder is None else decoder.shape[1], tokens
    )


def draws(
    strands: list[Strand],
    vocabulary: Vocabulary,
    settings: PretrainSettings,
    *,
    learned_positions: bool,
    decoder: bool,
) -> Iterator[Question]:
    """Questions of some steps at the start of each phase, as the run asks them."""
    from interlingua.training.language_modelling import ask, mixture_of, phase_steps

    mixture = mixture_of(strands, vocabulary.frame, settings)
    first = 0
    for phase, count in zip(settings.phases, phase_steps(settings), strict=True):
        wanted = min(count, max(1, round(_SAMPLE_STEPS * phase.share)))
        for step, draw in enumerate(mixture.draws(first, first + wanted), first):
            strand = strands[draw.source]
            yield ask(
                strand.settings,
                rectangle(strand.train, draw.rows, vocabulary.frame),
                vocabulary,
                generator(settings.seed, "question", step),
                rate=phase.rate or strand.settings.rate,
                learned_positions=learned_positions,
                decoder=decoder,
            )
        first += count


def largest_of(batches: tuple[Batch, ...], settings: PretrainSettings, length: int) -> Batch:
    """The most that a process works on at once: the budget full of the longest rows."""
    rows = min(settings.max_rows, settings.micro_rows, max(1, settings.token_budget // length))
    share = max(batch.labelled / batch.padded for batch in batches)
    target = max(batch.target for batch in batches)
    return Batch(rows, length, round(share * rows * (length + target)), target, rows * length)


def checked_of(largest: Batch) -> Batch:
    """The largest batch of a validation, as full and as labelled as one of training."""
    share = VALIDATION_TOKENS / (largest.rows * largest.length)
    rows = max(1, round(share * largest.rows))
    labelled = round(rows / largest.rows * largest.labelled)
    return Batch(rows, largest.length, labelled, largest.target, rows * largest.length)


def validation_passes(
    batches: tuple[Batch, ...], tokens: float, settings: PretrainSettings
) -> Passes:
    """Validations on so many tokens, as if their rows were in batches like those of training."""
    times = -(-settings.steps // settings.validate_every) + (settings.checkpoint == "average")
    return Passes(batches, times * tokens / max(1, sum(batch.tokens for batch in batches)))


__all__ = [
    "Load",
    "Passes",
    "checked_of",
    "draws",
    "facts_of",
    "largest_of",
    "of_question",
    "validation_passes",
]
