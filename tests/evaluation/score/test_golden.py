"""What the official scripts printed, and the same from us."""

from __future__ import annotations

import json

import pytest

from interlingua.evaluation.score.run import document, score


def same(official, ours, place=""):
    """Compare every figure; below the top the keys are the same, too."""
    if isinstance(official, dict):
        assert official.keys() <= ours.keys() if not place else official.keys() == ours.keys()
        for key, value in official.items():
            same(value, ours[key], f"{place}/{key}")
    else:
        assert ours == pytest.approx(official, rel=0, abs=1e-9), place


def test_xtreme(data_dir):
    golden = data_dir / "golden" / "xtreme"
    official = json.loads((golden / "official.json").read_text())
    report = score("xtreme", predictions=golden / "predictions", labels=golden / "labels")
    ours = document(report)
    same(official, ours)
    assert ours["missing"] == [] == list(ours["partial"])
    assert ours["remarks"] == ["mewslix/ is no task of xtreme, left out"]


@pytest.mark.parametrize(("suite", "key"), [("xquad", "squad"), ("mlqa", "mlqa")])
def test_questions(data_dir, suite, key):
    golden = data_dir / "golden" / "qa"
    official = json.loads((golden / "official.json").read_text())
    ours = document(score(suite, predictions=golden, labels=data_dir / "xquad"))
    for lang, scores in official.items():
        for metric, value in scores[key].items():
            assert ours[metric][lang] == value
        alone = score(
            suite,
            predictions=golden / f"predictions.{lang}.json",
            labels=data_dir / "xquad" / f"xquad.{lang}.json",
        )
        assert document(alone).items() >= {**scores[key], "lang": lang}.items()
    assert "avg_f1" not in ours  # languages lack
    assert set(ours["partial"][suite]["languages"]) == set(official)


@pytest.mark.parametrize("suite", ["panx", "udpos", "masakhaner"])
def test_published_labels_are_perfect_predictions(data_dir, suite):
    report = score(suite, predictions=data_dir / suite, labels=data_dir / suite)
    assert report.tasks[0].main == 100
    assert len(report.tasks[0].measured) >= 2
