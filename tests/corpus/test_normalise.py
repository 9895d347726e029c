"""Repair and normalisation: what was broken is mended, what a script needs stays."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interlingua.corpus.normalise import looks, normalise, repair

SCRIPTS = ["Latn", "Arab", "Deva", "Jpan", "Thai", "Hang"]


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("cafÃ© and naÃ¯ve", "café and naïve"),
        ("РџСЂРёРІРµС‚ РјРёСЂ", "Привет мир"),
        ("7â€“2", "7–2"),
        ("a\ud800b", "a\ufffdb"),
        ("São Tomé, Ångström", "São Tomé, Ångström"),
        ("“quoted” &amp; ‘kept’", "“quoted” &amp; ‘kept’"),
        ("plain", "plain"),
    ],
)
def test_repair(broken: str, mended: str) -> None:
    assert repair(broken) == mended


@pytest.mark.parametrize(
    ("script", "before", "after"),
    [
        ("Latn", "e\u0301", "é"),
        ("Latn", "ﬁnal\u00ad word\u200b", "final word"),
        ("Latn", "a\u00a0 \tb  \r\nc\u2028d", "a b\nc\nd"),
        ("Latn", "one\n\n\n\n\ntwo", "one\n\ntwo"),
        ("Latn", "a\u200cb", "ab"),
        ("Arab", "می\u200cخواهم", "می\u200cخواهم"),
        ("Arab", "\ufefb\ufee3", "لام"),
        ("Deva", "क्\u200dष", "क्\u200dष"),
        ("Jpan", "ＡＢＣ１２３、ｶﾞｷﾞ！", "ABC123、ガギ！"),
        ("Hang", "\u1112\u1161\u11ab", "한"),
        ("Latn", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("Latn", "x\x00y\x1b[0m\ufeff", "xy[0m"),
        ("Latn", " \n\t ", ""),
    ],
)
def test_normalise(script: str, before: str, after: str) -> None:
    assert normalise(before, script) == after


@given(st.text(max_size=80), st.sampled_from(SCRIPTS))
@example("\u115f\u1160", "Hang")
def test_normalising_again_changes_nothing(text: str, script: str) -> None:
    once = normalise(text, script)
    assert normalise(once, script) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@settings(deadline=None)  # the first look makes a table
@given(st.lists(st.text(max_size=40), max_size=6), st.sampled_from(SCRIPTS))
@example(["a ", " a", "a\n\nb", "a\n\n\nb", "", "\n"], "Latn")
def test_a_quick_look_misses_nothing(texts: list[str], script: str) -> None:
    mojibake, odd = looks(texts)
    assert mojibake.shape == odd.shape == (len(texts),)
    for text, broken, uneven in zip(texts, mojibake, odd, strict=True):
        if not uneven:
            assert normalise(text, script) == text
        if not broken:
            assert repair(text) == text


def test_a_quick_look_sees_what_ftfy_would_mend(data_dir: Path) -> None:
    import ftfy

    lines = []
    for path in sorted((data_dir / "ntrex").glob("newstest2019.*.txt")):
        lines += path.read_text(encoding="utf-8").splitlines()[:60]
    broken = []
    for encoding in ("latin-1", "windows-1252", "windows-1251", "macroman"):
        for line in lines:
            try:
                broken.append(line.encode().decode(encoding))
            except UnicodeDecodeError:
                continue
    mended = np.array([ftfy.fix_encoding(text) != text for text in broken])
    assert mended.sum() > 200
    assert looks(broken)[0][mended].all()
    clean = looks(lines)[0]
    assert clean.mean() < 0.5  # else it is no quick look


def test_a_quick_look_sees_every_mixture_of_suspects() -> None:
    import random

    import ftfy

    chance = random.Random(0)
    suspects = [*map(chr, range(0x80, 0x180)), *"‚ƒ„…†‡‰‹‘’“”•–—›€™√≈≤≥ВГРСвЂαΓ aZ1-."]
    texts = ["".join(chance.choices(suspects, k=chance.randrange(1, 5))) for _ in range(20_000)]
    mended = np.array([ftfy.fix_encoding(text) != text for text in texts])
    assert mended.sum() > 1000
    assert looks(texts)[0][mended].all()
