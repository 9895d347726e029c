"""Same seed, same bytes; killed and resumed, the same bytes as never stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interlingua.base.files import sha256_file
from interlingua.corpus import phrasebook
from interlingua.models.folder import ModelFolder, open_model

HEARING = "signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A shell makes its jobs in the background ignore SIGINT, and a process inherits that."""
CODE = f"import signal; {HEARING}; from interlingua.cli.main import main; main()"
COMMAND = [sys.executable, "-c", CODE]


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str | Path) -> str:
    process = start(*arguments)
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    return out


def weights(folder: Path) -> tuple[str, str]:
    return sha256_file(folder / "model.safetensors"), sha256_file(folder / "head.safetensors")


def test_the_probe_repeats_to_the_byte(tmp_path: Path, starter: ModelFolder) -> None:
    for name in ("a", "b"):
        run(
            *(
                "finetune",
                "--task",
                "topic",
                "--train",
                *phrasebook.train_files(),
                "--out",
                tmp_path / name,
            ),
            *("--seed", "7", "--quiet"),
        )
        run(
            *("evaluate", "--model", tmp_path / name, "--test", *phrasebook.test_files()[:3]),
            *("--out", tmp_path / f"card-{name}", "--quiet"),
        )
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    predictions = [
        (tmp_path / f"card-{name}" / "predictions.jsonl").read_bytes() for name in ("a", "b")
    ]
    assert predictions[0] == predictions[1]


@pytest.mark.slow
def test_full_training_survives_kill_and_interrupt(tmp_path: Path, small: Path) -> None:
    arguments = (
        *(
            "finetune",
            "--task",
            "sentiment",
            "--train",
            *phrasebook.train_files(),
            "--model",
            small,
        ),
        *("--strategy", "full", "--set", "training.full.epochs=40"),
        *("--set", "training.full.checkpoint_steps=2", "--set", "training.full.patience=40"),
    )
    run(*arguments, "--out", tmp_path / "whole")
    stopped = tmp_path / "stopped"
    for number, sent in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGTERM)):
        process = start(*arguments, "--out", stopped, *(["--resume"] if number else []))
        deadline = time.monotonic() + 120
        before = newest(stopped)
        while newest(stopped) <= before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(sent)
        process.communicate(timeout=60)
        expected = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}
        assert process.returncode == expected[sent]
        assert not (stopped / "config.json").exists()
    run(*arguments, "--out", stopped, "--resume")
    assert weights(stopped) == weights(tmp_path / "whole")
    info = open_model(stopped).info
    assert info.scores == open_model(tmp_path / "whole").info.scores
    assert info.task == "sentiment"


def newest(folder: Path) -> int:
    steps = [int(path.name[5:]) for path in (folder / "checkpoints").glob("step-*")]
    return max(steps, default=0)


def test_an_unfinished_run_is_neither_overwritten_nor_opened(tmp_path: Path) -> None:
    (tmp_path / "out" / "checkpoints" / "step-000001").mkdir(parents=True)
    process = start(
        *(
            "finetune",
            "--task",
            "topic",
            "--train",
            *phrasebook.train_files(),
            "--out",
            tmp_path / "out",
        )
    )
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "unfinished run" in err


def test_json_is_one_document(tmp_path: Path, starter: ModelFolder) -> None:
    out = run(
        *("finetune", "--task", "topic", "--train", *phrasebook.train_files(), "--json"),
        *("--out", tmp_path / "m"),
    )
    assert json.loads(out)["task"] == "topic"
