"""Every strategy, the search and the examples, through the doors that users take."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import interlingua
from interlingua.base.errors import ConfigError, UsageError
from interlingua.base.progress import set_quiet
from interlingua.models.folder import open_model
from interlingua.training.finetune import Taught
from interlingua.training.settings import Strategy

EXAMPLES = Path(__file__).parents[2] / "examples"
PREMISES = ["A dog runs", "A girl reads", "Two men cook", "The train left", "It rains hard"]
QUICK = {
    strategy: {
        f"training.{strategy}.epochs": 12,
        f"training.{strategy}.head_learning_rate": 0.05,
        **({} if strategy == "head" else {f"training.{strategy}.learning_rate": 0.003}),
    }
    for strategy in ("head", "lora", "full")
}
HYPOTHESES = {
    "entailment": "Something happens there",
    "neutral": "It is a cold morning",
    "contradiction": "Nobody does anything",
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inference in two languages: ``train.en.jsonl`` and ``xnli/dev-en.tsv``, ``dev-de.tsv``."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = [
        {"premise": f"{premise} number {i}.", "hypothesis": f"{text} {i}.", "label": label}
        for i in range(8)
        for premise in PREMISES
        for label, text in HYPOTHESES.items()
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "train.en.jsonl").write_text(lines, encoding="utf-8")
    (folder / "xnli").mkdir()
    for lang in ("en", "de"):
        lines = "".join(f"{r['premise']}\t{r['hypothesis']}\t{r['label']}\n" for r in rows[:30])
        (folder / "xnli" / f"dev-{lang}.tsv").write_text(lines, encoding="utf-8")
    return folder


def command(*arguments: str | Path) -> str:
    process = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize("strategy", ["probe", "head", "lora", "full"])
def test_every_strategy_teaches_pairs(
    tmp_path: Path, pairs: Path, small: Path, strategy: Strategy
) -> None:
    taught = interlingua.finetune(
        task="nli",
        train=pairs / "train.en.jsonl",
        model=small,
        out=tmp_path / "m",
        strategy=strategy,
        settings=QUICK.get(strategy, {}),
    )
    assert taught.info.labels == ("entailment", "neutral", "contradiction")
    card = interlingua.benchmark(
        "xnli", model=tmp_path / "m", data_dir=pairs, out=tmp_path / "card"
    )
    assert set(card.per_language) == {"eng_Latn", "deu_Latn"}
    assert card.per_language["eng_Latn"].score > 0.6  # three words tell the label
    classifier = interlingua.Classifier(tmp_path / "m", engine="torch")
    (answer,) = classifier.predict(["A dog runs number 1."], ["Nobody does anything 1."])
    assert answer.text_pair == "Nobody does anything 1."
    alone, empty, whole = classifier.predict(["A dog runs."] * 3, [None, " ", "It is cold."])
    assert (alone.label, empty.label) == (None, None)
    assert whole.label is not None
    with pytest.raises(UsageError, match="pairs of texts"):
        classifier.predict(["A dog runs."])


def test_several_runs_give_their_mean_and_their_spread(
    tmp_path: Path, pairs: Path, small: Path
) -> None:
    taught = interlingua.finetune(
        task="nli",
        train=pairs / "train.en.jsonl",
        model=small,
        out=tmp_path / "m",
        strategy="full",
        settings={
            "training.runs": 2,
            "training.full.epochs": 2,
            "training.full.checkpoint": "average",
            "training.full.embeddings": "rows",
        },
    )
    assert taught.info.scores["runs"]["count"] == 2
    assert "mean of 2 runs" in str(taught.info.scores["checkpoint"])
    before = open_model(small).path / "model.safetensors"
    assert before.stat().st_size == (tmp_path / "m" / "model.safetensors").stat().st_size


def test_a_taught_model_goes_on_from_its_head(tmp_path: Path, pairs: Path, small: Path) -> None:
    def teach(model: Path, out: str, lang: str, **settings: object) -> Taught:
        return interlingua.finetune(
            task="nli",
            train=pairs / "train.en.jsonl",
            model=model,
            out=tmp_path / out,
            lang=lang,
            strategy="full",
            settings={f"training.full.{name}": value for name, value in settings.items()},
        )

    teach(small, "first", "en", epochs=6)
    still = {"epochs": 1, "learning_rate": 1e-12, "head_learning_rate": 1e-12, "weight_decay": 0}
    taught = teach(tmp_path / "first", "second", "sw", **still)
    assert taught.info.source_languages == ("eng_Latn", "swh_Latn")
    heads = [open_model(tmp_path / name).head() for name in ("first", "second")]
    np.testing.assert_allclose(heads[0].weight, heads[1].weight, atol=1e-6)


def test_tokens_are_left_out_in_training_alone(tmp_path: Path, pairs: Path, small: Path) -> None:
    def teach(out: str, share: float, rate: float, model: Path = small) -> Taught:
        values = {"epochs": 2, "token_dropout": share, "learning_rate": rate, "dropout": 0}
        return interlingua.finetune(
            task="nli",
            train=pairs / "train.en.jsonl",
            model=model,
            out=tmp_path / out,
            strategy="full",
            settings={f"training.full.{name}": value for name, value in values.items()}
            | {"training.full.head_learning_rate": rate, "training.full.encoder_dropout": 0},
        )

    teach("whole", 0.0, 1e-2)
    for name in ("one", "two"):
        teach(name, 0.4, 1e-2)
    heads = {n: open_model(tmp_path / n).head().weight for n in ("whole", "one", "two")}
    assert np.array_equal(heads["one"], heads["two"])
    assert not np.allclose(heads["one"], heads["whole"], atol=1e-4)
    still = [
        teach(f"still-{share}", share, 1e-12, tmp_path / "whole").info.scores["validation"]
        for share in (0.0, 0.9)
    ]
    assert still[0] == still[1]


def test_rows_whose_marks_stand_apart_are_joined_if_asked(
    tmp_path: Path,
    pairs: Path,
    small: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    joined = pairs / "train.en.jsonl"
    cut = tmp_path / "train.en.jsonl"
    cut.write_text(joined.read_text(encoding="utf-8").replace('."', ' ."'), encoding="utf-8")

    set_quiet(False)
    request.addfinalizer(lambda: set_quiet(True))

    def taught(out: str, train: Path, lang: str, *, detokenize: bool) -> bytes:
        interlingua.finetune(
            task="nli",
            train=train,
            model=small,
            out=tmp_path / out,
            lang=lang,
            strategy="probe",
            settings={"data.detokenize": detokenize},
        )
        return (tmp_path / out / "head.safetensors").read_bytes()

    as_written = taught("joined", joined, "en", detokenize=False)
    assert "stand apart" not in capsys.readouterr().err
    assert taught("cut", cut, "en", detokenize=False) != as_written
    assert "in 100% of the rows words and marks stand apart" in capsys.readouterr().err
    assert taught("mended", cut, "en", detokenize=True) == as_written
    french = taught("french", cut, "fr", detokenize=True)
    assert french == taught("french-cut", cut, "fr", detokenize=False)
    with pytest.raises(ConfigError, match="taken as they stand"):
        interlingua.finetune(
            task="ner", train=cut, out=tmp_path / "ner", settings={"data.detokenize": True}
        )


def test_a_search_ends_with_a_model(tmp_path: Path, pairs: Path, small: Path) -> None:
    pytest.importorskip("optuna")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        json.dumps(
            {
                "model": {"name": str(small)},
                "data": {"task": "nli", "train": [str(pairs / "train.en.jsonl")]},
                "training": {"strategy": "head", "head": {"epochs": 2}},
                "search": {"trials": 2},
            }
        ),
        encoding="utf-8",
    )
    out = command(
        *("-m", "interlingua.cli.main", "tune", recipe, "--out", tmp_path / "best", "--json")
    )
    found = json.loads(out)
    assert [trial["number"] for trial in found["trials"]] == [0, 1]
    assert found["best"]["score"] == max(trial["score"] for trial in found["trials"])
    assert open_model(tmp_path / "best").info.task == "nli"
    assert not (tmp_path / "best" / "trials").exists()


def test_the_examples_run(tmp_path: Path, pairs: Path, small: Path) -> None:
    given = ("--train", pairs / "train.en.jsonl", "--model", small, "--epochs", "1")
    out = command(
        *(EXAMPLES / "xnli_finetune.py", *given, "--data-dir", pairs, "--out", tmp_path / "a")
    )
    assert "deu_Latn: " in out
    out = command(
        *(EXAMPLES / "xnli_pytorch.py", *given),
        *("--test", pairs / "xnli" / "dev-de.tsv", "--out", tmp_path / "b"),
    )
    assert "deu_Latn: accuracy" in out
    vectors = interlingua.Embedder(tmp_path / "b", engine="torch").encode(["A dog runs."])
    assert np.isfinite(vectors).all()


def test_two_processes_teach_what_one_teaches(
    tmp_path: Path, pairs: Path, small: Path, torchrun: list[str]
) -> None:
    arguments = (
        *("-m", "interlingua.cli.main", "finetune", "--task", "nli", "--model", small),
        *("--train", pairs / "train.en.jsonl", "--strategy", "full", "--json", "--quiet"),
        *("--set", "training.full.epochs=2", "--set", "training.full.dropout=0"),
        *("--set", "training.full.precision=float32", "--set", "training.full.unfreezing=[1,2]"),
    )
    one = json.loads(command(*arguments, "--out", tmp_path / "one"))
    two = json.loads(command(*torchrun[1:], *arguments, "--out", tmp_path / "two"))
    assert two["scores"]["epochs"] == one["scores"]["epochs"] == 2
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("one", "two")]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():  # where a gradient is near zero Adam magnifies rounding
        assert np.abs(tensor - weights[1][name]).mean() < 5e-5, name
        assert np.abs(tensor - weights[1][name]).max() < 1e-3, name
