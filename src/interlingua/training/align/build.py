"""What is trained: encoder and objectives over their rows, and what they know beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from interlingua.base.progress import say
from interlingua.base.seeding import generator
from interlingua.models.folder import ModelFolder
from interlingua.training.align.data import PairRows, ParentVectors, TextRows, write_parent_vectors
from interlingua.training.align.given import Given
from interlingua.training.align.guesses import GuessObjective
from interlingua.training.align.settings import (
    PAIRED,
    AlignRecipe,
    ContrastSettings,
    GuessSettings,
)
from interlingua.training.corpus_run import WORK, Start
from interlingua.training.distributed import Processes
from interlingua.training.pretrain import learns_positions, vocabulary_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.batches.buckets import IntArray
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align.learner import AlignLearner
    from interlingua.training.align.objectives import Objective
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.language_modelling import Guesser

_PARENT = Path(WORK) / "parent-vectors"
_CENTRED = 4000
"""Texts whose mean is what vectors share."""


def learner_of(recipe: AlignRecipe, start: Start, given: Given, group: Processes) -> AlignLearner:
    """The model with its objectives and rows."""
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align.learner import AlignLearner, Retrieval, TextEncoder
    from interlingua.training.arithmetic import Arithmetic

    settings, folder = recipe.training, start.folder
    encoder, model = _trained(recipe, start, given, group)
    pooled = PooledEncoder.for_folder(encoder, folder).to(group.device)
    arithmetic = Arithmetic.of(settings, group.device)
    texts = TextEncoder(folder.pad_id, arithmetic)
    guesser = None
    if model is not None:
        guesser = _guesser(recipe, start, model, arithmetic)
    objectives: list[Objective | GuessObjective] = [
        _objective(objective, pooled, given, recipe, folder.width)
        if isinstance(objective, ContrastSettings)
        else _guess(objective, guesser, given, recipe, folder)
        for objective in recipe.objectives
    ]
    return AlignLearner(
        pooled,
        objectives,
        None if given.held_out is None else Retrieval(given.held_out, recipe.data.validation_rows),
        settings=settings,
        texts=texts,
        processes=group,
    )


def prepare(
    learner: AlignLearner, recipe: AlignRecipe, given: Given, group: Processes, out: Path
) -> None:
    """What is done once, before the first step: centring, and the vectors of the frozen parent.

    Raises:
        ConfigError: The model cannot be centred.
    """
    if recipe.model.centre:
        _centre(learner, given)
    alike: dict[tuple[str, tuple[int, ...]], list[tuple[int, Objective]]] = {}
    for number, objective in enumerate(learner.objectives):
        if not isinstance(objective, GuessObjective):
            as_pooled = objective.pooled.pooling, objective.pooled.layers
            alike.setdefault(as_pooled, []).append((number, objective))
    for place, asking in enumerate(alike.values()):
        _give_parent(learner, asking, out / _PARENT / str(place), group)


def _centre(learner: AlignLearner, given: Given) -> None:
    """Take off the mean of some texts' vectors, as many of each language pair, or language."""
    import torch

    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.centring import centre

    rows = given.pairs or given.texts
    assert rows is not None
    rng = generator(0, "centre")
    groups = np.unique(rows.groups)
    each = -(-_CENTRED // len(groups))
    chosen = [rng.permutation(np.flatnonzero(rows.groups == group))[:each] for group in groups]
    texts = [
        rows.ids(row, int(rng.integers(2))) if isinstance(rows, PairRows) else rows.ids(row)
        for row in np.concatenate(chosen).tolist()
    ]
    pooled = learner.pooled
    plain = PooledEncoder(pooled.encoder, pooling=pooled.pooling, normalize=False)
    mean = torch.from_numpy(learner.texts.all(plain, texts).mean(axis=0))
    centre(pooled.encoder, mean.to(learner.texts.arithmetic.device))
    for objective in learner.objectives:
        if not isinstance(objective, GuessObjective) and objective.follower is not None:
            objective.follower.load_state_dict(objective.pooled.state_dict())


def _trained(
    recipe: AlignRecipe, start: Start, given: Given, group: Processes
) -> tuple[PreTrainedModel, PreTrainedModel | None]:
    """The encoder, of which what is trained asks for a gradient; the model with a head over it.

    Without objectives on tokens there is no such model. The head over the vocabulary is trained but
    for the embeddings, if it shares them.
    """
    from interlingua.models.encoder import load_encoder
    from interlingua.models.language_model import load_language_model
    from interlingua.training.align.learner import freeze_below
    from interlingua.training.trainable import attend_by_products, set_dropout, train_rows

    settings, folder = recipe.training, start.folder
    model, length = None, settings.max_length
    if recipe.guesses:
        model, made = load_language_model(folder)
        encoder: PreTrainedModel = cast("Any", model.base_model).eval()
        if made:
            say(f"{folder.path.name} has no language-modelling head: {len(made)} tensors are new")
        length *= 1 + any(objective.kind == "tlm" for objective in recipe.guesses)
    else:
        encoder = load_encoder(folder)
    set_dropout(encoder, settings.dropout)
    attend_by_products(encoder, length=min(length, folder.info.max_length), device=group.device)
    freeze_below(encoder, settings.layers)
    if settings.embeddings == "rows":
        stores = [rows.store for rows in (given.pairs, given.texts) if rows is not None]
        ids = [np.unique(np.asarray(store.tokens)).astype(np.int64) for store in stores]
        train_rows(encoder, ids)
    return encoder, model


def _guesser(
    recipe: AlignRecipe, start: Start, model: PreTrainedModel, arithmetic: Arithmetic
) -> Guesser:
    """The model with its head, ready to be asked."""
    from interlingua.models.language_model import LanguageModel
    from interlingua.training.language_modelling import Guesser

    return Guesser(
        LanguageModel(model).to(arithmetic.device),
        vocabulary_of(start, recipe.guesses),
        arithmetic,
        learns_positions(start.folder),
    )


def _guess(
    settings: GuessSettings,
    guesser: Guesser | None,
    given: Given,
    recipe: AlignRecipe,
    folder: ModelFolder,
) -> GuessObjective:
    """One objective on tokens with its rows."""
    rows = given.pairs if settings.kind == "tlm" else given.texts
    assert guesser is not None and rows is not None
    limit, seed = folder.info.max_length, recipe.training.seed
    return GuessObjective(settings, guesser, rows.store, limit=limit, seed=seed)


def _objective(
    settings: ContrastSettings,
    pooled: PooledEncoder,
    given: Given,
    recipe: AlignRecipe,
    width: int,
) -> Objective:
    """One objective with its rows, and the encoder as it pools."""
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align.objectives import (
        PairObjective,
        PreserveObjective,
        SegmentObjective,
    )

    own = PooledEncoder(
        pooled.encoder,
        pooling=settings.pooling or pooled.pooling,
        layers=() if settings.layer is None else (settings.layer,),
        normalize=pooled.normalize,
    )
    if settings.kind in PAIRED:
        assert given.pairs is not None
        apart = recipe.training.one_pair_a_batch
        return PairObjective(settings, own, given.pairs, width=width, apart=apart)
    if settings.kind == "cpc":
        assert given.texts is not None
        return SegmentObjective(settings, own, given.texts, width=width)
    return PreserveObjective(settings, own, TextRows(given.texts, given.pairs), width=width)


def _give_parent(
    learner: AlignLearner, asking: list[tuple[int, Objective]], place: Path, group: Processes
) -> None:
    """Vectors of the frozen parent, of all texts that a run will ask some objectives for.

    Args:
        learner: The parameters as the parent has them, and the rows that will be drawn.
        asking: Objectives that pool alike, with their numbers: a text is encoded once for all.
        place: Where the vectors are to lie.
        group: The first process writes.
    """
    draws = list(learner.mixture.draws(0, learner.settings.steps))
    wanted: list[tuple[Objective, IntArray, Iterator[IntArray]]] = []
    for number, objective in asking:
        drawn = [draw.rows for draw in draws if draw.source == number]
        rows = np.unique(np.concatenate(drawn)) if drawn else np.zeros(0, np.int64)
        numbers, ids = objective.of_parent(rows)
        if len(numbers):
            wanted.append((objective, numbers, ids))
    if not wanted:
        return
    numbers = np.concatenate([numbers for _, numbers, _ in wanted])
    if group.first:
        pooled = wanted[0][0].pooled
        say(f"the frozen parent encodes {len(np.unique(numbers)):,} texts")
        write_parent_vectors(
            place,
            numbers,
            chain.from_iterable(ids for _, _, ids in wanted),
            lambda texts: learner.texts.all(pooled, texts),
        )
    group.wait()
    for objective, own, _ in wanted:
        objective.parent = ParentVectors(place, own)
