"""Every word keeps one place, in a window that fits, whatever the script and however long."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from interlingua.batches.words import WordTokenizer, spread_windows
from interlingua.models.folder import ModelFolder

ODD = [
    "",
    " ",
    "\u200d",
    "\ufeff",
    "\U000e0001",
    "(",
    "①",
    "word",
    "中国",
    "ไทย",
    "العربية",
    "a" * 3000,
]


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=60), room=st.integers(6, 20))
def test_stretches_fit_overlap_and_hold_every_word(sizes: list[int], room: int) -> None:
    stretches = spread_windows(np.array(sizes), room)
    assert stretches[0][0] == 0 and stretches[-1][1] == len(sizes)
    for first, last in stretches:
        assert first < last and sum(sizes[first:last]) <= room
    for (first, last), (other, end) in pairwise(stretches):
        assert first < other <= last < end
    if sum(sizes) <= room:
        assert len(stretches) == 1


@pytest.fixture(scope="module")
def small(tokenizer_folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))


@given(
    sentences=st.lists(
        st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=8)), max_size=40), max_size=4
    ),
    length=st.integers(6, 24),
)
def test_every_word_of_every_sentence_is_read_once(
    small: Tokenizer, sentences: list[list[str]], length: int
) -> None:
    read = WordTokenizer(small, max_length=length).windows(sentences)
    seen: list[list[int]] = [[] for _ in sentences]
    for window in read.windows:
        assert 0 < len(window.input_ids) <= length
        assert len(window.words) == len(window.places) > 0
        inner = np.arange(1, len(window.input_ids) - 1)  # between <s> and </s>
        assert np.isin(window.places, inner).all() and (np.diff(window.places) > 0).all()
        seen[window.sentence] += window.words.tolist()
    assert seen == [list(range(len(words))) for words in sentences]


def test_a_word_is_read_where_it_has_most_context(small: Tokenizer) -> None:
    words = ["."] * 100
    cutter = WordTokenizer(small, max_length=22)
    pieces = len(cutter.windows([["."]]).windows[0].input_ids) - 2
    read = cutter.windows([words])
    room = 20 // pieces
    starts = spread_windows(np.full(100, pieces), 20)
    assert len(read.windows) == len(starts) > 1
    for window in read.windows:
        for word in window.words.tolist():
            context = {
                (first, last): min(
                    word - first if first else room, last - 1 - word if last < 100 else room
                )
                for first, last in starts
                if first <= word < last
            }
            first, last = max(context, key=lambda s: context[s])
            own = next(s for s, w in zip(starts, read.windows, strict=True) if w is window)
            assert context[own] >= context[first, last] - 1


def test_the_mark_of_a_word_that_stands_alone_is_passed_over(starter: ModelFolder) -> None:
    tokenizer = starter.tokenizer()
    words = ["中国", "人民", "。", "\u200d", "", "Berlin"]
    (window,) = WordTokenizer(starter.tokenizer(), max_length=512).windows([words]).windows
    found = [tokenizer.id_to_token(int(window.input_ids[place])) for place in window.places]
    assert found == ["▁中国", "人民", "。", "▁", "<unk>", "▁Berlin"]
