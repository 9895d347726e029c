"""Search for settings: the fine-tuning of a recipe, again and again, and the best one kept.

Every trial is a fine-tuning run with some settings drawn anew, scored on the validation rows.
What trial n tries is a function of the seed and of the trials before it, and a trial's training
resumes bit for bit, so that a search killed at any point goes on to the same best trial.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from interlingua.base.config import Config, make, put
from interlingua.base.errors import CheckpointError, ConfigError, NonFiniteError
from interlingua.base.files import write_text
from interlingua.base.optional import require
from interlingua.base.progress import say, track
from interlingua.base.seeding import generator
from interlingua.training.finetune import run_finetune
from interlingua.training.lesson import prepare
from interlingua.training.output import check_free, locked, publish
from interlingua.training.settings import FinetuneRecipe

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

TRIALS = "trials.jsonl"
_STARTUP = 5
Score = Callable[[FinetuneRecipe, Path], float]


class Range(Config):
    """Where a setting may lie: between two numbers, or among some values."""

    low: float | None = None
    """The least value."""
    high: float | None = None
    """The largest value."""
    log: bool = False
    """Whether powers are drawn evenly, right for learning rates."""
    whole: bool = False
    """Whether the value is an integer."""
    choices: tuple[str | int | float | bool, ...] = ()
    """The values, instead of a range."""

    @model_validator(mode="after")
    def _fits_together(self) -> Range:
        ends = self.low is not None and self.high is not None
        if bool(self.choices) == ends or (ends and not self.low <= self.high):  # type: ignore[operator]
            raise ValueError("give low and high, low first, or choices")
        if self.log and (self.low or 0) <= 0:
            raise ValueError("a log range starts above zero")
        return self

    def draw(self, trial: Trial, name: str) -> str | int | float | bool:
        """A value for a trial."""
        if self.choices:
            drawn = trial.suggest_categorical(name, self.choices)
            return next(value for value in self.choices if value == drawn)
        assert self.low is not None and self.high is not None
        if self.whole:
            return int(trial.suggest_int(name, int(self.low), int(self.high), log=self.log))
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))


class SearchSettings(Config):
    """How long to search, and where."""

    trials: int = Field(20, ge=1, le=10_000)
    """Trials at most."""
    minutes: float | None = Field(None, gt=0)
    """No trial is begun after this time; time before an interruption counts."""
    space: dict[str, Range] = Field(default_factory=dict)
    """Settings by their name in the recipe, as ``training.full.learning_rate``; empty: the
    strategy's usual ones."""


class TuneRecipe(FinetuneRecipe):
    """A fine-tuning recipe with a section ``search``."""

    search: SearchSettings = SearchSettings()


_RATE = Range(low=2e-5, high=5e-4, log=True)
SPACES: dict[str, dict[str, Range]] = {
    "probe": {
        "training.probe.whitening": Range(choices=(True, False)),
        "model.normalize": Range(choices=(True, False)),
    },
    "head": {
        "training.head.head_learning_rate": Range(low=1e-4, high=3e-2, log=True),
        "training.head.dropout": Range(low=0.0, high=0.5),
        "training.head.label_smoothing": Range(low=0.0, high=0.2),
    },
    "lora": {
        "training.lora.learning_rate": Range(low=1e-4, high=5e-3, log=True),
        "training.lora.rank": Range(choices=(4, 8, 16, 32)),
        "training.lora.epochs": Range(low=2, high=8, whole=True),
    },
    "full": {
        "training.full.learning_rate": _RATE,
        "training.full.layer_decay": Range(low=0.7, high=1.0),
        "training.full.epochs": Range(low=2, high=8, whole=True),
        "training.full.encoder_dropout": Range(choices=(0.0, 0.1)),
    },
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One finished trial: what was set, how it scored (None: it failed), how long it took."""

    number: int
    values: dict[str, Any]
    score: float | None
    seconds: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A finished search: the folder of the best model, its trial, and all trials in order."""

    out: Path
    best: Tried
    trials: list[Tried]


def tune(recipe: TuneRecipe, *, out: str | Path, resume: bool = False) -> Tuned:
    """Search for settings; ``out`` becomes the model folder of the best trial.

    The best of many trials is chosen on the validation rows, whose score is therefore too good:
    judge the model on rows that the search has not seen.

    Args:
        recipe: What to teach, and what to search.
        out: The model folder to make; ``trials.jsonl`` in it lists the trials.
        resume: Go on with an unfinished search in ``out``.

    Raises:
        UserError: The recipe, data, model or folder cannot be used.
        NonFiniteError: Every trial failed.
        StoppedError: SIGTERM came; go on with ``resume``.
    """
    target = Path(out)
    _check_names(recipe, recipe.search.space)
    _check_free(target, resume=resume)
    lesson = prepare(with_values(recipe, {}))
    space = recipe.search.space or SPACES[lesson.strategy]
    with locked(target):
        if not resume:
            (target / TRIALS).unlink(missing_ok=True)
            shutil.rmtree(target / "trials", ignore_errors=True)
        trials = search(recipe, space, target, _taught_score)
        best = _best(trials)
        if best is None:
            raise NonFiniteError(f"all {len(trials)} trials failed: {trials[-1].problem}")
        kept = _folder(target, best.number)
        if kept.exists():
            publish(kept, target)
        shutil.rmtree(target / "trials", ignore_errors=True)
    return Tuned(target, best, trials)


def search(recipe: TuneRecipe, space: dict[str, Range], out: Path, score: Score) -> list[Tried]:
    """Run trials until there are enough or time is over; finished ones in ``out`` are not rerun.

    Args:
        recipe: The recipe that trials vary.
        space: What varies.
        out: The search's folder.
        score: Teaches a recipe into a folder and returns its score; larger is better.
    """
    optuna = require("optuna", extra="tune")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    done = _read(out / TRIALS)
    with track("Searching", recipe.search.trials, unit="trials", done=len(done)) as bar:
        while len(done) < recipe.search.trials and not _late(recipe, done):
            number = len(done)
            study = _study(optuna, recipe.training.seed, space, done)
            trial = study.ask()
            values = {name: known.draw(trial, name) for name, known in space.items()}
            tried = _try(recipe, number, values, _folder(out, number), score)
            before = _best(done)
            done.append(tried)
            lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in done]
            write_text(out / TRIALS, "".join(lines))
            _forget(out, before, tried)
            say(f"trial {number}: {tried.problem or f'{tried.score:.4f}'} with {values}")
            bar.advance(note=f"best {_told(_best(done))}")
    return done


def _study(
    optuna: Any,  # noqa: ANN401 - a module
    seed: int,
    space: dict[str, Range],
    done: list[Tried],
) -> Any:  # noqa: ANN401 - an Optuna study
    """A study that knows the finished trials, and draws the next from a seed of its own."""
    number = len(done)
    drawn = int(generator(seed, "trial", number).integers(2**31))
    sampler = optuna.samplers.TPESampler(seed=drawn, n_startup_trials=_STARTUP)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for tried in done:
        study.add_trial(_frozen(optuna, space, tried))
    return study


def _frozen(optuna: Any, space: dict[str, Range], tried: Tried) -> FrozenTrial:  # noqa: ANN401
    kinds = optuna.distributions
    distributions = {}
    for name, known in space.items():
        if known.choices:
            distributions[name] = kinds.CategoricalDistribution(known.choices)
        elif known.whole:
            distributions[name] = kinds.IntDistribution(known.low, known.high, log=known.log)
        else:
            distributions[name] = kinds.FloatDistribution(known.low, known.high, log=known.log)
    failed = tried.score is None
    frozen: FrozenTrial = optuna.trial.create_trial(
        params=tried.values,
        distributions=distributions,
        value=tried.score,
        state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
    )
    return frozen


def _try(
    recipe: TuneRecipe, number: int, values: dict[str, Any], folder: Path, score: Score
) -> Tried:
    """Run a trial; one that diverges or is set impossibly has failed, and the search goes on."""
    started = time.monotonic()
    found, problem = None, ""
    try:
        found = score(with_values(recipe, values), folder)
    except (ConfigError, NonFiniteError) as error:
        problem = str(error)
    return Tried(number, values, found, round(time.monotonic() - started, 2), problem)


def _taught_score(recipe: FinetuneRecipe, folder: Path) -> float:
    unfinished = (folder / "checkpoints").exists() and not (folder / "config.json").exists()
    info = run_finetune(recipe, out=folder, resume=unfinished).info
    validation = info.scores.get("validation")
    found = validation["score"] if validation else info.scores["cross_validated_accuracy"]
    return float(found)


def with_values(recipe: TuneRecipe, values: dict[str, Any]) -> FinetuneRecipe:
    """The recipe of a trial: the same with some settings replaced.

    Raises:
        ConfigError: A value is not allowed.
    """
    document = recipe.model_dump(mode="json", exclude={"search"})
    for name, value in values.items():
        put(document, name, value)
    return make(FinetuneRecipe, document)


def _check_names(recipe: TuneRecipe, space: dict[str, Range]) -> None:
    document = recipe.model_dump(mode="json", exclude={"search"})
    for name in space:
        place: Any = document
        for part in name.split("."):
            if not isinstance(place, dict) or part not in place:
                raise ConfigError(
                    f"search.space: the recipe has no setting {name}",
                    remedy="Name settings as in training.full.learning_rate",
                )
            place = place[part]


def _check_free(out: Path, *, resume: bool) -> None:
    unfinished = (out / TRIALS).exists() or (out / "trials").exists()
    if resume and not unfinished:
        raise CheckpointError(f"no search to resume in {out}", remedy="Start without --resume")
    if not resume and unfinished and not (out / "config.json").exists():
        raise CheckpointError(
            f"{out} holds an unfinished search", remedy="Add --resume, or choose another --out"
        )
    if not unfinished:
        check_free(out, resume=False)


def _late(recipe: TuneRecipe, done: list[Tried]) -> bool:
    spent = sum(tried.seconds for tried in done)
    return recipe.search.minutes is not None and spent >= 60 * recipe.search.minutes


def _best(trials: list[Tried]) -> Tried | None:
    """The trial of the best score, the earliest of equals."""
    scored = [tried for tried in trials if tried.score is not None]
    return max(scored, key=lambda tried: (tried.score or 0.0, -tried.number), default=None)


def _told(best: Tried | None) -> str:
    return "none yet" if best is None else f"{best.score:.4f} (trial {best.number})"


def _folder(out: Path, number: int) -> Path:
    return out / "trials" / f"{number:04d}"


def _forget(out: Path, before: Tried | None, tried: Tried) -> None:
    """Keep the folder of the best trial alone: a model may be large."""
    better = tried.score is not None and (before is None or tried.score > (before.score or 0.0))
    loser = before if better else tried
    if loser is not None:
        shutil.rmtree(_folder(out, loser.number), ignore_errors=True)


def _read(path: Path) -> list[Tried]:
    if not path.exists():
        return []
    try:
        return [Tried(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
