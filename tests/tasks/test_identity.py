"""Rows keep apart: ids, languages and answers of several files, whatever they call themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from interlingua.base.errors import DataError
from interlingua.corpus.readers.tagged import read_conll
from interlingua.corpus.rows import Faults
from interlingua.evaluation.answered import _official
from interlingua.evaluation.suite.submission import _by_language
from interlingua.tasks.datasets import DATASETS, find_files
from interlingua.tasks.examples import read_examples
from interlingua.tasks.questions import Questions
from interlingua.tasks.record import TASKS
from interlingua.tasks.spans import Answer

TEXT = "The train to Hamburg leaves from track seven today."


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def topics(*ids: object, **more: object) -> list[dict[str, Any]]:
    return [{"id": i, "text": TEXT, "label": "travel", **more} for i in ids]


def test_ids_occur_once_in_a_language_over_all_files(tmp_path: Path) -> None:
    first = write(tmp_path / "x" / "a.en.jsonl", *topics("1", "2", "2"))
    second = write(tmp_path / "y" / "b.en.jsonl", *topics("1", "2#2"))
    other = write(tmp_path / "c.de.jsonl", *topics("1"))
    task = TASKS.get("topic")
    found = read_examples([first, second, other], task)
    assert [row.id for row in found.rows] == ["1", "2", "2#2", "1#2", "2#2#2", "1"]
    one = read_examples([first], task)
    one.add(read_examples([second], task))
    assert [row.id for row in one.rows] == [row.id for row in found.rows[:5]]
    many = read_examples([write(tmp_path / "d.en.jsonl", *topics(*["1"] * 3000))], task)
    assert len({row.id for row in many.rows}) == 3000


def test_a_language_that_is_not_a_number_is_not_told(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", *topics("1", lang="de"), *topics("2", lang=float("nan")))
    rows = read_examples([path], TASKS.get("topic")).rows
    assert [row.lang for row in rows] == ["deu_Latn", "eng_Latn"]


def asked(name: object, **more: object) -> dict[str, Any]:
    answers = [{"text": "Hamburg", "answer_start": TEXT.index("Hamburg")}]
    given = {} if name is None else {"id": name}
    return {**given, "question": "Where?", "context": TEXT, "answers": answers, **more}


def questions(*paths: Path) -> Questions:
    found = read_examples(paths, TASKS.get("qa"))
    assert isinstance(found, Questions)
    return found


def official(found: Questions) -> dict[str, list[str]]:
    answers = [Answer(str(i), 0, 0, 1.0) for i in range(len(found.rows))]
    return {name: list(json.loads(text)) for name, text in _official(found, answers).items()}


def test_no_answer_is_lost_where_names_repeat(tmp_path: Path) -> None:
    counted = questions(write(tmp_path / "a.en.jsonl", asked(0), asked(1), asked(2)))
    assert official(counted) == {"answers/test-en.json": ["0", "1", "2"]}
    unnamed = [write(tmp_path / f"{i}.en.jsonl", asked(None), asked(None)) for i in range(2)]
    (names,) = official(questions(*unnamed)).values()
    assert len(names) == 4
    both = [write(tmp_path / f"q.{tag}.jsonl", asked("7")) for tag in ("srp_Cyrl", "srp_Latn")]
    rows = [json.loads(path.read_text()) for path in both]
    write(both[0], {**rows[0], "context": "Воз за Хамбург.", "answers": []})
    assert sorted(official(questions(*both))) == [
        "answers/test-srp_Cyrl.json",
        "answers/test-srp_Latn.json",
    ]


def test_a_column_makes_no_file_of_mlqa(tmp_path: Path) -> None:
    """MLQA's articles are taken off answers in its files alone, which are known by their names."""
    found = questions(write(tmp_path / "t.en.jsonl", asked("1", question_lang="de")))
    assert [row.question_lang for row in found.rows] == [""]
    assert list(official(found)) == ["answers/test-en.json"]


def test_predictions_with_line_separators_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    rows = [{"lang": "eng_Latn", "text": "a\u2028b\x85c"}, {"lang": "eng_Latn", "text": "d"}]
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    assert _by_language(path) == {"eng_Latn": rows}


def test_a_treebank_in_two_folders_counts_once(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        for name in ("de_pud", "de_gsd"):
            path = tmp_path / folder / f"{name}-ud-test.conllu"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    found = find_files(DATASETS.get("udpos"), [tmp_path / "one", tmp_path / "two"])
    assert sorted((file.path.parent.name, file.path.name[:6]) for file in found) == [
        ("two", "de_gsd"),
        ("two", "de_pud"),
    ]


def test_a_line_that_begins_with_a_blank_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("Anna\tB-PER\nsang\tO\n\n\tB-LOC\n")
    with pytest.raises(DataError, match=r"line 4: .*expected a token and its tag"):
        list(read_conll(path, Faults()))


def test_ids_of_squad_may_be_numbers(tmp_path: Path) -> None:
    path = tmp_path / "xquad.en.json"
    document = {"data": [{"paragraphs": [{"context": TEXT, "qas": [asked(5)]}]}]}
    path.write_text(json.dumps(document))
    assert [row.name for row in questions(path).rows] == ["5"]
