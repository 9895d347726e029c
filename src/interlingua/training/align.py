"""From a recipe to a model folder whose languages lie together."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from interlingua.base.config import dump_recipe
from interlingua.base.errors import ConfigError, DataError
from interlingua.base.progress import say
from interlingua.base.seeding import generator, seed_everything
from interlingua.languages.tags import tag_of
from interlingua.models.folder import ModelFolder, ModelInfo, open_model
from interlingua.models.save import parent_name
from interlingua.training.align_data import (
    NegativeRows,
    PairRows,
    ParentVectors,
    Rows,
    TextRows,
    with_prefix,
    write_parent_vectors,
)
from interlingua.training.align_guesses import GuessObjective
from interlingua.training.align_settings import (
    PAIRED,
    AlignRecipe,
    ContrastSettings,
    GuessSettings,
)
from interlingua.training.averaging import mix
from interlingua.training.checkpoint import checkpoints
from interlingua.training.corpus_run import (
    TOKENS,
    WORK,
    Start,
    begun,
    described,
    fingerprint_of,
    publish_model,
)
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop
from interlingua.training.output import check_free
from interlingua.training.pretrain import check_objectives, learns_positions, vocabulary_of
from interlingua.training.pretrain_data import Files, Stores, find, made, make_stores, open_stores

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.batches.buckets import IntArray
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align_learner import AlignLearner
    from interlingua.training.align_objectives import Objective
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.language_modelling import Guesser

_PARENT = Path(WORK) / "parent-vectors"
_CENTRED = 4000
"""Texts whose mean is what vectors share."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A finished run: the folder, what it says about itself, its steps and seconds."""

    out: Path
    info: ModelInfo
    steps: int
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Given:
    """The rows of a run.

    Attributes:
        pairs: Training pairs.
        texts: Training texts.
        held_out: Pairs it is measured on.
    """

    pairs: PairRows | None
    texts: Rows | None
    held_out: PairRows | None

    @property
    def languages(self) -> list[str]:
        """Of pairs and texts, sorted."""
        found = set()
        if self.pairs is not None:
            found |= {tag for name in self.pairs.store.languages for tag in name.split("-")}
        if self.texts is not None:
            found |= set(self.texts.store.languages)
        return sorted(found)


def align(recipe: AlignRecipe, *, out: str | Path, resume: bool = False) -> Aligned:
    """Draw the languages of an encoder together and write its folder.

    Args:
        recipe: What to train, on what, and how.
        out: The model folder to make.
        resume: Go on with an unfinished run in ``out``.

    Raises:
        UserError: The recipe, data, model or folder cannot be used.
        CheckpointError: To resume, there is no valid checkpoint, or it is of another run.
        NonFiniteError: The loss is not a number.
        StoppedError: SIGTERM came; a checkpoint was written.
    """
    started = time.monotonic()
    target = Path(out)
    pairs, texts = files_of(recipe)
    start = Start.of(open_model(recipe.model.name))
    check_model(recipe, start)
    check_free(target, resume=resume)
    seed_everything(recipe.training.seed)
    read = partial(_given, recipe, start, pairs, texts)
    with (
        processes() as group,
        begun(target, read, resume=resume) if group.first else nullcontext(),
    ):
        group.wait()
        given = read(target)
        learner = learner_of(recipe, start, given, group)
        before = _measured(learner, group)
        prepare(learner, recipe, given, group, target)
        loop = Loop(
            learner,
            recipe.training,
            folder=target,
            seed=recipe.training.seed,
            fingerprint=fingerprint_of(recipe, texts, pairs, start.folder),
            processes=group,
        )
        with _mixed(learner, recipe.training.parent_share):
            progress = loop.run(resume=resume and bool(checkpoints(target / "checkpoints")))
        scores = {
            "objectives": ", ".join(objective.kind for objective in recipe.objectives),
            "steps": progress.step,
            "pairs": 0 if given.pairs is None else len(given.pairs.lengths),
            "retrieval_accuracy_before": before,
            "retrieval_accuracy": _measured(learner, group),
        }
        info = start.folder.info.model_copy(
            update={
                "parent": parent_name(recipe.model.name, start.folder),
                "source_languages": tuple(given.languages),
                **described(texts, pairs, target),
                "scores": scores,
                "seed": recipe.training.seed,
            }
        )
        if group.first:
            _publish(recipe, info, learner, start, target)
            shutil.rmtree(target / WORK, ignore_errors=True)
        group.wait()
    rows = sum(len(draw.rows) for draw in learner.mixture.draws(0, progress.step))
    return Aligned(target, info, progress.step, rows, time.monotonic() - started)


def files_of(recipe: AlignRecipe, *, hashed: bool = True) -> tuple[Files | None, Files | None]:
    """The files of pairs and of texts that a recipe needs.

    Raises:
        DataError: A name or pattern matches no file.
    """
    data = recipe.data
    kinds = {objective.kind for objective in recipe.objectives}
    wanted = data.train and kinds & {"cpc", "preserve", "mlm"}
    return (
        find(data.pairs, data.validation_pairs, hashed=hashed) if data.pairs else None,
        find(data.train, (), hashed=hashed) if wanted else None,
    )


def check_model(recipe: AlignRecipe, start: Start) -> None:
    """See that a model can be aligned as a recipe asks.

    Raises:
        ConfigError: It cannot.
    """
    folder = start.folder
    if recipe.guesses:
        check_objectives(recipe.guesses, folder)
        vocabulary_of(start, recipe.guesses)
    for objective in recipe.contrasts:
        if objective.layer is not None and objective.layer > (folder.depth or objective.layer):
            raise ConfigError(
                f"objectives ask for layer {objective.layer}, {folder.path.name} has {folder.depth}"
            )
        long = [length for length in objective.dimensions if not 0 < length <= folder.width]
        if long:
            raise ConfigError(f"dimensions name {long[0]}, vectors have {folder.width}")
    if folder.info.pooling == "pair" or folder.info.layers:
        raise ConfigError(
            f"{folder.path.name} pools pairs of texts, or several layers",
            remedy="Align its parent, whose vector is of one layer of one text",
        )


def _given(
    recipe: AlignRecipe, start: Start, pairs: Files | None, texts: Files | None, out: Path
) -> Given:
    """The rows that a recipe names; token stores that are there already are taken.

    Raises:
        DataError: A row cannot be read, or a language that is asked for has none.
    """
    room = room_of(recipe, start)

    def stores(files: Files | None, name: str, *, both: bool) -> Stores | None:
        if files is None:
            return None
        place = out / TOKENS / name
        if not made(place):
            size = room * (1 + both)
            make_stores(
                files, recipe.data, start.tokenizer, place, max_tokens=size, joint=None, pairs=both
            )
        return open_stores(place)

    return given_of(
        recipe, start, stores(pairs, "pairs", both=True), stores(texts, "texts", both=False)
    )


def room_of(recipe: AlignRecipe, start: Start) -> int:
    """Tokens of a text, special ones and prefix not counted."""
    frame = with_prefix(start.frame, start.tokenizer, start.folder.info.prefix())
    length = min(recipe.training.max_length, start.folder.info.max_length)
    return max(1, length - len(frame.before) - len(frame.after))


def given_of(
    recipe: AlignRecipe, start: Start, of_pairs: Stores | None, of_texts: Stores | None
) -> Given:
    """The rows of token stores, as a run sees them.

    Raises:
        DataError: A language that is asked for has none.
    """
    settings, data = recipe.training, recipe.data
    frame = with_prefix(start.frame, start.tokenizer, start.folder.info.prefix())
    anchor = tag_of(settings.anchor) if settings.anchor else None
    negatives = None
    if of_pairs is not None and of_pairs.negatives is not None:
        negatives = NegativeRows(of_pairs.negatives, frame)
    found = Given(
        None if of_pairs is None else PairRows(of_pairs.train, frame, anchor, negatives),
        None if of_texts is None else Rows(of_texts.train, frame),
        None
        if of_pairs is None or of_pairs.validation is None
        else PairRows(of_pairs.validation, frame, anchor),
    )
    wanted = [tag_of(name) for name in data.languages]
    for tag in [*wanted, *([anchor] if anchor and found.pairs is not None else [])]:
        if tag not in found.languages:
            raise DataError(
                f"no row is in {tag}", remedy=f"Languages there are: {', '.join(found.languages)}"
            )
    return found


def learner_of(recipe: AlignRecipe, start: Start, given: Given, group: Processes) -> AlignLearner:
    """The model with its objectives and rows."""
    from interlingua.models.encoder import PooledEncoder
    from interlingua.training.align_learner import AlignLearner, Retrieval, TextEncoder
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


@contextmanager
def _mixed(learner: AlignLearner, share: float) -> Iterator[None]:
    """In the end, put a share of what the encoder's parameters were into what they have become."""
    named = learner.pooled.encoder.named_parameters()
    trained = {name: parameter for name, parameter in named if parameter.requires_grad}
    parent = {name: p.detach().clone() for name, p in trained.items()} if share else {}
    yield
    if share:
        mix(trained, parent, share=share)


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
    from interlingua.training.align_learner import freeze_below
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
    from interlingua.training.align_objectives import (
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


def _measured(learner: AlignLearner, group: Processes) -> dict[str, float]:
    """Accuracy of retrieval as the parameters stand: the mean, and every direction."""
    if not group.first or learner.retrieval is None:
        return {}
    return {"mean": round(learner.score(), 5), **learner.figures()}


def _publish(
    recipe: AlignRecipe, info: ModelInfo, learner: AlignLearner, start: Start, out: Path
) -> None:
    from interlingua.training.trainable import join_rows

    encoder = learner.pooled.encoder.to("cpu").eval()
    join_rows(encoder)
    model = cast("PreTrainedModel", encoder)
    publish_model(model, start.folder, info, dump_recipe(recipe), out)
