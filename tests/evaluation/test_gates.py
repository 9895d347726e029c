"""Requirements on figures: read before a run, held after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlingua.base.errors import GateError, UsageError
from interlingua.cli.main import main
from interlingua.evaluation.gates import Gate, hold, read_gates

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = {"zero_shot_mean": 0.7, "swh_Latn": 0.25, "mean_cosine": -0.5}
NAMES = ("zero_shot_mean", "mean_cosine", "low_resource_mean")


def test_a_gate_is_a_name_a_sign_and_a_bound() -> None:
    assert read_gates([" swh_Latn >= 0.6 ", "mean_cosine<-1"], NAMES) == [
        Gate("swh_Latn", ">=", 0.6),
        Gate("mean_cosine", "<", -1.0),
    ]


@pytest.mark.parametrize(
    "text", ["", "swh_Latn", "a>=", "a=1", "a>=0.5.1", "a>=b", "a>=.", "A B>1"]
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match=r"--require .* cannot be read"):
        read_gates([text], NAMES)


@pytest.mark.parametrize(
    ("gate", "kept"),
    [
        ("zero_shot_mean>=0.7", True),
        ("zero_shot_mean>0.7", False),
        ("zero_shot_mean<=0.7", True),
        ("zero_shot_mean<0.7", False),
        ("swh_Latn<0.3", True),
        ("mean_cosine>-0.6", True),
        ("mean_cosine>-.6", True),
        ("zero_shot_mean<1.", True),
    ],
)
def test_the_four_signs(gate: str, *, kept: bool) -> None:
    if kept:
        hold(FIGURES, read_gates([gate], NAMES))
        return
    with pytest.raises(GateError):
        hold(FIGURES, read_gates([gate], NAMES))


def test_all_that_is_missed_is_told_and_an_unknown_name_has_a_remedy() -> None:
    with pytest.raises(GateError, match=r"zero_shot_mean is 0\.7000, required >= 1\.1; swh_Latn"):
        hold(FIGURES, read_gates(["zero_shot_mean>=1.1", "swh_Latn>0.25", "mean_cosine<0"], NAMES))
    with pytest.raises(UsageError) as raised:
        read_gates(["zero_shot_maen>=0.5"], NAMES)
    assert "zero_shot_mean" in raised.value.remedy
    for missing in ("low_resource_mean>=0.5", "deu_Latn>=0.5"):  # known before, not after
        with pytest.raises(UsageError, match="the report does not have"):
            hold(FIGURES, read_gates([missing], NAMES))


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "--model", "nowhere", "--test", "nothing.jsonl"],
        ["benchmark", "sib200", "--model", "nowhere", "--data-dir", "nothing"],
        ["bridge", "--model", "nowhere", "--data", "nothing.jsonl"],
    ],
)
@pytest.mark.parametrize(
    ("gate", "told"),
    [("swh_Latn=0.5", "cannot be read"), ("wurst>=0.5", "names wurst, which the report")],
)
def test_commands_read_them_before_anything_else(
    command: list[str], gate: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*command, "--out", str(tmp_path / "out"), "--require", gate])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err.replace("'", "")
