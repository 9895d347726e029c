"""A benchmark of several tasks, planned, run, stopped, gone on with and reported."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import CheckpointError, UnknownNameError, UsageError
from interlingua.cli.main import main
from interlingua.evaluation.evaluate import Run
from interlingua.evaluation.suite.plan import Wanted, plan
from interlingua.evaluation.suite.records import BENCHMARKS

XTREME = BENCHMARKS.get("xtreme")
RECIPE = """\
training:
  strategy: head
  head: {epochs: 2, start_rows: 0}
"""
LABELS = ("entailment", "neutral", "contradiction")
TAGGED = (
    "Ann\tB-PER\nLee{n}\tI-PER\nsleeps\tO\n",
    "in\tO\nBonn\tB-LOC\n.\tO\n",
    "the\tO\nUnion\tB-ORG\n{n}\tO\n",
)
PAIR = "The {n}th dog runs.\tNobody moves {n}.\t{label}\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inference in English and German, with rows to be taught, and Tatoeba in German."""
    folder = tmp_path_factory.mktemp("data")
    rows = [PAIR.format(n=n, label=LABELS[n % 3]) for n in range(30)]
    pairs = folder / "xnli"
    pairs.mkdir()
    for name, count in (("train-en", 30), ("test-en", 12), ("test-de", 12), ("dev-de", 3)):
        (pairs / f"{name}.tsv").write_text("".join(rows[:count]), encoding="utf-8")
    for code in ("deu", "eng"):
        text = "".join(f"{code} number {n}\n" for n in range(20))
        (folder / f"tatoeba.deu-eng.{code}").write_text(text, encoding="utf-8")
    (folder / "panx").mkdir()
    for name, count in (("train-en", 40), ("test-en", 9), ("test-de", 9)):
        sentences = (TAGGED[n % len(TAGGED)].format(n=n) for n in range(count))
        (folder / "panx" / f"{name}.tsv").write_text("\n".join(sentences), encoding="utf-8")
    for name, count in (("english_tydiqa_train", 12), ("xquad.en", 6), ("xquad.de", 6)):
        (folder / f"{name}.json").write_text(json.dumps(squad(count)), encoding="utf-8")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "nli.yaml").write_text(RECIPE, encoding="utf-8")
    for task in ("ner", "qa"):
        recipe = "training: {strategy: probe}\n"
        (folder / "recipes" / f"{task}.yaml").write_text(recipe, encoding="utf-8")
    return folder


def squad(count: int) -> dict[str, Any]:
    """Questions in SQuAD's JSON, each to a paragraph of its own."""
    paragraphs = []
    for n in range(count):
        context = f"House number {n} is of stone. The wall fell in the year {1900 + n}."
        answer = {"text": str(1900 + n), "answer_start": context.index(str(1900 + n))}
        question = {"id": f"q{n}", "question": "In which year did it fall?", "answers": [answer]}
        paragraphs.append({"context": context, "qas": [question]})
    return {"version": "1.1", "data": [{"title": "Houses", "paragraphs": paragraphs}]}


Command = Callable[..., tuple[Any, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command, which must succeed; gives its document and what it said."""

    def run(*arguments: str | Path) -> tuple[Any, str]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments), "--json"])
        captured = capsys.readouterr()
        assert left.value.code == 0, captured.err
        return json.loads(captured.out), captured.err

    return run


def test_the_plan_names_what_is_there_and_what_is_not(data: Path) -> None:
    plans = {one.part.name: one for one in plan(XTREME, [data], Wanted(train=True))}
    assert list(plans) == [part.name for part in XTREME.parts]
    assert plans["xnli"].rows == {"eng_Latn": 12, "deu_Latn": 12}  # test, where there is one
    assert [path.name for path in plans["xnli"].train] == ["train-en.tsv"]
    assert len(plans["xnli"].missing) == 13
    assert plans["tatoeba"].rows == {"deu_Latn": 20}
    assert plans["panx"].rows == {"eng_Latn": 9, "deu_Latn": 9}
    assert [path.name for path in plans["xquad"].train] == ["english_tydiqa_train.json"]
    assert "no file to test on" in plans["udpos"].problem
    (one,) = plan(XTREME, [data], Wanted(tasks=["xnli"], languages=["de"], split="dev"))
    assert one.rows == {"deu_Latn": 3}
    with pytest.raises(UsageError, match="nothing of xtreme"):
        plan(XTREME, [data / "recipes"], Wanted())
    with pytest.raises(UnknownNameError, match="xnli"):
        plan(XTREME, [data], Wanted(tasks=["xnly"]))


def test_all_is_run_once_and_reported(
    tmp_path: Path, data: Path, small: Path, command: Command
) -> None:
    out = tmp_path / "out"
    arguments = ["benchmark", "xtreme", "--model", small, "--data-dir", data, "--train"]
    arguments += ["--recipes", data / "recipes", "--out", out]
    planned, _ = command(*arguments, "--dry-run")
    assert not out.exists()
    tasks = {task["task"]: task for task in planned["tasks"]}
    assert tasks["xnli"]["expected_seconds"]["scoring"] >= 0
    assert tasks["udpos"]["problem"]

    first, told = command(*arguments)
    assert "missing: udpos" in told
    assert {"xnli", "panx", "xquad", "tatoeba"} == first["tasks"].keys()
    assert first == {"out": str(out), **json.loads((out / "summary.json").read_text())}
    xnli = first["tasks"]["xnli"]
    assert xnli["train_rows"] == 30
    assert not xnli["comparable"]
    assert any("2 of 15 official languages" in reason for reason in xnli["differences"])
    assert any("392,702" in reason for reason in xnli["differences"])
    assert first["mean_over_tasks"] is None
    card = json.loads((out / xnli["scorecard"]).read_text())
    scores = [one["score"] for one in card["per_language"].values()]
    assert xnli["means"]["accuracy"] == pytest.approx(sum(scores) / 2)
    official = json.loads((out / "official.json").read_text())
    for lang, code in (("eng_Latn", "en"), ("deu_Latn", "de")):
        assert official["xnli"]["accuracy"][code] == pytest.approx(
            100 * card["per_language"][lang]["score"]
        )
    assert official["tatoeba"]["accuracy"]["de"] == pytest.approx(
        100 * first["tasks"]["tatoeba"]["means"]["accuracy"]
    )
    for task, metrics in (("panx", ["f1"]), ("xquad", ["f1", "exact_match"])):
        means = first["tasks"][task]["means"].values()
        for metric, mean in zip(metrics, means, strict=True):
            values = official[task][metric].values()
            assert sum(values) / len(values) == pytest.approx(100 * mean, abs=1e-9)
    assert "xnli: no labels for ar" in " ".join(official["missing"])
    for name in ("report.md", "report.html"):
        page = (out / name).read_text(encoding="utf-8")
        assert "XLM-R large" in page and "not comparable" in page and "79.2" in page
        assert "German" in page and "udpos was not run" in page

    model = out / "xnli" / "model" / "config.json"
    before = model.stat().st_mtime_ns
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"text": "A dog runs."}, {"text": "A dog runs.", "text_pair": "It is cold."}]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    answers, _ = command("classify", "--model", out / "xnli" / "model", "--input", pairs)
    assert [bool(answer["label"]) for answer in answers["predictions"]] == [False, True]

    (out / "xnli" / "predictions.jsonl").write_text("torn", encoding="utf-8")
    again, told = command(*arguments)
    assert "xnli: done before" not in told
    assert all(f"{task}: done before" in told for task in ("panx", "xquad", "tatoeba"))
    assert "torn" not in (out / "xnli" / "predictions.jsonl").read_text(encoding="utf-8")
    assert model.stat().st_mtime_ns == before
    assert {t: one["means"] for t, one in again["tasks"].items()} == {
        t: one["means"] for t, one in first["tasks"].items()
    }

    earlier, _ = command(
        *("benchmark", "xtreme", "--model", out, "--data-dir", data, "--tasks", "xnli"),
        *("--out", tmp_path / "other"),
    )
    assert earlier["tasks"]["xnli"]["means"] == xnli["means"]


def test_the_same_model_is_taught_once_and_another_is_refused(
    tmp_path: Path, data: Path, small: Path
) -> None:
    from interlingua.base.config import make
    from interlingua.training.once import fingerprint, teach_once
    from interlingua.training.settings import FinetuneRecipe

    def recipe(seed: int) -> FinetuneRecipe:
        return make(
            FinetuneRecipe,
            {
                "model": {"name": str(small)},
                "data": {"task": "nli", "train": [str(data / "xnli" / "train-en.tsv")]},
                "training": {"strategy": "head", "seed": seed, "head": {"epochs": 1}},
            },
        )

    folders = [tmp_path / name for name in ("a", "b")]
    first = teach_once(recipe(0), folders[0], others=folders)
    second = teach_once(recipe(0), folders[1], others=folders)
    assert (first.shared, second.shared) == (False, True)
    assert second.model.resolve() == first.model.resolve()
    assert teach_once(recipe(0), folders[1], others=folders) == second
    (tmp_path / "c" / "model" / "checkpoints").mkdir(parents=True)  # killed before the first
    assert teach_once(recipe(0), tmp_path / "c").model.is_dir()
    with pytest.raises(CheckpointError, match="other settings"):
        teach_once(recipe(1), folders[0], others=folders)
    spelled = recipe(0).model_dump(mode="json")
    assert fingerprint(make(FinetuneRecipe, spelled)) == fingerprint(recipe(0))

    class Later(FinetuneRecipe):
        added: int = 1

    assert fingerprint(make(Later, spelled)) == fingerprint(recipe(0))
    assert fingerprint(make(Later, {**spelled, "added": 2})) != fingerprint(recipe(0))


KILLED = """\
import os, signal, sys
from interlingua.training import loop

save = loop.save_checkpoint

def save_and_die(folder, step, **given):
    save(folder, step, **given)
    if "panx" in str(folder) and step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

loop.save_checkpoint = save_and_die
from interlingua.cli.main import main
main(sys.argv[1:])
"""
BY_GRADIENT = """\
training:
  strategy: full
  full: {epochs: 3, checkpoint_steps: 1, max_rows: 8, keep_checkpoints: 3}
"""


@pytest.fixture
def tiny(tmp_path: Path, tokenizer_folder: Path) -> Path:
    """A random model with a small vocabulary, which opens at once."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=2500, num_hidden_layers=2, pad_token_id=1, **shape)
    BertModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "tiny")
    tokenizer = (tokenizer_folder / "tokenizer.json").read_bytes()
    (tmp_path / "tiny" / "tokenizer.json").write_bytes(tokenizer)
    return tmp_path / "tiny"


def test_killed_within_a_task_it_goes_on_and_reports_the_same(
    tmp_path: Path, data: Path, tiny: Path, command: Command
) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "nli.yaml").write_text(RECIPE, encoding="utf-8")
    (recipes / "panx.yaml").write_text(BY_GRADIENT, encoding="utf-8")
    arguments = ["benchmark", "xtreme", "--model", tiny, "--data-dir", data, "--train"]
    arguments += ["--recipes", recipes, "--tasks", "xnli,panx"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments), "--out", str(killed)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert not (killed / "summary.json").exists()
    model = killed / "panx" / "model"
    assert not (model / "config.json").exists()
    assert max(path.name for path in (model / "checkpoints").iterdir()) == "step-000003"
    finished = {path: path.stat().st_mtime_ns for path in (killed / "xnli").rglob("*")}
    assert killed / "xnli" / "scorecard.json" in finished

    resumed, told = command(*arguments, "--out", killed)
    assert "xnli: done before" in told and "resumed from step-000003" in told
    assert {path: path.stat().st_mtime_ns for path in (killed / "xnli").rglob("*")} == finished
    straight, told = command(*arguments, "--out", whole)
    assert "resumed" not in told
    assert steady(resumed) == steady(straight)
    for name in ("official.json", "panx/model/model.safetensors", "panx/predictions.jsonl"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def steady(document: Any) -> Any:
    """A document without what time and place change."""
    if isinstance(document, dict):
        moving = {"created", "seconds", "out"}
        return {key: steady(value) for key, value in document.items() if key not in moving}
    return [steady(value) for value in document] if isinstance(document, list) else document


def test_a_model_of_another_task_is_refused(data: Path, small: Path, tmp_path: Path) -> None:
    from interlingua.evaluation.suite.run import run

    plans = plan(XTREME, [data], Wanted(tasks=["xnli"]))
    with pytest.raises(Exception, match="was not taught nli"):
        run(plans, model=small, out=tmp_path / "out", settings=Run())


@pytest.mark.parametrize("name", ["xnli", "pawsx", "udpos", "panx", "qa"])
def test_the_shipped_recipes_are_whole_but_for_their_files(name: str) -> None:
    from interlingua.base.config import make, read_recipe
    from interlingua.tasks.record import TASKS
    from interlingua.training.settings import FinetuneRecipe

    document = read_recipe(Path(__file__).parents[2] / "recipes" / "xtreme" / f"{name}.yaml")
    document["data"]["train"] = ["train.tsv"]
    recipe = make(FinetuneRecipe, document)
    known = {part.task for part in XTREME.parts if part.task and name in (part.name, part.task)}
    assert known == {recipe.data.task}
    assert recipe.data.task not in TASKS or TASKS.get(recipe.data.task).strategy
