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


def tagged_card(folder, texts):
    """A tagger's card and predictions; of each language sentences with right and found tags."""
    from interlingua.evaluation.measured import build_measured
    from interlingua.evaluation.scorecard import write
    from interlingua.evaluation.tagged import measured

    results = {
        lang: measured([gold for gold, _ in rows], [tags for _, tags in rows], bio=True)
        for lang, rows in texts.items()
    }
    card = build_measured(
        results, task="ner", metric="span_f1", model="toy", data=[], split="test", seed=0,
        resamples=50,
    )  # fmt: skip
    lines = (
        {"id": str(i), "lang": lang, "tokens": ["w"] * len(gold), "gold": gold, "tags": tags}
        for lang, rows in texts.items()
        for i, (gold, tags) in enumerate(rows)
    )
    write(folder, card, lines)
    return folder


def sentences(seed, rows=80):
    rng = np.random.default_rng(seed)
    return [rng.choice(["B-PER", "I-PER", "B-LOC", "O"], 6).tolist() for _ in range(rows)]


def test_taggers_are_compared_by_the_spans_of_their_sentences(tmp_path):
    gold, other = sentences(0), sentences(1)
    half = [g if i % 2 else o for i, (g, o) in enumerate(zip(gold, other, strict=True))]
    texts = {"a": other, "b": half, "c": gold}
    folders = {
        name: tagged_card(
            tmp_path / name,
            {"deu_Latn": list(zip(gold, tags, strict=True)), "jpn_Jpan": [(gold[0], gold[0])]},
        )
        for name, tags in texts.items()
    }
    from interlingua.tasks.metrics.spans import span_counts, span_scores

    found = compare(folders["a"], folders["b"], resamples=500)
    german = found.per_language["deu_Latn"]
    scores = [span_scores(span_counts(gold, tags)).f1 for tags in (other, half)]
    assert (german.a, german.b) == pytest.approx(scores)
    assert german.p < 0.05 and german.ci[0] > 0
    assert found.per_language["jpn_Jpan"].difference == 0
    assert found.rows == 81
    same = compare(folders["b"], folders["b"], resamples=100)
    assert same.overall.ci == (0, 0) and same.overall.p == 1
    assert compare(folders["a"], folders["c"], resamples=100).per_language["deu_Latn"].b == 1


def answered_card(folder, rows):
    """A reader's card and predictions: of each question its language, answer and right answers."""
    from pathlib import Path

    from interlingua.evaluation.answered import _measured, _predictions
    from interlingua.evaluation.measured import build_measured
    from interlingua.evaluation.scorecard import write
    from interlingua.tasks.questions import Gold, Question, Questions
    from interlingua.tasks.spans import Answer

    questions = [
        Question(
            str(i),
            str(i),
            f"What is {i}?",
            right,
            (Gold(right, 0),),
            "p",
            lang,
            asked,
            Path("x"),
            1,
        )
        for i, (lang, asked, right, _) in enumerate(rows)
    ]
    answers = [Answer(found, 0, len(found), 1.0) for *_, found in rows]
    results = {}
    for lang in {row.lang for row in questions}:
        own = [i for i, row in enumerate(questions) if row.lang == lang]
        results[lang] = _measured(lang, [questions[i] for i in own], [answers[i] for i in own])
    card = build_measured(
        results, task="qa", metric="f1", model="toy", data=[], split="test", seed=0, resamples=50
    )
    write(folder, card, _predictions(Questions(questions), answers))
    return folder


def test_readers_are_compared_by_the_rule_their_card_was_scored_by(tmp_path):
    """MLQA drops a German article, SQuAD does not: so F1 of the first answer is 1, or 2/3."""
    rows = [("deu_Latn", "", "der Turm", "Turm"), ("deu_Latn", "", "Rom", "Bonn")]
    for asked, expected in (("", (2 / 3 + 0) / 2), ("eng_Latn", (1 + 0) / 2)):
        told = [(lang, asked, right, found) for lang, _, right, found in rows]
        perfect = [(lang, asked, right, right) for lang, _, right, _ in rows]
        a = answered_card(tmp_path / f"a{asked}", told)
        b = answered_card(tmp_path / f"b{asked}", perfect)
        found = compare(a, b, resamples=200).per_language["deu_Latn"]
        assert (found.n, found.a, found.b) == (2, pytest.approx(expected), 1)
        assert 0 <= found.ci[0] <= found.difference <= found.ci[1] <= 1


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda row: {**row, "tags": row["gold"]}, DataError, "does not give"),
        (lambda row: {**row, "tags": row["tags"][1:]}, DataError, "line 1: is not a prediction"),
        (lambda row: {**row, "tokens": ["v"] * 6}, UserError, "has two texts"),
        (lambda row: {k: v for k, v in row.items() if k != "tags"}, DataError, "'tags' is missing"),
    ],
)
def test_tags_that_are_not_the_scorecards_are_refused(tmp_path, change, error, reason):
    rows = {"deu_Latn": list(zip(sentences(0), sentences(1), strict=True))}
    a, b = tagged_card(tmp_path / "a", rows), tagged_card(tmp_path / "b", rows)
    rewrite(b, lambda lines: [change(row) for row in lines])
    with pytest.raises(error, match=reason):
        compare(a, b)


def test_a_task_without_rows_to_score_is_refused(save):
    a = save("a", answers(LANGS), task="mining")
    with pytest.raises(UserError, match="rows of task mining"):
        compare(a, a)
