"""How a tagger is scored: spans by seqeval's reading, which XTREME uses, language by language.

Intervals resample sentences, of each of which only its counts are kept. The reading is that of
`tasks.metrics.spans`: for parts of speech it joins neighbours of one tag, so that accuracy over
tokens stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from interlingua.evaluation.evaluate import Asked, Scored
from interlingua.evaluation.measured import Measured, build_measured, f1_of
from interlingua.evaluation.records import ClassScores, Coverage
from interlingua.inference.tag import SentenceTagger, Tagged
from interlingua.tasks.metrics.spans import (
    Sentences,
    span_counts,
    span_scores,
    spans,
    token_accuracy,
)
from interlingua.tasks.tagging import OUTSIDE, TaggedExample, TaggedExamples, in_bio, located

_NOTE = "seqeval's reading (1.0 and later), as XTREME scores it"


def score(asked: Asked) -> Scored:
    """The scorecard and predictions of a taught tagger.

    Raises:
        ModelError: The model has no head that tags.
        LabelError: A word has a tag that the model was not taught.
    """
    examples, run = asked.examples, asked.run
    assert isinstance(examples, TaggedExamples)
    tagger = SentenceTagger(asked.folder, engine=run.engine, exact=run.exact)
    examples.check_tags(tagger.labels)
    found = tagger.tag(examples.sentences)
    names = _classes(tagger.labels)
    results: dict[str, Measured] = {}
    coverage: dict[str, Coverage] = {}
    classes: dict[str, dict[str, ClassScores]] = {}
    for lang, rows in examples.by_language.items():
        own = rows.tolist()
        gold = [examples.rows[i].tags or () for i in own]
        tags = [found.tags[i] for i in own]
        results[lang] = measured(gold, tags, bio=tagger.bio)
        coverage[lang] = _coverage([examples.rows[i] for i in own], found, own)
        classes[lang] = _class_scores(gold, tags, names, bio=tagger.bio)
    card = build_measured(results, labels=names, coverage=coverage, classes=classes, **asked.facts)
    return Scored(card, _predictions(examples, found, bio=tagger.bio))


def measured(gold: Sentences, tags: Sentences, *, bio: bool) -> Measured:
    """Span F1 of one language, with precision, recall and accuracy beside it.

    Args:
        gold: The right tags of N sentences.
        tags: Those found.
        bio: Whether they are of the scheme BIO, of which the strict reading is told too.
    """
    counts = span_counts(gold, tags)
    scores = span_scores(counts)
    others = {
        "accuracy": token_accuracy(gold, tags),
        "precision": scores.precision,
        "recall": scores.recall,
    }
    if bio:
        others["span_f1_strict"] = span_scores(span_counts(gold, tags, reading="iob2")).f1
    return f1_of(counts, others, _NOTE)


def _classes(labels: Sequence[str]) -> tuple[str, ...]:
    """What a table of classes lists: types of entities, or the tags themselves."""
    if not in_bio(labels):
        return tuple(labels)
    return tuple(sorted({label[2:] for label in labels if label != OUTSIDE}))


def _class_scores(
    gold: Sentences, tags: Sentences, names: Sequence[str], *, bio: bool
) -> dict[str, ClassScores]:
    """Precision, recall and F1 of every type over spans, or of every tag over tokens."""
    right: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    made: Counter[str] = Counter()
    if bio:
        for one, other in zip(spans(gold), spans(tags), strict=True):
            right.update(type_ for type_, _, _ in one & other)
            wanted.update(type_ for type_, _, _ in one)
            made.update(type_ for type_, _, _ in other)
    else:
        for row, answer in zip(gold, tags, strict=True):
            right.update(a for a, b in zip(row, answer, strict=True) if a == b)
            wanted.update(row)
            made.update(answer)
    return {
        name: ClassScores(
            precision=right[name] / made[name] if made[name] else None,
            recall=right[name] / wanted[name] if wanted[name] else None,
            f1=2 * right[name] / both if (both := made[name] + wanted[name]) else None,
            support=wanted[name],
            predicted=made[name],
        )
        for name in names
    }


def _coverage(rows: Sequence[TaggedExample], found: Tagged, own: Sequence[int]) -> Coverage:
    pieces, characters = int(found.pieces[own].sum()), sum(row.characters for row in rows)
    return Coverage(
        unknown_rate=int(found.unknown[own].sum()) / pieces if pieces else None,
        tokens_per_character=pieces / characters if characters else None,
        truncated=0.0,
    )


def _predictions(
    examples: TaggedExamples, found: Tagged, *, bio: bool
) -> Iterator[dict[str, object]]:
    for i, row in enumerate(examples.rows):
        text, tags = row.text, found.tags[i]
        yield {
            "id": row.id,
            "text": text,
            "lang": row.lang,
            "tokens": list(row.tokens),
            "gold": list(row.tags or ()),
            "tags": tags,
            "entities": [
                {"start": start, "end": end, "type": type_, "text": text[start:end]}
                for start, end, type_ in (located(row.offsets, tags) if bio else [])
            ],
        }
