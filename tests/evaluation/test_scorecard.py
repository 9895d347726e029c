"""The scorecard: its keys, its figures, and that it is the same however it is made."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scorecard_toys import LABELS, answers, card_of, predictions_of

from interlingua.base.errors import DataError, LanguageError, NonFiniteError, UnknownNameError
from interlingua.evaluation.results import LanguageResult
from interlingua.evaluation.scorecard import read, write
from interlingua.languages import parse
from interlingua.tasks.metrics.classification import accuracy, macro_f1

LANGS = ["eng_Latn", "deu_Latn", "arb_Arab", "amh_Ethi", "quy_Latn", "jpn_Jpan"]


def document(card):
    return json.loads(json.dumps(card.model_dump(mode="json"), allow_nan=False))


def test_the_keys_are_those_of_the_design():
    card = document(card_of(answers(LANGS)))
    design = {
        "task", "metric", "model", "source_languages", "per_language", "summary", "data", "seed",
        "created",
    }  # fmt: skip
    assert design <= card.keys()
    beside = {
        "split", "labels", "summary_ci", "breakdown", "calibration", "coverage", "classes",
        "languages", "bootstrap", "notes", "seeds",
        "checkpoint",
    }  # fmt: skip
    assert card.keys() - design == beside
    assert set(card["per_language"]) == set(LANGS)
    for result in card["per_language"].values():
        assert list(result) == ["n", "score", "ci", "metrics", "average_precision_ci"]
        assert len(result["ci"]) == 2
    assert list(card["summary"]) == [
        "source", "zero_shot_mean", "transfer_gap", "worst_language", "worst", "low_resource_mean",
    ]  # fmt: skip
    assert card["data"] == [
        {"path": "test.tsv", "sha256": "0" * 64, "rows": 60, "rows_outside_task": 0}
    ]
    assert set(card["breakdown"]) == {"script", "family", "resource"}
    assert set(card["summary_ci"]) == set(card["summary"]) - {"worst_language"}


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_figures_are_the_metrics_of_the_rows(metric):
    results = answers(LANGS)
    card = card_of(results, metric=metric)
    for result in results:
        found = card.per_language[result.lang]
        plain = {
            "accuracy": accuracy(result.gold, result.predicted),
            "macro_f1": macro_f1(result.gold, result.predicted, classes=3),
        }
        assert found.metrics == plain
        assert found.score == plain[metric]
        assert found.n == 60
        assert found.ci[0] <= found.score <= found.ci[1]
        reports = card.classes[result.lang]
        assert list(reports) == list(LABELS)
        assert sum(report.support for report in reports.values()) == 60


def test_the_summary_is_made_of_the_scores():
    card = card_of(answers(LANGS, spread=2.0))
    scores = {lang: found.score for lang, found in card.per_language.items()}
    others = [lang for lang in LANGS if lang != "eng_Latn"]
    summary, intervals = card.summary, card.summary_ci
    assert summary.source == scores["eng_Latn"]
    assert summary.zero_shot_mean == pytest.approx(np.mean([scores[lang] for lang in others]))
    assert summary.transfer_gap == pytest.approx(summary.source - summary.zero_shot_mean)
    assert summary.worst == min(scores.values()) == scores[summary.worst_language]
    low = [scores[lang] for lang in LANGS if parse(lang).low_resource]
    assert low, "the test needs a low-resource language"
    assert summary.low_resource_mean == pytest.approx(np.mean(low))
    for name in type(intervals).model_fields:
        low_end, high_end = getattr(intervals, name)
        assert low_end <= getattr(summary, name) <= high_end
    assert card.bootstrap.parallel


def test_the_worst_of_equals_is_the_first_by_tag():
    gold = np.array([0, 1])
    same = np.array([[0.9, 0.1], [0.9, 0.1]], dtype=np.float32)
    results = [LanguageResult(lang, ["a", "b"], gold, same) for lang in ("fra_Latn", "deu_Latn")]
    assert card_of(results, labels=["no", "yes"]).summary.worst_language == "deu_Latn"


def test_groups_hold_every_language_not_taught_once():
    card = card_of(answers(LANGS))
    for groups in card.breakdown.values():
        members = [lang for group in groups.values() for lang in group.languages]
        assert sorted(members) == sorted(lang for lang in LANGS if lang != "eng_Latn")
        total = math.fsum(group.mean * len(group.languages) for group in groups.values())
        assert total / len(members) == pytest.approx(card.summary.zero_shot_mean)
        for group in groups.values():
            assert group.ci[0] <= group.mean <= group.ci[1]
            assert group.gap == pytest.approx(card.summary.source - group.mean)
    assert card.breakdown["script"]["Jpan"].languages == ("jpn_Jpan",)


def test_coverage_by_hand():
    card = card_of(answers(LANGS, coverage=True))
    found = card.coverage["deu_Latn"]
    assert (found.unknown_rate, found.tokens_per_character, found.truncated) == (0.025, 0.4, 0.25)
    assert not any(place.startswith("coverage") for place in card.notes)


def test_calibration_says_how_sure_the_model_is():
    results = answers(LANGS)
    card = card_of(results)
    for result in results:
        found = card.calibration[result.lang]
        assert found.confidence == pytest.approx(result.probabilities.max(axis=1).mean(), abs=1e-6)
        assert 0 <= found.ece <= 1


def test_the_same_seed_gives_the_same_bytes_whatever_the_order(tmp_path):
    results = answers(LANGS)
    order = np.random.default_rng(0).permutation(60)
    shuffled = [
        LanguageResult(r.lang, [r.ids[i] for i in order], r.gold[order], r.probabilities[order])
        for r in reversed(results)
    ]
    bytes_of = {}
    for name, given in (("plain", results), ("again", results), ("shuffled", shuffled)):
        write(tmp_path / name, card_of(given), predictions_of(results))
        bytes_of[name] = [file.read_bytes() for file in sorted((tmp_path / name).iterdir())]
    assert bytes_of["plain"] == bytes_of["again"]
    assert card_of(results) == card_of(results[::-1])
    plain, other = card_of(results), card_of(shuffled)
    assert plain.summary_ci == other.summary_ci
    assert plain.per_language == other.per_language
    assert card_of(results, seed=1).summary_ci != plain.summary_ci


def test_what_cannot_be_said_is_null_with_a_reason():
    card = card_of(answers(["deu_Latn", "fra_Latn"]))
    assert card.summary.source is None is card.summary.transfer_gap
    assert card.summary_ci.source is None is card.summary_ci.transfer_gap
    assert card.notes["summary.transfer_gap"] == "no language taught was tested"
    assert "summary.low_resource_mean" in card.notes

    card = card_of(answers(["eng_Latn"]))
    assert card.summary.source == card.summary.worst
    assert card.summary.zero_shot_mean is None is card.summary.transfer_gap
    assert card.notes["summary.zero_shot_mean"] == "every language tested was taught"
    assert card.breakdown["script"]["Latn"].languages == ("eng_Latn",)
    assert "coverage.eng_Latn" in card.notes


def test_average_precision_is_there_for_two_labels_and_null_without_a_positive_row():
    results = answers(["eng_Latn", "deu_Latn"], classes=2)
    card = card_of(results, labels=["no", "yes"])
    assert 0 < card.per_language["deu_Latn"].metrics["average_precision"] <= 1
    all_negative = LanguageResult(
        "fra_Latn", results[0].ids, np.zeros(60, dtype=int), results[0].probabilities
    )
    card = card_of([*results, all_negative], labels=["no", "yes"])
    assert card.per_language["fra_Latn"].metrics["average_precision"] is None
    why = card.notes["per_language.fra_Latn.metrics.average_precision"]
    assert why == "no row is labelled yes"
    assert card.classes["fra_Latn"]["yes"].recall is None
    assert "classes" in card.notes
    document(card)  # refuses NaN


def test_the_undetermined_language_has_a_row():
    card = card_of(answers(["eng_Latn", "und"]))
    assert card.per_language["und"].n == 60
    assert card.languages["und"].script == "Zzzz"
    assert card.summary.zero_shot_mean == card.per_language["und"].score


def test_spellings_of_a_language_meet():
    card = card_of(answers(["eng_Latn", "deu_Latn"]), source_languages=["en"])
    assert card.source_languages == ("eng_Latn",)
    assert card.languages["eng_Latn"].taught
    with pytest.raises(LanguageError):
        card_of(answers(["eng_Latn"]), source_languages=["no such language"])


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownNameError, match="accuracy"):
        card_of(answers(["eng_Latn"]), metric="acuracy")


def test_results_that_cannot_be_scored_are_refused():
    gold, ids = np.array([0, 1]), ["a", "b"]
    probabilities = np.array([[0.5, 0.5], [0.5, np.nan]])
    with pytest.raises(NonFiniteError, match="1 of 2 rows of deu_Latn, first 'b'"):
        LanguageResult("deu_Latn", ids, gold, probabilities)
    with pytest.raises(DataError, match="id 'a' stands more than once"):
        LanguageResult("deu_Latn", ["a", "a"], gold, np.full((2, 2), 0.5))
    with pytest.raises(DataError, match="no rows of deu_Latn"):
        LanguageResult("deu_Latn", [], gold[:0], np.zeros((0, 2)))


def test_a_card_survives_the_disk(save):
    results = answers(LANGS, coverage=True)
    folder = save("out", results)
    assert read(folder) == read(folder / "scorecard.json") == card_of(results)
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 60 * len(LANGS)
    assert (folder / "scorecard.html").is_file()


def test_other_files_in_the_folder_are_left_alone(save, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rejected.jsonl").write_text("{}\n")
    folder = save("out", answers(LANGS))
    assert len(list(folder.iterdir())) == 4


def test_a_write_that_fails_leaves_the_old_scorecard_whole(save):
    results = answers(LANGS)
    folder = save("out", results)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def breaks():
        yield next(predictions_of(results))
        raise RuntimeError("the model died")

    with pytest.raises(RuntimeError):
        write(folder, card_of(results, seed=7), breaks())
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_texts_that_are_not_quite_text_can_be_written(tmp_path):
    card = card_of(answers(["eng_Latn"]), model="bad \ud800 <name>")
    write(tmp_path, card, [{"text": "half \udc00 of a pair"}, {"text": "ትንሽ"}])
    lines = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["text"] == "half \udc00 of a pair"
    assert "ትንሽ" in lines[1]
    assert read(tmp_path).model == card.model


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[1]", "is not a scorecard"),
        ('{"task": "topic"}', "is not a scorecard"),
        ("\x00\xff", "is not JSON"),
    ],
)
def test_a_file_that_is_no_scorecard_is_told_in_one_line(tmp_path, content, reason):
    file = tmp_path / "scorecard.json"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=reason) as told:
        read(file)
    assert "\n" not in str(told.value)
    assert str(file) in str(told.value)
    assert "interlingua evaluate" in str(told.value)


@pytest.mark.parametrize("change", ["extra", "nan", "score"])
def test_a_card_that_was_tampered_with_is_refused(save, change):
    folder = save("out", answers(LANGS))
    card = json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))
    if change == "extra":
        card["surprise"] = 1
    elif change == "nan":
        card["summary"]["source"] = math.nan
    else:
        card["per_language"]["deu_Latn"]["score"] = 81.3
    (folder / "scorecard.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(DataError, match="is not a scorecard"):
        read(folder)
