"""Questions made from contexts: what is asked about stands there, and asking costs no labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interlingua.languages.segmentation import close_unspaced, cut_unspaced
from interlingua.tasks.cloze import cloze_questions
from interlingua.tasks.questions import Question

CONTEXTS = {
    "eng_Latn": "The old bridge over the river was built by Anna Keller in 1871. It was closed for "
    "the winter. Every spring the people of the village walk over it to the market in Oberdorf.",
    "zho_Hans": "这座旧桥由安娜建造于一八七一年横跨河流。冬天关闭。"
    "每年春天村民们都会走过它前往市场买东西。",
    "arb_Arab": "بنت آنا كيلر الجسر القديم فوق النهر في عام 1871 قرب السوق الكبير. يغلق في الشتاء.",
}


def rows_of(lang: str, count: int = 40) -> list[Question]:
    context, question = CONTEXTS[lang], "Who built the bridge?"
    return [
        Question(str(i), str(i), question, context, (), "1", lang, "", Path("q.json"), 1)
        for i in range(count)
    ]


@pytest.mark.parametrize("lang", CONTEXTS)
def test_an_answer_stands_where_it_says_and_the_question_is_of_what_stands_around(
    lang: str,
) -> None:
    made = cloze_questions(rows_of(lang), 40, np.random.default_rng(0))
    assert len(made) > 20
    for row in made:
        (gold,) = row.answers
        assert gold.start is not None
        assert row.span == (gold.start, gold.start + len(gold.text))
        assert row.context[slice(*row.span)] == gold.text
        assert row.lang == lang
        known = set(cut_unspaced(row.context.replace(".", " ").replace("。", " ")).split())
        words = cut_unspaced(row.question.removesuffix("?")).split()
        assert len(words) >= 4
        assert set(words) <= known
    assert len({row.id for row in made}) == len(made)
    assert len({(row.question, row.answers) for row in made}) > 10


def test_the_same_seed_makes_the_same_questions() -> None:
    first, second, other = (
        cloze_questions(rows_of("eng_Latn"), 30, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_as_many_as_are_asked_for_at_most_and_none_of_a_text_that_is_too_short() -> None:
    rows = rows_of("eng_Latn", 3)
    assert cloze_questions(rows, 0, np.random.default_rng(0)) == []
    assert 3 < len(cloze_questions(rows, 12, np.random.default_rng(0))) <= 12
    assert cloze_questions([], 5, np.random.default_rng(0)) == []
    short = [
        Question("1", "1", "Who?", "Anna, in 1871.", (), "1", "eng_Latn", "", Path("q.json"), 1)
    ]
    assert cloze_questions(short, 5, np.random.default_rng(0)) == []


def test_cutting_and_closing_are_inverse() -> None:
    text = "北京 is 首都"
    assert close_unspaced(" ".join(cut_unspaced(text).split())) == text
