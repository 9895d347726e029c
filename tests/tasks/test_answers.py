"""Answers are stretches of the text, the best ones, with tidy edges, in every script."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.batches.windows import Pieces, Windows
from interlingua.tasks.answer_text import Text
from interlingua.tasks.spans import answers, best_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

TIDY = [
    (" Denver Broncos, ", "Denver Broncos"),
    ("北京，", "北京"),
    ("。2008年。", "2008年"),
    ("1851年)", "1851年"),
    ("(CBS)", "(CBS)"),
    ("Manning (quarterback)", "Manning (quarterback)"),
    ("Manning (quarterback", "Manning (quarterback"),
    ("(308 points", "308 points"),
    ("the U.S.", "the U.S."),
    ("Golden Bowl.", "Golden Bowl"),
    ("John F.", "John F."),
    ("50%", "50%"),
    ("-5 °C", "-5 °C"),
    ("«Война и мир»,", "«Война и мир»"),
    ("„Faust“.", "„Faust“"),
    ('"Faust', "Faust"),
    ("القاهرة،", "القاهرة"),
    ("दिल्ली।", "दिल्ली"),
    ("「東京」", "「東京」"),
    ("東京」", "東京"),
    ("\ufeffLos Panthers", "Los Panthers"),
    ("...", "..."),
    (" \u200b\n", ""),
]


@pytest.mark.parametrize(("stretch", "answer"), TIDY)
def test_edges_are_tidied(stretch: str, answer: str) -> None:
    start, end = Text(stretch).tidy(0, len(stretch))
    assert stretch[start:end] == answer


@pytest.mark.parametrize("whole", ["e\u0301", "👩\u200d💻", "น้ำ"[:2], "स्ते"[:2], "한"])
def test_no_character_is_cut(whole: str) -> None:
    text = Text(f"a {whole} b")
    for start in range(2, 2 + len(whole)):
        for end in range(start + 1, 3 + len(whole)):
            assert text.tidy(start, end) == (2, 2 + len(whole))


@given(st.text(min_size=1, max_size=30), st.data())
def test_tidying_what_is_tidy_changes_nothing(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    once = Text(text).tidy(start, end)
    assert 0 <= once[0] <= once[1] <= len(text)
    assert once[0] == once[1] or Text(text).tidy(*once) == once


def windows_of(rng: np.random.Generator, counts: Sequence[Sequence[int]]) -> tuple[Windows, Any]:
    """Windows of contexts without overlap, a character a token, and random scores."""
    rows, logits, pieces = [], [], []
    for question, parts in enumerate(counts):
        total = sum(parts)
        edges = np.arange(total + 1)
        pieces.append(Pieces(np.zeros(total, np.int32), edges[:-1], edges[1:]))
        first = 0
        for count in parts:
            rows.append((question, 3, first, count))
            logits.append(rng.normal(0, 3, (count + 4, 2)).astype(np.float32))
            first += count
    question_of, offset, first_of, count_of = np.array(rows).reshape(-1, 4).T
    ids = [np.zeros(count + 4, np.int32) for count in count_of]
    truncated = np.zeros(len(counts), np.bool_)
    return Windows(ids, question_of, offset, first_of, count_of, pieces, truncated), logits


def brute(windows: Windows, logits: Any, row: int, width: int) -> list[tuple[float, int, int]]:
    """All spans of a window with their log-probabilities, by a double loop; best first."""
    offset, count = windows.offset[row], windows.count[row]
    places = [0, *range(offset, offset + count)]
    scores = logits[row].astype(np.float64)
    mass = sum(np.log(np.exp(scores[places, side]).sum()) for side in (0, 1))
    found = []
    for i in range(offset, offset + count):
        for j in range(i, min(i + width, offset + count)):
            logp = float(scores[i, 0] + scores[j, 1] - mass)
            shift = int(windows.first[row] - offset)
            found.append((logp, i + shift, j + shift))
    return sorted(found, reverse=True)


@given(
    st.lists(st.lists(st.integers(0, 14), min_size=1, max_size=3), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(1, 8),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_the_best_spans_are_those_of_a_double_loop(
    counts: list[list[int]], width: int, keep: int, seed: int
) -> None:
    windows, logits = windows_of(np.random.default_rng(seed), counts)
    spans = best_spans(windows, logits, max_tokens=width, keep=keep)
    for row in range(len(windows.input_ids)):
        mine = spans.window == row
        wanted = brute(windows, logits, row, width)[:keep]
        found = list(zip(spans.first[mine].tolist(), spans.last[mine].tolist(), strict=True))
        assert found == [(first, last) for _, first, last in wanted]
        np.testing.assert_allclose(spans.logp[mine], [logp for logp, *_ in wanted], atol=1e-4)
        total = np.exp([logp for logp, *_ in brute(windows, logits, row, 99)]).sum()
        assert total + np.exp(spans.none[row]) <= 1 + 1e-5


@given(st.text(min_size=1, max_size=40), st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_an_answer_is_a_stretch_of_its_text(text: str, seed: int, n_best: int) -> None:
    windows, logits = windows_of(np.random.default_rng(seed), [[len(text)]])
    spans = best_spans(windows, logits, max_tokens=7)
    (found,) = answers(windows, spans, [text], n_best=n_best)
    assert 1 <= len(found) <= n_best
    assert len({(answer.start, answer.end) for answer in found}) == len(found)
    assert [a.score for a in found] == sorted((a.score for a in found), reverse=True)
    for answer in found:
        assert text[answer.start : answer.end] == answer.text
        assert 0 <= answer.score <= 1


def test_the_empty_answer_by_its_threshold() -> None:
    windows, logits = windows_of(np.random.default_rng(1), [[6]])
    spans = best_spans(windows, logits)
    margin = float(spans.none[0] - spans.logp.max())
    ask = SimpleNamespace(text="abcdef")
    for threshold, empty in ((margin - 0.1, True), (margin + 0.1, False), (None, False)):
        (found,) = answers(windows, spans, [ask.text], no_answer=threshold, n_best=3)
        assert (found[0].text == "") == empty
        assert len(found) == 3
    nothing, scores = windows_of(np.random.default_rng(1), [[0]])
    (found,) = answers(nothing, best_spans(nothing, scores), [""])
    assert [answer.text for answer in found] == [""]


def test_of_two_windows_the_surer_one_answers() -> None:
    windows, _ = windows_of(np.random.default_rng(0), [[4, 4]])
    unsure, sure = np.zeros((8, 2), np.float32), np.zeros((8, 2), np.float32)
    unsure[0] = 20  # "not here" outweighs the loud span
    unsure[4] = 15
    sure[5] = 9
    (found,) = answers(windows, best_spans(windows, [unsure, sure]), ["abcdefgh"])
    assert (found[0].text, found[0].start) == ("g", 6)
