"""Benchmark texts inside documents: planted ones are found, other documents stay."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from interlingua.base.errors import DataError
from interlingua.corpus.decontaminate import (
    Decontamination,
    Searched,
    benchmark_files,
    benchmark_texts,
    index_benchmarks,
)
from interlingua.corpus.tokens import hash_tokens

RULES = Decontamination()


def found(searched: Searched, texts: list[str]) -> list[bool]:
    return searched.found(hash_tokens(texts)).tolist()


def test_planted_sentences_are_found_in_every_script(data_dir: Path) -> None:
    """SIB-200's test sentences inside NTREX's news: every language, any case and punctuation."""
    chance = random.Random(0)
    files = sorted((data_dir / "sib200").glob("*/test.tsv"))
    searched = index_benchmarks(files, RULES)
    news = [
        line
        for path in sorted((data_dir / "ntrex").glob("newstest2019.*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    sentences = [
        line.split("\t")[2]
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()[1:]
    ]
    planted = []
    for sentence in sentences:
        before, after = chance.choice(news), chance.choice(news)
        shown = chance.choice([sentence, sentence.upper(), sentence.replace(",", " -- ")])
        planted.append(f"{before} {shown}\n{after}")
    hits = found(searched, planted)
    assert sum(hits) / len(hits) >= 0.95
    clean = found(searched, [" ".join(news[i : i + 3]) for i in range(0, len(news), 3)])
    assert sum(clean) / len(clean) <= 0.002
    assert searched.texts >= len(sentences) * 0.98


def test_a_part_of_a_long_text_is_enough_and_a_part_of_a_short_one_is_not(tmp_path: Path) -> None:
    long = " ".join(f"word{i}" for i in range(30))
    path = tmp_path / "b.txt"
    path.write_text(f"{long}\nalpha beta gamma delta epsilon zeta\nyes\n", encoding="utf-8")
    searched = index_benchmarks([path], RULES)
    texts = [
        "x " + " ".join(f"word{i}" for i in range(7, 17)) + " y",
        "x " + " ".join(f"word{i}" for i in range(7, 16)) + " y",
        "and Alpha, beta; gamma delta epsilon ZETA!",
        "alpha beta gamma delta epsilon",
        "yes",
    ]
    assert found(searched, texts) == [True, False, True, False, False]
    assert searched.texts >= 2
    assert searched.short >= 1


def test_scripts_without_spaces_want_twice_as_many_characters(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    text = "敏捷的棕色狐狸跳过了那只非常懒惰的老狗然后跑进森林里去了"
    path.write_text(json.dumps({"question": text}, ensure_ascii=False), encoding="utf-8")
    searched = index_benchmarks([path], RULES)
    assert set(searched.hashes) == {20}
    assert found(searched, [f"他说{text[3:23]}。", f"他说{text[3:20]}。"]) == [True, False]


def test_every_kind_of_file_gives_its_texts(tmp_path: Path) -> None:
    squad = {"data": [{"paragraphs": [{"context": "the context", "qas": [{"question": "who?"}]}]}]}
    (tmp_path / "squad.json").write_text(json.dumps(squad))
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"tokens": ["a", "b"], "n": 1}\n'))
    (tmp_path / "pairs.tsv").write_text("left one\tright one\t1\n")
    (tmp_path / "panx.tsv").write_text("en:John\tB-PER\nen:sleeps\tO\n\nen:Bye\tO\n")
    (tmp_path / "udpos.conllu").write_text("# c\n1\tDogs\tdog\n2\tbark\tbark\n\n")
    assert list(benchmark_texts(tmp_path / "squad.json")) == ["the context", "who?"]
    assert list(benchmark_texts(tmp_path / "rows.jsonl.gz")) == ["a b", "a", "b"]
    assert {"left one", "right one"} <= set(benchmark_texts(tmp_path / "pairs.tsv"))
    assert "John sleeps" in set(benchmark_texts(tmp_path / "panx.tsv"))
    assert any("Dogs bark" in text for text in benchmark_texts(tmp_path / "udpos.conllu"))
    (tmp_path / "torn.json").write_text('{"a": [')
    with pytest.raises(DataError, match="not JSON"):
        list(benchmark_texts(tmp_path / "torn.json"))


def test_folders_give_all_files_that_may_hold_texts(tmp_path: Path) -> None:
    for name in ("dev.json", "panx/test-sw", "a.conllu", "README.md", ".hidden", "x/script.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = benchmark_files([str(tmp_path), str(tmp_path / "*.json")])
    names = [file.relative_to(tmp_path).as_posix() for file in found]
    assert names == ["a.conllu", "dev.json", "panx/test-sw", "dev.json"]
    with pytest.raises(DataError, match="no such benchmark"):
        benchmark_files([str(tmp_path / "no*")])


def test_nothing_to_search_for_finds_nothing() -> None:
    searched = index_benchmarks([], RULES)
    assert (searched.texts, searched.short) == (0, 0)
    assert found(searched, ["a text", ""]) == [False, False]
