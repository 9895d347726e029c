"""A run that is stopped anywhere ends with the same bytes; what is damaged is found."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interlingua.base.errors import CheckpointError, NonFiniteError, StoppedError, UsageError
from interlingua.base.seeding import generator
from interlingua.batches.buckets import IntArray, shuffled_plan
from interlingua.inference.hardware import device
from interlingua.training.checkpoint import checkpoints, latest_valid
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop, Progress
from interlingua.training.settings import LoopSettings

ALONE = Processes(0, 1, torch.device("cpu"))
SETTINGS = LoopSettings(token_budget=32, max_rows=4, checkpoint_steps=3, patience=9)


class Stopped(Exception):
    """Stands for a kill: nothing is caught or cleaned up."""


class FakeLearner:
    """A small network with dropout on fixed data, which can fail at a chosen step."""

    def __init__(self, *, fail_at: int = -1, how: str = "kill") -> None:
        torch.manual_seed(1)
        self.net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 3))
        rng = np.random.default_rng(0)
        self.x = torch.tensor(rng.normal(size=(37, 6)), dtype=torch.float32)
        self.y = torch.tensor(rng.integers(0, 3, size=37))
        self.fail_at = fail_at
        self.how = how
        self.calls = 0
        self.rounds = 4

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.net.parameters()), "lr": 0.05, "weight_decay": 0.01}]

    def named_parameters(self) -> dict[str, nn.Parameter]:
        return dict(self.net.named_parameters())

    def epochs(self) -> int:
        return self.rounds

    def steps(self, seed: int) -> int:
        return sum(len(self.batches(epoch, seed)) for epoch in range(self.rounds))

    def batches(self, epoch: int, seed: int) -> list[IntArray]:
        rng = generator(seed, "order", epoch)
        return shuffled_plan(np.arange(37) % 9 + 1, token_budget=32, rng=rng, max_rows=4)

    def loss(self, rows: IntArray, part: IntArray, step: int) -> Tensor:
        self.calls += 1
        if self.calls == self.fail_at:
            if self.how == "kill":
                raise Stopped
            if self.how == "sigterm":
                os.kill(os.getpid(), signal.SIGTERM)
        loss = nn.functional.cross_entropy(
            self.net(self.x[rows[part]]), self.y[rows[part]], reduction="sum"
        )
        loss = loss / len(rows)
        if self.how == "nan" and self.calls == self.fail_at:
            return loss * float("nan")
        if self.how == "nan gradient" and self.calls == self.fail_at:
            return loss + 0 * torch.sqrt(0 * loss)  # 0, with an infinite slope
        return loss

    def state(self) -> dict[str, torch.Tensor]:
        return {}

    def begin_epoch(self, epoch: int) -> None:
        pass

    def row_ids(self, rows: IntArray) -> list[str]:
        return [f"row-{i}" for i in rows]

    def size(self, rows: IntArray) -> int:
        return len(rows)

    def kind(self, rows: IntArray) -> str:
        return "loss"

    def score(self) -> float:
        with torch.no_grad():
            return float((self.net(self.x).argmax(1) == self.y).float().mean())

    def figures(self) -> dict[str, float]:
        return {}

    def training_mode(self, on: bool) -> None:
        self.net.train(on)


def run(folder: Path, learner: FakeLearner, *, resume: bool = False, **changes: Any) -> Progress:
    settings = SETTINGS.model_copy(update=changes)
    loop = Loop(
        learner, settings, folder=folder, seed=5, fingerprint={"data": "x"}, processes=ALONE
    )
    return loop.run(resume=resume)


def final(learner: FakeLearner) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in learner.net.parameters())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Progress]:
    learner = FakeLearner()
    progress = run(tmp_path_factory.mktemp("whole"), learner)
    return final(learner), progress


@pytest.mark.parametrize("fail_at", [1, 2, 5, 9, 13, 20, 31, 40])
def test_killed_and_resumed_ends_with_the_same_bytes(
    tmp_path: Path, whole: tuple[bytes, Progress], fail_at: int
) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, FakeLearner(fail_at=fail_at))
    torch.manual_seed(99)  # whatever happened in between
    learner = FakeLearner()
    progress = run(tmp_path, learner, resume=True)
    assert final(learner) == whole[0]
    assert progress == whole[1]
    assert progress.tokens == 4 * 37  # of the fake, a row is a token


def test_resumed_twice_and_after_the_end(tmp_path: Path, whole: tuple[bytes, Progress]) -> None:
    for fail_at in (7, 6):
        with pytest.raises(Stopped):
            run(tmp_path, FakeLearner(fail_at=fail_at), resume=fail_at == 6)
    for _ in range(2):
        learner = FakeLearner()
        run(tmp_path, learner, resume=True)
        assert final(learner) == whole[0]


def test_sigterm_saves_and_says_so(tmp_path: Path, whole: tuple[bytes, Progress]) -> None:
    with pytest.raises(StoppedError, match="step 5"):
        run(tmp_path, FakeLearner(fail_at=5, how="sigterm"))
    assert latest_valid(tmp_path / "checkpoints").name == "step-000005"
    learner = FakeLearner()
    run(tmp_path, learner, resume=True)
    assert final(learner) == whole[0]


@pytest.mark.parametrize("how", ["nan", "nan gradient"])
def test_nan_stops_with_the_rows_and_keeps_the_checkpoint(tmp_path: Path, how: str) -> None:
    with pytest.raises(NonFiniteError, match=r"gradient norm \(nan\) of step 5 .*row-"):
        run(tmp_path, FakeLearner(fail_at=5, how=how))
    assert latest_valid(tmp_path / "checkpoints").name == "step-000003"


def test_the_best_epoch_is_kept_and_patience_ends_the_run(tmp_path: Path) -> None:
    class Scripted(FakeLearner):
        told = iter([0.1, 0.9, 0.2, 0.3, 0.4])
        seen: ClassVar[list[bytes]] = []

        def score(self) -> float:
            self.seen.append(final(self))
            return next(self.told)

    learner = Scripted()
    learner.rounds = 5
    progress = run(tmp_path, learner, patience=2)
    assert (progress.epoch, progress.best_score) == (4, 0.9)
    assert final(learner) == learner.seen[1]
    assert "validation got no better" in (tmp_path / "logs" / "run.html").read_text()


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete"])
@pytest.mark.parametrize("name", ["model", "kept", "optimizer", "state", "manifest"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, name: str, damage: str) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, FakeLearner(fail_at=8))
    newest, before = checkpoints(tmp_path / "checkpoints")[:2]
    file = next(newest.glob(f"{name}.*"))
    data = file.read_bytes()
    middle = len(data) // 2
    if damage == "delete":
        file.unlink()
    elif damage == "truncate":
        file.write_bytes(data[:-1] if name != "manifest" else data[:middle])
    elif name == "manifest":
        file.write_bytes(data.replace(b'"sha256": "', b'"sha256": "0', 1))
    else:
        file.write_bytes(data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :])
    assert latest_valid(tmp_path / "checkpoints") == before


def test_never_from_nothing_in_silence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint"):
        run(tmp_path, FakeLearner(), resume=True)
    with pytest.raises(Stopped):
        run(tmp_path, FakeLearner(fail_at=8))
    for checkpoint in checkpoints(tmp_path / "checkpoints"):
        (checkpoint / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="damaged"):
        run(tmp_path, FakeLearner(), resume=True)


def test_another_run_is_refused(tmp_path: Path) -> None:
    run(tmp_path, FakeLearner())
    loop = Loop(
        FakeLearner(),
        SETTINGS,
        folder=tmp_path,
        seed=5,
        fingerprint={"data": "y"},
        processes=ALONE,
    )
    with pytest.raises(CheckpointError, match="data: x then, y now"):
        loop.run(resume=True)


@pytest.mark.parametrize("keep", [1, 3])
def test_the_newest_checkpoints_are_kept(tmp_path: Path, keep: int) -> None:
    progress = run(tmp_path, FakeLearner(), keep_checkpoints=keep)
    found = checkpoints(tmp_path / "checkpoints")
    assert len(found) == keep
    assert found[0].name == f"step-{progress.step:06d}"


def test_a_step_clips_the_gradient_and_sets_the_rate(tmp_path: Path) -> None:
    learner = FakeLearner()
    settings = SETTINGS.model_copy(update={"clip_norm": 1e-3})
    loop = Loop(learner, settings, folder=tmp_path, seed=5, fingerprint={}, processes=ALONE)
    for step in range(3):
        loop.progress.step = step
        loop.step(np.arange(8), 100)
        norm = torch.cat([p.grad.flatten() for p in learner.net.parameters()]).norm()  # type: ignore[union-attr]
        assert float(norm) == pytest.approx(1e-3, rel=1e-3)
        assert loop.optimizer.param_groups[0]["lr"] == pytest.approx(0.05 * (step + 1) / 10)


def test_more_processes_than_before_are_refused(tmp_path: Path) -> None:
    run(tmp_path, FakeLearner())
    two = Processes(0, 2, torch.device("cpu"))
    loop = Loop(
        FakeLearner(), SETTINGS, folder=tmp_path, seed=5, fingerprint={"data": "x"}, processes=two
    )
    with pytest.raises(CheckpointError, match="world: 1 then, 2 now"):
        loop.run(resume=True)


def test_a_leftover_of_a_crash_is_no_checkpoint(tmp_path: Path) -> None:
    run(tmp_path, FakeLearner())
    newest = checkpoints(tmp_path / "checkpoints")[0]
    shutil.copytree(newest, newest.with_name(".tmp-step-999999"))
    assert latest_valid(tmp_path / "checkpoints") == newest


def main(folder: str) -> None:
    """One of two processes; see the test below."""
    with processes() as group:
        learner = FakeLearner()
        learner.rounds = 2
        # Dropout differs between one process and two, so it is off here.
        learner.net[2].p = 0.0
        loop = Loop(
            learner,
            SETTINGS,
            folder=Path(folder),
            seed=5,
            fingerprint={},
            processes=group,
        )
        loop.run()
        if group.first:
            weights = torch.cat([p.detach().flatten() for p in learner.net.parameters()])
            np.save(Path(folder) / "weights.npy", weights.numpy())


def test_a_process_without_a_gpu_of_its_own_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "1"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="process 2 of this machine") as raised, processes():
        pass
    assert "--nproc-per-node 1" in str(raised.value.remedy)


def test_a_process_keeps_to_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [1]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: chosen[-1])
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    allowed: list[bool] = []
    monkeypatch.setattr(torch.backends.cuda, "enable_cudnn_sdp", allowed.append)
    assert device() == torch.device("cuda", 1)
    assert chosen == [1, 1]
    assert allowed == [False]


@pytest.mark.slow
def test_two_processes_do_the_work_of_one(tmp_path: Path, torchrun: list[str]) -> None:
    results = []
    for launch in ([sys.executable], torchrun):
        folder = tmp_path / str(len(results))
        folder.mkdir()
        command = [*launch, __file__, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr[-2000:]
        results.append(np.load(folder / "weights.npy"))
    np.testing.assert_allclose(results[0], results[1], atol=1e-5)


if __name__ == "__main__":
    main(sys.argv[1])
