"""The shipped phrasebook keeps its promises: balanced, parallel, in its scripts, spans exact.

Scripts are counted here with Unicode properties directly, apart from the languages room, so that
neither can excuse the other.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from functools import cache
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import regex

from interlingua.corpus import phrasebook

FOLDER = Path(str(resources.files("interlingua.corpus") / "phrasebook"))
TOPICS = {"travel", "health", "food", "sports", "technology", "nature"}
SENTIMENTS = {"negative", "neutral", "positive"}
CELLS = len(TOPICS) * len(SENTIMENTS)
ENTITY_TYPES = {"PER", "LOC", "ORG"}
ENGLISH = "eng_Latn"

# The Unicode scripts that the script of a tag is written in; any other is its own name.
SCRIPTS = {
    "Hans": ("Han",),
    "Hant": ("Han",),
    "Jpan": ("Han", "Hiragana", "Katakana"),
    "Kore": ("Hangul",),
    "Hang": ("Hangul",),
}
# English words that no other language of the set uses as words of its own.
ENGLISH_WORDS = {"the", "with", "that", "this", "were", "which", "because", "their", "from"}

Line = dict[str, Any]
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*")


@cache
def lines(name: str) -> list[Line]:
    with (FOLDER / name).open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def tags(kind: str) -> list[str]:
    return sorted(path.name.split(".")[1] for path in FOLDER.glob(f"{kind}.*.jsonl"))


def words(text: str) -> list[str]:
    found = _WORD.finditer(text.lower())
    return [match.group() for match in found]


def trigrams(text: str) -> frozenset[tuple[str, ...]]:
    found = words(text)
    return frozenset(zip(found, found[1:], found[2:], strict=False))


def jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    return len(one & other) / max(1, len(one | other))


def share_in_script(text: str, tag: str) -> float:
    """The share of the letters of a text that are of its tag's script."""
    script = tag.split("_")[1]
    letters = regex.findall(r"\p{L}", text)
    names = SCRIPTS.get(script, (script,))
    inside = regex.compile("|".join(rf"\p{{Script={name}}}" for name in names))
    return sum(1 for letter in letters if inside.match(letter)) / max(1, len(letters))


def assert_clean(text: str, where: str) -> None:
    assert text, where
    assert text == text.strip(), f"{where}: space around the text"
    assert unicodedata.is_normalized("NFC", text), f"{where}: not NFC"
    control = {c for c in text if unicodedata.category(c) in {"Cc", "Co", "Cn", "Cs"}}
    assert not control, f"{where}: {control!r}"
    assert not set("\ufffd\ufeff\u00ad") & set(text), f"{where}: a stray invisible character"
    assert "  " not in text, f"{where}: two spaces in a row"


train = pytest.fixture(name="train")(lambda: lines(f"train.{ENGLISH}.jsonl"))
each_test = pytest.mark.parametrize("tag", tags("test"))
each_qa = pytest.mark.parametrize("tag", tags("qa"))


def test_the_module_lists_the_files() -> None:
    assert phrasebook.train_files() == [FOLDER / f"train.{ENGLISH}.jsonl"]
    assert phrasebook.test_files() == [FOLDER / f"test.{tag}.jsonl" for tag in tags("test")]
    assert phrasebook.question_files() == [FOLDER / f"qa.{tag}.jsonl" for tag in tags("qa")]


# --- training sentences


def test_train_is_balanced(train: list[Line]) -> None:
    cells = Counter((row["topic"], row["sentiment"]) for row in train)
    assert {topic for topic, _ in cells} == TOPICS
    assert {sentiment for _, sentiment in cells} == SENTIMENTS
    assert len(cells) == CELLS
    assert len(set(cells.values())) == 1
    assert min(cells.values()) >= 20


def test_every_block_of_the_training_set_is_balanced(train: list[Line]) -> None:
    for start in range(0, len(train), CELLS):
        block = train[start : start + CELLS]
        assert len({(row["topic"], row["sentiment"]) for row in block}) == CELLS, start


def test_train_fields_and_ids(train: list[Line]) -> None:
    assert all(list(row) == ["id", "text", "topic", "sentiment"] for row in train)
    assert [row["id"] for row in train] == [f"train-{n:03d}" for n in range(1, len(train) + 1)]


def test_train_texts_are_clean_sentences(train: list[Line]) -> None:
    for row in train:
        assert_clean(row["text"], row["id"])
        assert 6 <= len(row["text"].split()) <= 28, row
        assert share_in_script(row["text"], ENGLISH) == 1, row


def test_train_texts_are_not_near_duplicates(train: list[Line]) -> None:
    assert len({row["text"].casefold() for row in train}) == len(train)
    shapes = [(row["id"], trigrams(row["text"]), frozenset(words(row["text"]))) for row in train]
    for (one, grams, bag), (other, other_grams, other_bag) in combinations(shapes, 2):
        assert jaccard(grams, other_grams) < 0.5, (one, other)
        assert jaccard(bag, other_bag) < 0.5, (one, other)


def test_train_sentences_open_differently(train: list[Line]) -> None:
    openings = Counter(tuple(words(row["text"])[:3]) for row in train)
    assert openings.most_common(1)[0][1] == 1, openings.most_common(3)


def test_train_texts_do_not_name_their_label(train: list[Line]) -> None:
    stems = ("travel", "health", "food", "sport", "technolog", "natur", *SENTIMENTS)
    for row in train:
        assert not [word for word in words(row["text"]) if word.startswith(stems)], row


def test_no_test_sentence_is_in_the_training_set(train: list[Line]) -> None:
    learned = [(row["id"], trigrams(row["text"]), frozenset(words(row["text"]))) for row in train]
    held_out = [row["text"] for row in lines(f"test.{ENGLISH}.jsonl")]
    held_out += [row["context"] for row in lines(f"qa.{ENGLISH}.jsonl")]
    texts = {row["text"].casefold() for row in train}
    for text in held_out:
        assert text.casefold() not in texts
        for name, grams, bag in learned:
            assert jaccard(grams, trigrams(text)) < 0.5, (name, text)
            assert jaccard(bag, frozenset(words(text))) < 0.5, (name, text)


# --- parallel test sentences


def test_the_parallel_set_is_wide_enough() -> None:
    found = tags("test")
    assert ENGLISH in found
    assert len(found) >= 14, found
    scripts = {SCRIPTS.get(tag.split("_")[1], (tag.split("_")[1],)) for tag in found}
    assert len(scripts) >= 8, scripts
    assert all(regex.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", tag) for tag in found + tags("qa"))


def test_the_parallel_set_covers_every_label() -> None:
    english = lines(f"test.{ENGLISH}.jsonl")
    assert len(english) >= 64
    cells = Counter((row["topic"], row["sentiment"]) for row in english)
    assert {topic for topic, _ in cells} == TOPICS
    assert {sentiment for _, sentiment in cells} == SENTIMENTS
    assert len(cells) == CELLS
    types = {entity["type"] for row in english for entity in row["entities"]}
    assert types == ENTITY_TYPES


@each_test
def test_rows_are_parallel(tag: str) -> None:
    rows, english = lines(f"test.{tag}.jsonl"), lines(f"test.{ENGLISH}.jsonl")
    fields = ["id", "text", "topic", "sentiment", "entities"]
    assert all(list(row) == fields for row in rows)
    for field in ("id", "topic", "sentiment"):
        assert [row[field] for row in rows] == [row[field] for row in english], field
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["text"].casefold() for row in rows}) == len(rows)


@each_test
def test_texts_are_clean_and_in_their_script(tag: str) -> None:
    for row in lines(f"test.{tag}.jsonl"):
        assert_clean(row["text"], f"{tag} {row['id']}")
        assert share_in_script(row["text"], tag) > 0.5, (tag, row)


@pytest.mark.parametrize("tag", [tag for tag in tags("test") if tag.startswith(("jpn", "zho"))])
def test_kana_tell_japanese_from_chinese(tag: str) -> None:
    for row in lines(f"test.{tag}.jsonl"):
        kana = regex.search(r"[\p{Script=Hiragana}\p{Script=Katakana}]", row["text"])
        assert bool(kana) == tag.startswith("jpn"), row


@pytest.mark.parametrize("tag", [tag for tag in tags("test") if tag != ENGLISH])
def test_no_sentence_is_left_in_english(tag: str) -> None:
    english = {row["id"]: row for row in lines(f"test.{ENGLISH}.jsonl")}
    for row in lines(f"test.{tag}.jsonl"):
        source = english[row["id"]]
        names = {word for entity in source["entities"] for word in words(entity["text"])}
        own = set(words(row["text"])) - names
        shared = jaccard(frozenset(own), frozenset(set(words(source["text"])) - names))
        assert shared < 0.4, row
        assert len(own & ENGLISH_WORDS) < 2, row


@pytest.mark.parametrize(
    ("one", "other"), list(combinations([tag for tag in tags("test") if tag != ENGLISH], 2))
)
def test_no_language_is_a_copy_of_another(one: str, other: str) -> None:
    pairs = zip(lines(f"test.{one}.jsonl"), lines(f"test.{other}.jsonl"), strict=True)
    same = [left["id"] for left, right in pairs if left["text"] == right["text"]]
    assert len(same) <= 2, same  # close relatives may share a short sentence


@each_test
def test_entity_spans_are_exact(tag: str) -> None:
    english = {row["id"]: row for row in lines(f"test.{ENGLISH}.jsonl")}
    for row in lines(f"test.{tag}.jsonl"):
        end = 0
        for entity in row["entities"]:
            assert set(entity) == {"start", "end", "type", "text"}
            assert entity["type"] in ENTITY_TYPES, row
            assert end <= entity["start"] < entity["end"] <= len(row["text"]), row
            assert row["text"][entity["start"] : entity["end"]] == entity["text"], row
            assert_clean(entity["text"], f"{tag} {row['id']}")
            end = entity["end"]
        types = Counter(entity["type"] for entity in row["entities"])
        expected = Counter(entity["type"] for entity in english[row["id"]]["entities"])
        assert types == expected, (tag, row["id"])


# --- questions with passages


def test_questions_exist_in_english_and_beside_test_sentences() -> None:
    assert ENGLISH in tags("qa")
    assert set(tags("qa")) <= set(tags("test"))
    assert len(tags("qa")) >= 2


@each_qa
def test_questions_are_parallel_and_clean(tag: str) -> None:
    rows, english = lines(f"qa.{tag}.jsonl"), lines(f"qa.{ENGLISH}.jsonl")
    assert all(list(row) == ["id", "context", "question", "answers"] for row in rows)
    assert [row["id"] for row in rows] == [row["id"] for row in english]
    assert len({row["id"] for row in rows}) == len(rows)
    for row, source in zip(rows, english, strict=True):
        for field in ("context", "question"):
            assert_clean(row[field], f"{tag} {row['id']} {field}")
            assert share_in_script(row[field], tag) > 0.5, (tag, row)
            if tag != ENGLISH:
                shared = jaccard(frozenset(words(row[field])), frozenset(words(source[field])))
                assert shared < 0.4, (tag, row["id"], field)
                assert len(set(words(row[field])) & ENGLISH_WORDS) < 2, (tag, row["id"], field)


@each_qa
def test_answers_stand_where_they_say(tag: str) -> None:
    for row in lines(f"qa.{tag}.jsonl"):
        texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
        assert set(row["answers"]) == {"text", "answer_start"}
        assert len(texts) == len(starts) >= 1, row
        for text, start in zip(texts, starts, strict=True):
            assert_clean(text, f"{tag} {row['id']} answer")
            assert start >= 0, row
            assert row["context"][start:][: len(text)] == text, (tag, row["id"])
