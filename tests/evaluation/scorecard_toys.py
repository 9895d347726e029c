"""Hand-made answers of a model in many languages, and scorecards built from them."""

from __future__ import annotations

import numpy as np

from interlingua.evaluation.results import LanguageResult
from interlingua.evaluation.scorecard import build

LABELS = ("health", "politics", "sports")


def answers(
    langs, *, rows=60, classes=3, seed=0, parallel=True, skill=1.5, spread=0.3, coverage=False
):
    """Made-up results: items are harder or easier in all languages, and languages differ."""
    rng = np.random.default_rng(seed)
    difficulty, gold = rng.normal(size=rows), rng.integers(classes, size=rows)
    results = []
    for i, lang in enumerate(langs):
        logits = rng.normal(size=(rows, classes)) * 0.7
        logits[np.arange(rows), gold] += skill - spread * i / len(langs) - difficulty
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        ids = [str(row) if parallel else f"{lang}-{row}" for row in range(rows)]
        extra = {}
        if coverage:
            extra = {
                "tokens": np.full(rows, 20),
                "unknown": np.arange(rows) % 2,
                "truncated": np.arange(rows) % 4 == 0,
                "characters": np.full(rows, 50),
            }
        results.append(LanguageResult(lang, ids, gold, probabilities.astype(np.float32), **extra))
    return results


def card_of(results, *, labels=LABELS, **facts):
    """A scorecard of results, with everything else filled in."""
    about = {
        "task": "topic",
        "metric": "accuracy",
        "model": "toy",
        "source_languages": ["eng_Latn"],
        "data": [{"path": "test.tsv", "sha256": "0" * 64, "rows": 60}],
        "seed": 0,
        "resamples": 200,
        "created": "2026-01-01T00:00:00+00:00",
    }
    return build(results, labels=labels, **{**about, **facts})


def predictions_of(results, labels=LABELS):
    """The lines of predictions.jsonl."""
    for result in results:
        for i, name in enumerate(result.ids):
            row = result.probabilities[i]
            yield {
                "id": name,
                "text": f"text {name}",
                "lang": result.lang,
                "gold": labels[result.gold[i]],
                "label": labels[result.predicted[i]],
                "score": float(row.max()),
                "scores": dict(zip(labels, map(float, row), strict=True)),
            }
