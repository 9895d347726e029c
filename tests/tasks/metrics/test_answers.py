"""Normalisations of answers, by hand-made cases; the golden files are in tests/evaluation/score."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.tasks.metrics.answers import (
    MLQA_LANGUAGES,
    answer_scores,
    mlqa_tokens,
    percentage,
    script_tokens,
    squad_tokens,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat, an ANT!", ["cat", "ant"]),
        ("«le chat»", ["«le", "chat»"]),  # only ASCII punctuation
        ("der a-b", ["der", "ab"]),  # punctuation goes first, so no article is left
        ("今天的天气。", ["今天的天气。"]),
        ("\u00a0a\u2003b ", ["b"]),
    ],
)
def test_squad(text, expected):
    assert squad_tokens(text) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "the “Cat”", ["cat"]),
        ("de", "Das Haus eines Mannes", ["haus", "mannes"]),
        ("es", "la casa ¿no?", ["casa", "no"]),
        ("vi", "của những người", ["người"]),
        ("hi", "घर।", ["घर"]),
        ("ar", "مجال", ["مج"]),  # the article is cut out inside words too
        ("ar", "في البيت", ["في", "بيت"]),
        ("zh", "GDP增长3%，好", ["gdp", "增", "长", "3", "好"]),
        ("zh", "ab龥龦", ["ab", "龥", "龦"]),  # U+9FA5 is cut, what follows is one token
        ("zh", "𠀀𠀁", ["𠀀𠀁"]),
    ],
)
def test_mlqa(language, text, expected):
    assert mlqa_tokens(text, language=language) == expected


def test_the_corrected_reading():
    assert script_tokens("مجال البيت", language="ar") == ["مجال", "بيت"]
    assert script_tokens("𠀀龦กำ ก", language="zh") == ["𠀀", "龦", "กำ", "ก"]
    assert script_tokens("a chat", language="fr") == ["a", "chat"]


@given(st.text(max_size=30), st.sampled_from(MLQA_LANGUAGES))
def test_an_answer_equals_itself(text, language):
    for tokens in (
        squad_tokens,
        partial(mlqa_tokens, language=language),
        partial(script_tokens, language=language),
    ):
        scores = answer_scores([text], [[text]], tokens=tokens)
        assert scores.exact[0] == 1
        assert scores.f1[0] == (1.0 if tokens(text) else 0.0)


def test_the_extremes():
    scores = answer_scores(
        ["x", "", None, "", "x", "b c"],
        [["y"], [""], ["y"], [], [], ["a b", "c b"]],
        tokens=squad_tokens,
    )
    assert scores.exact.tolist() == [0, 1, 0, 1, 0, 0]
    assert scores.f1.tolist() == [0, 0, 0, 1, 0, 1.0]
    assert percentage(scores.exact) == pytest.approx(100 / 3)
