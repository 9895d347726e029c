"""From a recipe to a pretrained model folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from interlingua.base.config import dump_recipe
from interlingua.base.errors import ConfigError
from interlingua.base.progress import say
from interlingua.base.seeding import generator, seed_everything
from interlingua.batches.buckets import IntArray
from interlingua.models.folder import ModelFolder, ModelInfo, open_model
from interlingua.models.language_model import LanguageModel, kind_of, load_language_model
from interlingua.models.scratch import SENTINELS, write_new
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
from interlingua.training.cost.forecast import Forecast
from interlingua.training.distributed import Processes, processes
from interlingua.training.loop import Loop
from interlingua.training.output import check_free
from interlingua.training.pretrain_data import (
    Files,
    Stores,
    find,
    made,
    make_stores,
    open_stores,
)
from interlingua.training.pretrain_settings import ON_PAIRS, ObjectiveSettings, PretrainRecipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.batches.token_store import TokenStore
    from interlingua.training.language_modelling import LanguageModelLearner, Strand, Vocabulary

_START = Path(WORK) / "start"
_ALLOWED = {
    "masked": ("mlm", "tlm"),
    "causal": ("clm", "translation"),
    "sequence": ("span-corruption", "translation"),
}
_LEARNED_POSITIONS = ("bert", "roberta", "xlm-roberta", "xlm", "camembert", "distilbert")
_SENTINEL_NAMES = "<extra_id_{}>"


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A finished run: the folder, what it says about itself, its steps.

    Attributes:
        tokens: Tokens seen since it was started or resumed.
        seconds: Seconds since then.
    """

    out: Path
    info: ModelInfo
    steps: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe with its files found, checked before anything is written."""

    recipe: PretrainRecipe
    texts: Files | None
    pairs: Files | None


def check(recipe: PretrainRecipe, *, hashed: bool = True) -> Plan:
    """Find what a recipe names.

    Args:
        recipe: The recipe.
        hashed: Whether its files are read through for their sha256, as a run needs it.

    Raises:
        UserError: Something cannot be used.
    """
    data = recipe.data
    kinds = {objective.kind for objective in recipe.objectives}
    wants_pairs, wants_texts = kinds & set(ON_PAIRS), kinds - set(ON_PAIRS)
    return Plan(
        recipe,
        find(data.train, data.validation, hashed=hashed) if wants_texts else None,
        find(data.pairs, data.validation_pairs, hashed=hashed) if wants_pairs else None,
    )


def pretrain(recipe: PretrainRecipe, *, out: str | Path, resume: bool = False) -> Pretrained:
    """Train a language model and write its folder.

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
    plan = check(recipe)
    check_free(target, resume=resume)
    seed_everything(recipe.training.seed)
    with (
        processes() as group,
        begun(target, partial(_prepare, plan), resume=resume) if group.first else nullcontext(),
    ):
        group.wait()
        start = Start.of(open_model(recipe.model.name or target / _START))
        stores = stores_of(plan, start, target)
        learner = learner_of(plan, start, stores, group)
        loop = Loop(
            learner,
            recipe.training,
            folder=target,
            seed=recipe.training.seed,
            fingerprint=fingerprint_of(recipe, plan.texts, plan.pairs, start.folder),
            processes=group,
            watch=Forecast.of(recipe, start.folder, learner, target, group),
        )
        progress = loop.run(resume=resume and bool(checkpoints(target / "checkpoints")))
        tokens = int(group.total(float(learner.tokens)))
        info = _described(plan, start.folder, stores, learner, progress.step, target)
        if group.first:
            _publish(plan, info, learner, start.folder, target)
            shutil.rmtree(target / WORK)
        group.wait()
    return Pretrained(target, info, progress.step, tokens, time.monotonic() - started)


def _prepare(plan: Plan, folder: Path) -> None:
    """Make the model to start from, if there is to be one, and the rows; check that all fits.

    Raises:
        UserError: Something cannot be used.
    """
    recipe = plan.recipe
    if recipe.model.new is not None:
        write_new(folder / _START, recipe.model.new, seed=recipe.training.seed)
    start = Start.of(open_model(recipe.model.name or folder / _START))
    check_objectives(recipe.objectives, start.folder)
    vocabulary_of(start, recipe.objectives)
    known, rows = len(start.frame.ordinary), int(start.folder.config["vocab_size"])
    if known > rows:
        raise ConfigError(f"the tokenizer has {known} tokens, the model {rows}")
    if recipe.model.name is not None:
        load_language_model(start.folder)
    stores_of(plan, start, folder)


def stores_of(plan: Plan, start: Start, out: Path) -> dict[str, Stores]:
    """The rows of texts and of pairs below ``out``; made unless they are there."""
    found = {}
    frame, data = start.frame, plan.recipe.data
    length = min(plan.recipe.training.max_length, start.folder.info.max_length)
    for files, name in ((plan.texts, "texts"), (plan.pairs, "pairs")):
        if files is not None:
            pairs, place = name == "pairs", out / TOKENS / name
            if not made(place):
                make_stores(
                    files,
                    data,
                    start.tokenizer,
                    place,
                    max_tokens=max(2, length - frame.special(pairs=pairs)),
                    joint=frame.after[-1] if data.pack and frame.after else None,
                    pairs=pairs,
                )
            found[name] = open_stores(place)
    return found


def check_objectives(objectives: Sequence[ObjectiveSettings], folder: ModelFolder) -> None:
    """See that a model can be trained by objectives.

    Raises:
        ConfigError: It cannot by one of them.
    """
    allowed = _ALLOWED[kind_of(folder)]
    for objective in objectives:
        if objective.kind not in allowed:
            name = folder.config["model_type"]
            raise ConfigError(
                f"objective {objective.kind} does not suit a {name}",
                remedy=f"It can be trained with: {', '.join(allowed)}",
            )


def learner_of(
    plan: Plan, start: Start, stores: dict[str, Stores], group: Processes
) -> LanguageModelLearner:
    """The model with its objectives and rows, ready for the loop.

    Raises:
        ConfigError: Model, tokenizer and objectives do not fit each other.
    """
    from interlingua.training.arithmetic import Arithmetic
    from interlingua.training.language_modelling import LanguageModelLearner
    from interlingua.training.trainable import attend_by_products

    settings, folder = plan.recipe.training, start.folder
    model, made = load_language_model(folder)
    if made:
        say(f"{folder.path.name} has no language-modelling head: {len(made)} tensors are made new")
    attend_by_products(model, length=settings.max_length, device=group.device)
    return LanguageModelLearner(
        _prepared(model, plan.recipe, made),
        strands(plan.recipe, stores),
        vocabulary_of(start, plan.recipe.objectives),
        settings=settings,
        arithmetic=Arithmetic.of(settings, group.device),
        learned_positions=learns_positions(folder),
    )


def learns_positions(folder: ModelFolder) -> bool:
    """Whether a model has a table of positions, so that it can be told them."""
    return str(folder.config["model_type"]) in _LEARNED_POSITIONS


def _prepared(model: PreTrainedModel, recipe: PretrainRecipe, made: list[str]) -> LanguageModel:
    """The model with what is trained asking for a gradient.

    Beside low-rank terms those are the parts of a head that were ``made`` new, which know nothing.
    """
    from interlingua.training.settings import LoraSettings
    from interlingua.training.trainable import add_lora, set_dropout

    settings = recipe.training
    set_dropout(model, settings.dropout)
    if settings.lora_rank:
        shape = LoraSettings(rank=settings.lora_rank, alpha=2.0 * settings.lora_rank)
        new = [parameter for name, parameter in model.named_parameters() if name in made]
        model = cast("PreTrainedModel", add_lora(model, shape, seed=settings.seed))
        for parameter in new:
            parameter.requires_grad_(True)
    elif settings.embeddings == "frozen":
        cast("Any", model).get_input_embeddings().requires_grad_(False)
    return LanguageModel(model)


def vocabulary_of(start: Start, objectives: Sequence[ObjectiveSettings]) -> Vocabulary:
    """The special ids that objectives need.

    Raises:
        ConfigError: The tokenizer has no mask, or the model no sentinels, and they are needed.
    """
    from interlingua.training.language_modelling import Vocabulary

    folder, tokenizer = start.folder, start.tokenizer
    kinds = {objective.kind for objective in objectives}
    mask = next(
        (i for i in map(tokenizer.token_to_id, ("<mask>", "[MASK]")) if i is not None), None
    )
    if mask is None and kinds & {"mlm", "tlm"}:
        raise ConfigError(
            f"the tokenizer of {folder.path} has no <mask>", remedy="Train one with: vocab train"
        )
    sentinels = _sentinels(start)
    if len(sentinels) < 2 and "span-corruption" in kinds:
        raise ConfigError(f"{folder.path} has no tokens that stand for hidden spans")
    first = folder.config.get("decoder_start_token_id", folder.pad_id)
    return Vocabulary(start.frame, mask, sentinels, int(first or 0))


def _sentinels(start: Start) -> IntArray:
    """The tokenizer's own sentinels, else the rows of the table beyond its ids, the last first."""
    names = map(_SENTINEL_NAMES.format, range(SENTINELS))
    named = [i for i in map(start.tokenizer.token_to_id, names) if i is not None]
    if named:
        return np.array(named, dtype=np.int64)
    size = int(start.folder.config["vocab_size"])
    return np.arange(len(start.frame.ordinary), size)[::-1][:SENTINELS]


def strands(recipe: PretrainRecipe, stores: dict[str, Stores]) -> list[Strand]:
    """Each objective with its rows."""
    from interlingua.training.language_modelling import Strand

    found = []
    for objective in recipe.objectives:
        of = stores["pairs" if objective.kind in ON_PAIRS else "texts"]
        chosen = _chosen(of.validation, recipe.data.validation_rows)
        found.append(Strand(objective, of.train, of.validation, chosen))
    return found


def _chosen(store: TokenStore | None, count: int) -> IntArray:
    """At most ``count`` rows of each language, the same in every run."""
    if store is None:
        return np.zeros(0, dtype=np.int64)
    picked = []
    for index in range(len(store.languages)):
        members = np.flatnonzero(store.lang == index)
        picked.append(np.sort(generator(0, "validation rows", index).permutation(members)[:count]))
    return np.concatenate(picked)


def _described(
    plan: Plan,
    folder: ModelFolder,
    stores: dict[str, Stores],
    learner: LanguageModelLearner,
    steps: int,
    out: Path,
) -> ModelInfo:
    return folder.info.model_copy(
        update={
            "parent": plan.recipe.model.name or "random weights",
            **described(plan.texts, plan.pairs, out),
            "scores": {
                "objectives": [objective.kind for objective in plan.recipe.objectives],
                "steps": steps,
                "rows": sum(len(of.train) for of in stores.values()),
                "bits_per_byte": {
                    name: value for name, value in learner.figures().items() if "/" not in name
                },
            },
            "seed": plan.recipe.training.seed,
        }
    )


def _publish(
    plan: Plan, info: ModelInfo, learner: LanguageModelLearner, folder: ModelFolder, out: Path
) -> None:
    from interlingua.training.trainable import merged

    learner.model.to("cpu").eval()
    model: Any = learner.model.plain()
    if plan.recipe.training.lora_rank:
        model = merged(model)
    publish_model(model, folder, info, dump_recipe(plan.recipe), out)
