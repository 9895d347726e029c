"""Sentences and terminal tables say what the scorecard says."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from scorecard_toys import answers, card_of

from interlingua.evaluation.compare import compare
from interlingua.evaluation.table import ROWS, bar, print_comparison, print_scorecard
from interlingua.evaluation.words import between, headline, points, script_name, signed
from interlingua.languages import known


def printed(show, thing, *, width=100, **options):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(thing, console, **options)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("langs", "sources", "start", "end"),
    [
        (["eng_Latn", "deu_Latn", "fra_Latn"], ["eng_Latn"],
         "Taught in English, tested in 3 languages: ", "% on average in the 2 others."),
        (["eng_Latn", "deu_Latn"], ["eng_Latn"],
         "Taught in English, tested in 2 languages: ", "% in German."),
        (["eng_Latn"], ["eng_Latn"],
         "Taught and tested in English: ", "% right."),
        (["deu_Latn"], ["eng_Latn"],
         "Taught in English, tested in German: ", "% right in German."),
        (["deu_Latn", "fra_Latn"], [],
         "Taught in languages unknown, tested in 2 languages: ", "% right on average."),
        (["deu_Latn", "fra_Latn"], ["fra_Latn", "deu_Latn"],
         "Taught in German and French, tested in 2 languages: ",
         "% right on average in the 2 taught."),
    ],
)  # fmt: skip
def test_the_headline_is_a_plain_sentence(langs, sources, start, end):
    sentence = headline(card_of(answers(langs), source_languages=sources))
    assert sentence.startswith(start)
    assert sentence.endswith(end)


def test_the_headline_names_a_metric_that_is_not_a_share():
    sentence = headline(card_of(answers(["eng_Latn", "deu_Latn"]), metric="macro_f1"))
    assert ": macro-F1 " in sentence
    assert "%" not in sentence


def test_figures_in_words():
    assert points(0.8134) == "81.3"
    assert points(None) == "–"
    assert points(-0.0001) == "0.0"
    assert [signed(x) for x in (0.015, -0.2, 0.0, 0.0001, None)] == [
        "+1.5", "−20.0", "0.0", "0.0", "–",
    ]  # fmt: skip
    assert between((0.1, 0.25)) == "10.0 to 25.0"
    assert between(None) == "–"
    assert script_name("Latn") == "Latin"
    assert script_name("no script") == "no script"


def test_bars_of_characters():
    assert bar(0) == " " * 10
    assert bar(1) == "█" * 10
    assert bar(0.5) == "█" * 5 + " " * 5
    assert len({len(bar(i / 100)) for i in range(101)}) == 1


def test_the_table_shows_every_language_best_first():
    langs = ["eng_Latn", "deu_Latn", "arb_Arab", "amh_Ethi"]
    card = card_of(answers(langs))
    shown = printed(print_scorecard, card)
    ordered = sorted(langs, key=lambda tag: (-card.per_language[tag].score, tag))
    places = [shown.index(tag) for tag in ordered]
    assert places == sorted(places)
    assert f"zero-shot mean {points(card.summary.zero_shot_mean)}" in shown
    assert "left out" not in shown


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_table_fits_the_terminal(width):
    card = card_of(answers(["eng_Latn", "deu_Latn", "arb_Arab"]))
    shown = printed(print_scorecard, card, width=width)
    rows = [line for line in shown.splitlines() if "_Latn" in line]
    assert len(rows) == 2
    assert all(len(line) <= width for line in shown.splitlines())
    for tag in ("eng_Latn", "deu_Latn"):
        row = next(line for line in rows if tag in line)
        assert points(card.per_language[tag].score) in row
        assert between(card.per_language[tag].ci) in row


def test_a_long_table_shows_the_best_and_the_worst_and_says_so():
    tags = [language.tag for language in known()][:100]
    card = card_of(answers(tags, rows=12, spread=3.0), resamples=20)
    short, full = printed(print_scorecard, card), printed(print_scorecard, card, full=True)
    count = len(card.per_language)
    assert f"{count - ROWS} languages left out" in short
    assert card.summary.worst_language in short
    assert sum(tag in short for tag in card.per_language) == ROWS
    assert sum(tag in full for tag in card.per_language) == count


def test_a_comparison_in_the_terminal(save):
    langs = ["eng_Latn", "deu_Latn", "arb_Arab"]
    a = save("a", answers(langs, skill=3.0), model="first")
    b = save("b", answers(langs, skill=3.0), model="second")
    shown = printed(print_comparison, compare(a, b, resamples=50))
    assert "180 rows paired in 3 languages" in shown
    assert "first" in shown
    assert "second" in shown
    assert "better in 0 and worse in 0" in shown
    assert all(tag in shown for tag in langs)
