"""What an alignment recipe has to do, from the first rows of its files.

Steps are drawn as the run draws them. The frozen parent's pass over the anchor's side counts every
drawn pair once; texts that recur are encoded once in fact, so that it takes less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from interlingua.batches.buckets import IntArray
from interlingua.batches.mixture import Draw, Mixture, Source
from interlingua.models.folder import open_model
from interlingua.training.align.data import TextRows
from interlingua.training.align.given import Given, check_model, files_of, given_of, room_of
from interlingua.training.align.guesses import guessed_rows
from interlingua.training.align.settings import (
    PAIRED,
    AlignRecipe,
    ContrastSettings,
    GuessSettings,
)
from interlingua.training.corpus_run import Start
from interlingua.training.cost.architecture import Batch, Trained, architecture_of
from interlingua.training.cost.load import Load, Passes
from interlingua.training.cost.of_pretrain import FirstRows, first_rows
from interlingua.training.pretrain_data import Files, Stores

_SAMPLE_STEPS = 48


@dataclass(frozen=True, slots=True)
class AlignSample:
    """A recipe with some of its rows in place of all.

    Attributes:
        load: What the run has to do.
        start: The model.
        given: The sampled rows.
    """

    load: Load
    start: Start
    given: Given


def sample_align(recipe: AlignRecipe, folder: Path) -> AlignSample:
    """Tokenize a sample of a recipe's pairs and texts and see what the run has to do.

    Args:
        recipe: The recipe.
        folder: An empty folder for the sample.

    Raises:
        UserError: The model or a row cannot be used, or there are no files.
    """
    start = Start.of(open_model(recipe.model.name))
    check_model(recipe, start)
    room = room_of(recipe, start)

    def sampled(files: Files | None, name: str, *, pairs: bool) -> FirstRows | None:
        if files is None:
            return None
        place, size = folder / name, room * (1 + pairs)
        return first_rows(
            files, recipe.data, start.tokenizer, place, max_tokens=size, joint=None, pairs=pairs
        )

    of_pairs, of_texts = files_of(recipe, hashed=False)
    pairs = sampled(of_pairs, "pairs", pairs=True)
    texts = sampled(of_texts, "texts", pairs=False)
    found = [None if one is None else Stores(one.store, None) for one in (pairs, texts)]
    given = given_of(recipe, start, found[0], found[1])
    return AlignSample(_load(recipe, start, given, pairs), start, given)


def _load(recipe: AlignRecipe, start: Start, given: Given, pairs: FirstRows | None) -> Load:
    settings = recipe.training
    mixture = Mixture(
        [_source(objective, given, recipe, start) for objective in recipe.objectives],
        [(settings.steps, settings.sampling)],
        seed=settings.seed,
        token_budget=settings.token_budget,
        max_rows=settings.max_rows,
    )
    draws = mixture.draws(0, min(settings.steps, _SAMPLE_STEPS))
    batches = tuple(batch_of(recipe, given, mixture, draw) for draw in draws)
    first = max(batches, key=lambda batch: batch.padded)
    micro = min(1.0, settings.micro_rows / settings.max_rows)
    guessed = max(batch.labelled for batch in batches)
    largest = Batch(max(1, round(micro * first.rows)), first.length, round(micro * guessed))
    passes = [_parent(recipe, given, draws, scale=settings.steps / len(draws))]
    for number, objective in enumerate(recipe.objectives):
        if isinstance(objective, ContrastSettings) and objective.queue_length:
            own = tuple(b for b, d in zip(batches, draws, strict=True) if d.source == number)
            passes.append(Passes(own, settings.steps / len(draws)))
    if pairs is not None:
        length = max(1, round(float(pairs.store.lengths.mean()) / 2) + _special(given))
        tokens = pairs.checked(recipe.data, 2 * _special(given))
        texts = max(1, round(tokens / length))
        times = 2 + -(-settings.steps // settings.validate_every)
        passes.append(Passes((Batch(texts, length, 0, 0, texts * length),), times))
    ids = [rows.store.tokens for rows in (given.pairs, given.texts) if rows is not None]
    rows = len(np.unique(np.concatenate(ids))) if settings.embeddings == "rows" else 0
    architecture = architecture_of(start.folder.config)
    return Load(
        "align",
        architecture if recipe.guesses else architecture.encoder(),
        Trained(table=False, rows=rows),
        settings.steps,
        batches,
        largest,
        tuple(passes),
        dropout=settings.dropout > 0,
        copies=int(settings.checkpoint != "last"),
        note=f"{len(draws)} steps over the first rows of every file",
    )


def _special(given: Given) -> int:
    rows = given.pairs or given.texts
    assert rows is not None
    return len(rows.before) + len(rows.after)


def _source(
    objective: ContrastSettings | GuessSettings, given: Given, recipe: AlignRecipe, start: Start
) -> Source:
    """The rows an objective draws from, with the tokens it encodes of each."""
    if isinstance(objective, GuessSettings):
        rows = given.pairs if objective.kind == "tlm" else given.texts
        assert rows is not None
        limit = start.folder.info.max_length
        return guessed_rows(objective, rows.store, start.frame, limit=limit)[1]
    if objective.kind in PAIRED:
        assert given.pairs is not None
        apart = recipe.training.one_pair_a_batch
        return Source(
            given.pairs.lengths, given.pairs.groups, objective.weight, apart=apart, least=2
        )
    if objective.kind == "cpc":
        assert given.texts is not None
        return Source(2 * given.texts.lengths, given.texts.groups, objective.weight, least=2)
    kept = TextRows(given.texts, given.pairs)
    return Source(kept.lengths, kept.groups, objective.weight)


def batch_of(recipe: AlignRecipe, given: Given, mixture: Mixture, draw: Draw) -> Batch:
    """The sizes of a step: its texts as if all had their mean length, since like are together."""
    objective = recipe.objectives[draw.source]
    kind = objective.kind
    texts = len(draw.rows) * (2 if kind == "cpc" else 1)
    tokens = int(mixture.sources[draw.source].lengths[draw.rows].sum())
    if isinstance(objective, GuessSettings):
        return replace(_alike(texts, tokens), labelled=round(objective.rate * tokens))
    if kind in PAIRED:
        assert given.pairs is not None
        texts += int((~given.pairs.anchored[draw.rows]).sum())
    return _alike(texts, tokens)


def _alike(texts: int, tokens: int) -> Batch:
    return Batch(texts, -(-tokens // max(1, texts)), 0, 0, tokens)


def _parent(recipe: AlignRecipe, given: Given, draws: list[Draw], *, scale: float) -> Passes:
    """What the frozen parent encodes, of the sampled steps."""
    batches = []
    for draw in draws:
        kind = recipe.objectives[draw.source].kind
        if kind in PAIRED and given.pairs is not None:
            rows: IntArray = draw.rows[given.pairs.anchored[draw.rows]]
            if len(rows):
                tokens = sum(len(given.pairs.ids(int(row), 1)) for row in rows)
                batches.append(_alike(len(rows), tokens))
    return Passes(tuple(batches), scale)


__all__ = ["AlignSample", "batch_of", "sample_align"]
