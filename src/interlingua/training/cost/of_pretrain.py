"""What a pretraining recipe has to do, from a sample of its texts.

Lengths and languages decide how many tokens a step holds and how many of them are guessed. So the
first rows of every file, in proportion to its size, are tokenized and asked as the run asks them;
where there are none yet, every row counts as full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interlingua.base.errors import DataError, ModelError
from interlingua.batches.buckets import padded_length
from interlingua.batches.framing import MULTIPLE
from interlingua.batches.token_store import Text, TokenStore, build_store
from interlingua.corpus.rows import Faults
from interlingua.models.folder import ModelFolder, ModelInfo, open_model
from interlingua.models.scratch import config_of, sizes_of
from interlingua.models.tokenizer import load_tokenizer
from interlingua.training.corpus_run import Start
from interlingua.training.cost.architecture import Architecture, Batch, architecture_of
from interlingua.training.cost.forecast import pretrain_load
from interlingua.training.cost.load import (
    Load,
    draws,
    largest_of,
    of_question,
)
from interlingua.training.pretrain import (
    check,
    check_objectives,
    learns_positions,
    vocabulary_of,
)
from interlingua.training.pretrain_data import Stores, read_texts
from interlingua.training.pretrain_settings import ON_PAIRS, PretrainRecipe

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from interlingua.training.language_modelling import Strand
    from interlingua.training.pretrain_data import Files
    from interlingua.training.pretrain_settings import CorpusData, ObjectiveSettings

_SAMPLE_ROWS = 4000
_LEAST_ROWS = 20  # of a file
_NO_IDS = {"pad": 0, "start": 1, "end": 2}


@dataclass(frozen=True, slots=True)
class Sample:
    """A recipe with some of its rows in place of all.

    Attributes:
        load: What the run has to do.
        start: The model, which may have no weights yet; None without a tokenizer.
        stores: The sampled rows of texts and of pairs.
    """

    load: Load
    start: Start | None
    stores: dict[str, Stores]


def sample_pretrain(
    recipe: PretrainRecipe, folder: Path, *, vocabulary: int | None = None
) -> Sample:
    """Tokenize a sample of a recipe's texts and see what the run has to do.

    Args:
        recipe: The recipe.
        folder: An empty folder for the sample.
        vocabulary: Size of a vocabulary that is not there yet, instead of the tokenizer's.

    Raises:
        UserError: The model, the tokenizer or a row cannot be used.
    """
    if vocabulary is not None:
        return Sample(_without_texts(recipe, vocabulary), None, {})
    start = _start(recipe)
    check_objectives(recipe.objectives, start.folder)
    try:
        plan = check(recipe, hashed=False)
    except DataError as error:
        told = f"no texts yet ({error.problem}): every row is full"
        limit = start.folder.info.max_length
        return Sample(
            _full_rows(recipe, architecture_of(start.folder.config), limit, told), start, {}
        )
    length = min(recipe.training.max_length, start.folder.info.max_length)
    found = {
        name: first_rows(
            files,
            recipe.data,
            start.tokenizer,
            folder / name,
            max_tokens=max(2, length - start.frame.special(pairs=pairs)),
            joint=start.frame.after[-1] if recipe.data.pack and start.frame.after else None,
            pairs=pairs,
        )
        for files, name, pairs in ((plan.texts, "texts", False), (plan.pairs, "pairs", True))
        if files is not None
    }
    stores = {name: Stores(one.store, None) for name, one in found.items()}
    return Sample(_load(recipe, start, found, length), start, stores)


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of files.

    Attributes:
        store: The rows.
        share: The share of rows that a validation has of them; None: it has files of its own, or
            there are more rows than these.
    """

    store: TokenStore
    share: float | None

    def checked(self, data: CorpusData, special: int) -> float:
        """Tokens of a validation: of each language as many rows as the recipe allows, or has."""
        tokens = 0.0
        for index in range(len(self.store.languages)):
            lengths = self.store.lengths[self.store.lang == index] + special
            rows: float = data.validation_rows
            if self.share is not None:
                rows = min(rows, self.share * len(lengths))
            tokens += rows * float(lengths.mean())
        return tokens


def _start(recipe: PretrainRecipe) -> Start:
    """The model of a recipe, without its weights."""
    new = recipe.model.new
    if new is None:
        assert recipe.model.name is not None
        return Start.of(open_model(recipe.model.name))
    place = Path(new.tokenizer).expanduser()
    try:
        tokenizer = load_tokenizer(place)
    except ModelError as error:
        remedy = "Or tell the size that it is to have: --vocabulary 32000"
        raise ModelError(error.problem, remedy=remedy) from error
    size, ids = sizes_of(new, tokenizer)
    config = config_of(new, vocabulary=size, **ids).to_dict()
    info = ModelInfo(max_length=new.max_length)
    return Start.of(ModelFolder(place, info, config, {"pad_id": ids["pad"]}))


def first_rows(
    files: Files,
    data: CorpusData,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    max_tokens: int,
    joint: int | None,
    pairs: bool,
) -> FirstRows:
    """The first rows of each file as a store, more of the larger files.

    Arguments are those of `make_stores`.

    Raises:
        DataError: A row cannot be read, or there is none.
    """
    sizes = [path.stat().st_size if path.is_file() else 1 for path in files.train]
    whole = max(1, sum(sizes))
    cut: list[Path] = []

    def rows() -> Iterator[Text]:
        for path, size in zip(files.train, sizes, strict=True):
            left = max(_LEAST_ROWS, round(_SAMPLE_ROWS * size / whole))
            for read in read_texts([path], data, Faults(data.on_error), pairs=pairs):
                if not left:
                    cut.append(path)
                    break
                left -= 1
                yield read.text

    store = build_store(rows(), tokenizer, folder, max_tokens=max_tokens, joint=joint)
    if not len(store):
        raise DataError("holds nothing to train on", path=files.train[0] if files.train else None)
    unknown = files.validation or (cut and data.held_out)
    return FirstRows(store, None if unknown else data.held_out)


def _strands(recipe: PretrainRecipe, stores: dict[str, Stores]) -> list[Strand]:
    """Each objective with its sampled rows."""
    from interlingua.training.language_modelling import Strand

    return [
        Strand(
            objective,
            stores[_kind(objective)].train,
            None,
            np.zeros(0, dtype=np.int64),
        )
        for objective in recipe.objectives
    ]


def _kind(objective: ObjectiveSettings) -> str:
    return "pairs" if objective.kind in ON_PAIRS else "texts"


def _load(recipe: PretrainRecipe, start: Start, found: dict[str, FirstRows], length: int) -> Load:
    architecture = architecture_of(start.folder.config)
    strands = _strands(recipe, {name: Stores(one.store, None) for name, one in found.items()})
    batches = tuple(
        of_question(question)
        for question in draws(
            strands,
            vocabulary_of(start, recipe.objectives),
            recipe.training,
            learned_positions=learns_positions(start.folder),
            decoder=len(architecture.stacks) > 1,
        )
    )
    rows = sum(len(one.store) for one in found.values())
    tokens = sum(
        found[name].checked(recipe.data, start.frame.special(pairs=name == "pairs"))
        for name in (_kind(objective) for objective in recipe.objectives)
    )
    largest = largest_of(batches, recipe.training, padded_length(length, MULTIPLE))
    note = f"lengths and languages of {rows:,} rows, the first of every file"
    return pretrain_load(
        recipe.training, architecture, batches, largest, validation_tokens=tokens, note=note
    )


def _without_texts(recipe: PretrainRecipe, vocabulary: int) -> Load:
    """A new model whose vocabulary is not there yet: every row is full."""
    new = recipe.model.new
    if new is None:
        raise ModelError("--vocabulary is for a model to be made: this one has a vocabulary")
    config = config_of(new, vocabulary=vocabulary, **_NO_IDS).to_dict()
    told = f"a vocabulary of {vocabulary:,} as told, and every row full"
    return _full_rows(recipe, architecture_of(config), new.max_length, told)


def _full_rows(recipe: PretrainRecipe, architecture: Architecture, limit: int, note: str) -> Load:
    """Steps of rows of the greatest length only; validation, of unknown size, is left out."""
    settings = recipe.training
    length = padded_length(min(settings.max_length, limit), MULTIPLE)
    rows = min(settings.max_rows, max(1, settings.token_budget // length))
    decoder = len(architecture.stacks) > 1
    batches = tuple(
        _full(objective, rows, length, rate=phase.rate, decoder=decoder)
        for phase in settings.phases
        for objective in recipe.objectives
        for _ in range(max(1, round(100 * phase.share * objective.weight / _weights(recipe))))
    )
    largest = largest_of(batches, settings, length)
    return pretrain_load(settings, architecture, batches, largest, validation_tokens=0.0, note=note)


def _weights(recipe: PretrainRecipe) -> float:
    return sum(objective.weight for objective in recipe.objectives)


def _full(
    objective: ObjectiveSettings, rows: int, length: int, *, rate: float | None, decoder: bool
) -> Batch:
    """A step of full rows of an objective."""
    share = rate or objective.rate
    whole = rows * length
    if objective.kind in ("mlm", "tlm"):
        return Batch(rows, length, round(share * whole), 0, whole)
    if objective.kind == "clm":
        return Batch(rows, length, whole - rows, 0, whole)
    if objective.kind == "translation" and not decoder:
        return Batch(rows, length, whole // 2, 0, whole)
    if objective.kind == "translation":
        half = padded_length(length // 2, MULTIPLE)
        return Batch(rows, half, rows * half, half, rows * half)
    # As many sentinels as spans stand in the source, and before each span in the target.
    spans = share / objective.mean_span
    source = padded_length(round(length * (1 - share + spans)), MULTIPLE)
    target = padded_length(round(length * (share + spans)) + 1, MULTIPLE)
    return Batch(rows, source, rows * target, target, rows * source)


__all__ = ["FirstRows", "Sample", "first_rows", "sample_pretrain"]
