"""English texts that were cut into words and marks are joined as they are written."""

from __future__ import annotations

import json
import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from interlingua.corpus.detokenize import detokenized
from interlingua.corpus.phrasebook import test_files as phrases

WRITTEN = {
    "He can 't say ( yet ) .": "He can't say (yet).",
    "Women 's Haven , Slate ' s take": "Women's Haven, Slate's take",
    "the boys ' dog": "the boys' dog",
    'she \'s " certain " that " they \'ll win ? " .': 'she\'s "certain" that "they\'ll win?".',
    "at seven o 'clock , y 'all !": "at seven o'clock, y'all!",
    "27 % of $ 4,000 , case # 6 ; [ sic ] ...": "27% of $4,000, case #6; [sic]...",
    "do n't `` go '' -LRB- now -RRB-": 'don\'t "go" (now)',
    'I said . " Then': 'I said. " Then',
    "the boys 'all right": "the boys 'all right",
    "yes / no - perhaps": "yes / no - perhaps",
}


@pytest.mark.parametrize("cut", WRITTEN)
def test_what_stands_apart_is_joined(cut: str) -> None:
    assert detokenized(cut) == WRITTEN[cut]


@pytest.mark.parametrize("cut", WRITTEN)
def test_joining_twice_changes_nothing_more(cut: str) -> None:
    assert detokenized(WRITTEN[cut]) == WRITTEN[cut]


def test_sentences_that_were_cut_up_come_back() -> None:
    (book,) = (path for path in phrases() if "eng_Latn" in path.name)
    lines = book.read_text(encoding="utf-8").splitlines()
    sentences = [text for text in (json.loads(line)["text"] for line in lines) if '"' not in text]
    assert len(sentences) > 20
    for sentence in sentences:
        cut = regex.sub(r"\s*([.,;:?!%)]+)(?=\s|$)", r" \1", sentence)
        cut = regex.sub(r"(?<=\w)(['’](?:s|t|re|m|ve|ll|d)\b)", r" \1", cut)
        assert detokenized(cut) == sentence
        assert detokenized(sentence) == sentence


@given(st.text(st.sampled_from("ab s't.,?!()[]\"$4 ’–é中\n"), max_size=40))
def test_nothing_goes_but_blanks(text: str) -> None:
    plain = text.replace("''", "")
    assert "".join(detokenized(plain).split()) == "".join(plain.split())


def test_a_long_run_of_blanks_takes_no_longer_than_its_length() -> None:
    begun = time.monotonic()
    assert detokenized("a" + " " * 200_000 + "b" + " " * 200_000 + ".") == f"a{' ' * 200_000}b."
    assert time.monotonic() - begun < 5
