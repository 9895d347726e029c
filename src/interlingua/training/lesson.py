"""What a strategy is given, checked before anything is written, and how its result is saved.

A kind of task makes a class of `Lesson`, which says what its rows, its head and its learner are;
`LESSONS` names them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from interlingua import __version__
from interlingua.base.config import dump_recipe
from interlingua.base.errors import ConfigError, DataError
from interlingua.base.files import write_manifest, write_text
from interlingua.base.registry import Registry
from interlingua.base.seeding import generator
from interlingua.models.folder import DataFile, ModelFolder, ModelInfo, open_model
from interlingua.models.heads import Head
from interlingua.models.save import parent_name, save_model
from interlingua.tasks.examples import Examples
from interlingua.tasks.record import TASKS, Task
from interlingua.training.settings import FinetuneRecipe
from interlingua.training.split import folds, groups

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.training.distributed import Processes
    from interlingua.training.learner import HeadLearner
    from interlingua.training.settings import TeachingSettings

X = TypeVar("X", bound=Examples[Any])


@dataclass(frozen=True, slots=True)
class Lesson(ABC, Generic[X]):
    """A recipe with its files read, its labels settled and its model opened.

    Attributes:
        recipe: What to teach, with what, and how.
        task: The task record.
        strategy: The strategy; ``auto`` is settled.
        folder: The parent model, with the layers and pooling the recipe asks for.
        labels: The label set.
        train: Training rows.
        validation: Rows to choose by, if the recipe names some.
        head: The parent's head, if it was taught this task and is used alike.
        unread: Settings of a strategy that this kind of task has no use for.
    """

    unread: ClassVar[tuple[str, ...]] = ()

    recipe: FinetuneRecipe
    task: Task
    strategy: str
    folder: ModelFolder
    labels: tuple[str, ...]
    train: X
    validation: X | None
    head: Head | None = None

    @classmethod
    @abstractmethod
    def read(
        cls, recipe: FinetuneRecipe, task: Task, *, strategy: str, parent: ModelFolder
    ) -> Self:
        """Read and check everything a recipe names.

        Raises:
            UserError: Something cannot be used.
        """

    @abstractmethod
    def input_ids(self, rows: X) -> list[NDArray[np.int32]]:
        """What the model is given: token ids of each row, or of each window of them."""

    @abstractmethod
    def learner(
        self,
        settings: TeachingSettings,
        train: X,
        validation: X,
        *,
        group: Processes,
        head: Head | None = None,
    ) -> HeadLearner:
        """What the loop trains.

        Args:
            settings: Those of the strategy.
            train: Training rows.
            validation: Rows the score is computed on.
            group: The processes of the run.
            head: Where the head starts; None: as the settings say.
        """

    @abstractmethod
    def probe(self) -> tuple[Head, dict[str, Any]]:
        """A head fitted on a frozen encoder, and the figures found on the way."""

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.recipe.training.seed

    @property
    def features(self) -> int:
        """Features that the head looks at, D."""
        return self.folder.features

    def blank_head(self) -> Head:
        """A head that knows nothing."""
        zeros = np.zeros((len(self.labels), self.features), np.float32)
        return Head(zeros, zeros[:, 0].copy(), self.labels)

    def rows_probed(self, settings: TeachingSettings) -> int:
        """Training rows that the starting head of a run by gradient is fitted on, at most."""
        del settings
        return 0

    def parts(self, rows: X, *, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Parts of like rows, one a row [N], that have no text in common."""
        return folds(groups(rows.texts), [0] * len(rows.rows), count=count, rng=rng)

    def split(self) -> tuple[X, X]:
        """Training and validation rows: the files given, else a part held out."""
        if self.validation is not None:
            return self.taught(self.train), self.validation
        count = round(1 / self.recipe.data.held_out)
        parts = self.parts(self.train, count=count, rng=generator(self.seed, "held out"))
        return self.taught(self.train.select(parts != 0)), self.train.select(parts == 0)

    def taught(self, rows: X) -> X:
        """Training rows with those that are made from them."""
        return rows

    def finished(
        self, encoder: PreTrainedModel | None, head: Head
    ) -> tuple[PreTrainedModel | None, Head | None]:
        """What is saved: the model (None: the parent's weights), and a head beside it.

        Args:
            encoder: The bare encoder, if it was trained.
            head: The head.
        """
        return encoder, head

    def fingerprint(self) -> dict[str, Any]:
        """What must be the same for a run by gradient to be resumed."""
        settings = getattr(self.recipe.training, self.strategy).model_dump(mode="json")
        for harmless in ("checkpoint_steps", "keep_checkpoints"):
            settings.pop(harmless)
        return {
            "model": self.folder.fingerprint,
            "task": self.task.name,
            "strategy": self.strategy,
            "labels": list(self.labels),
            "seed": self.seed,
            "detokenize": self.recipe.data.detokenize,
            "train": [file["sha256"] for file in self.train.files],
            "validation": [f["sha256"] for f in self.validation.files] if self.validation else [],
            **settings,
        }

    def described(self, scores: dict[str, Any]) -> ModelInfo:
        """What the finished folder says about itself."""
        return self.folder.info.model_copy(
            update={
                "task": self.task.name,
                "labels": self.labels,
                "source_languages": self._taught_languages(),
                "parent": parent_name(self.recipe.model.name, self.folder),
                "data": tuple(
                    DataFile(path=str(f["path"]), sha256=str(f["sha256"]), rows=int(f["rows"]))
                    for f in self.train.files
                ),
                "scores": scores,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "version": __version__,
                "seed": self.seed,
            }
        )

    def _taught_languages(self) -> tuple[str, ...]:
        """Languages of the training rows, and those the parent was taught the same task in."""
        info = self.folder.info
        before = info.source_languages if info.task == self.task.name else ()
        return tuple(dict.fromkeys([*before, *self.train.languages]))

    def save(
        self, out: Path, info: ModelInfo, head: Head, *, encoder: PreTrainedModel | None
    ) -> None:
        """Write the model folder and the resolved recipe into ``out``, an existing folder."""
        model, beside = self.finished(encoder, head)
        save_model(out, encoder=model, source=self.folder, info=info, head=beside)
        write_text(out / "recipe.yaml", dump_recipe(self.recipe))
        if self.train.rejected.faults:
            self.train.rejected.write(out / "rejected.jsonl")
        write_manifest(out)


LESSONS: Registry[type[Lesson[Any]]] = Registry("kind of task")
LESSONS.add("classification", "interlingua.training.classification:ClassificationLesson")
LESSONS.add("qa", "interlingua.training.questions:QuestionLesson")
LESSONS.add("tagging", "interlingua.training.tagging:TaggingLesson")


def prepare(recipe: FinetuneRecipe) -> Lesson[Any]:
    """Read and check everything a recipe names.

    Raises:
        UserError: Something cannot be used.
    """
    task = TASKS.get(recipe.data.task)
    asked = recipe.training.strategy
    strategy = task.strategy if asked == "auto" else asked
    parent = open_model(recipe.model.name)
    kind = LESSONS.get(task.kind)
    settings = getattr(recipe.training, strategy)
    if recipe.data.detokenize and task.kind != "classification":
        raise ConfigError(
            f"data.detokenize: true: the rows of task {task.name} are taken as they stand",
            remedy="Leave it out",
        )
    for name in kind.unread:
        field = type(settings).model_fields.get(name)
        if field is not None and getattr(settings, name) != field.default:
            raise ConfigError(
                f"training.{strategy}.{name}: {getattr(settings, name)}: task {task.name} has no "
                "use for it",
                remedy="Leave it out",
            )
    return kind.read(recipe, task, strategy=strategy, parent=parent)


def read_files(kind: type[X], recipe: FinetuneRecipe, task: Task) -> tuple[X, X | None]:
    """The training rows of a recipe, and those to choose by, if it names some.

    Args:
        kind: What the rows are read into.
        recipe: What to teach, with what, and how.
        task: The task record.

    Raises:
        UserError: A file or a row cannot be read.
    """
    data = recipe.data
    read = partial(kind.read, task=task, lang=data.lang, on_error=data.on_error)
    return read(data.train), read(data.validation) if data.validation else None


def label_set(task: Task, found: Iterable[str], given: Sequence[str]) -> tuple[str, ...]:
    """The labels given, else the task's, else those found in the training rows, sorted.

    Raises:
        DataError: A label is given twice, or fewer than two are given.
    """
    labels = tuple(given) or task.labels or tuple(sorted(set(found)))
    if len(set(labels)) != len(labels) or (given and len(labels) < 2):
        raise DataError(f"--labels {', '.join(labels)}: at least two labels, each once")
    return labels
