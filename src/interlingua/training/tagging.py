"""Tagging as it is taught: label sets, windows, the probe, and the native head that is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ConfigError, LabelError, quoted
from interlingua.base.progress import say
from interlingua.base.seeding import generator
from interlingua.batches.words import WordTokenizer, WordWindows
from interlingua.models.folder import ModelFolder
from interlingua.models.heads import Head
from interlingua.tasks.record import Task
from interlingua.tasks.tagging import TaggedExamples, in_bio
from interlingua.training.lesson import Lesson, label_set, read_files
from interlingua.training.probe import fit_head, fit_probe
from interlingua.training.settings import FinetuneRecipe, FullSettings, LoraSettings
from interlingua.training.split import folds, groups

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.training.distributed import Processes
    from interlingua.training.settings import TeachingSettings
    from interlingua.training.tagger import TaggedPart, TaggerLearner

_CHOOSING = 4000
"""Words that a probe's regularisation is chosen on, at most."""


class TaggingLesson(Lesson[TaggedExamples]):
    """A head over the states of words."""

    unread: ClassVar[tuple[str, ...]] = ("token_dropout",)

    @classmethod
    def read(
        cls, recipe: FinetuneRecipe, task: Task, *, strategy: str, parent: ModelFolder
    ) -> Self:
        """Read and check everything a recipe names.

        Raises:
            UserError: Something cannot be used.
        """
        from interlingua.models.native import check_native, native_head

        if strategy == "head":
            raise ConfigError(
                f"strategy head does not teach {task.name}", remedy="Take probe, lora or full"
            )
        if recipe.training.probe.layers:
            raise ConfigError(f"training.probe.layers: {task.name} reads the last layer")
        check_native(parent, "token-classification")
        train, validation = read_files(TaggedExamples, recipe, task)
        used = {tag for tags in train.tags for tag in tags}
        labels = label_set(task, used, recipe.data.labels)
        train.check_tags(labels)
        if len(used) < 2:
            raise LabelError(
                f"all words of {len(train.rows)} sentences have the tag {quoted(min(used))}",
                path=recipe.data.train[0],
                remedy="A tagger needs at least two tags",
            )
        if validation is not None:
            validation.check_tags(labels)
        head = None
        if (parent.info.task, parent.info.labels) == (task.name, labels):
            head = native_head(parent)
        return cls(recipe, task, strategy, parent, labels, train, validation, head)

    @property
    def features(self) -> int:
        """Width of a state, D."""
        return self.folder.width

    def windows(self, rows: TaggedExamples) -> WordWindows:
        """What the model is given of sentences."""
        length = self.folder.info.max_length
        return WordTokenizer(self.folder.tokenizer(), max_length=length).windows(rows.sentences)

    def input_ids(self, rows: TaggedExamples) -> list[NDArray[np.int32]]:
        """Token ids of each window."""
        return self.windows(rows).input_ids

    def learner(
        self,
        settings: TeachingSettings,
        train: TaggedExamples,
        validation: TaggedExamples,
        *,
        group: Processes,
        head: Head | None = None,
    ) -> TaggerLearner:
        """A linear head on words' states, and the encoder below it."""
        from interlingua.training.arithmetic import Arithmetic
        from interlingua.training.tagger import TaggerLearner
        from interlingua.training.trainable import trained_encoder

        assert isinstance(settings, FullSettings | LoraSettings)
        part = self._part(train)
        encoder, rates = trained_encoder(
            self.folder, settings, part.read.input_ids, device=group.device, seed=self.seed
        )
        return TaggerLearner(
            encoder,
            head or self.head or self.blank_head(),
            train=part,
            validation=self._part(validation),
            settings=settings,
            pad_id=self.folder.pad_id,
            arithmetic=Arithmetic.of(settings, group.device),
            rate=rates,
            unfreezing=settings.unfreezing if isinstance(settings, FullSettings) else (),
        )

    def probe(self) -> tuple[Head, dict[str, Any]]:
        """A regularised logistic head on the states of a frozen encoder.

        Words of as many sentences are used as ``training.probe.words`` allows; the regularisation
        is chosen by cross-validation on some of them, no sentence being in two parts.
        """
        from interlingua.inference.tag import decoded, word_states
        from interlingua.training.tagger import mean_span_f1

        settings = self.recipe.training.probe
        rows = self._some(self.train, settings.words)
        part = self._part(rows)
        states, classes = word_states(self.folder, part.read), np.concatenate(part.labels)
        sentence = np.concatenate(
            [np.full(len(window.words), window.sentence) for window in part.read.windows]
        )
        few = sentence <= sentence[min(_CHOOSING, len(sentence)) - 1]
        rng = generator(self.seed, "folds")
        parts = folds(groups(rows.texts), [0] * len(rows.rows), count=settings.folds, rng=rng)
        chosen = fit_probe(states[few], classes[few], self.labels, parts=parts[sentence[few]])
        head = fit_head(
            states,
            classes,
            self.labels,
            strength=chosen.strength,
            temperature=chosen.temperature,
        )
        say(f"regularisation C = {chosen.strength:g}, accuracy {chosen.accuracy:.3f}")
        scores: dict[str, Any] = {
            "regularisation_C": chosen.strength,
            "temperature": round(chosen.temperature, 4),
            "cross_validated_accuracy": round(chosen.accuracy, 4),
            "words": len(states),
        }
        if self.validation is not None:
            held = self._part(self.validation)
            logits = head.logits(word_states(self.folder, held.read))
            found = [np.zeros(len(row.tokens), dtype=np.int64) for row in self.validation.rows]
            ends = np.cumsum([len(window.words) for window in held.read.windows])[:-1]
            own = np.split(logits.argmax(axis=1), ends)
            for window, ids in zip(held.read.windows, own, strict=True):
                found[window.sentence][window.words] = ids
            tags = decoded(found, self.labels, bio=in_bio(self.labels))
            scores["validation"] = {
                "metric": self.task.metric,
                "score": round(mean_span_f1(self.validation, tags), 4),
                "rows": len(self.validation.rows),
            }
        return head, scores

    def finished(
        self, encoder: PreTrainedModel | None, head: Head
    ) -> tuple[PreTrainedModel | None, Head | None]:
        """The native model of encoder and head; no head lies beside it."""
        from interlingua.models.encoder import load_encoder
        from interlingua.models.native import with_head

        bare = load_encoder(self.folder) if encoder is None else encoder
        return with_head(bare, head, "token-classification"), None

    def _part(self, rows: TaggedExamples) -> TaggedPart:
        from interlingua.training.tagger import TaggedPart

        read = self.windows(rows)
        index = {label: i for i, label in enumerate(self.labels)}
        classes = [np.array([index[tag] for tag in tags], dtype=np.int64) for tags in rows.tags]
        labels = [classes[window.sentence][window.words] for window in read.windows]
        return TaggedPart(rows, read, labels)

    def _some(self, rows: TaggedExamples, words: int) -> TaggedExamples:
        """Sentences drawn at random until they hold so many words."""
        sizes = np.array([len(row.tokens) for row in rows.rows])
        order = generator(self.seed, "words").permutation(len(sizes))
        count = int(np.searchsorted(np.cumsum(sizes[order]), words)) + 1
        chosen = np.zeros(len(sizes), dtype=np.bool_)
        chosen[order[:count]] = True
        return rows.select(chosen)
