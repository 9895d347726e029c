"""Classification as it is taught: label sets, pooling, the probe and the starting head."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ConfigError, LabelError, quoted
from interlingua.base.progress import say
from interlingua.base.seeding import generator
from interlingua.batches.framing import around_pairs, thinned
from interlingua.batches.tokens import Tokenized, tokenize
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import classify
from interlingua.models.folder import ModelFolder, in_pairs
from interlingua.models.heads import Head
from interlingua.tasks.metrics.resampled import of_rows
from interlingua.tasks.record import Task
from interlingua.tasks.texts import TextExamples
from interlingua.training.lesson import Lesson, label_set, read_files
from interlingua.training.probe import fit_probe
from interlingua.training.settings import (
    EncoderSettings,
    FinetuneRecipe,
    FullSettings,
    LoraSettings,
)
from interlingua.training.split import folds, groups
from interlingua.training.whitening import language_whitening

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from interlingua.training.classifier import ClassifierLearner, Part, Thin
    from interlingua.training.distributed import Processes
    from interlingua.training.settings import TeachingSettings


class ClassificationLesson(Lesson[TextExamples]):
    """A head over pooled vectors of texts, or of pairs of texts."""

    @classmethod
    def read(
        cls, recipe: FinetuneRecipe, task: Task, *, strategy: str, parent: ModelFolder
    ) -> Self:
        """Read and check everything a recipe names.

        Raises:
            UserError: Something cannot be used.
        """
        normalize = recipe.model.normalize
        if normalize is None and strategy in ("lora", "full") and parent.info.task != task.name:
            normalize = False
        fresh = task.paired and parent.info.task != task.name
        folder = with_pooling(
            in_pairs(parent) if fresh else parent, recipe.training.probe.layers, normalize
        )
        train, validation = read_files(TextExamples, recipe, task)
        if recipe.data.detokenize:
            train = train.detokenized()
            validation = None if validation is None else validation.detokenized()
        elif (share := train.share_cut_up) > 0.5:
            say(
                f"in {share:.0%} of the rows words and marks stand apart (can 't say "
                ".); if they won't where the model is used: --set data.detokenize=true"
            )
        labels = label_set(task, {str(row.label) for row in train.rows}, recipe.data.labels)
        train.label_ids(labels)
        if len({row.label for row in train.rows}) < 2:
            raise LabelError(
                f"all {len(train.rows)} rows have the label {quoted(train.rows[0].label)}",
                path=recipe.data.train[0],
                remedy="A classifier needs at least two classes",
            )
        if validation is not None:
            validation.label_ids(labels)
        head = None
        taught = (parent.info.task, parent.info.labels) == (task.name, labels)
        if taught and folder.info == parent.info:
            head = parent.head()
        return cls(recipe, task, strategy, folder, labels, train, validation, head)

    @property
    def whitened(self) -> bool:
        """Whether a probe's features are whitened by language."""
        return self.recipe.training.probe.whitening and not self.task.paired

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The parent's tokenizer, loaded once: a large one takes half a second."""
        return self.folder.tokenizer()

    def ids(self, examples: TextExamples) -> NDArray[np.int64]:
        """Classes of the rows, int64 [N]."""
        return np.array(examples.label_ids(self.labels), dtype=np.int64)

    def tokens(self, rows: TextExamples) -> Tokenized:
        """Token ids of the rows, one or two texts each."""
        info = self.folder.info
        return tokenize(
            self.tokenizer,
            rows.texts,
            pairs=rows.pairs,
            max_length=info.max_length,
            prefix=info.prefix(),
        )

    def input_ids(self, rows: TextExamples) -> list[NDArray[np.int32]]:
        """Token ids of each row."""
        return self.tokens(rows).input_ids

    def parts(
        self, rows: TextExamples, *, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Parts of like label shares, one a row [N], that have no text in common."""
        return folds(groups(rows.texts, rows.pairs), self.ids(rows).tolist(), count=count, rng=rng)

    def rows_probed(self, settings: TeachingSettings) -> int:
        """Rows of the starting probe: none for pairs of texts, of which a probe knows little."""
        return 0 if self.task.paired or self.head is not None else settings.start_rows

    def learner(
        self,
        settings: TeachingSettings,
        train: TextExamples,
        validation: TextExamples,
        *,
        group: Processes,
        head: Head | None = None,
    ) -> ClassifierLearner:
        """A linear head on pooled vectors, and the encoder below it unless that is frozen."""
        from interlingua.models.encoder import PooledEncoder
        from interlingua.training.arithmetic import Arithmetic
        from interlingua.training.classifier import ClassifierLearner
        from interlingua.training.trainable import rate, trained_encoder

        trains = isinstance(settings, FullSettings | LoraSettings)
        frozen = None if trains else Encoder(self.folder)
        part = self._part(train, frozen)
        encoder: PooledEncoder | None = None
        rates: Callable[[str], float] = partial(rate, depth=1, top=0.0, decay=1.0)
        if isinstance(settings, FullSettings | LoraSettings):
            plain, rates = trained_encoder(
                self.folder, settings, part.tokens.input_ids, device=group.device, seed=self.seed
            )
            encoder = PooledEncoder.for_folder(plain, self.folder)
        return ClassifierLearner(
            encoder,
            head or self._starting_head(settings, train),
            train=part,
            validation=self._part(validation, frozen),
            settings=settings,
            metric=self.task.metric,
            pad_id=self.folder.pad_id,
            arithmetic=Arithmetic.of(settings, group.device),
            thin=self._thin(settings) if isinstance(settings, EncoderSettings) else None,
            rate=rates,
            unfreezing=settings.unfreezing if isinstance(settings, FullSettings) else (),
        )

    def _thin(self, settings: EncoderSettings) -> Thin | None:
        """What leaves tokens of a first text out, by torch's random numbers, which are resumed."""
        import torch

        share = settings.token_dropout
        if not share:
            return None
        around = around_pairs(self.tokenizer)
        return lambda ids: thinned(ids, around, torch.rand(len(ids)).numpy(), share=share)

    def probe(self) -> tuple[Head, dict[str, Any]]:
        """A regularised logistic head on frozen vectors.

        All training rows are used: cross-validation chooses the regularisation, and validation
        rows, where there are some, only tell how good the result is.
        """
        encoder = Encoder(self.folder)
        settings = self.recipe.training.probe
        matrix = language_whitening(encoder) if self.whitened else None
        parts = self.parts(self.train, count=settings.folds, rng=generator(self.seed, "folds"))
        probe = fit_probe(
            encoder.encode(self.train.texts, pairs=self.train.pairs).vectors,
            self.ids(self.train),
            self.labels,
            parts=parts,
            matrix=matrix,
            balanced=self.task.metric == "macro_f1",
        )
        say(f"regularisation C = {probe.strength:g}, cross-validated accuracy {probe.accuracy:.3f}")
        scores: dict[str, Any] = {
            "regularisation_C": probe.strength,
            "temperature": round(probe.temperature, 4),
            "cross_validated_accuracy": round(probe.accuracy, 4),
        }
        if self.validation is not None:
            rows = self.validation
            found = classify(encoder, probe.head, rows.texts, rows.pairs).probabilities
            value = of_rows(
                self.task.metric, self.ids(rows), found.argmax(axis=1), classes=len(self.labels)
            )
            scores["validation"] = {
                "metric": self.task.metric,
                "score": round(value, 4),
                "rows": len(rows.rows),
            }
        return probe.head, scores

    def _part(self, rows: TextExamples, frozen: Encoder | None) -> Part:
        """Rows as token ids and classes, with their vectors where the encoder is frozen."""
        from interlingua.training.classifier import Part

        return Part(
            self.tokens(rows),
            self.ids(rows),
            [row.id for row in rows.rows],
            [row.lang for row in rows.rows],
            None if frozen is None else frozen.encode(rows.texts, pairs=rows.pairs).vectors,
        )

    def _starting_head(self, settings: TeachingSettings, train: TextExamples) -> Head:
        """The parent's head for this task, else a probe of some training rows, else zero.

        It is the same in every process and every resumption.
        """
        if self.head is not None:
            return self.head
        rows = self.rows_probed(settings)
        if not rows:
            return self.blank_head()
        ids = self.ids(train)
        rng = generator(self.seed, "folds")
        parts = self.parts(train, count=self.recipe.training.probe.folds, rng=rng)
        if len(ids) > rows:
            shares = folds(np.arange(len(ids)), ids.tolist(), count=-(-len(ids) // rows), rng=rng)
            train, ids, parts = train.select(shares == 0), ids[shares == 0], parts[shares == 0]
        encoder = Encoder(self.folder, engine="torch")
        matrix = language_whitening(encoder) if self.whitened else None
        return fit_probe(
            encoder.encode(train.texts, pairs=train.pairs).vectors,
            ids,
            self.labels,
            parts=parts,
            matrix=matrix,
            balanced=self.task.metric == "macro_f1",
        ).head


def with_pooling(
    folder: ModelFolder, layers: tuple[int, ...], normalize: bool | None
) -> ModelFolder:
    """The same folder with other hidden states pooled, or pooled otherwise.

    Args:
        folder: The parent.
        layers: Hidden states; empty: as it is.
        normalize: Whether vectors get length one; None: as it is.

    Raises:
        ConfigError: The encoder has no such layer.
    """
    depth = int(folder.config.get("num_hidden_layers") or folder.config.get("num_layers") or 0)
    beyond = [layer for layer in layers if not 0 <= layer <= depth]
    if beyond:
        raise ConfigError(f"layer {beyond[0]}: the encoder has layers 0 to {depth}")
    info = folder.info
    return folder.with_info(
        layers=layers or info.layers,
        normalize=info.normalize if normalize is None else normalize,
    )
