"""Strategy ``full``: the encoder is trained along, from the probe's head."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np

from interlingua.base.seeding import generator
from interlingua.batches.tokens import tokenize
from interlingua.inference.encode import Encoder
from interlingua.inference.hardware import bfloat16_is_native
from interlingua.models.encoder import PooledEncoder, load_encoder
from interlingua.tasks.examples import Example
from interlingua.training.classifier import ClassifierLearner, Part
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop, Progress
from interlingua.training.output import locked, publish, start_over
from interlingua.training.probe import fit_probe
from interlingua.training.split import folds
from interlingua.training.whitening import language_whitening

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelInfo
    from interlingua.models.heads import Head
    from interlingua.training.lesson import Lesson

_HELD_OUT = 10


def teach_full(lesson: Lesson, out: Path, *, resume: bool) -> ModelInfo:
    """Train encoder and head together and publish the folder.

    Raises:
        CheckpointError: ``resume``, and no valid checkpoint of this run lies in ``out``.
        NonFiniteError: The loss is not a number.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    train, validation = _split(lesson)
    with processes() as group:
        learner = _learner(lesson, train, validation, group)
        with locked(out) if group.first else nullcontext():
            if group.first and not resume:
                start_over(out)
            group.wait()
            loop = Loop(
                learner,
                lesson.recipe.training.full,
                folder=out,
                seed=lesson.seed,
                fingerprint=lesson.fingerprint(),
                processes=group,
            )
            info = lesson.described(_scores(lesson, loop.run(resume=resume), len(validation)))
            if group.first:
                _publish(lesson, info, learner, out)
            group.wait()
    return info


def _split(lesson: Lesson) -> tuple[list[Example], list[Example]]:
    """Training and validation rows: the files given, else a stratified tenth held out."""
    if lesson.validation is not None:
        return lesson.train.rows, lesson.validation.rows
    rows = lesson.train.rows
    ids = lesson.ids(lesson.train).tolist()
    rng = generator(lesson.seed, "held out")
    held = folds(lesson.train.texts, ids, count=_HELD_OUT, rng=rng) == 0
    train = [row for row, out in zip(rows, held, strict=True) if not out]
    return train, [row for row, out in zip(rows, held, strict=True) if out]


def _learner(
    lesson: Lesson, train: list[Example], validation: list[Example], group: Processes
) -> ClassifierLearner:
    settings = lesson.recipe.training.full
    native = settings.precision == "auto" and bfloat16_is_native(group.device)
    return ClassifierLearner(
        PooledEncoder.for_folder(load_encoder(lesson.folder), lesson.folder.info),
        _starting_head(lesson, train),
        train=_part(lesson, train),
        validation=_part(lesson, validation),
        settings=settings,
        metric=lesson.task.metric,
        pad_id=lesson.folder.pad_id,
        device=group.device,
        bfloat16=native or settings.precision == "bfloat16",
    )


def _part(lesson: Lesson, rows: list[Example]) -> Part:
    info = lesson.folder.info
    tokens = tokenize(
        lesson.folder.tokenizer(),
        [row.text for row in rows],
        max_length=info.max_length,
        prefix=info.prefix(),
    )
    index = {label: i for i, label in enumerate(lesson.labels)}
    ids = np.array([index[str(row.label)] for row in rows], dtype=np.int64)
    return Part(tokens, ids, [row.id for row in rows])


def _starting_head(lesson: Lesson, train: list[Example]) -> Head:
    """A probe fitted on the training rows; the same bytes in every process and every resumption."""
    texts = [row.text for row in train]
    index = {label: i for i, label in enumerate(lesson.labels)}
    ids = np.array([index[str(row.label)] for row in train], dtype=np.int64)
    encoder = Encoder(lesson.folder, engine="torch")
    settings = lesson.recipe.training.probe
    matrix = language_whitening(encoder) if settings.whitening else None
    balanced = lesson.task.metric == "macro_f1"
    rng = generator(lesson.seed, "folds")
    parts = folds(texts, ids.tolist(), count=settings.folds, rng=rng)
    features = encoder.encode(texts).vectors
    return fit_probe(
        features, ids, lesson.labels, parts=parts, matrix=matrix, balanced=balanced
    ).head


def _scores(lesson: Lesson, progress: Progress, rows: int) -> dict[str, object]:
    return {
        "strategy": "full",
        "epochs": progress.epoch,
        "validation": {
            "metric": lesson.task.metric,
            "score": round(progress.best_score, 4),
            "rows": rows,
        },
        "checkpoint": "one for all languages, best validation score over the epochs",
    }


def _publish(lesson: Lesson, info: ModelInfo, learner: ClassifierLearner, out: Path) -> None:
    encoder = cast("PreTrainedModel", learner.encoder.encoder.to("cpu").eval())
    with TemporaryDirectory(dir=out, prefix=".tmp-model-") as staged:
        lesson.save(Path(staged), info, learner.fitted_head(), encoder=encoder)
        publish(Path(staged), out)
