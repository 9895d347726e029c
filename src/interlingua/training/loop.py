"""The training loop: any differentiable step, resumed bit for bit.

The loop owns order, precision, accumulation over processes, clipping, the schedule, validation,
early stopping and checkpoints. What a step computes is the caller's: `Learner` is the protocol.

After a kill at any point, a resumed run ends with the same bytes as one that was never stopped:
the order of an epoch is a function of seed and epoch, and the checkpoint holds every other state.
"""

from __future__ import annotations

import base64
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from interlingua.base.errors import CheckpointError, NonFiniteError, StoppedError
from interlingua.base.progress import Track, say, track
from interlingua.training.averaging import RunningMean, points
from interlingua.training.checkpoint import (
    checkpoints,
    latest_valid,
    load_checkpoint,
    prune,
    save_checkpoint,
)
from interlingua.training.cost.machine import peak_bytes
from interlingua.training.run_log import RunLog
from interlingua.training.schedule import share_of_peak

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from interlingua.batches.buckets import IntArray
    from interlingua.training.distributed import Processes
    from interlingua.training.settings import LoopSettings


class Learner(Protocol):
    """What the loop is told to train."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for AdamW: ``params``, peak ``lr``, ``weight_decay``."""

    def named_parameters(self) -> dict[str, torch.nn.Parameter]:
        """The trained parameters by name, in a fixed order."""

    def state(self) -> dict[str, Tensor]:
        """What else steps change, by name: saved, and restored in place."""

    def epochs(self) -> int:
        """How many epochs there are; after the last the run ends."""

    def steps(self, seed: int) -> int:
        """Batches of all epochs together."""

    def batches(self, epoch: int, seed: int) -> list[IntArray]:
        """The rows of each batch of an epoch (from 0): a function of epoch and seed alone."""

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        """What a part of a batch adds to the batch's mean loss, a scalar with a gradient.

        The parts of a batch, over processes and accumulation, add up to its mean loss; ``part``
        holds places in ``rows``, which may hold a row twice.
        """

    def begin_epoch(self, epoch: int) -> None:
        """Freeze and unfreeze what the epoch (from 0) asks for."""

    def row_ids(self, rows: IntArray) -> list[str]:
        """Names of training rows, for a message about them."""

    def size(self, rows: IntArray) -> int:
        """Tokens of a batch, padding not counted."""

    def kind(self, rows: IntArray) -> str:
        """What a batch is asked, for the log: the name of its loss."""

    def score(self) -> float:
        """The validation score; larger is better."""

    def figures(self) -> dict[str, float]:
        """What else the last validation found, for the log."""

    def training_mode(self, on: bool) -> None:
        """Switch dropout on or off."""


class Watch(Protocol):
    """Somebody who looks on as a run goes."""

    def after_step(self, step: int) -> None:
        """So many updates are done."""

    def facts(self) -> dict[str, float]:
        """What else goes into the log at a validation."""


@dataclass(slots=True)
class Progress:
    """Where a run stands; all of it is in every checkpoint."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    best_score: float = -math.inf
    best_step: int = -1
    misses: int = 0
    finished: bool = False
    score: float = -math.inf
    epoch_loss: float = 0.0
    epoch_rows: float = 0.0
    tokens: int = 0
    scores: list[float] = field(default_factory=list)


class Loop:
    """One run over a learner; see the module's text.

    Args:
        learner: What is trained.
        settings: How.
        folder: The run's folder; ``checkpoints`` and ``logs`` are made in it.
        seed: Seed of the order and of torch's random numbers.
        fingerprint: What must be the same for a run to be resumed: settings and data hashes.
        processes: This process among all.
        watch: Somebody who looks on.
    """

    def __init__(
        self,
        learner: Learner,
        settings: LoopSettings,
        *,
        folder: Path,
        seed: int,
        fingerprint: dict[str, Any],
        processes: Processes,
        watch: Watch | None = None,
    ) -> None:
        import torch

        self.learner = learner
        self.watch = watch
        self.started = time.monotonic()
        self.settings = settings
        self.seed = seed
        self.fingerprint = {**fingerprint, "world": processes.world}
        self.processes = processes
        self.checkpoints = folder / "checkpoints"
        self.log = RunLog(folder / "logs") if processes.first else None
        self.progress = Progress()
        self.stopped = False
        self.validating = 0.0
        self.rate = 0.0
        self.optimizer = torch.optim.AdamW(
            learner.parameter_groups(), betas=(0.9, 0.98), eps=1e-6, fused=True
        )
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.parameters = learner.named_parameters()
        self.mean = RunningMean()
        self.best: dict[str, Tensor] = {}
        self.points: set[int] = set()
        torch.manual_seed(seed + processes.rank)

    def run(self, *, resume: bool = False) -> Progress:
        """Train until the epochs are over or patience is; end with the chosen parameters in place.

        Raises:
            CheckpointError: ``resume``, and there is nothing valid to resume from.
            NonFiniteError: A loss or gradient is not a number; the last checkpoint is untouched.
            StoppedError: SIGTERM came; a checkpoint was written.
        """
        if resume:
            self._restore(latest_valid(self.checkpoints))
        else:
            self._save()
        total = self.learner.steps(self.seed)
        if self.log is not None:
            self.log.begin(self.progress.step, self.progress.tokens, total=total)
        if self.settings.checkpoint == "average":
            self.points = points(total, self.settings.average_over)
        self.started = time.monotonic()
        before = self.progress.step
        with _on_sigterm(self._stop), track("Training", total, done=before) as bar:
            try:
                while not self.progress.finished:
                    self.learner.begin_epoch(self.progress.epoch)
                    self._epoch(self._batches(self.progress.epoch), total, bar)
            except KeyboardInterrupt:
                saved = checkpoints(self.checkpoints)[0].name
                say(f"interrupted after step {self.progress.step}; --resume goes on from {saved}")
                raise
        self._put_chosen()
        return self.progress

    def _batches(self, epoch: int) -> list[IntArray]:
        return self.learner.batches(epoch, self.seed)

    def _epoch(self, batches: list[IntArray], total: int, bar: Track) -> None:
        progress = self.progress
        for rows in batches[progress.batch :]:
            started = time.monotonic()
            loss = self.step(rows, total)
            progress.epoch_loss += loss * len(rows)
            progress.epoch_rows += len(rows)
            progress.step += 1
            progress.batch += 1
            progress.tokens += self.learner.size(rows)
            if self.watch is not None:
                self.watch.after_step(progress.step)
            if self.log is not None:
                self.log.step(
                    progress.step,
                    kind=self.learner.kind(rows),
                    loss=loss,
                    rate=self.rate,
                    tokens=progress.tokens,
                    seconds=time.monotonic() - started,
                )
            if progress.step in self.points:
                self.mean.add(self.parameters)
            if progress.batch in _marks(len(batches), self.settings.validations):
                self._validate()
            bar.advance(note=f"epoch {progress.epoch + 1}, loss {loss:.3f}")
            if progress.batch == len(batches):
                self._end_epoch()
            elif progress.finished:
                break
            due = progress.step % self.settings.checkpoint_steps == 0 or progress.batch == 0
            if due or self.stopped:
                self._save()
            if self.stopped and not progress.finished:
                raise StoppedError(f"stopped after step {progress.step}; continue with --resume")

    def step(self, rows: IntArray, total: int) -> float:
        """One update of so many; returns the mean loss of the step's rows."""
        import torch

        self.learner.training_mode(True)
        self.optimizer.zero_grad(set_to_none=True)
        summed = 0.0
        for part in self.processes.parts(len(rows), self.settings.micro_rows):
            loss = self.learner.loss(rows, part, self.progress.step)
            loss.backward()  # type: ignore[no-untyped-call]
            summed += float(loss.detach())
        parameters = list(self.parameters.values())
        self.processes.add_gradients(parameters)
        mean = self.processes.total(summed)
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not (math.isfinite(mean) and math.isfinite(float(norm))):
            ids = ", ".join(self.learner.row_ids(rows)[:8])
            raise NonFiniteError(
                f"the loss ({mean}) or gradient norm ({float(norm)}) of step "
                f"{self.progress.step + 1} is not finite; rows: {ids}"
            )
        if float(norm) > self.settings.clip_norm:
            torch.nn.utils.clip_grads_with_norm_(parameters, self.settings.clip_norm, norm)
        share = share_of_peak(self.settings, self.progress.step, total)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share
        self.rate = max(self.peaks) * share
        self.optimizer.step()
        return mean

    def _validate(self) -> None:
        progress = self.progress
        started = time.monotonic()
        self.learner.training_mode(False)
        score = self.processes.from_first(self.learner.score() if self.processes.first else 0.0)
        self.validating += time.monotonic() - started
        mean_loss = progress.epoch_loss / max(progress.epoch_rows, 1.0)
        progress.scores.append(score)
        keep_best = self.settings.checkpoint == "best"
        if score > progress.best_score:
            progress.best_score, progress.best_step, progress.misses = score, progress.step, 0
            if keep_best:
                self.best = {name: p.detach().clone() for name, p in self.parameters.items()}
        else:
            progress.misses += 1
        progress.finished = keep_best and progress.misses >= self.settings.patience
        if self.log is not None:
            self.log.validation(
                epoch=progress.epoch + 1,
                step=progress.step,
                tokens_seen=progress.tokens,
                loss=mean_loss,
                score=score,
                ended_early=progress.finished,
                validation_seconds=round(self.validating, 3),
                seconds=round(time.monotonic() - self.started, 3),
                peak_bytes=peak_bytes(self.processes.device),
                **(self.watch.facts() if self.watch is not None else {}),
                **self.learner.figures(),
            )

    def _end_epoch(self) -> None:
        progress = self.progress
        progress.epoch += 1
        progress.batch = 0
        progress.epoch_loss = progress.epoch_rows = 0.0
        progress.finished = progress.finished or progress.epoch >= self.learner.epochs()

    def _save(self) -> None:
        random = [_random_state()]
        if self.processes.world > 1:
            import torch

            random = [""] * self.processes.world
            torch.distributed.all_gather_object(random, _random_state())
        if self.processes.first:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            save_checkpoint(
                self.checkpoints,
                self.progress.step,
                model={**self.parameters, **self.learner.state()},
                optimizer=self._optimizer_tensors(),
                kept=self.best or self.mean.tensors,
                state={
                    "progress": _finite(asdict(self.progress)),
                    "averaged": self.mean.count,
                    "random": random,
                    "fingerprint": self.fingerprint,
                },
            )
            prune(self.checkpoints, self.settings.keep_checkpoints)
        self.processes.wait()

    def _optimizer_tensors(self) -> dict[str, Tensor]:
        names = {id(p): name for name, p in self.parameters.items()}
        return {
            f"{names[id(p)]}/{key}": value
            for p, state in self.optimizer.state.items()
            for key, value in state.items()
        }

    def _restore(self, checkpoint: Path) -> None:
        import torch

        saved = load_checkpoint(checkpoint)
        changed = [
            f"{key}: {saved.state['fingerprint'].get(key)} then, {value} now"
            for key, value in self.fingerprint.items()
            if saved.state["fingerprint"].get(key) != value
        ]
        if changed:
            raise CheckpointError(
                f"{checkpoint} belongs to another run ({'; '.join(changed)})",
                remedy="Resume with the settings and data it was started with",
            )
        device = self.processes.device
        with torch.no_grad():
            for name, tensor in {**self.parameters, **self.learner.state()}.items():
                tensor.copy_(saved.model[name])
        for key, value in saved.optimizer.items():
            name, _, slot = key.rpartition("/")
            place = device if slot != "step" else value.device
            self.optimizer.state[self.parameters[name]][slot] = value.to(place)
        kept = {name: tensor.to(device) for name, tensor in saved.kept.items()}
        if saved.state["averaged"]:
            self.mean = RunningMean(kept, saved.state["averaged"])
        else:
            self.best = kept
        never = {
            name: -math.inf for name, value in saved.state["progress"].items() if value is None
        }
        self.progress = Progress(**{**saved.state["progress"], **never})
        _set_random_state(saved.state["random"][self.processes.rank])
        say(f"resumed from {checkpoint.name}")

    def _put_chosen(self) -> None:
        """Put the parameters that the run ends with in place, and their score in the progress."""
        import torch

        progress = self.progress
        if self.settings.checkpoint == "best":
            with torch.no_grad():
                for name, tensor in self.best.items():
                    self.parameters[name].copy_(tensor)
            progress.score = progress.best_score
            return
        self.mean.put(self.parameters)
        self.learner.training_mode(False)
        score = self.learner.score() if self.processes.first else 0.0
        progress.score = self.processes.from_first(score)

    def _stop(self) -> None:
        self.stopped = True


def _marks(batches: int, count: int) -> set[int]:
    """Batches of an epoch (from 1) after which to validate; the last is always one."""
    return {max(1, round(batches * k / count)) for k in range(1, count + 1)}


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: a score that was never reached is null."""
    return {name: None if value == -math.inf else value for name, value in values.items()}


def _random_state() -> str:
    import torch

    return base64.b64encode(torch.get_rng_state().numpy().tobytes()).decode()


def _set_random_state(text: str) -> None:
    import torch

    state = np.frombuffer(base64.b64decode(text), dtype=np.uint8).copy()
    torch.set_rng_state(torch.from_numpy(state))


@contextmanager
def _on_sigterm(call: Callable[[], None]) -> Iterator[None]:
    """Call ``call`` on SIGTERM instead of dying, where the main thread lets us."""
    try:
        before = signal.signal(signal.SIGTERM, lambda *_: call())
    except ValueError:  # not the main thread
        with nullcontext():
            yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
