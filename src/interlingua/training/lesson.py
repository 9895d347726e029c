"""What a strategy is given, checked before anything is written, and how its result is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlingua import __version__
from interlingua.base.config import dump_recipe
from interlingua.base.errors import ConfigError, DataError, LabelError, quoted
from interlingua.base.files import write_manifest, write_text
from interlingua.models.folder import DataFile, ModelFolder, ModelInfo, in_pairs, open_model
from interlingua.models.heads import Head
from interlingua.models.save import parent_name, save_model
from interlingua.tasks.examples import Examples, read_examples
from interlingua.tasks.metrics.resampled import of_rows
from interlingua.tasks.record import TASKS, Task
from interlingua.training.settings import FinetuneRecipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class Lesson:
    """A recipe with its files read, its labels settled and its model opened.

    Attributes:
        recipe: What to teach, with what, and how.
        task: The task record.
        strategy: The strategy; ``auto`` is settled.
        folder: The parent model, with the layers and pooling the recipe asks for.
        labels: The label set.
        train: Training rows.
        validation: Rows to choose by, if the recipe names some.
        head: The parent's head, if it was taught this task and is pooled alike.
    """

    recipe: FinetuneRecipe
    task: Task
    strategy: str
    folder: ModelFolder
    labels: tuple[str, ...]
    train: Examples
    validation: Examples | None
    head: Head | None = None

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.recipe.training.seed

    @property
    def whitened(self) -> bool:
        """Whether a probe's features are whitened by language."""
        return self.recipe.training.probe.whitening and not self.task.paired

    def ids(self, examples: Examples) -> NDArray[np.int64]:
        """Classes of the rows, int64 [N]."""
        return np.array(examples.label_ids(self.labels), dtype=np.int64)

    def validation_score(
        self, gold: NDArray[np.int64], predicted: NDArray[np.int64]
    ) -> dict[str, Any]:
        """The task's metric on validation rows, as ``interlingua.json`` holds it."""
        value = of_rows(self.task.metric, gold, predicted, classes=len(self.labels))
        return {"metric": self.task.metric, "score": round(value, 4), "rows": len(gold)}

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
        save_model(out, encoder=encoder, source=self.folder, info=info, head=head)
        write_text(out / "recipe.yaml", dump_recipe(self.recipe))
        if self.train.rejected.faults:
            self.train.rejected.write(out / "rejected.jsonl")
        write_manifest(out)


def prepare(recipe: FinetuneRecipe) -> Lesson:
    """Read and check everything a recipe names.

    Raises:
        UserError: Something cannot be used.
    """
    data = recipe.data
    task = TASKS.get(data.task)
    asked = recipe.training.strategy
    strategy = task.strategy if asked == "auto" else asked
    parent = open_model(recipe.model.name)
    normalize = recipe.model.normalize
    if normalize is None and strategy in ("lora", "full") and parent.info.task != task.name:
        normalize = False
    fresh = task.paired and parent.info.task != task.name
    folder = with_pooling(
        in_pairs(parent) if fresh else parent, recipe.training.probe.layers, normalize
    )
    train = read_examples(data.train, task, lang=data.lang, on_error=data.on_error)
    labels = label_set(task, train, data.labels)
    train.label_ids(labels)
    if len({row.label for row in train.rows}) < 2:
        raise LabelError(
            f"all {len(train.rows)} rows have the label {quoted(train.rows[0].label)}",
            path=data.train[0],
            remedy="A classifier needs at least two classes",
        )
    validation = None
    if data.validation:
        validation = read_examples(data.validation, task, lang=data.lang, on_error=data.on_error)
        validation.label_ids(labels)
    head = None
    if (parent.info.task, parent.info.labels) == (task.name, labels) and folder.info == parent.info:
        head = parent.head()
    return Lesson(recipe, task, strategy, folder, labels, train, validation, head)


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
    update = {
        "layers": layers or info.layers,
        "normalize": info.normalize if normalize is None else normalize,
    }
    return ModelFolder(folder.path, info.model_copy(update=update), folder.config)


def label_set(task: Task, train: Examples, given: Sequence[str]) -> tuple[str, ...]:
    """The labels given, else the task's, else the sorted labels of the training rows.

    Raises:
        DataError: A label is given twice, or fewer than two are given.
    """
    labels = tuple(given) or task.labels or tuple(sorted({str(row.label) for row in train.rows}))
    if len(set(labels)) != len(labels) or (given and len(labels) < 2):
        raise DataError(f"--labels {', '.join(labels)}: at least two labels, each once")
    return labels
