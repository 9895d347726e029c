"""Windows hold every token of a context, know its characters, and find the answer in them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.batches.tokens import clean
from interlingua.batches.windows import pieces_of, window_questions, window_starts

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from interlingua.models.folder import ModelFolder

TEXTS = [
    "ﬁne ½ cup",
    "e\u0301a cafe\u0301",
    "ABＣ１２",
    "การเดินทาง ก็ น้ำ",
    "ألف لا ﷺ مُحَمَّد",
    "👩\u200d💻 ok 👍🏽",
    "北京，2008年。",
    "\ufeffLos Panthers",
    "a\u200bb\u00adc",
    "नमस्ते दुनिया",
    "㍿ ㌀",
    "  two  spaces\tand\na line ",
]
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
"""Strings of every script."""


@pytest.fixture(scope="module")
def tokenizer(tokenizer_folder: Path) -> Tokenizer:
    from interlingua.vocab.vocabulary import open_tokenizer

    return open_tokenizer(tokenizer_folder / "tokenizer.json")


@given(st.integers(0, 200), st.integers(1, 40), st.data())
def test_windows_cover_everything_and_overlap(count: int, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    starts = window_starts(count, size=size, overlap=overlap)
    windows = [range(start, min(start + size, count)) for start in starts]
    assert {token for window in windows for token in window} == set(range(count))
    assert len(starts) == 1 or all(len(window) == size for window in windows)
    for one, other in pairwise(windows):
        assert len(set(one) & set(other)) >= overlap
        assert other.start > one.start


@given(ANY, ANY, st.integers(12, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_a_window_that_holds_the_answer_names_its_tokens(
    tokenizer: Tokenizer, question: str, context: str, length: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, len(context)))
    windows = window_questions(tokenizer, [question], [context], max_length=length, overlap=4)
    (pieces,) = windows.pieces
    first, last = pieces.covering(start, end)
    assert all(len(ids) <= length for ids in windows.input_ids)
    found = windows.targets([(start, end)])
    for window, (begin, stop) in enumerate(found.tolist()):
        place, count = windows.first[window], windows.count[window]
        whole = place <= first <= last < place + count
        assert (begin > 0) == whole
        if whole:
            ids = windows.input_ids[window][begin : stop + 1]
            assert ids.tolist() == pieces.ids[first : last + 1].tolist()
            assert pieces.ends[first] > start and pieces.starts[last] < end


def test_a_window_reads_as_the_tokenizer_reads_a_pair(tokenizer: Tokenizer) -> None:
    for text in TEXTS:
        windows = window_questions(tokenizer, ["who is it"], [text], max_length=512, overlap=64)
        pair = tokenizer.encode("who is it", text)
        assert windows.input_ids[0].tolist() == pair.ids
        offset, count = windows.offset[0], windows.count[0]
        assert [i for i, side in enumerate(pair.sequence_ids) if side == 1] == [
            *range(offset, offset + count)
        ]


@pytest.mark.parametrize("text", TEXTS)
def test_the_starters_tokens_know_their_characters(starter: ModelFolder, text: str) -> None:
    (pieces,) = pieces_of(starter.tokenizer(), [text])
    assert (pieces.starts <= pieces.ends).all() and pieces.ends[-1] <= len(text)
    for start in range(len(text)):
        first, last = pieces.covering(start, start + 1)
        for token in range(first, last + 1):
            assert pieces.starts[token] <= start < pieces.ends[token]
    covered = {i for s, e in zip(pieces.starts, pieces.ends, strict=True) for i in range(s, e)}
    left = {text[i] for i in set(range(len(text))) - covered}
    assert left <= set(" \t\n\u0301\u00ad\ufe0f")  # white space, and a mark joined to its letter


def test_lone_surrogates_are_replaced_one_by_one() -> None:
    text = "a\ud83d\ude00b\ud800"
    assert clean(text) == "a\ufffd\ufffdb\ufffd"
    json.dumps(clean(text), ensure_ascii=False).encode()


def test_no_answer_is_the_first_token(tokenizer: Tokenizer) -> None:
    windows = window_questions(tokenizer, ["a", "b"], ["c d e", "f"], max_length=32, overlap=4)
    assert windows.targets([None, (0, 1)])[0].tolist() == [0, 0]
    assert windows.targets([None, (0, 1)])[1, 0] == windows.offset[1]
