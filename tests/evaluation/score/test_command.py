"""The command: a table or one JSON document, and one line for a mistake."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def run(*arguments):
    command = [sys.executable, "-m", "interlingua.cli.main", "score", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def files(tmp_path):
    for role, text in (("labels", "1\n2\n"), ("predictions", "1\n3\n")):
        (tmp_path / role).mkdir()
        (tmp_path / role / "test-sw.tsv").write_text(text)
    return ("--predictions", tmp_path / "predictions", "--labels", tmp_path / "labels")


def test_the_document(files):
    done = run("tatoeba", *files, "--json", "--explain")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["accuracy"] == {"sw": 50}
    assert "LASER" in document["definitions"]["tatoeba"]["not_comparable"]


def test_the_table_comes_after_what_is_missing(files):
    done = run("tatoeba", *files, "--explain")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("missing: tatoeba: no predictions for ar, he")
    assert any(line.split() == ["sw", "2", "50.00"] for line in lines)
    assert any("nearest neighbour" in line for line in lines)


def test_definitions_need_no_files():
    done = run("xglue", "--explain")
    assert done.returncode == 0
    assert "seqeval 1.x's span precision" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("xtrem", "--explain"), "Did you mean xtreme"),
        (("xtreme",), "--predictions and --labels are both needed"),
        (("xtreme", "--predictions", "nowhere", "--labels", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_one_line(arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
