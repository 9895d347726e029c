"""Question answering as it is taught: windows, their targets, and a head in the native layout."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ConfigError
from interlingua.base.seeding import generator
from interlingua.batches.windows import window_questions
from interlingua.models.folder import ModelFolder
from interlingua.models.heads import Head
from interlingua.tasks.cloze import cloze_questions
from interlingua.tasks.questions import Questions
from interlingua.tasks.record import Task
from interlingua.training.lesson import Lesson, read_files
from interlingua.training.settings import FinetuneRecipe, FullSettings, LoraSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.training.distributed import Processes
    from interlingua.training.reader import Part, ReaderLearner
    from interlingua.training.settings import TeachingSettings

_PROBED = 1000
"""Windows that a probe is fitted on at most: their states are held in memory."""


class QuestionLesson(Lesson[Questions]):
    """A head over the states of tokens that says where the answer begins and ends."""

    unread: ClassVar[tuple[str, ...]] = ("class_weights", "label_smoothing", "token_dropout")

    @classmethod
    def read(
        cls, recipe: FinetuneRecipe, task: Task, *, strategy: str, parent: ModelFolder
    ) -> Self:
        """Read and check everything a recipe names.

        Raises:
            UserError: Something cannot be used.
        """
        from interlingua.models.native import ANSWER_LABELS, check_native, native_head, native_kind

        data, kind = recipe.data, "question-answering"
        if data.labels:
            raise ConfigError(f"--labels: task {task.name} has none")
        check_native(parent, "question-answering")
        length = min(recipe.training.reading.window, parent.info.max_length)
        folder = parent.with_info(max_length=length)
        train, validation = read_files(Questions, recipe, task)
        taught = parent.info.task == task.name and native_kind(parent) == kind
        return cls(
            recipe,
            task,
            strategy,
            folder,
            ANSWER_LABELS,
            train.placed(data.on_error),
            None if validation is None else validation.placed(data.on_error),
            native_head(parent) if taught else None,
        )

    @property
    def features(self) -> int:
        """Features of a token's state, D."""
        return self.folder.width

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same for a run by gradient to be resumed."""
        reading = self.recipe.training.reading.model_dump(mode="json")
        return {**super().fingerprint(), "reading": reading}

    def taught(self, rows: Questions) -> Questions:
        """Training questions, and those made from their contexts."""
        count = round(self.recipe.training.reading.cloze * len(rows.rows))
        if not count:
            return rows
        rng = generator(self.seed, "cloze")
        return Questions([*rows.rows, *cloze_questions(rows.rows, count, rng)], rows.files)

    def part(self, rows: Questions) -> Part:
        """Questions as windows of tokens, with the places of the answers."""
        from interlingua.training.reader import Part

        windows = window_questions(
            self.folder.tokenizer(),
            rows.questions,
            rows.texts,
            max_length=self.folder.info.max_length,
        )
        return Part(rows, windows, windows.targets([row.span for row in rows.rows]))

    def input_ids(self, rows: Questions) -> list[NDArray[np.int32]]:
        """Token ids of each window."""
        return self.part(rows).windows.input_ids

    def learner(
        self,
        settings: TeachingSettings,
        train: Questions,
        validation: Questions,
        *,
        group: Processes,
        head: Head | None = None,
    ) -> ReaderLearner:
        """A linear head on the states of tokens, and the encoder below it."""
        from interlingua.models.native import TokenStates
        from interlingua.training.arithmetic import Arithmetic
        from interlingua.training.reader import ReaderLearner
        from interlingua.training.trainable import rate, trained_encoder

        part = self.part(train)
        rates: Callable[[str], float] = partial(rate, depth=1, top=0.0, decay=1.0)
        if isinstance(settings, FullSettings | LoraSettings):
            plain, rates = trained_encoder(
                self.folder, settings, part.windows.input_ids, device=group.device, seed=self.seed
            )
            encoder = TokenStates(plain, self.folder.second)
        else:
            encoder = self._frozen()
        return ReaderLearner(
            encoder,
            head or self.head or self.blank_head(),
            train=part,
            validation=self.part(validation),
            unanswered=self.recipe.training.reading.unanswered,
            settings=settings,
            pad_id=self.folder.pad_id,
            arithmetic=Arithmetic.of(settings, group.device),
            rate=rates,
            unfreezing=settings.unfreezing if isinstance(settings, FullSettings) else (),
        )

    def probe(self) -> tuple[Head, dict[str, Any]]:
        """A regularised head on the frozen states of some windows."""
        import torch

        from interlingua.training.reader import fit_reader_probe, frozen_states, mean_f1

        rows = self.taught(self.train)
        if len(rows.rows) > _PROBED:
            order = generator(self.seed, "probed").permutation(len(rows.rows))
            chosen = np.zeros(len(rows.rows), dtype=np.bool_)
            chosen[order[:_PROBED]] = True
            rows = rows.select(chosen)
        part = self.part(rows)
        folds = self.recipe.training.probe.folds
        parts = self.parts(rows, count=folds, rng=generator(self.seed, "folds"))
        held_out = (parts == 0)[part.windows.question]
        encoder, pad_id = self._frozen(), self.folder.pad_id
        states = frozen_states(encoder, part, pad_id=pad_id)
        head, strength, loss = fit_reader_probe(states, part, held_out)
        scores: dict[str, Any] = {
            "regularisation_strength": strength,
            "held_out_loss": round(loss, 4),
            "windows": len(part.windows.input_ids),
        }
        if self.validation is not None:
            part = self.part(self.validation)
            weight, bias = torch.from_numpy(head.weight), torch.from_numpy(head.bias)
            logits = [
                (of, batch.float() @ weight.T + bias)
                for of, batch in frozen_states(encoder, part, pad_id=pad_id)
            ]
            scores["validation"] = {
                "metric": self.task.metric,
                "score": round(mean_f1(part, logits), 4),
                "rows": len(self.validation.rows),
            }
        return head, scores

    def _frozen(self) -> Any:  # noqa: ANN401 - TokenStates, whose module imports torch
        """The encoder's states, which nothing changes."""
        from interlingua.models.encoder import load_encoder
        from interlingua.models.native import TokenStates

        encoder = load_encoder(self.folder).requires_grad_(False)
        return TokenStates(encoder, self.folder.second).eval()

    def finished(
        self, encoder: PreTrainedModel | None, head: Head
    ) -> tuple[PreTrainedModel | None, Head | None]:
        """The native model; the head is in it."""
        from interlingua.models.encoder import load_encoder
        from interlingua.models.native import with_head

        body = load_encoder(self.folder) if encoder is None else encoder
        return with_head(body, head, "question-answering"), None
