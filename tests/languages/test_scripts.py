"""The script of a text, by its letters; Unicode's own names are the second source."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.languages import script_of, writes
from interlingua.languages.scripts import direction_of, script_counts, script_named
from interlingua.languages.tables import read_table

# How the names of a script's letters begin in the Unicode standard.
_NAMED = {
    "Latn": "LATIN", "Cyrl": "CYRILLIC", "Grek": "GREEK", "Hebr": "HEBREW", "Deva": "DEVANAGARI",
    "Arab": "ARABIC", "Thai": "THAI", "Ethi": "ETHIOPIC", "Geor": "GEORGIAN", "Armn": "ARMENIAN",
    "Beng": "BENGALI", "Taml": "TAMIL", "Tibt": "TIBETAN", "Nkoo": "NKO", "Tfng": "TIFINAGH",
    "Olck": "OL CHIKI", "Hang": "HANGUL", "Adlm": "ADLAM", "Thaa": "THAANA", "Mong": "MONGOLIAN",
}  # fmt: skip


@pytest.mark.parametrize("code", _NAMED)
def test_letters_whose_names_tell_their_script(code: str) -> None:
    letters = [
        chr(point)
        for point in range(0x1F000)
        if unicodedata.category(chr(point)) in {"Lu", "Ll", "Lo"}
        and unicodedata.name(chr(point), "").startswith(f"{_NAMED[code]} ")
    ]
    assert len(letters) > 25
    wrong = [letter for letter in letters if script_of(letter) != code]
    assert len(wrong) <= 0.01 * len(letters), wrong


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("abc", "Latn"), ("при", "Cyrl"), ("日本", "Hani"), ("かな日本", "Jpan"), ("한국", "Hang"),
        ("", "Zyyy"), ("१२", "Zyyy"), ("12 + 3 = ?", "Zyyy"), ("\u0301" * 9, "Zyyy"),
        ("\ud800\x00\u202e🏞", "Zyyy"), ("ab где-то здесь", "Cyrl"), ("漢字", "Hani"),
        ("iPhone 買", "Latn"),
    ],
)  # fmt: skip
def test_dominant_scripts(text: str, script: str) -> None:
    assert script_of(text) == script


@given(st.text())
def test_any_text_has_a_script_or_none_and_marks_change_nothing(text: str) -> None:
    counts = script_counts(text)
    assert counts.total() <= len(text)
    assert (script_of(text) == "Zyyy") == (counts.total() == 0)
    assert script_counts(text + "12 !\u0301\u200d") == counts


def test_which_languages_may_look_like_what() -> None:
    assert writes("Hans", "Hani") and writes("Jpan", "Hani") and writes("Hang", "Hani")
    assert not writes("Latn", "Cyrl") and not writes("Hani", "Latn") and not writes("Nope", "Latn")


def test_directions_follow_the_bidirectional_class_of_letters() -> None:
    for point in range(0x1F000):
        letter = chr(point)
        if unicodedata.category(letter) == "Lo" and unicodedata.bidirectional(letter) in "RALR":
            script = script_of(letter)
            rtl = unicodedata.bidirectional(letter) in {"R", "AL"}
            if script != "Zyyy":
                assert (direction_of(script) == "rtl") == rtl, (hex(point), script)


def test_scripts_by_name() -> None:
    for row in read_table("scripts.tsv"):
        assert script_named(row["name"]) == row["code"]
    assert script_named("cyrillic script") == "Cyrl"
    assert script_named("nonsense") is None
