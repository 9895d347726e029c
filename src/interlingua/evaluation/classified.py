"""How a classifier is scored: the most probable class of every row, language by language."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from interlingua.evaluation.evaluate import Asked, Scored
from interlingua.evaluation.results import LanguageResult
from interlingua.evaluation.scorecard import build
from interlingua.inference.encode import Encoder
from interlingua.inference.predict import Classified, classify, head_of
from interlingua.tasks.texts import TextExamples


def score(asked: Asked) -> Scored:
    """The scorecard and predictions of a taught classifier.

    Raises:
        ModelError: The model has no classification head.
        LabelError: A row has a label that the model was not taught.
    """
    examples, run = asked.examples, asked.run
    assert isinstance(examples, TextExamples)
    head = head_of(asked.folder)
    gold = np.array(examples.label_ids(head.labels), dtype=np.int64)
    encoder = Encoder(asked.folder, engine=run.engine, exact=run.exact)
    found = classify(encoder, head, examples.texts, examples.pairs)
    results = list(_by_language(examples, gold, found))
    card = build(results, labels=head.labels, **asked.facts)
    return Scored(card, _predictions(examples, found))


def _by_language(
    examples: TextExamples, gold: NDArray[np.int64], found: Classified
) -> Iterator[LanguageResult]:
    for tag, rows in examples.by_language.items():
        yield LanguageResult(
            tag,
            [examples.rows[i].id for i in rows],
            gold[rows],
            found.probabilities[rows],
            tokens=found.encoded.tokens[rows],
            unknown=found.encoded.unknown[rows],
            truncated=found.encoded.truncated[rows],
            characters=np.array([examples.rows[i].characters for i in rows]),
        )


def _predictions(examples: TextExamples, found: Classified) -> Iterator[dict[str, object]]:
    for i, row in enumerate(examples.rows):
        yield {
            "id": row.id,
            "text": row.text,
            **({} if row.pair is None else {"text_pair": row.pair}),
            "lang": row.lang,
            "gold": row.label,
            **found.record(i),
        }
