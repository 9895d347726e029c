"""Strategies ``head``, ``lora`` and ``full``: trained by gradient, from the probe's head."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import torch

from interlingua.training.averaging import RunningMean
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop, Progress
from interlingua.training.output import locked, publish, start_over
from interlingua.training.trainable import join_rows, merged

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelInfo
    from interlingua.tasks.examples import Examples
    from interlingua.training.learner import HeadLearner
    from interlingua.training.lesson import Lesson
    from interlingua.training.settings import TeachingSettings

_CHOICE = {
    "best": "the best of {epochs} validations",
    "last": "the last step",
    "average": "the mean of {averaged} points of the second half",
}


def teach_by_gradient(lesson: Lesson[Any], out: Path, *, resume: bool) -> ModelInfo:
    """Train a head, and the encoder with it unless it is frozen, and publish the folder.

    Raises:
        CheckpointError: ``resume``, and no valid checkpoint of this run lies in ``out``.
        NonFiniteError: The loss is not a number.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    settings: TeachingSettings = getattr(lesson.recipe.training, lesson.strategy)
    train, validation = lesson.split()
    with processes() as group:
        learner = lesson.learner(settings, train, validation, group=group)
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
    lesson: Lesson[Any],
    learner: HeadLearner,
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


def _scores(
    lesson: Lesson[Any],
    settings: TeachingSettings,
    result: _Result,
    validation: Examples[Any],
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


def _publish(lesson: Lesson[Any], info: ModelInfo, learner: HeadLearner, out: Path) -> None:
    encoder = None
    if learner.encoder is not None:
        trained = learner.bare.to("cpu").eval()
        if lesson.strategy == "lora":
            trained = merged(trained)
        join_rows(trained)
        encoder = cast("PreTrainedModel", trained)
    with TemporaryDirectory(dir=out, prefix=".tmp-model-") as staged:
        lesson.save(Path(staged), info, learner.fitted_head(), encoder=encoder)
        publish(Path(staged), out)
