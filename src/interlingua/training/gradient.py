"""Strategies ``head``, ``lora`` and ``full``: trained by gradient, from the probe's head."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from interlingua.base.seeding import generator
from interlingua.batches.tokens import tokenize
from interlingua.inference.encode import Encoder
from interlingua.models.encoder import PooledEncoder, load_encoder
from interlingua.models.heads import Head
from interlingua.tasks.examples import Examples
from interlingua.training.arithmetic import Arithmetic
from interlingua.training.averaging import RunningMean
from interlingua.training.classifier import ClassifierLearner, Part
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop, Progress
from interlingua.training.output import locked, publish, start_over
from interlingua.training.probe import fit_probe
from interlingua.training.settings import FullSettings, LoraSettings
from interlingua.training.split import folds, groups
from interlingua.training.trainable import (
    add_lora,
    depth_of,
    join_rows,
    merged,
    rate,
    set_dropout,
    train_rows,
)
from interlingua.training.whitening import language_whitening

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelInfo
    from interlingua.training.lesson import Lesson
    from interlingua.training.settings import TeachingSettings

_CHOICE = {
    "best": "the best of {epochs} validations",
    "last": "the last step",
    "average": "the mean of {averaged} points of the second half",
}


def teach_by_gradient(lesson: Lesson, out: Path, *, resume: bool) -> ModelInfo:
    """Train a head, and the encoder with it unless it is frozen, and publish the folder.

    Raises:
        CheckpointError: ``resume``, and no valid checkpoint of this run lies in ``out``.
        NonFiniteError: The loss is not a number.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    settings: TeachingSettings = getattr(lesson.recipe.training, lesson.strategy)
    train, validation = _split(lesson)
    with processes() as group:
        learner = _learner(lesson, settings, train, validation, group)
        with locked(out) if group.first else nullcontext():
            if group.first and not resume:
                start_over(out)
            group.wait()
            result = _runs(lesson, learner, settings, out, group, resume=resume)
            info = lesson.described(_scores(lesson, settings, result, validation))
            if group.first:
                _publish(lesson, info, learner, out)
            group.wait()
    return info


@dataclass(frozen=True, slots=True)
class _Result:
    """How the runs ended: where each stood, and the score of the mean of their parameters."""

    progress: list[Progress]
    score: float


def _runs(
    lesson: Lesson,
    learner: ClassifierLearner,
    settings: TeachingSettings,
    out: Path,
    group: Processes,
    *,
    resume: bool,
) -> _Result:
    """Run the loop once or several times from the same start; leave the mean in the learner."""
    parameters = learner.named_parameters()
    start = {name: p.detach().clone() for name, p in parameters.items()}
    mean = RunningMean()
    ended = []
    for number in range(lesson.recipe.training.runs):
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(start[name])
        folder = out / "checkpoints" / f"run-{number}" if number else out
        loop = Loop(
            learner,
            settings,
            folder=folder,
            seed=lesson.seed + number,
            fingerprint={**lesson.fingerprint(), "run": number},
            processes=group,
        )
        begun = group.from_first(float((folder / "checkpoints").exists()))
        ended.append(loop.run(resume=resume and begun > 0))
        mean.add(parameters)
    if len(ended) == 1:
        return _Result(ended, ended[0].score)
    mean.put(parameters)
    learner.training_mode(False)
    score = group.from_first(learner.score() if group.first else 0.0)
    return _Result(ended, score)


def _split(lesson: Lesson) -> tuple[Examples, Examples]:
    """Training and validation rows: the files given, else a stratified part held out."""
    if lesson.validation is not None:
        return lesson.train, lesson.validation
    ids = lesson.ids(lesson.train).tolist()
    rng = generator(lesson.seed, "held out")
    count = round(1 / lesson.recipe.data.held_out)
    parts = folds(groups(lesson.train.texts, lesson.train.pairs), ids, count=count, rng=rng)
    return lesson.train.select(parts != 0), lesson.train.select(parts == 0)


def _learner(
    lesson: Lesson,
    settings: TeachingSettings,
    train: Examples,
    validation: Examples,
    group: Processes,
) -> ClassifierLearner:
    frozen = None if isinstance(settings, FullSettings | LoraSettings) else Encoder(lesson.folder)
    part = part_of(lesson, train, frozen)
    encoder, rates = None, partial(rate, depth=1, top=0.0, decay=1.0)
    if isinstance(settings, FullSettings | LoraSettings):
        encoder, rates = trained_encoder(lesson, settings, part)
    return ClassifierLearner(
        encoder,
        _starting_head(lesson, train, rows=settings.start_rows),
        train=part,
        validation=part_of(lesson, validation, frozen),
        settings=settings,
        metric=lesson.task.metric,
        pad_id=lesson.folder.pad_id,
        arithmetic=Arithmetic.of(settings, group.device),
        rate=rates,
        unfreezing=settings.unfreezing if isinstance(settings, FullSettings) else (),
    )


def trained_encoder(
    lesson: Lesson, settings: FullSettings | LoraSettings, train: Part
) -> tuple[PooledEncoder, partial[float]]:
    """The encoder, of which what is trained asks for a gradient, and its rates by name."""
    plain = load_encoder(lesson.folder)
    depth = depth_of(name for name, _ in plain.named_parameters())
    set_dropout(plain, settings.encoder_dropout)
    decay = 1.0
    adapted = plain
    if isinstance(settings, FullSettings):
        decay = settings.layer_decay
        plain.requires_grad_(True)
        plain.get_input_embeddings().requires_grad_(False)
        if settings.embeddings == "rows":
            train_rows(plain, train.tokens.input_ids)
    else:
        adapted = cast("PreTrainedModel", add_lora(plain, settings, seed=lesson.seed))
    rates = partial(rate, depth=depth, top=settings.learning_rate, decay=decay)
    return PooledEncoder.for_folder(adapted, lesson.folder.info), rates


def part_of(lesson: Lesson, rows: Examples, frozen: Encoder | None) -> Part:
    """Rows as token ids and classes, with their vectors where the encoder is frozen."""
    info = lesson.folder.info
    tokens = tokenize(
        lesson.folder.tokenizer(),
        rows.texts,
        pairs=rows.pairs,
        max_length=info.max_length,
        prefix=info.prefix(),
    )
    return Part(
        tokens,
        lesson.ids(rows),
        [row.id for row in rows.rows],
        [row.lang for row in rows.rows],
        None if frozen is None else frozen.encode(rows.texts, pairs=rows.pairs).vectors,
    )


def _starting_head(lesson: Lesson, train: Examples, *, rows: int) -> Head:
    """The parent's head for this task, else a probe of some training rows, else zero.

    It is the same in every process and every resumption.
    """
    if lesson.head is not None:
        return lesson.head
    ids = lesson.ids(train)
    folder = lesson.folder
    if not rows or lesson.task.paired:
        zeros = np.zeros((len(lesson.labels), folder.features), np.float32)
        return Head(zeros, zeros[:, 0].copy(), lesson.labels)
    settings = lesson.recipe.training.probe
    rng = generator(lesson.seed, "folds")
    parts = folds(groups(train.texts, train.pairs), ids.tolist(), count=settings.folds, rng=rng)
    if len(ids) > rows:
        shares = folds(np.arange(len(ids)), ids.tolist(), count=-(-len(ids) // rows), rng=rng)
        train, ids, parts = train.select(shares == 0), ids[shares == 0], parts[shares == 0]
    encoder = Encoder(folder, engine="torch")
    matrix = language_whitening(encoder) if lesson.whitened else None
    return fit_probe(
        encoder.encode(train.texts, pairs=train.pairs).vectors,
        ids,
        lesson.labels,
        parts=parts,
        matrix=matrix,
        balanced=lesson.task.metric == "macro_f1",
    ).head


def _scores(
    lesson: Lesson,
    settings: TeachingSettings,
    result: _Result,
    validation: Examples,
) -> dict[str, object]:
    last = result.progress[-1]
    chosen = _CHOICE[settings.checkpoint].format(epochs=last.epoch, averaged=settings.average_over)
    scores: dict[str, object] = {
        "strategy": lesson.strategy,
        "epochs": last.epoch,
        "validation": {
            "metric": lesson.task.metric,
            "score": round(result.score, 4),
            "rows": len(validation.rows),
        },
    }
    if len(result.progress) > 1:
        each = [round(progress.score, 4) for progress in result.progress]
        scores["runs"] = {
            "count": len(each),
            "validation_mean": round(fmean(each), 4),
            "validation_sd": round(stdev(each), 4),
        }
        chosen = f"the mean of {len(each)} runs, of each {chosen}"
    scores["checkpoint"] = f"one for all languages: {chosen} on {', '.join(validation.languages)}"
    return scores


def _publish(lesson: Lesson, info: ModelInfo, learner: ClassifierLearner, out: Path) -> None:
    encoder = None
    if learner.encoder is not None:
        trained = learner.encoder.encoder.to("cpu").eval()
        if lesson.strategy == "lora":
            trained = merged(trained)
        join_rows(trained)
        encoder = cast("PreTrainedModel", trained)
    with TemporaryDirectory(dir=out, prefix=".tmp-model-") as staged:
        lesson.save(Path(staged), info, learner.fitted_head(), encoder=encoder)
        publish(Path(staged), out)
