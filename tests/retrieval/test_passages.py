"""Passages say where they stand: their offsets cut them out of the file again."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.base.errors import DataError
from interlingua.corpus.rows import Faults
from interlingua.languages.segmentation import script_words
from interlingua.languages.sentences import sentence_spans
from interlingua.retrieval.passages import Cut, cut_file, find_sources, passage_spans

GUIDE = """\ufeff# Bread

Mix flour, water, salt and yeast in a large bowl until no dry flour is left anywhere.

## Oven

Heat the oven to two hundred and thirty degrees before the loaf goes in, never after.\r
\r
"""


def test_a_text_file(tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_bytes(GUIDE.encode())
    found = list(cut_file(file, Cut()))
    text = file.read_bytes().decode()
    assert [p.line for p in found] == [1, 5]
    assert [text[p.start : p.end] for p in found] == [p.text for p in found]
    assert found[0].text.startswith("# Bread\n\nMix") and found[1].text.startswith("## Oven")
    assert found[1].text.endswith("never after.")
    assert {p.lang for p in found} == {"eng_Latn"}
    assert {p.path for p in found} == {file.as_posix()}
    assert len({p.id for p in found}) == 2
    assert found == list(cut_file(file, Cut()))


def test_every_passage_has_its_language(tmp_path: Path) -> None:
    file = tmp_path / "mixed.txt"
    file.write_text(
        "Der Zug nach Hamburg hat heute leider eine Stunde Verspätung, sagte der Schaffner.\n\n"
        "今日は天気がいいので、友達と一緒に公園へ行って昼ごはんを食べました。\n",
        encoding="utf-8",
    )
    assert [p.lang for p in cut_file(file, Cut())] == ["deu_Latn", "jpn_Jpan"]
    assert {p.lang for p in cut_file(file, Cut(lang="fr"))} == {"fra_Latn"}


def test_a_table(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [
        {
            "text": "Un texte assez court.",
            "lang": "fr",
            "section": "news",
            "year": 2020,
            "seen": True,
            "share": 0.5,
        },
        {"text": "", "lang": "fr"},
        {"text": "word " * 300, "lang": "en", "note": "x" * 500},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = list(cut_file(file, Cut(words=100)))
    assert found[0].meta == {"section": "news", "year": "2020", "seen": "true", "share": "0.5"}
    assert (found[0].lang, found[0].line) == ("fra_Latn", 1)
    assert {p.line for p in found[1:]} == {3} and found[1].meta == {}
    assert all(rows[2]["text"][p.start : p.end] == p.text for p in found[1:])


def test_long_paragraphs_are_cut_between_sentences() -> None:
    text = "今天天气很好，我们去公园散步。" * 30
    spans = passage_spans(text, "zho_Hans", words=100)
    assert all(text[start:end].endswith("。") for start, end in spans)
    assert all(len(script_words(text[start:end])) <= 100 for start, end in spans)
    assert "".join(text[start:end] for start, end in spans) == text
    assert passage_spans("x" * 10_000, "und", words=120) == [
        (0, 3600),
        (3600, 7200),
        (7200, 10_000),
    ]


@pytest.mark.parametrize(
    ("sentence", "lang"),
    [
        ("ภาษาไทยเขียนโดยไม่เว้นวรรคระหว่างคำ ", "tha_Thai"),
        ("今天天气很好我们去公园散步", "zho_Hans"),
        ("यह एक बहुत लंबा वाक्य है जिसमें कोई विराम नहीं ", "hin_Deva"),
        ("and then he went on and on without a stop ", "eng_Latn"),
    ],
)
def test_what_has_no_end_of_sentence_is_cut_between_words(sentence: str, lang: str) -> None:
    text = (sentence * 200).strip()
    spans = passage_spans(text, lang, words=100)
    sizes = [len(script_words(text[start:end])) for start, end in spans]
    assert max(sizes) <= 100 and min(sizes[:-1]) >= 80
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(
        text.split()
    )
    if " " in sentence.strip():
        words = set(text.split())
        unspaced = lang == "tha_Thai"
        assert unspaced or all(set(text[a:b].split()) <= words for a, b in spans)


@pytest.mark.parametrize(
    "name", ["how-to-bake.md", "an-introduction.md", "file-io.md", "add-it.txt", "what-is-new.txt"]
)
def test_words_of_a_name_are_no_codes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("The oven has to be hot before the loaf goes in, never after.")
    assert {p.lang for p in cut_file(tmp_path / name, Cut())} == {"eng_Latn"}
    (tmp_path / "notes.fo.md").write_text("Hetta er ein tekstur um at baka breyð heima við hús.")
    assert {p.lang for p in cut_file(tmp_path / "notes.fo.md", Cut())} == {"fao_Latn"}


def test_a_name_that_is_not_utf8_is_a_fault(tmp_path: Path) -> None:
    name = tmp_path / "caf\udce9.txt"
    try:
        name.write_text("A text that is long enough to be a passage of its own, I think.")
    except OSError:
        pytest.skip("such names cannot be made here")
    with pytest.raises(DataError, match="the name is not UTF-8"):
        list(cut_file(name, Cut()))
    row = tmp_path / "rows.jsonl"
    row.write_text(json.dumps({"text": "A text of its own.", "\ud800": "x"}) + "\n")
    (found,) = cut_file(row, Cut())
    assert found.meta == {"\ufffd": "x"}


def test_one_file_in_two_spellings_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "s").mkdir()
    spelled = tmp_path / "s" / ".." / "a.txt"
    assert find_sources([tmp_path / "a.txt", spelled, tmp_path]).files == (tmp_path / "a.txt",)


def test_a_record_of_several_lines_is_cited_by_its_first(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('text,note\n"one\ntwo\nthree",a\nfour,b\n')
    assert [(p.line, p.text) for p in cut_file(file, Cut())] == [
        (2, "one\ntwo\nthree"),
        (5, "four"),
    ]


def test_sentences() -> None:
    text = "Dr. Smith went home.  He slept! \n Then?"
    assert [text[s:e] for s, e in sentence_spans(text, "eng_Latn")] == [
        "Dr. Smith went home.",
        "He slept!",
        "Then?",
    ]
    assert sentence_spans("  \n", "und") == []


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab猫。. \n\r!#\u0e41ß😀"), max_size=400))
def test_nothing_but_white_space_is_left_out(text: str) -> None:
    spans = passage_spans(text, "und", words=20)
    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())


def test_sources(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.md", ".git/x.txt", "a/.hidden.txt", "photo.png", "t.jsonl.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_sources([tmp_path, tmp_path / "b.txt"])
    assert [f.relative_to(tmp_path).as_posix() for f in found.files] == [
        "a/c.md",
        "b.txt",
        "t.jsonl.gz",
    ]
    assert found.left_out == {".png": 1}
    with pytest.raises(DataError, match="Known endings"):
        find_sources([tmp_path / "photo.png"])
    with pytest.raises(DataError, match="no such file"):
        find_sources([tmp_path / "nowhere"])


def test_what_cannot_be_read(tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"fine\n\xff\xfe no\n")
    with pytest.raises(DataError, match=r"line 2: byte 6 \(0xff\) is not UTF-8"):
        list(cut_file(bad, Cut()))
    faults = Faults("skip")
    assert list(cut_file(bad, Cut(faults=faults))) == []
    assert len(faults.rejected) == 1
    (tmp_path / "x.csv").write_text("body\nhello\n")
    with pytest.raises(DataError, match="column 'text' is missing"):
        list(cut_file(tmp_path / "x.csv", Cut()))
    (tmp_path / "s.jsonl").write_text('{"text": "lone \\ud800 surrogate"}\n')
    assert next(cut_file(tmp_path / "s.jsonl", Cut())).text.startswith("lone \ufffd")
