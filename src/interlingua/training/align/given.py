"""The files, model and rows that a recipe of alignment names, looked over before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interlingua.base.errors import ConfigError, DataError
from interlingua.languages.tags import tag_of
from interlingua.training.align.data import NegativeRows, PairRows, Rows, with_prefix
from interlingua.training.align.settings import AlignRecipe
from interlingua.training.corpus_run import TOKENS, Start
from interlingua.training.pretrain import check_objectives, vocabulary_of
from interlingua.training.pretrain_data import Files, Stores, find, made, make_stores, open_stores


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


def read_given(
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
