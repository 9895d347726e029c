"""Tasks of pairs: columns, labels in every spelling, rows that were not translated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlingua.base.errors import DataError, LabelError
from interlingua.evaluation.evaluate import read_files
from interlingua.tasks.datasets import DATASETS, choose_files, find_files
from interlingua.tasks.examples import read_examples
from interlingua.tasks.record import TASKS
from interlingua.training.split import groups

NLI, PARAPHRASE = TASKS.get("nli"), TASKS.get("paraphrase")
ROW = {"premise": "Two dogs run.", "hypothesis": "Animals move."}


def table(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (0, "entailment"),
        ("1", "neutral"),
        (2.0, "contradiction"),
        ("contradictory", "contradiction"),
        ("neutral", "neutral"),
    ],
)
def test_labels_of_nli_in_every_spelling(tmp_path: Path, given: object, label: str) -> None:
    path = table(tmp_path / "train.en.jsonl", {**ROW, "label": given})
    (row,) = read_examples([path], NLI).rows
    assert (row.text, row.pair, row.label) == (*ROW.values(), label)


def test_a_label_beyond_the_label_space_is_named(tmp_path: Path) -> None:
    examples = read_examples([table(tmp_path / "a.jsonl", {**ROW, "label": 3})], NLI, lang="en")
    with pytest.raises(LabelError, match="'3'"):
        examples.label_ids(NLI.labels)


def test_a_missing_or_empty_second_text_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "a.jsonl", {"premise": "Two dogs run.", "label": 0})
    with pytest.raises(DataError, match="text_pair"):
        read_examples([path], NLI)
    path = table(tmp_path / "b.jsonl", {**ROW, "hypothesis": " ", "label": 0})
    with pytest.raises(DataError, match="empty"):
        read_examples([path], NLI)


def test_rows_without_a_verdict_are_not_part_of_the_task(tmp_path: Path) -> None:
    rows = [
        {"sentence1": "a b", "sentence2": "c", "gold_label": label} for label in ("-", "neutral")
    ]
    examples = read_examples([table(tmp_path / "dev.jsonl", *rows)], NLI, lang="en")
    assert [row.label for row in examples.rows] == ["neutral"]
    assert examples.files[0]["rows_outside_task"] == 1


def test_the_layout_of_xtreme_has_parallel_ids_and_counts_what_was_not_translated(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "pawsx"
    folder.mkdir()
    (folder / "dev-en.tsv").write_text("A b .\tB a .\t1\nC .\tD .\t0\n", encoding="utf-8")
    (folder / "dev-de.tsv").write_text("A b.\tNS\t1\nZeh.\tDeh.\t0\n", encoding="utf-8")
    english = read_examples([folder / "dev-en.tsv"], PARAPHRASE)
    german = read_examples([folder / "dev-de.tsv"], PARAPHRASE)
    assert [row.id for row in english.rows] == ["dev-1", "dev-2"]
    assert [(row.id, row.label, row.lang) for row in german.rows] == [("dev-2", "0", "deu_Latn")]
    assert german.files[0]["rows_outside_task"] == 1
    files = find_files(DATASETS.get("pawsx"), tmp_path)
    assert [file.lang for file in choose_files(files, split="auto")] == ["deu_Latn", "eng_Latn"]


def test_a_table_of_ones_own_with_such_a_name_keeps_its_header(tmp_path: Path) -> None:
    path = tmp_path / "test-fr.tsv"
    path.write_text("label\ttext\ttext_pair\n1\tun\tdeux\n", encoding="utf-8")
    (row,) = read_examples([path], PARAPHRASE).rows
    assert (row.text, row.pair, row.label) == ("un", "deux", "1")


def test_the_xnli_download_holds_all_languages_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "xnli.dev.tsv"
    path.write_text(
        "language\tgold_label\tsentence1\tsentence2\tpairID\n"
        'fr\tneutral\tIl a dit "non.\tIl a parlé.\t7\n'
        "sw\tcontradiction\tNaye akasema.\tHakusema chochote.\t7\n",
        encoding="utf-8",
    )
    rows = read_examples([path], NLI).rows
    assert [(row.lang, row.label, row.id) for row in rows] == [
        ("fra_Latn", "neutral", "7"),
        ("swh_Latn", "contradiction", "7"),
    ]
    assert rows[0].text == 'Il a dit "non.'


def test_rows_that_share_a_text_are_one_group() -> None:
    found = groups(["a", "b", "c", "d"], ["x", "x", "a", "y"]).tolist()
    assert found[0] == found[1] == found[2] != found[3]


def test_real_files(data_dir: Path) -> None:
    swahili = read_examples([data_dir / "xnli" / "dev-sw.tsv"], NLI)
    assert (len(swahili.rows), swahili.languages) == (2490, ["swh_Latn"])
    korean = read_examples([data_dir / "pawsx" / "dev-ko.tsv"], PARAPHRASE)
    outside = int(korean.files[0]["rows_outside_task"])
    assert outside > 0
    assert len(korean.rows) + outside == 2000


def test_the_one_file_of_the_xnli_download_has_all_its_languages(tmp_path):
    header = "language\tgold_label\tsentence1\tsentence2\tpairID"
    rows = [f"{lang}\tneutral\t{text}\t{text}\t7" for lang, text in (("de", "Ja."), ("en", "Yes."))]
    path = tmp_path / "XNLI-1.0" / "xnli.test.tsv"
    path.parent.mkdir()
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    files = choose_files(find_files(DATASETS.get("xnli"), tmp_path), split="auto")
    assert [(file.lang, file.split, file.shared) for file in files] == [
        ("deu_Latn", "test", True),
        ("eng_Latn", "test", True),
    ]
    assert [row.lang for row in read_files(files, "nli").rows] == ["deu_Latn", "eng_Latn"]
    assert [row.text for row in read_files(files[:1], "nli").rows] == ["Ja."]
