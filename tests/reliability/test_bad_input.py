"""A user's mistake: exit 2 (1 for the disk), one line on stderr, nothing left behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlingua.models.folder import ModelFolder

ROWS = [
    {"text": f"{word} number {i}", "label": word} for i in range(6) for word in ("apple", "river")
]


def jsonl(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "interlingua.cli.main", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, timeout=240
    )


def refused(done: subprocess.CompletedProcess[str], said: str, *, code: int = 2) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert said in lines[0], lines[0]


CASES: dict[str, tuple[bytes, str]] = {
    "missing column": (jsonl([{"txt": "a", "label": "b"}]), "column 'text' is missing"),
    "missing label": (jsonl([{"text": "a"}]), "column 'label' is missing"),
    "empty file": (b"", "is empty"),
    "one class": (jsonl([{"text": f"a {i}", "label": "x"} for i in range(9)]), "at least two"),
    "latin-1": (b'{"text": "caf\xe9", "label": "a"}\n', "is not UTF-8"),
    "utf-16": ('{"text": "a", "label": "b"}\n'.encode("utf-16"), "is not UTF-8"),
    "1 MB line": (jsonl([*ROWS, {"text": "x" * 1_000_000, "label": "apple"}]), "longer than"),
    "empty text": (jsonl([*ROWS, {"text": " ", "label": "apple"}]), "the text is empty"),
    "lone surrogate": (b'{"text": "a\\ud800", "label": "b"}\n', "lone surrogate (U+D800)"),
    "label is a list": (jsonl([{"text": "a", "label": ["b"]}]), "is not a label"),
    "text is a number": (jsonl([{"text": 3, "label": "b"}]), "expected a text"),
    "not JSON": (b"text,label\n", "not JSON"),
    "unknown tag": (
        jsonl([{**row, "lang": "xx_Klingon"} for row in ROWS]),
        "xx_Klingon",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_training_data_that_cannot_be_used(tmp_path: Path, starter: ModelFolder, case: str) -> None:
    data, said = CASES[case]
    (tmp_path / "train.jsonl").write_bytes(data)
    done = run(
        "finetune", "--task", "topic", "--train", "train.jsonl", "--out", "out", cwd=tmp_path
    )
    refused(done, said)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["train.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--task", "topick", "--train", "train.jsonl", "--out", "o"), "Did you mean topic"),
        (("--task", "topic", "--train", "no.jsonl", "--out", "o"), "no such file"),
        (("--task", "topic", "--train", ".", "--out", "o"), "."),
        (("--task", "topic", "--train", "train.jsonl"), "--out is missing"),
        (("--train", "train.jsonl", "--out", "o"), "--task is missing"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "train.jsonl"), "is a file"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "full"), "holds other files"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "o", "--lang", "qqq"), "qqq"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "o", "--resume"), "no run"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "o", "--set", "training.x=1"), "x"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "o", "--strategy", "al"), "al"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "o", "--labels", "a,b"), "label"),
        (("--task", "topic", "--train", "train.jsonl", "--out", "o", "--model", "nope"), "nope"),
        (("--bogus",), "No such option"),
    ],
)
def test_command_lines_that_cannot_be_meant(
    tmp_path: Path, starter: ModelFolder, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "train.jsonl").write_bytes(jsonl([*ROWS]))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    refused(run("finetune", *arguments, cwd=tmp_path), said)
    assert not (tmp_path / "o").exists()
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.tex"]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, starter: ModelFolder) -> Path:
    """A model taught two classes."""
    folder = tmp_path_factory.mktemp("taught")
    (folder / "train.jsonl").write_bytes(jsonl([*ROWS]))
    done = run(
        "finetune", "--task", "topic", "--train", "train.jsonl", "--out", "model", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder / "model"


def test_a_label_unseen_in_training(tmp_path: Path, taught: Path) -> None:
    (tmp_path / "test.jsonl").write_bytes(jsonl([{"text": "an apple", "label": "aple"}]))
    done = run("evaluate", "--model", taught, "--test", "test.jsonl", "--out", "o", cwd=tmp_path)
    refused(done, "label 'aple' is not in the label set. Did you mean apple?")
    assert [p.name for p in tmp_path.iterdir()] == ["test.jsonl"]


def not_a_model(folder: Path) -> None:
    (folder / "readme.txt").write_text("no model here")


def pickled(folder: Path) -> None:
    import pickle

    class Payload:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return (exec, ("open('canary', 'w').write('ran')",))

    (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": 8}')
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))


@pytest.mark.parametrize(("make", "said"), [(not_a_model, "config.json"), (pickled, "pickle")])
def test_a_folder_that_is_not_a_model(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    make(folder)
    done = run("classify", "--model", "m", "a text", cwd=tmp_path)
    refused(done, said)
    assert not (tmp_path / "canary").exists()


def test_a_full_disk_while_saving(tmp_path: Path, taught: Path) -> None:
    """A file size limit stands for a full disk: the weights do not fit under it."""
    (tmp_path / "train.jsonl").write_bytes(jsonl([*ROWS]))
    code = (
        "import resource, signal, sys\n"
        "from interlingua.cli.main import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, "finetune", "--task", "topic"]
    command += ["--train", "train.jsonl", "--out", "out", "--quiet", "--lang", "en"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=240
    )
    refused(done, "cannot write", code=1)
    assert [p.name for p in tmp_path.iterdir()] == ["train.jsonl"]


def test_applications_answer_for_every_text(tmp_path: Path, taught: Path) -> None:
    long = "a" * 1_000_000
    (tmp_path / "in.txt").write_bytes(b"an apple\n\ncaf\xe9 \xf0\x9f\x8f\x9e\n")
    done = run("classify", "--model", taught, "--input", "in.txt", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["predictions"]
    assert [row["label"] is None for row in found] == [False, True, False]
    assert "\ufffd" in found[2]["text"]

    from interlingua import Classifier

    answers = Classifier(taught).predict([long, "\ud800 apple", "", "\x00"])
    assert [a.truncated for a in answers] == [True, False, False, False]
    assert answers[1].text == "\ufffd apple" or "\ufffd" in answers[1].text
    assert answers[2].label is None


def test_skipped_rows_are_kept_and_counted(tmp_path: Path, starter: ModelFolder) -> None:
    data = jsonl([*ROWS]) + b'{"text": "", "label": "apple"}\nbroken\n'
    (tmp_path / "train.jsonl").write_bytes(data)
    done = run(
        *("finetune", "--task", "topic", "--train", "train.jsonl", "--out", "m"),
        *("--on-error", "skip", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["rejected"]) == (len(ROWS), 2)
    lines = (tmp_path / "m" / "rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in lines] == [len(ROWS) + 1, len(ROWS) + 2]
    shutil.rmtree(tmp_path / "m")
