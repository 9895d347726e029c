"""Texts come with their language and the name they share with their translations, or an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlingua.base.errors import DataError, LanguageError
from interlingua.corpus.rows import Faults
from interlingua.corpus.sampling import draw, held_out
from interlingua.corpus.texts import Text, open_texts
from interlingua.languages.paths import language_of_path
from interlingua.vocab.train import cut


def _write(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_parallel_plain_files_share_ids(tmp_path: Path) -> None:
    _write(tmp_path / "news.deu.txt", "Guten Morgen, wie geht es?", "", "Danke, sehr gut.")
    _write(tmp_path / "news.eng.txt", "Good morning, how are you?", "", "Very well, thank you.")
    found = [(text.lang, text.id) for text in open_texts([tmp_path])]
    assert found == [
        ("deu_Latn", "news.txt:1"),
        ("deu_Latn", "news.txt:3"),
        ("eng_Latn", "news.txt:1"),
        ("eng_Latn", "news.txt:3"),
    ]


def test_pairs_columns_and_the_language_given(tmp_path: Path) -> None:
    pair = {"source": "a b", "target": "c", "source_lang": "sw", "target_lang": "eng_Latn"}
    texts = open_texts([_write(tmp_path / "t.jsonl", {**pair, "id": 7})])
    assert list(texts) == [Text("a b", "swh_Latn", "7"), Text("c", "eng_Latn", "7")]
    bare = _write(tmp_path / "bare.jsonl", {"text": "q"}, {"text": "r"})
    assert {text.lang for text in open_texts([bare], lang="Lingala")} == {"lin_Latn"}


def test_a_built_corpus_gives_its_part_train(tmp_path: Path) -> None:
    import zstandard

    for split, text in (("train", "ein Text"), ("test", "ein anderer")):
        shard = tmp_path / "shards" / split / "deu_Latn" / "00000.jsonl.zst"
        shard.parent.mkdir(parents=True)
        line = json.dumps({"text": text, "lang": "deu_Latn", "id": split}) + "\n"
        shard.write_bytes(zstandard.compress(line.encode()))
    texts = list(open_texts([tmp_path]))
    assert [(text.lang, text.id) for text in texts] == [("deu_Latn", "train")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "  "}, "line 1: the text is empty"),
        ({"text": 3}, "expected a text"),
        ({"words": "a"}, r"column 'text' is missing \(columns here: words\)"),
        ('{"text": "a\\ud800"}', "lone surrogate"),
        ({"text": "a" * 10_000_000}, "longer than 500,000 bytes"),
    ],
)
def test_a_row_that_cannot_be_used_is_told(tmp_path: Path, row: object, said: str) -> None:
    path = _write(tmp_path / "t.jsonl", row, {"text": "good", "lang": "en"})
    with pytest.raises(DataError, match=said):
        list(open_texts([path]))
    texts = open_texts([path], faults=Faults("skip"))
    assert [text.text for text in texts] == ["good"]
    assert len(texts.faults.rejected) == 1


def test_a_cell_of_ten_million_characters_is_told(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"text": ["a" * 10_000_000]}), path)
    with pytest.raises(DataError, match="10,000,000 characters"):
        list(open_texts([path]))


def test_nothing_and_nobody(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text in 1 files"):
        list(open_texts([_write(tmp_path / "e.txt", "")]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no table or text file"):
        open_texts([tmp_path / "empty"])
    with pytest.raises(LanguageError, match="xx_Xxxx"):
        open_texts([tmp_path / "e.txt"], lang="xx_Xxxx")
    path = _write(tmp_path / "l.jsonl", {"text": "a", "lang": "qqq"})
    with pytest.raises(DataError, match="line 1: 'qqq'"):
        list(open_texts([path]))


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("ntrex/newstest2019.deu.txt", "deu_Latn"),
        ("newstest2019.zho-CN.txt", "zho_Hans"),
        ("data/lin/test.tsv", "lin_Latn"),
        ("shards/train/fra_Latn/00000.jsonl.zst", "fra_Latn"),
        ("pud/zh_pud-ud-test.conllu", "zho_Hans"),
        ("yo_ytb-ud-test.conllu.gz", "yor_Latn"),
        ("zh_notes.txt", None),
        ("runs/out.tsv", None),
        ("a/dev/x.tsv", None),
        ("my_data.csv", None),
    ],
)
def test_what_a_path_says(path: str, tag: str | None) -> None:
    assert language_of_path(Path(path)) == tag


def test_a_draw_takes_whole_passes_and_a_fraction_by_chance() -> None:
    texts = [Text(f"text {i}", "eng_Latn", str(i)) for i in range(2000)]
    drawn = list(draw(texts, {"eng_Latn": 2.25}, seed=1))
    assert 4000 + 400 < len(drawn) < 4000 + 600
    assert {text.id for text in drawn} == {text.id for text in texts}
    assert drawn == list(draw(texts, {"eng_Latn": 2.25}, seed=1))
    reversed_ids = sorted(text.id for text in draw(texts[::-1], {"eng_Latn": 2.25}, seed=1))
    assert reversed_ids == sorted(text.id for text in drawn)
    aside = sum(held_out(text.text, share=0.1, seed=1) for text in texts)
    assert 140 < aside < 260


def test_sentences_are_cut_to_what_sentencepiece_takes() -> None:
    text = "wort " * 3000 + "\n" + "猫" * 9000 + "\n\n\0"
    parts = list(cut(text))
    assert max(len(part.encode()) for part in parts) <= 4096
    assert "".join(parts).replace(" ", "") == text.replace(" ", "").replace("\n", "").strip("\0")
