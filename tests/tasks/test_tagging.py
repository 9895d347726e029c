"""Tags and what they say of spans; files of tagged sentences, whole and broken."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.base.errors import DataError
from interlingua.languages.segmentation import word_spans
from interlingua.retrieval.projection import project_tags
from interlingua.tasks.examples import read_examples
from interlingua.tasks.metrics.spans import spans
from interlingua.tasks.record import TASKS
from interlingua.tasks.tagging import Entity, entities_of, in_bio, located, repaired

NER, POS = TASKS.get("ner"), TASKS.get("pos")
BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
TAGS = st.lists(st.sampled_from(BIO), max_size=12)


@given(TAGS)
def test_repaired_tags_have_the_spans_that_seqeval_sees(tags: list[str]) -> None:
    done = repaired(tags)
    assert len(done) == len(tags) and repaired(done) == done
    assert spans([done], reading="iob2") == spans([tags], reading="seqeval")
    assert spans([done], reading="seqeval") == spans([tags], reading="seqeval")


def test_repair_and_entities_by_hand() -> None:
    assert repaired(["I-PER", "O", "I-LOC", "I-PER", "B-PER", "I-PER"]) == [
        *("B-PER", "O", "B-LOC", "B-PER", "B-PER", "I-PER")
    ]
    found = entities_of(["B-PER", "I-PER", "O", "B-LOC", "B-LOC"])
    assert found == [Entity("PER", 0, 1), Entity("LOC", 3, 3), Entity("LOC", 4, 4)]
    assert entities_of([]) == [] and entities_of(["NOUN", "VERB"]) == []
    assert located([(0, 4), (5, 11)], ["B-PER", "I-PER"]) == [(0, 11, "PER")]
    assert in_bio(BIO) and not in_bio(["NOUN", "VERB"]) and not in_bio(["B-PER", "I-PER"])


@given(st.text(max_size=60))
def test_words_of_a_text_lose_no_character(text: str) -> None:
    found = word_spans(text)
    assert all(start < end for start, end in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    covered = {i for start, end in found for i in range(start, end)}
    assert all(
        text[i].isspace() or text[i] in "\x1c\x1d\x1e\x1f\x85"
        for i in set(range(len(text))) - covered
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't pay 3.14 (or 10,5%)!", ["Don't", "pay", "3.14", "(", "or", "10,5", "%", ")", "!"]),
        ("我住在北京。", [*"我住在北京。"]),
        ("कर्मों का फल", ["कर्मों", "का", "फल"]),
        ("Die U.N.-Truppen.", ["Die", "U.N", ".", "-", "Truppen", "."]),
        ("东京2020 Tokyo", ["东", "京", "2020", "Tokyo"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_spans(text)] == words


def test_conll_of_every_layout(tmp_path: Path) -> None:
    wikiann = tmp_path / "a.tsv"
    wikiann.write_text("en:R.H.\tB-PER\nen:a:b\tO\n\nen:Rome\tB-LOC\n", encoding="utf-8")
    rows = read_examples([wikiann], NER, lang="en").rows
    assert [row.tokens for row in rows] == [("R.H.", "a:b"), ("Rome",)]
    assert [row.line for row in rows] == [1, 4]
    conll = tmp_path / "b.txt"
    conll.write_text("-DOCSTART- O\n\nRome NNP I-NP B-LOC\n. . O O\n", encoding="utf-8")
    (row,) = read_examples([conll], NER, lang="en").rows
    assert (row.tokens, row.tags) == (("Rome", "."), ("B-LOC", "O"))
    assert [row.text[a:b] for a, b in row.offsets] == ["Rome", "."]
    conllu = tmp_path / "c.conllu"
    rest = "\t_" * 6
    conllu.write_text(
        f"# sent_id = s1\n1-2\tzum\t_\t_{rest}\n1\tzu\tzu\tADP{rest}\n2\tdem\tder\tDET{rest}\n\n",
        encoding="utf-8",
    )
    (row,) = read_examples([conllu], POS, lang="de").rows
    assert (row.id, row.tokens, row.tags) == ("s1", ("zu", "dem"), ("ADP", "DET"))
    table = tmp_path / "d.jsonl"
    table.write_text(json.dumps({"tokens": ["", "x"], "tags": ["O", "O"]}) + "\n")
    (row,) = read_examples([table], NER, lang="de").rows
    assert row.tokens == ("", "x")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.tsv", "Rome\tB-LOC\n\nParis\n", "line 3: .*a token and its tag"),
        ("a.conllu", "1\tzu\tzu\n", "line 1: 3 columns"),
        ("a.conllu", "1\tzu\tzu\t_" + "\t_" * 6 + "\n", "line 1: no part of speech"),
        ("a.jsonl", '{"tokens": ["a", "b"], "tags": ["O"]}\n', "line 1.*1 tags for 2 tokens"),
        ("a.jsonl", '{"tokens": "a b", "tags": ["O"]}\n', "line 1.*expected a list"),
        ("a.jsonl", '{"tokens": [], "tags": []}\n', "line 1.*empty"),
        ("a.jsonl", '{"words": ["a"]}\n', "line 1.*'tags' is missing"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        read_examples([path], NER, lang="en")


def test_a_broken_sentence_is_set_aside_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("Rome\tB-LOC\n\nParis\nis\tO\n\nit\tO\n", encoding="utf-8")
    found = read_examples([path], NER, lang="en", on_error="skip")
    assert [row.tokens for row in found.rows] == [("Rome",), ("it",)]
    assert [fault.line for fault in found.rejected.faults] == [3]


def test_entities_follow_their_links() -> None:
    tags = ["B-PER", "I-PER", "O", "B-LOC"]
    found = project_tags(tags, {(0, 3), (1, 2), (3, 0)}, 4)
    assert found.tags == ["B-LOC", "O", "B-PER", "I-PER"] and (found.carried, found.lost) == (2, 0)
    assert project_tags(tags, {(0, 1)}, 4).lost == 1  # the place has no link
    far = project_tags(["B-LOC"], {(0, 0), (0, 9)}, 10)
    assert far.tags == ["O"] * 10 and far.lost == 1
    taken = project_tags(["B-LOC", "B-PER", "I-PER"], {(0, 0), (1, 0), (2, 1)}, 2)
    assert taken.tags == ["B-PER", "I-PER"] and taken.lost == 1
