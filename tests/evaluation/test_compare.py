"""Comparisons: zero against oneself, opposite when turned round, refused when unequal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scorecard_toys import answers

from interlingua.base.errors import DataError, UserError
from interlingua.evaluation.compare import compare
from interlingua.evaluation.results import LanguageResult

LANGS = ["eng_Latn", "deu_Latn", "arb_Arab", "amh_Ethi"]


def changed(results, share, seed=1, langs=None):
    """The same rows with a share of the answers put right."""
    rng = np.random.default_rng(seed)
    better = []
    for r in results:
        fixed = (rng.random(len(r.ids)) < share) & (langs is None or r.lang in langs)
        right = np.eye(r.probabilities.shape[1])[r.gold]
        probabilities = np.where(fixed[:, None], right, r.probabilities)
        better.append(LanguageResult(r.lang, r.ids, r.gold, probabilities))
    return better


def only(results, *langs):
    return [r for r in results if r.lang in langs]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_card_does_not_differ_from_itself(save, metric):
    folder = save("a", answers(LANGS), metric=metric)
    found = compare(folder, folder / "scorecard.json", resamples=300)
    for difference in [*found.per_language.values(), found.overall, found.zero_shot]:
        assert difference.difference == 0
        assert difference.ci == (0, 0)
        assert difference.p == 1
    assert found.rows == 240
    assert found.parallel


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_turned_round_it_is_the_opposite(save, metric):
    results = answers(LANGS)
    a, b = save("a", results, metric=metric), save("b", changed(results, 0.1), metric=metric)
    there, back = compare(a, b, resamples=500), compare(b, a, resamples=500)
    for lang in LANGS:
        one, other = there.per_language[lang], back.per_language[lang]
        assert one.difference == pytest.approx(-other.difference)
        assert one.ci[0] <= one.difference <= one.ci[1]
        assert one.a == other.b
        assert one.p_holm >= one.p


def test_a_model_that_is_better_is_found_better(save):
    results = answers(LANGS, rows=200)
    a, b = save("a", results), save("b", changed(results, 0.5, langs=["arb_Arab", "amh_Ethi"]))
    found = compare(a, b, resamples=1000)
    for lang in ("arb_Arab", "amh_Ethi"):
        assert found.per_language[lang].p_holm < 0.05
        assert found.per_language[lang].ci[0] > 0
    assert found.per_language["deu_Latn"].p == 1
    assert found.overall.ci[0] > 0
    assert found.overall.difference == pytest.approx(
        np.mean([d.difference for d in found.per_language.values()])
    )
    assert found.zero_shot.languages == ("amh_Ethi", "arb_Arab", "deu_Latn")


def test_figures_are_those_of_the_scorecards(save):
    results = answers(LANGS)
    a, b = save("a", results), save("b", changed(results, 0.2))
    found = compare(a, b, resamples=50)
    for folder, name in ((a, "a"), (b, "b")):
        card = json.loads((folder / "scorecard.json").read_text())
        for lang in LANGS:
            score = card["per_language"][lang]["score"]
            assert getattr(found.per_language[lang], name) == pytest.approx(score)


def test_pairing_is_by_id_and_not_by_line(save):
    results = answers(LANGS)
    a, b = save("a", results), save("b", changed(results, 0.3))
    before = compare(a, b, resamples=200)
    file = b / "predictions.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(reversed(lines)), encoding="utf-8")
    assert compare(a, b, resamples=200) == before


def test_the_order_of_labels_does_not_matter(save):
    results = answers(LANGS)
    turned = [LanguageResult(r.lang, r.ids, 2 - r.gold, r.probabilities[:, ::-1]) for r in results]
    a = save("a", results, labels=("x", "y", "z"))
    b = save("b", turned, labels=("z", "y", "x"))
    assert compare(a, b, resamples=50).overall.difference == 0


def test_languages_that_only_one_has_are_named_and_left_out(save):
    results = answers(LANGS)
    a = save("a", only(results, "eng_Latn", "deu_Latn"))
    b = save("b", only(results, "deu_Latn", "amh_Ethi"))
    found = compare(a, b, resamples=50)
    assert list(found.per_language) == ["deu_Latn"]
    assert (found.only_a, found.only_b) == (("eng_Latn",), ("amh_Ethi",))
    assert found.rows == 60
    with pytest.raises(UserError, match="share no language"):
        compare(a, save("c", only(results, "amh_Ethi")))


def renamed(results):
    return [
        LanguageResult(r.lang, [f"{i}x" for i in r.ids], r.gold, r.probabilities) for r in results
    ]


def regraded(results):
    return [LanguageResult(r.lang, r.ids, (r.gold + 1) % 3, r.probabilities) for r in results]


@pytest.mark.parametrize(
    ("change", "facts", "reason"),
    [
        (list, {"task": "sentiment"}, "different tasks: 'topic' and 'sentiment'"),
        (list, {"metric": "macro_f1"}, "different metrics: 'accuracy' and 'macro_f1'"),
        (list, {"labels": ("health", "politics", "war")}, "only the first has 'sports'"),
        (renamed, {}, "ids of amh_Ethi do not match: 120 rows"),
        (regraded, {}, "two different gold labels"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_remedy(save, change, facts, reason):
    results = answers(LANGS)
    a, b = save("a", results), save("b", change(results), **facts)
    with pytest.raises(UserError, match=reason) as told:
        compare(a, b)
    assert told.value.remedy
    assert "\n" not in str(told.value)


def rewrite(folder, change):
    file = folder / "predictions.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in change(rows)), encoding="utf-8")


def test_the_same_ids_over_other_texts_are_refused(save):
    results = answers(LANGS)
    a, b = save("a", results), save("b", results)
    rewrite(b, lambda rows: [{**row, "text": "another"} for row in rows])
    with pytest.raises(UserError, match="has two texts"):
        compare(a, b)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows[:-1], "does not give the scorecard's figures"),
        (lambda rows: [{**row, "label": row["gold"]} for row in rows], "does not give"),
        (lambda rows: [*rows, rows[0]], "line 241: id '0' stands twice in eng_Latn"),
        (lambda rows: [{**rows[0], "label": "war"}, *rows[1:]], "line 1: 'war'"),
        (lambda rows: [{}, *rows], "line 1: 'id' is missing"),
        (lambda rows: ["text", *rows], "line 1: is not a prediction"),
    ],
)
def test_predictions_that_are_not_the_scorecards_are_refused(save, change, reason):
    results = answers(LANGS)
    a, b = save("a", results), save("b", results)
    rewrite(b, change)
    with pytest.raises(DataError, match=reason):
        compare(a, b)


def test_missing_predictions_say_where_they_belong(save):
    a = save("a", answers(LANGS))
    (a / "predictions.jsonl").unlink()
    with pytest.raises(DataError, match=r"beside its scorecard\.json"):
        compare(a, a)


def test_a_comparison_is_json_and_the_same_for_the_same_seed(save):
    results = answers(LANGS)
    a, b = save("a", results), save("b", changed(results, 0.1))
    one, two = (compare(a, b, resamples=100, seed=3).model_dump_json() for _ in range(2))
    assert one == two
    assert json.loads(one)["per_language"]["deu_Latn"].keys() == {
        "n", "a", "b", "difference", "ci", "p", "p_holm",
    }  # fmt: skip
