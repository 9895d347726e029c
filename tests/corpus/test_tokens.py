"""Tokens as numbers: the same cuts as words, the same numbers for the same tokens, anywhere."""

from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.corpus.phrasebook import test_files as sentence_files
from interlingua.corpus.rows import read_table
from interlingua.corpus.tokens import (
    DENSE,
    DIGIT,
    LETTER,
    MARK,
    NEWLINE,
    SPACE,
    UPPER,
    character_classes,
    code_points,
    hash_tokens,
    runs,
)
from interlingua.languages.segmentation import script_words

TEXTS = st.lists(st.text(max_size=60), max_size=8)


def phrasebook() -> list[str]:
    return [str(row.values["text"]) for file in sentence_files() for row in read_table(file)]


def test_a_token_is_a_word_or_a_character_of_a_script_without_spaces() -> None:
    texts = phrasebook()
    assert hash_tokens(texts).counts().tolist() == [len(script_words(text)) for text in texts]


def test_equal_tokens_have_equal_numbers_and_others_do_not() -> None:
    texts = phrasebook()
    tokens = hash_tokens(texts)
    words = [word for text in texts for word in script_words(text.casefold())]
    pairs = set(zip(words, tokens.values.tolist(), strict=True))
    assert len(pairs) == len(set(words)) == len(set(tokens.values.tolist()))


def test_numbers_do_not_change_from_run_to_run() -> None:
    assert hash_tokens(["Hello, 世界"]).values.tolist() == [
        17087129923793103246,
        2101224636537884886,
        12187471541457629938,
    ]


@given(TEXTS)
def test_a_text_has_the_same_numbers_in_any_company(texts: list[str]) -> None:
    together = hash_tokens(texts)
    assert len(together) == len(texts)
    for place, text in enumerate(texts):
        assert together.of(place).tolist() == hash_tokens([text]).values.tolist()


@given(TEXTS, st.integers(1, 6), st.booleans())
def test_runs_are_those_of_the_plain_definition(texts: list[str], length: int, short: bool) -> None:
    tokens = hash_tokens(texts)
    found = runs(tokens, length, short=short)
    named: dict[int, tuple[int, ...]] = {}
    for place in range(len(texts)):
        mine = tokens.of(place).tolist()
        expected = [tuple(mine[i : i + length]) for i in range(len(mine) - length + 1)]
        if short and mine and not expected:
            expected = [tuple(mine)]
        numbers = found.of(place).tolist()
        assert len(numbers) == len(expected)
        for number, run in zip(numbers, expected, strict=True):
            assert named.setdefault(number, run) == run
    assert len(set(named.values())) == len(named)


@given(TEXTS)
def test_code_points_come_back_as_the_texts(texts: list[str]) -> None:
    codes, offsets = code_points(texts)
    parts = [codes[start:end] for start, end in itertools.pairwise(offsets)]
    assert ["".join(map(chr, part)) for part in parts] == [text + "\n" for text in texts]


@pytest.mark.parametrize(
    ("character", "flags"),
    [
        ("a", LETTER),
        ("Ä", LETTER | UPPER),
        ("7", DIGIT),
        (" ", SPACE),
        ("\n", SPACE | NEWLINE),
        ("\u0301", LETTER | MARK),
        ("漢", LETTER | DENSE),
        ("ก", LETTER | DENSE),
        ("\u0e31", LETTER | MARK | DENSE),
        ("한", LETTER),
        (".", 0),
        ("\ud800", 0),
    ],
)
def test_what_a_character_is(character: str, flags: int) -> None:
    assert character_classes()[ord(character)] == flags


def test_every_letter_and_digit_of_unicode_is_one() -> None:
    classes = character_classes()
    for code in range(0, 0x30000, 7):
        category = unicodedata.category(chr(code))
        assert bool(classes[code] & LETTER) == (category[0] in "LM")
        assert bool(classes[code] & DIGIT) == (category[0] == "N")


def test_nothing_is_no_token() -> None:
    assert hash_tokens([]).counts().tolist() == []
    empty = hash_tokens(["", " .,", ""])
    assert empty.counts().tolist() == [0, 0, 0]
    assert runs(empty, 3, short=True).counts().tolist() == [0, 0, 0]
    assert runs(empty, 3).values.dtype == np.uint64
