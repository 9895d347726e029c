"""One test for every task of every suite: extremes, broken files, files that lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlingua.base.errors import DataError
from interlingua.evaluation.score.records import ScoredTask, Suite
from interlingua.evaluation.score.run import document, score
from interlingua.evaluation.score.suites import MEASURES, SUITES
from interlingua.evaluation.score.words import definitions, explain
from interlingua.languages import parse

ALL = [(suite, task) for suite in SUITES.names() for task in SUITES.get(suite).tasks]
NAMES = [f"{suite}-{task.name}" for suite, task in ALL]


def squad(answers):
    questions = [
        {"id": f"{lang}-{i}", "question": "?", "answers": [{"text": a, "answer_start": 0}]}
        for i, (lang, a) in enumerate(answers)
    ]
    return json.dumps({"data": [{"paragraphs": [{"context": "", "qas": questions}]}]})


# By measure: labels, perfect predictions, empty ones, broken ones, the line that is broken.
NER = "B-PER\nI-PER\nO\n\nB-LOC\n"
CONLL = "Ann B-PER\nLee I-PER\nis O\n\nBonn B-LOC\n"
PAIRS = "de-1\ten-1\nde-2\ten-2\n"
BLEU = "one two three four five\nsix seven eight nine ten\n"
ANSWERS = '{\n"english-0": "old wall", "english-1": "Berlin"\n}'
QUESTIONS = squad([("english", "old wall"), ("english", "Berlin")])
TYPICAL = {
    "line_accuracy": ("a\nb\n", "a\nb\n", "\n\n", "a\n", 2),
    "last_column_accuracy": ("t\ta\nt\tb\n", "a\nb\n", "\n\n", "a\nb\tx\n", 2),
    "pair_f1": (PAIRS, PAIRS, "\n", "de-1\ten-1\nde-2\n", 2),
    "grouped_ndcg": ("q\tx\t0\nq\ty\t4\n", "0\n4\n", "0\n0\n", "0\nhigh\n", 2),
    "sentence_bleu": (BLEU, BLEU, "\n\n", "one\n", 2),
    "tag_lines": (NER, NER, "O\nO\nO\n\nO\n", "B-PER\nI-PER\n\nO\nB-LOC\n", 1),
    "column_tags": (CONLL, CONLL, "O\nO\nO\n\nO\n", "O\nO\nO\n\nO 0.9\n", 5),
    "padded_f1": ("-DOCSTART- O\n\n" + CONLL, NER, "O\n\nO\n", NER + "\n\n\n", 7),
    "padded_precision": (CONLL, NER, "O\n\nO\n", NER.replace("O", "O\nO"), 1),
    "squad": (QUESTIONS, ANSWERS, "{}", "{\n", 2),
    "mlqa": (QUESTIONS, ANSWERS, "{}", "{\n", 2),
    "mlqa_f1": (QUESTIONS, ANSWERS, "{}", "{\n", 2),
    "tydiqa": (QUESTIONS, ANSWERS, "{}", "{\n", 2),
}
HEADER = "id\tsentence1\tsentence2\tlabel\n"


def place(template: str, lang: str) -> str:
    words = {"lang": lang, "question": lang, "split": "test", "name": "x", "language": "english"}
    return template.removeprefix("**/").format(**words)


def submit(folder: Path, task: ScoredTask, lang: str, predictions: str) -> Path:
    labels = TYPICAL[task.measure][0]
    for role, template, text in (
        ("labels", task.labels[0], HEADER + labels if task.name == "PAWSX" else labels),
        ("predictions", task.predictions[0], predictions),
    ):
        path = folder / role / place(template, lang)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def scored(suite: str, folder: Path, **options: str):
    return score(suite, predictions=folder / "predictions", labels=folder / "labels", **options)


def lang_of(task: ScoredTask) -> str:
    return "en" if "en" in task.languages else task.languages[0]


@pytest.mark.parametrize(("suite", "task"), ALL, ids=NAMES)
def test_the_extremes_and_a_broken_file(tmp_path, suite, task):
    if task.measure == "sentence_bleu":
        pytest.importorskip("sacrebleu")
    _, perfect, empty, broken, line = TYPICAL[task.measure]
    lang = lang_of(task)
    top = 1 if suite == "xglue" else 100
    submit(tmp_path, task, lang, perfect)
    best = scored(suite, tmp_path).tasks[0].measured[lang]
    assert best.figures.keys() == set(task.metrics)
    assert best.others.keys() == set(task.others)
    assert best.figures == pytest.approx(dict.fromkeys(task.metrics, top))
    if suite not in {"udpos", "xglue"} and task.name != "udpos":  # their others are of tags
        assert best.others == pytest.approx(dict.fromkeys(task.others, top))

    submit(tmp_path, task, lang, empty)
    worst = scored(suite, tmp_path).tasks[0].measured[lang].figures
    if task.measure == "grouped_ndcg":  # ties share their gains
        assert worst["score"] == pytest.approx(0.8154648767857287)
    else:
        assert worst == dict.fromkeys(task.metrics, 0)

    path = submit(tmp_path, task, lang, broken)
    with pytest.raises(DataError) as caught:
        scored(suite, tmp_path)
    assert (caught.value.path, caught.value.line) == (path, line)

    for role in ("labels", "predictions"):
        submit(tmp_path, task, lang, perfect)
        (tmp_path / role / place(getattr(task, role)[0], lang)).write_bytes(b"O\n\xff\n")
        with pytest.raises(DataError, match=r"line 2.*UTF-8"):
            scored(suite, tmp_path)


@pytest.mark.parametrize("suite", SUITES.names())
def test_what_lacks_is_named_and_not_averaged(tmp_path, suite):
    record = SUITES.get(suite)
    task = record.tasks[0]
    lang = lang_of(task)
    submit(tmp_path, task, lang, TYPICAL[task.measure][1])
    found = document(scored(suite, tmp_path))
    assert found["partial"][task.name]["languages"] == [lang]
    assert not {"avg_metric", "avg", "all_task"} & (found.keys() | found.get(task.name, {}).keys())
    others = [code for code in task.languages if code != lang]
    for what in ("predictions", "labels"):
        lacking = next(text for text in found["missing"] if f"{task.name}: no {what}" in text)
        assert ", ".join(others) in lacking
    for other in record.tasks[1:]:
        assert any(text.startswith(f"{other.name}: no predictions") for text in found["missing"])
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("suite", SUITES.names())
def test_complete_suites_have_their_averages(tmp_path, suite):
    if suite == "xglue":
        pytest.importorskip("sacrebleu")
    record = SUITES.get(suite)
    for task in record.tasks:
        for lang in task.languages:
            submit(tmp_path, task, lang, TYPICAL[task.measure][1])
    if suite == "tydiqa_goldp":  # one language a file, told by its ids
        path = tmp_path / "labels"
        names = {"en": "english", "fi": "finnish"}
        for file in path.rglob("*.json"):
            other = names.get(file.name.split(".")[2], "")
            file.write_text(file.read_text().replace("english-", f"{other or 'x'}-"))
        for file in (tmp_path / "predictions").rglob("*.json"):
            other = names.get(file.name.split(".")[2], "")
            file.write_text(file.read_text().replace("english-", f"{other or 'x'}-"))
    report = scored(suite, tmp_path)
    found = document(report)
    assert report.missing == []
    assert found["partial"] == {}
    if suite == "xglue":
        assert found["Average across all tasks"] == pytest.approx(1)
        assert all(found[task.name]["avg"] == pytest.approx(1) for task in record.tasks)
    elif suite == "xtreme":
        assert {"all_task", *record.groups} <= found.keys()
        assert found["all_task"] == pytest.approx(100)
    else:
        assert found["avg_metric"] == pytest.approx(100)


@pytest.mark.parametrize("suite", SUITES.names())
def test_records_are_whole(suite):
    record: Suite = SUITES.get(suite)
    assert record.name == suite
    for task in record.tasks:
        assert task.measure in MEASURES
        assert len(set(task.languages)) == len(task.languages)
        assert len({parse(code).tag for code in task.languages}) == len(task.languages)
        assert task.source.startswith("https://")
        assert task.definition and task.licence and task.citation
    told = "\n".join(explain(record, record.tasks))
    for task in record.tasks:
        assert task.definition in told
        assert all(name in told for name in task.others)
    assert definitions(record.tasks).keys() == {task.name for task in record.tasks}


def test_the_reference_names_every_task_and_figure():
    page = Path(__file__).parents[3] / "docs" / "reference" / "scoring.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    for suite in ("xtreme", "xglue"):
        for task in SUITES.get(suite).tasks:
            row = next(
                row
                for row in rows
                if row.startswith(f"| `{suite}` |")
                and task.name in row.split("|")[2].replace(",", "").split()
            )
            assert [name for name in task.others if f"`{name}`" not in row] == []
    for suite in SUITES.names():
        assert any(f"`{suite}`" in row.split("|")[1] for row in rows)
