"""The commands: figures as JSON, mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlingua.cli.main import main
from interlingua.corpus import phrasebook

FILES = [str(file) for file in phrasebook.test_files()]


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main(["vocab", *map(str, arguments)])
    return int(left.value.code or 0)


def test_train_then_audit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "v"
    assert _run("train", *FILES, "--size", 1500, "--coverage", 0.99, "--out", out, "--json") == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["size"] == 1500 and len(trained["languages"]) == len(FILES)
    page = tmp_path / "a"
    data = ["--data", *FILES]
    assert _run("audit", "--tokenizer", out, "--against", out, *data, "--out", page, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["audit"]["languages"] == found["against"]["languages"]
    assert json.loads((page / "audit.json").read_text()) == found
    assert "<svg" in (page / "audit.html").read_text()
    assert _run("audit", "--tokenizer", out, *data, "--languages", "de,fr", "--quiet") == 0
    shown = capsys.readouterr().out
    assert "German" in shown and "Arabic" not in shown and "eng_Latn" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "nowhere"], "nowhere: no such file or folder"),
        (["train", FILES[0], "--size", "9999999"], "size: Input should be less than"),
        (["train", FILES[0], "--size", "290"], "256 bytes and the special tokens need"),
        (["train", FILES[0], "--size", "90000"], "--size 90000 is too large: this text gives at"),
        (["train", FILES[0], "--kind", "bpe", "--size", "90000"], "is too large: this text gives"),
        (["train", FILES[0], "--size", "300"], "is too small: the characters of the text"),
        (["train", FILES[0], "--lang", "klingonese"], "'klingonese' is no language"),
        (["trim", "--model", "x", "--languages", "qq", "--data", FILES[0]], "'qq' is no language"),
        (
            [
                "trim",
                "--model",
                "x",
                "--languages",
                "de",
                "--data",
                "x",
                "--size",
                "9",
                "--keep-coverage",
                "1",
            ],
            "exclude each other",
        ),
        (
            ["trim", "--model", "x", "--languages", "de", "--data", "x", "--keep-coverage", "2"],
            "--keep-coverage 2.0 is not a share",
        ),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _run(*arguments, "--out", tmp_path / "o") == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert said in told[-1] and told[-1].startswith("error: ")
    assert not (tmp_path / "o").exists()


def test_audit_wants_one_tokenizer(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("audit", "--data", FILES[0]) == 2
    assert "give either --model or --tokenizer" in capsys.readouterr().err
