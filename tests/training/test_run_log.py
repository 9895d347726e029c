"""A run's logs and its page: every line once, also after a kill; nothing loaded from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from interlingua.base import progress
from interlingua.training.run_log import RunLog, read_log
from interlingua.training.run_page import render


def run(log: RunLog, first: int, last: int, *, total: int) -> None:
    """Steps of 10 tokens in half a second each; a validation every 100 steps."""
    log.begin(first, first * 10, total=total)
    for step in range(first + 1, last + 1):
        kind = "tlm" if step % 2 else "mlm"
        tokens = {"tokens": step * 10, "seconds": 0.5}
        log.step(step, kind=kind, loss=1000 / step, rate=1e-3, **tokens)
        if step % 100 == 0:
            figures = {"mlm": 3.0, "mlm/deu_Latn": 2.0, "mlm/eng_Latn-jpn_Jpan": 4.0}
            log.validation(
                epoch=1,
                step=step,
                tokens_seen=step * 10,
                seconds=7.0,
                loss=1.5,
                score=-3.0,
                **figures,
            )


def test_steps_are_summed_up_between_lines(tmp_path: Path) -> None:
    run(RunLog(tmp_path), 0, 600, total=600)
    lines = read_log(tmp_path / "steps.jsonl")
    assert [line["step"] for line in lines] == list(range(3, 601, 3))
    assert {line["tokens_per_second"] for line in lines} == {20.0}
    assert lines[0]["loss"] == {"tlm": pytest.approx((1000 + 1000 / 3) / 2), "mlm": 500.0}
    assert lines[-1]["tokens_seen"] == 6000


def test_a_run_that_went_on_from_a_checkpoint_has_every_line_once(tmp_path: Path) -> None:
    run(RunLog(tmp_path), 0, 450, total=600)
    with (tmp_path / "steps.jsonl").open("a") as file:
        file.write('{"step": 99')  # the kill came here
    run(RunLog(tmp_path), 300, 600, total=600)
    lines = read_log(tmp_path / "steps.jsonl")
    assert [line["step"] for line in lines] == list(range(3, 601, 3))
    assert {line["tokens_per_second"] for line in lines} == {20.0}
    steps = [line["step"] for line in read_log(tmp_path / "train.jsonl")]
    assert steps == [100, 200, 300, 400, 400, 500, 600]  # what was done twice was paid for twice
    page = (tmp_path / "run.html").read_text()
    drawn = re.findall(r'points="([^"]*)" class="series thin"', page)
    assert [len(points.split()) for points in drawn] == [6, 6]


def test_validations_are_told_as_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = progress._quiet.set(False)
    run(RunLog(tmp_path), 0, 200, total=200)
    progress._quiet.reset(token)
    header, *rows = capsys.readouterr().err.splitlines()
    assert header.split() == ["step", "tokens", "tokens/s", "loss", "mlm"]
    assert [row.split() for row in rows] == [
        ["100", "1,000", "20", "1.5000", "3.0000"],
        ["200", "2,000", "20", "1.5000", "3.0000"],
    ]
    assert len({len(line) for line in (header, *rows)}) == 1


def test_the_page_tells_where_a_run_stands_and_loads_nothing(tmp_path: Path) -> None:
    run(RunLog(tmp_path), 0, 300, total=600)
    page = (tmp_path / "run.html").read_text()
    assert "Step 300 of 600" in page
    assert "German" in page
    assert "English and Japanese" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<svg") == 4  # held-out, losses, rate, speed
    assert page.count('class="series thin"') == 2
    run(RunLog(tmp_path), 300, 600, total=600)
    assert "All 600 steps are done" in (tmp_path / "run.html").read_text()


def test_a_page_of_anything_a_log_may_hold() -> None:
    strange = {"step": 1, "tokens_seen": 0, "loss": 0.0, "score": 0.5, "epoch": 1}
    for steps, validations in (
        ([], []),
        ([], [strange]),
        ([], [{**strange, "<b>/<i>": 1.0}]),
        ([], [{**strange, "step": step, "score": s} for step, s in enumerate((0.3, 0.1 + 0.2))]),
        (
            [
                {
                    "step": 1,
                    "tokens_seen": 5,
                    "rate": 0.0,
                    "tokens_per_second": 0.0,
                    "loss": {"a": 2.0},
                }
            ],
            [],
        ),
    ):
        page = render(steps, validations, total=1)
        assert "</html>" in page
        assert "<b>/" not in page
        assert json.dumps(page)  # no lone surrogate


def test_a_run_that_ended_early_says_so() -> None:
    entry = {"step": 4, "tokens_seen": 9, "loss": 0.0, "score": 0.5, "ended_early": True}
    assert "Ended after 4 of 9 steps" in render([], [entry], total=9)
    assert "Step 4 of 9" in render([], [{**entry, "ended_early": False}], total=9)


def test_scores_are_better_when_they_are_higher() -> None:
    entries = [
        {"step": i, "tokens_seen": i, "loss": 0.0, "score": score, "epoch": 1}
        for i, score in enumerate((0.25, 0.75, 0.5), start=1)
    ]
    page = render([], entries, total=3)
    assert "Validation score" in page
    first, best, last = (page.index(f">{value}<") for value in ("0.2500", "0.7500", "0.5000"))
    assert first < best < last
