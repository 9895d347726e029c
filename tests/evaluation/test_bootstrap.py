"""Intervals: do they cover what they should, and do they know what belongs together?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlingua.evaluation.bootstrap import (
    Labelled,
    Sums,
    blocks,
    holm,
    interval,
    mean_with_interval,
    replicates,
    two_sided_p,
)
from interlingua.evaluation.measured import f1_of
from interlingua.tasks.metrics.spans import span_counts, span_scores

RNG = np.random.default_rng


def right_or_wrong(right, ids=None):
    """A sample with accuracy `right.mean()`; class 0 is gold."""
    right = np.atleast_2d(np.asarray(right))
    names = [str(i) for i in range(right.shape[1])] if ids is None else ids
    return labelled(names, np.zeros(right.shape[1], dtype=int), (~right.astype(bool)).astype(int))


def labelled(ids, gold, predicted, metric="accuracy", classes=2):
    return Labelled(ids, gold, predicted, metric=metric, classes=classes)


def draw(samples, *, metric="accuracy", resamples=1000, seed=0, classes=2):
    asked = {lang: replace(s, metric=metric, classes=classes) for lang, s in samples.items()}
    return replicates(asked, resamples=resamples, seed=seed)


@pytest.mark.parametrize("classes", [2, 60])  # few distinct rows are drawn another way than many
def test_spread_is_that_of_the_binomial(classes):
    rng = RNG(1)
    gold = rng.integers(classes, size=400)
    predicted = np.where(rng.random(400) < 0.7, gold, rng.integers(classes, size=400))
    sample = labelled([str(i) for i in range(400)], gold, predicted[None])
    values = draw({"x": sample}, resamples=4000, classes=classes)["x"][0]
    share = (gold == predicted).mean()
    assert values.mean() == pytest.approx(share, abs=0.003)
    assert values.std() == pytest.approx(np.sqrt(share * (1 - share) / 400), rel=0.06)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_ninety_five_percent_of_intervals_hold_the_truth(metric):
    rng, classes, rows, trials = RNG(2), 3, 150, 250
    confusion = np.array([[0.80, 0.15, 0.05], [0.10, 0.75, 0.15], [0.20, 0.10, 0.70]])

    def sampled(count):
        gold = rng.choice(classes, p=[0.5, 0.3, 0.2], size=count)
        predicted = (rng.random(count)[:, None] > confusion[gold].cumsum(axis=1)).sum(axis=1)
        ids = [str(i) for i in range(count)]
        return labelled(ids, gold, predicted[None], metric=metric, classes=classes)

    def point(sample):
        return sample.scores[0]

    truth = point(sampled(1_000_000))
    held = 0
    for trial in range(trials):
        sample = sampled(rows)
        values = draw({"x": sample}, metric=metric, resamples=400, seed=trial, classes=classes)
        low, high = interval(values["x"][0], point(sample))
        held += low <= truth <= high
    assert 0.90 <= held / trials <= 0.985


def parallel_pair(rows=300, seed=3):
    """Two languages in which the same items are hard."""
    rng = RNG(seed)
    hard = rng.random(rows)
    return [rng.random(rows) * 0.2 + hard < level for level in (0.9, 0.8)]


def test_parallel_rows_give_a_narrower_interval_of_the_difference():
    first, second = parallel_pair()
    names = [f"second-{i}" for i in range(len(second))]
    joint = draw({"a": right_or_wrong(first), "b": right_or_wrong(second)})
    apart = draw({"a": right_or_wrong(first), "b": right_or_wrong(second, names)})

    def width(drawn):
        low, high = interval(drawn["a"][0] - drawn["b"][0], first.mean() - second.mean())
        return high - low

    assert width(joint) < 0.6 * width(apart)


def test_parallel_rows_give_a_wider_interval_of_the_mean():
    first, second = parallel_pair()
    names = [f"second-{i}" for i in range(len(second))]
    joint = draw({"a": right_or_wrong(first), "b": right_or_wrong(second)})
    apart = draw({"a": right_or_wrong(first), "b": right_or_wrong(second, names)})
    assert (joint["a"] + joint["b"]).std() > 1.15 * (apart["a"] + apart["b"]).std()


def test_languages_with_the_same_ids_form_a_block():
    rows = [True, False, True]
    same, other = right_or_wrong(rows), right_or_wrong(rows, ["x", "y", "z"])
    reversed_ids = right_or_wrong(rows, ["2", "1", "0"])
    assert blocks({"c": same, "b": other, "a": reversed_ids}) == [["a", "c"], ["b"]]


@pytest.mark.parametrize("parallel", [True, False])
def test_draws_depend_neither_on_the_order_of_languages_nor_of_rows(parallel):
    rng = RNG(4)
    ids = {lang: [f"{'' if parallel else lang}{i}" for i in range(50)] for lang in "abc"}
    right = {lang: rng.random(50) < 0.6 for lang in "abc"}
    plain = draw({lang: right_or_wrong(right[lang], ids[lang]) for lang in "abc"})
    order = rng.permutation(50)
    shuffled = draw(
        {lang: right_or_wrong(right[lang][order], [ids[lang][i] for i in order]) for lang in "cab"}
    )
    for lang in "abc":
        np.testing.assert_array_equal(plain[lang], shuffled[lang])
    other_seed = draw({"a": right_or_wrong(right["a"], ids["a"])}, seed=1)
    assert not np.array_equal(plain["a"], other_seed["a"])


def test_systems_are_paired_within_a_resample():
    right = RNG(5).random((1, 80)) < 0.5
    drawn = draw({"x": right_or_wrong(np.vstack([right, right, ~right]))})["x"]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_allclose(drawn[0] + drawn[2], 1)


def test_resamples_beyond_one_portion_are_all_drawn():
    right = RNG(6).random(9_000) < 0.5
    gold = np.arange(9_000)  # every row distinct: drawn row by row, in portions
    sample = labelled([str(i) for i in range(9_000)], gold, np.where(right, gold, 0)[None])
    values = draw({"x": sample}, resamples=900, classes=9_000)["x"]
    assert values.shape == (1, 900)
    assert values.std() == pytest.approx(np.sqrt(0.25 / 9_000), rel=0.12)


def test_sums_of_resampled_sentences_are_those_of_the_sentences_repeated():
    rng = RNG(10)
    tags = ["B-X", "I-X", "B-Y", "O"]
    gold, other = ([rng.choice(tags, 5).tolist() for _ in range(12)] for _ in range(2))
    counts = span_counts(gold, other)
    of = f1_of(counts, {}, "")
    sums = Sums([str(i) for i in range(12)], of.right[None], of.whole[None])
    assert sums.scores == [pytest.approx(span_scores(counts).f1)]
    times = rng.multinomial(12, np.full(12, 1 / 12), size=20)
    (found,) = sums.resampled(sums.columns, times.astype(np.float32))
    for f1, drawn in zip(found, times, strict=True):
        rows = np.repeat(np.arange(12), drawn)
        repeated = span_counts([gold[i] for i in rows], [other[i] for i in rows])
        assert f1 == pytest.approx(span_scores(repeated).f1)


def test_accuracy_is_a_mean_of_sums_and_spreads_alike():
    right = RNG(11).random((2, 300)) < [[0.6], [0.8]]
    as_labels = draw({"x": right_or_wrong(right)}, resamples=3000)["x"]
    ids = [str(i) for i in range(300)]
    sums = Sums(ids, right.astype(float), np.ones((2, 300)))
    as_sums = replicates({"x": sums}, resamples=3000, seed=1)["x"]
    np.testing.assert_allclose(as_sums.mean(axis=1), as_labels.mean(axis=1), atol=0.003)
    differences = [drawn[1] - drawn[0] for drawn in (as_sums, as_labels)]
    assert differences[0].std() == pytest.approx(differences[1].std(), rel=0.06)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0, 1))
def test_an_interval_holds_its_estimate(values, estimate):
    low, high = interval(np.array(values), estimate)
    assert low <= estimate <= high


def test_no_difference_is_no_surprise():
    assert two_sided_p(np.zeros(100), 0.0) == 1.0


def test_p_is_never_zero_and_small_for_a_sure_difference():
    values = RNG(7).normal(0.3, 0.01, size=999)
    assert two_sided_p(values, 0.3) == pytest.approx(1 / 1000)


def test_without_a_difference_p_is_below_five_percent_in_about_five_percent():
    rng, rows, trials = RNG(8), 200, 300
    false_alarms = 0
    for trial in range(trials):
        right = rng.random((2, rows)) < 0.7
        drawn = draw({"x": right_or_wrong(right)}, resamples=400, seed=trial)["x"]
        found = two_sided_p(drawn[1] - drawn[0], right[1].mean() - right[0].mean())
        false_alarms += found < 0.05
    assert 0.015 <= false_alarms / trials <= 0.09


def test_holm_by_hand():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=20))
def test_holm_is_never_smaller_nor_above_one_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    assert list(corrected) == list(p_values)
    assert all(p_values[k] <= corrected[k] <= 1 for k in p_values)
    ordered = [corrected[k] for k in sorted(p_values, key=lambda k: (p_values[k], k))]
    assert ordered == sorted(ordered)


def test_a_mean_over_groups_varies_as_its_groups_do() -> None:
    """Every group counts the same, however many items it has: the variances add up to theirs."""
    rng = np.random.default_rng(0)
    groups = [rng.normal(1.0, 2.0, 400), rng.normal(3.0, 1.0, 50)]
    mean, (low, high) = mean_with_interval(groups, seed=0, resamples=4000)
    assert mean == pytest.approx((groups[0].mean() + groups[1].mean()) / 2)
    error = (groups[0].var() / 400 + groups[1].var() / 50) ** 0.5 / 2
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.05)
    assert low < mean < high
