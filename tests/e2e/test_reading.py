"""A reader from its files to its answers, and what transformers makes of its folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.applications.reader import Reader
from interlingua.base.config import make
from interlingua.base.errors import ConfigError, DataError, ModelError, UsageError
from interlingua.batches.tokens import clean
from interlingua.corpus.phrasebook import question_files
from interlingua.evaluation.evaluate import evaluate
from interlingua.inference.encode import Encoder
from interlingua.inference.read import ContextReader
from interlingua.models.folder import open_model
from interlingua.retrieval.build import build_index
from interlingua.tasks.questions import Questions
from interlingua.tasks.record import TASKS
from interlingua.training.finetune import finetune
from interlingua.training.lesson import prepare
from interlingua.training.settings import FinetuneRecipe

FILES = {file.name.split(".")[1]: file for file in question_files()}
ENGLISH = FILES["eng_Latn"]
QUICK = {"training.full.epochs": 2, "training.reading.window": 64}


@pytest.fixture(scope="module")
def reader(taught: Path) -> Reader:
    return Reader(taught, exact=True)


@pytest.fixture(scope="module")
def taught(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reader") / "qa"
    finetune(task="qa", train=ENGLISH, model=small, out=out, settings=QUICK)
    return out


def test_transformers_opens_the_folder_with_equal_logits(taught: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model, report = transformers.AutoModelForQuestionAnswering.from_pretrained(
        taught, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    rows = Questions.read([ENGLISH], TASKS.get("qa")).rows[:4]
    reader = ContextReader(open_model(taught), exact=True)
    windows = reader.windows([row.question for row in rows], [row.context for row in rows])
    tokenizer = transformers.AutoTokenizer.from_pretrained(taught)
    for row, ids in zip(rows, windows.input_ids, strict=False):
        assert (
            len(windows.input_ids) > len(rows)
            or ids.tolist() == (tokenizer(row.question, row.context)["input_ids"])
        )
        given = torch.from_numpy(ids.astype(np.int64))[None]
        with torch.inference_mode():
            out = model.eval()(given, torch.ones_like(given))
        wanted = torch.stack([out.start_logits, out.end_logits], dim=-1).numpy()
        found = reader.engine().run(given.numpy(), np.ones_like(given.numpy()))
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_card_with_answers_cut_from_their_contexts(taught: Path, tmp_path: Path) -> None:
    tests = [FILES[tag] for tag in ("eng_Latn", "jpn_Jpan", "arb_Arab")]
    card = evaluate(taught, test=tests, out=tmp_path)
    contexts = {
        (row.lang, row.id): row.context for row in Questions.read(tests, TASKS.get("qa")).rows
    }
    lines = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(contexts)
    for found in map(json.loads, lines):
        context = contexts[found["lang"], found["id"]]
        assert context[found["start"] : found["end"]] == found["answer"] != ""
    assert card.source_languages == ("eng_Latn",)
    assert card.metric == "f1" and set(card.per_language) == {"eng_Latn", "jpn_Jpan", "arb_Arab"}
    assert card.bootstrap.parallel  # the same questions in all languages
    for score in card.per_language.values():
        assert score.ci[0] <= score.score <= score.ci[1]
        assert score.metrics["exact_match"] <= score.score
    assert (tmp_path / "scorecard.html").is_file()


def squad(tmp_path: Path, name: str, lang: str) -> tuple[Path, list[dict[str, Any]]]:
    """Some questions of the phrasebook as a file in SQuAD's format."""
    rows = [json.loads(line) for line in FILES[lang].read_text(encoding="utf-8").splitlines()[:9]]
    paragraphs = []
    for row in rows:
        texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
        answers = [{"text": t, "answer_start": s} for t, s in zip(texts, starts, strict=True)]
        question = {"id": row["id"], "question": row["question"], "answers": answers}
        paragraphs.append({"context": row["context"], "qas": [question]})
    path = tmp_path / name
    document = {"data": [{"title": "", "paragraphs": paragraphs}]}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return path, rows


def test_the_official_file_scores_the_same(taught: Path, tmp_path: Path) -> None:
    from interlingua.evaluation.score.run import score

    labels, _ = squad(tmp_path, "xquad.es.json", "spa_Latn")
    card = evaluate(taught, test=[labels], out=tmp_path / "card")
    report = score("xquad", predictions=tmp_path / "card" / "answers", labels=labels, lang="es")
    figures = report.tasks[0].measured["es"].figures
    mine = card.per_language["spa_Latn"]
    assert mine.score == pytest.approx(figures["f1"] / 100, abs=1e-9)
    assert mine.metrics["exact_match"] == pytest.approx(figures["exact_match"] / 100, abs=1e-9)


def test_files_of_mlqa_are_scored_by_its_rule(taught: Path, tmp_path: Path) -> None:
    labels, _ = squad(tmp_path, "dev-context-de-question-en.json", "deu_Latn")
    card = evaluate(taught, test=[labels], out=tmp_path / "card")
    assert "MLQA, de" in card.notes["per_language.deu_Latn"]
    assert (tmp_path / "card" / "answers" / labels.name).is_file()


def test_perfect_and_empty_answers_score_one_and_zero() -> None:
    from interlingua.evaluation.answered import _measured
    from interlingua.tasks.spans import Answer

    for tag, file in FILES.items():
        rows = Questions.read([file], TASKS.get("qa")).rows
        right = [Answer(row.answers[0].text, *(row.span or (0, 0)), 1.0) for row in rows]
        assert _measured(tag, rows, right).right.tolist() == [1.0] * len(rows)
        nothing = [Answer("", 0, 0, 1.0) for _ in rows]
        measured = _measured(tag, rows, nothing)
        assert measured.right.tolist() == [0.0] * len(rows)
        assert measured.metrics["exact_match"] == 0.0


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    path, rows = squad(tmp_path, "xquad.de.json", "deu_Latn")
    task = TASKS.get("qa")
    text = path.read_text(encoding="utf-8")
    line = next(i for i, t in enumerate(text.splitlines(), 1) if f'"{rows[4]["id"]}"' in t)
    assert [row.line for row in Questions.read([path], task).rows][4] == line
    path.write_text(text.replace(f'"question": "{rows[4]["question"]}"', '"question": 7'))
    with pytest.raises(DataError) as error:
        Questions.read([path], task)
    assert (error.value.line, error.value.column) == (line, "question")
    path.write_text(text[:-40])
    with pytest.raises(DataError, match=r"xquad\.de\.json, line \d+: not JSON"):
        Questions.read([path], task)
    path.write_text('{"data": [{"paragraphs": 3}]}')
    with pytest.raises(DataError, match=r"line 1: data\[0\]\.paragraphs is no list"):
        Questions.read([path], task)


def test_a_wrong_place_is_found_or_named(tmp_path: Path, small: Path) -> None:
    row = {"id": "q7", "question": "Where?", "context": "In Rome, or in Paris. Rome it is."}
    path = tmp_path / "train.en.jsonl"

    def read(text: str, start: int) -> Questions:
        answers = [{"text": text, "answer_start": start}]
        path.write_text(json.dumps({**row, "answers": answers}) + "\n")
        return Questions.read([path], TASKS.get("qa"))

    assert read("Rome", 3).rows[0].span == (3, 7)
    repaired = read("Paris", 3)
    assert repaired.rows[0].span == (15, 20)
    assert len(repaired.moved) == 1 and len(repaired.placed("stop").rows) == 1
    for text in ("Rome", "Oslo"):
        with pytest.raises(DataError, match=r"train\.en\.jsonl, line 1: .*'q7'"):
            read(text, 5).placed("stop")
    with pytest.raises(DataError, match="'q7'"):
        finetune(task="qa", train=path, model=small, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="--labels"):
        finetune(task="qa", train=ENGLISH, model=small, out=tmp_path / "out", labels=["a", "b"])


@pytest.mark.parametrize("strategy", ["probe", "lora", "head"])
def test_every_strategy_makes_a_reader(small: Path, tmp_path: Path, strategy: str) -> None:
    quick = {f"training.{strategy}.epochs": 1} if strategy != "probe" else {}
    out = tmp_path / strategy
    done = finetune(
        task="qa", train=ENGLISH, model=small, out=out, strategy=strategy, settings=quick
    )
    assert done.info.scores["strategy"] == strategy
    (found,) = ContextReader(open_model(out)).read(["Wo?"], ["In Rom."]).best
    assert found.text in "In Rom."


def test_a_reader_learns(small: Path, tmp_path: Path) -> None:
    """The one number among colours is found in contexts that were never seen."""
    rng = np.random.default_rng(0)
    colours = ["red", "green", "blue", "black", "white", "brown", "grey", "pink"]
    lines = []
    for i in range(240):
        number = str(rng.integers(1900, 1960))
        words = [colours[j] for j in rng.integers(0, len(colours), 6)]
        words.insert(int(rng.integers(7)), number)
        context = " ".join(words)
        answers = {"text": [number], "answer_start": [context.index(number)]}
        row = {"id": str(i), "question": "Which year?", "context": context, "answers": answers}
        lines.append(json.dumps(row) + "\n")
    path = tmp_path / "train.en.jsonl"
    path.write_text("".join(lines))
    quick = {
        "training.full.epochs": 8,
        "training.full.learning_rate": 5e-3,
        "training.full.head_learning_rate": 2e-2,
        "training.full.embeddings": "rows",
    }
    done = finetune(task="qa", train=path, model=small, out=tmp_path / "out", settings=quick)
    assert done.info.scores["validation"]["score"] > 0.8  # one in seven by chance


def test_questions_made_from_contexts_are_taught_and_never_held_out(
    small: Path, tmp_path: Path
) -> None:
    text = FILES["eng_Latn"].read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()[:12]]
    long = "The bridge was built by Anna Keller in 1871 and closed for the whole winter of 1902."
    path = tmp_path / "train.en.jsonl"
    path.write_text(
        "".join(
            json.dumps({**row, "context": f"{row['context']} {long} {i}"}) + "\n"
            for i, row in enumerate(rows)
        ),
        encoding="utf-8",
    )
    given = {
        "model": {"name": str(small)},
        "data": {"task": "qa", "train": [str(path)], "held_out": 0.25},
        "training": {"strategy": "full", "reading": {"cloze": 3.0}},
    }
    lesson = prepare(make(FinetuneRecipe, given))
    train, held_out = lesson.split()
    made = [row for row in train.rows if row.name.startswith("cloze-")]
    asked = len(train.rows) - len(made)
    assert asked < len(made) <= 3 * asked
    assert not any(row.name.startswith("cloze-") for row in held_out.rows)
    assert {row.context for row in made}.isdisjoint(row.context for row in held_out.rows)
    given["training"]["reading"]["cloze"] = 0.0
    other = prepare(make(FinetuneRecipe, given))
    assert len(other.split()[0].rows) == asked
    assert other.fingerprint() != lesson.fingerprint()


SCRIPTS = [
    "ﬁne ½ cup",
    "cafe\u0301 au lait",
    "ＦＵＬＬ１２ＷＩＤＴＨ",
    "การเดินทางไปน้ำตก",
    "ألف ﷺ مُحَمَّد، القاهرة",
    "👩\u200d💻👍🏽 ok",
    "北京，2008年。奥运会",
    "\ufeffLos Panthers",
    "नमस्ते दुनिया।",
    "a\ud83d\ude00b",
]


@given(st.lists(st.sampled_from(SCRIPTS) | st.text(max_size=30), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_every_answer_is_a_stretch_of_its_text(reader: Reader, parts: list[str]) -> None:
    context = " ".join(parts)
    (reading,) = reader.read(["Was?"], [context], n_best=5)
    for answer in reading.answers:
        assert clean(context)[answer.start : answer.end] == answer.text
        assert answer.text or not reading.answers[1:]


def test_answers_over_xquad_are_stretches(reader: Reader, data_dir: Path) -> None:
    for lang in ("ar", "zh", "es", "de"):
        rows = Questions.read([data_dir / "xquad" / f"xquad.{lang}.json"], TASKS.get("qa")).rows
        chosen = rows[::40]
        found = reader.read([row.question for row in chosen], [row.context for row in chosen])
        for row, reading in zip(chosen, found, strict=True):
            best = reading.best
            assert row.context[best.start : best.end] == best.text != ""


def test_answers_do_not_depend_on_companions(reader: Reader) -> None:
    rows = Questions.read([FILES["jpn_Jpan"], ENGLISH], TASKS.get("qa")).rows
    asked, texts = [row.question for row in rows], [row.context for row in rows]
    together = reader.read(asked, texts)
    turned = reader.read(asked[::-1], texts[::-1])[::-1]
    for one, other in zip(together, turned, strict=True):
        assert one.best.text == other.best.text
        assert one.best.score == pytest.approx(other.best.score, abs=1e-5)


def test_blank_rows_get_the_empty_answer(reader: Reader) -> None:
    found = reader.read([" ", "Wo?", "Wo?"], ["In Rom.", " \n", "In Rom."])
    assert [reading.best.text != "" for reading in found] == [False, False, True]
    with pytest.raises(UsageError, match="2 questions and 1 texts"):
        reader.read(["Wo?", "Wann?"], ["In Rom."])


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "interlingua.cli.main", "answer", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_answers_from_a_file_and_cites_an_index(
    taught: Path, small: Path, tmp_path: Path
) -> None:
    text = "Der Zug nach Hamburg fährt um sieben.\nDie Katze schläft.\n"
    file = tmp_path / "text.de.txt"
    file.write_text(text, encoding="utf-8")
    given = ["--model", str(taught), "--engine", "torch", "--json"]
    done = run("Wann?", "Wohin?", "--context", str(file), "--n-best", "2", *given)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    assert [row["question"] for row in answers] == ["Wann?", "Wohin?"]
    for row in answers:
        assert text[row["start"] : row["end"]] == row["answer"]
        assert len(row["others"]) == 1
    long = "Der Zug nach Hamburg fährt um sieben. " * 10
    done = run("Wann?", "--context", long, *given)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["answers"]
    assert long[row["start"] : row["end"]] == row["answer"]
    place = tmp_path / "my.index"
    build_index([file], place, model=str(small), encoder=Encoder(open_model(small)), store="exact")
    done = run("Wann?", "--index", str(place), "--mode", "dense", *given)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["answers"]
    assert text[row["start"] : row["end"]] == row["answer"]
    assert row["line"] == 1 + text.count("\n", 0, row["start"])
    assert Path(row["path"]).name == file.name


def test_a_classifier_is_no_reader(small: Path) -> None:
    with pytest.raises(ModelError, match="was not taught to answer"):
        ContextReader(open_model(small))


def test_a_setting_that_reading_has_no_use_for_is_refused(small: Path, tmp_path: Path) -> None:
    settings = {"training.full.label_smoothing": 0.1}
    with pytest.raises(ConfigError, match=r"label_smoothing: 0\.1: task qa has no use for it"):
        finetune(task="qa", train=ENGLISH, model=small, out=tmp_path / "m", settings=settings)
    assert not (tmp_path / "m").exists()
