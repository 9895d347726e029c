"""Quality: thresholds are the language's own, and planted rubbish lies outside of them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlingua.corpus.quality import (
    MEASURES,
    QualityRules,
    described,
    fences,
    measure,
    outside,
)
from interlingua.corpus.tokens import hash_tokens
from interlingua.languages.paths import language_of_path
from interlingua.languages.segmentation import unit_of

RULES = QualityRules(min_documents=200)
NAMES = [one.name for one in MEASURES]


def measured(texts: list[str]) -> np.ndarray:
    return measure(texts, hash_tokens(texts))


def reasons(texts: list[str], limits: np.ndarray) -> list[str]:
    return [NAMES[place] if place >= 0 else "" for place in outside(measured(texts), limits)]


@pytest.fixture(scope="module")
def paragraphs(data_dir: Path) -> dict[str, list[str]]:
    """Texts of four lines in every language of NTREX."""
    made = {}
    for path in sorted((data_dir / "ntrex").glob("newstest2019.*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        tag = language_of_path(path)
        assert tag is not None
        made[tag] = ["\n".join(lines[start : start + 4]) for start in range(0, len(lines) - 4, 4)]
    return made


def test_a_clean_language_loses_next_to_nothing(paragraphs: dict[str, list[str]]) -> None:
    for tag, texts in paragraphs.items():
        limits = fences(measured(texts), RULES)
        assert limits is not None
        dropped = sum(reason != "" for reason in reasons(texts, limits))
        assert dropped <= len(texts) * 0.02, tag


def test_rubbish_is_outside_of_every_language(paragraphs: dict[str, list[str]]) -> None:
    chance = random.Random(0)
    for tag, texts in paragraphs.items():
        sample = texts[0]
        digits = " ".join(str(chance.randrange(10**6)) for _ in range(60))
        rubbish = {
            "few letters": ["|-+-|-+-|" * 30, digits],
            "repeated tokens": [f"{texts[1]} " * 8],
            "repeated lines": [(sample.split("\n")[0][:40] + "\n") * 40],
            "odd word lengths": [
                " ".join(sample) if unit_of(tag) == "character" else "".join(sample.split())
            ],
        }
        limits = fences(measured(texts), RULES)
        assert limits is not None
        for name, planted in rubbish.items():
            assert all(reasons(planted, limits)), (tag, name)


def test_what_is_common_in_a_language_is_no_fault_of_it(paragraphs: dict[str, list[str]]) -> None:
    """Chinese has few blanks, and whoever writes in capitals all the time is right to."""
    english = fences(measured(paragraphs["eng_Latn"]), RULES)
    assert english is not None
    chinese = reasons(paragraphs["zho_Hans"], english)
    assert (
        sum(reason != "" for reason in chinese) > len(chinese) / 2
    )  # English fences would do harm
    shouted = [text.upper() for text in paragraphs["eng_Latn"]]
    own = fences(measured(shouted), RULES)
    assert own is not None
    assert sum(reason != "" for reason in reasons(shouted, own)) <= len(shouted) * 0.02
    assert set(reasons(shouted, english)) == {"many capitals"}


def test_few_documents_have_no_fences() -> None:
    assert fences(measured(["a text"] * 199), RULES) is None
    assert fences(measured([]), RULES) is None
    assert described(None) is None


def test_fences_by_hand() -> None:
    measures = np.zeros((1000, len(MEASURES)), np.float32)
    measures[:, 1] = np.linspace(0.1, 0.3, 1000)  # digits: median 0.2, ninetieth percentile 0.28
    limits = fences(measures, QualityRules(reach=4))
    assert limits is not None
    assert limits[1, 1] == pytest.approx(0.2 + 4 * 0.08, abs=1e-3)
    assert limits[1, 0] == -np.inf
    assert limits[2, 1] == pytest.approx(MEASURES[2].least)  # all alike: the least distance
    told = described(limits)
    assert told is not None
    assert told["many digits"] == [None, pytest.approx(0.52, abs=1e-3)]


def test_measures_by_hand() -> None:
    found = dict(zip(NAMES, measured(["AB cd 12!?"])[0].tolist(), strict=True))
    assert found["few letters"] == pytest.approx(1 - 4 / 28)
    assert found["many digits"] == pytest.approx(2 / 28)
    assert found["many signs"] == pytest.approx(2 / 28)
    assert found["many capitals"] == pytest.approx(2 / 24)
    assert found["odd word lengths"] == pytest.approx(np.log1p(2))
    assert found["short lines"] == pytest.approx(np.log1p(8))
    repeated = measured(["a b c a b c a b c\nx\nx\nx"])[0]
    assert repeated[NAMES.index("repeated tokens")] == pytest.approx(4 / 30)
    assert repeated[NAMES.index("repeated lines")] == pytest.approx(0.5)


@settings(deadline=None)
@given(st.lists(st.text(max_size=50), max_size=8))
def test_a_text_measures_the_same_in_any_company(texts: list[str]) -> None:
    together = measured(texts)
    assert together.shape == (len(texts), len(MEASURES))
    assert np.isfinite(together).all()
    for place, text in enumerate(texts):
        assert together[place].tolist() == pytest.approx(measured([text])[0].tolist())
