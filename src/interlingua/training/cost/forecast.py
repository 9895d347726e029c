"""What a pretraining run says of its own cost as it starts, to be compared with what it took.

``logs/prediction.json`` holds parameters, operations, tokens and memory as soon as the rows are
tokenized, and the seconds that the whole run will take after its first steps.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import ModelError
from interlingua.base.files import write_json
from interlingua.base.progress import say
from interlingua.batches.buckets import padded_length
from interlingua.batches.framing import MULTIPLE
from interlingua.training.cost.architecture import Trained, architecture_of
from interlingua.training.cost.load import (
    Load,
    checked_of,
    draws,
    facts_of,
    largest_of,
    of_question,
    validation_passes,
)
from interlingua.training.cost.machine import process_bytes

if TYPE_CHECKING:
    from interlingua.models.folder import ModelFolder
    from interlingua.training.cost.architecture import Architecture, Batch
    from interlingua.training.distributed import Processes
    from interlingua.training.language_modelling import LanguageModelLearner
    from interlingua.training.pretrain_settings import PretrainRecipe, PretrainSettings

PREDICTION = Path("logs/prediction.json")
_WARM, _WATCHED = 3, 10  # steps that do not count, and steps that the rate is taken from


def pretrain_load(
    settings: PretrainSettings,
    architecture: Architecture,
    batches: tuple[Batch, ...],
    largest: Batch,
    *,
    validation_tokens: float,
    note: str,
) -> Load:
    """What a pretraining run has to do, given the sizes of its steps.

    Args:
        settings: Of its training.
        architecture: The model.
        batches: The sizes of some of its steps.
        largest: The most that is worked on at once.
        validation_tokens: Tokens of one validation.
        note: Where the sizes come from.
    """
    return Load(
        "pretrain",
        architecture,
        Trained(table=settings.embeddings == "trained", rank=settings.lora_rank),
        settings.steps,
        batches,
        largest,
        (validation_passes(batches, validation_tokens, settings),),
        dropout=settings.dropout > 0,
        copies=int(settings.checkpoint != "last"),
        note=note,
        checked=checked_of(largest),
    )


class Forecast:
    """Looks on as a run goes, and says early how long it will take.

    Args:
        load: What the run has to do.
        learner: What is trained.
        out: The run's folder.
        world: How many processes share the work.
        cpu: Whether a processor trains.
        process: Bytes of this process before the run.
    """

    def __init__(
        self,
        load: Load,
        learner: LanguageModelLearner,
        out: Path,
        *,
        world: int,
        cpu: bool,
        process: int,
    ) -> None:
        self.load, self.learner = load, learner
        self.path = out / PREDICTION
        self.world = world
        bfloat16 = learner.arithmetic.bfloat16
        memory = load.memory(bfloat16=bfloat16, cpu=cpu, process=process)
        self.document = {**facts_of(load), "memory": memory.facts(), "seconds": None}
        self.watching = not self.path.exists()  # a resumed run keeps what it said at its start
        self._steps = 0
        self._from = (0.0, 0)
        if self.watching:
            write_json(self.path, self.document)

    @classmethod
    def of(
        cls,
        recipe: PretrainRecipe,
        folder: ModelFolder,
        learner: LanguageModelLearner,
        out: Path,
        group: Processes,
    ) -> Forecast | None:
        """A forecast of a run about to start; None in all processes but the first.

        A model of a family whose cost cannot be told has none either.
        """
        if not group.first:
            return None
        cpu = group.device.type == "cpu"
        process = process_bytes() if cpu else 0
        try:
            architecture = architecture_of(folder.config)
        except ModelError as error:
            say(f"no forecast: {error}")
            return None
        settings = recipe.training
        batches = tuple(
            of_question(question)
            for question in draws(
                learner.strands,
                learner.vocabulary,
                settings,
                learned_positions=learner.learned_positions,
                decoder=learner.decoder,
            )
        )
        length = padded_length(min(settings.max_length, folder.info.max_length), MULTIPLE)
        frame = learner.vocabulary.frame
        tokens = sum(
            float(np.sum(strand.validation.lengths[strand.chosen]))
            + len(strand.chosen) * frame.special(pairs=bool(strand.validation.second.any()))
            for strand in learner.strands
            if strand.validation is not None
        )
        load = pretrain_load(
            settings,
            architecture,
            batches,
            largest_of(batches, settings, length),
            validation_tokens=tokens,
            note=f"{len(batches)} of the run's own steps",
        )
        weights = 4 * architecture.total if cpu else 0
        process = max(0, process - weights)
        return cls(load, learner, out, world=group.world, cpu=cpu, process=process)

    def after_step(self, step: int) -> None:
        """Take the rate of some early steps, and then say how long all of them will take."""
        del step  # a run that is resumed has its first steps behind it
        if not self.watching:
            return
        self._steps += 1
        if self._steps == _WARM:
            self._from = (time.perf_counter(), self.learner.tokens)
        elif self._steps == _WARM + _WATCHED:
            started, tokens = self._from
            of_token = (time.perf_counter() - started) / max(1, self.learner.tokens - tokens)
            # Validation is counted in operations, at the rate of training.
            whole = of_token / self.world * self.load.tokens
            whole *= self.load.flops / self.load.step_flops
            write_json(self.path, {**self.document, "seconds": round(whole, 1)})
            self.watching = False
            say(f"the run will take about {whole / 3600:.1f} hours")

    def facts(self) -> dict[str, float]:
        """Tokens so far."""
        return {"tokens": self.learner.tokens * self.world}


__all__ = ["PREDICTION", "Forecast", "pretrain_load"]
