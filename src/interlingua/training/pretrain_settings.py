"""The recipe of a pretraining run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from interlingua.base.config import Config
from interlingua.models.scratch import NewModel
from interlingua.training.settings import StepwiseSettings

ObjectiveName = Literal["mlm", "tlm", "clm", "span-corruption", "translation"]
ON_PAIRS = ("tlm", "translation")
VALIDATION_TOKENS = 8192
"""Padded tokens of a batch that a language model is validated on."""


class PretrainModel(Config):
    """Which model is trained."""

    name: str | None = None
    """``starter``, a folder or a hub id: its training goes on."""
    new: NewModel | None = None
    """Or a model to be made from nothing."""

    @model_validator(mode="after")
    def _one(self) -> PretrainModel:
        if (self.name is None) == (self.new is None):
            raise ValueError("give either name, of a model that is, or new, of one to be made")
        return self


class ObjectiveSettings(Config):
    """What is guessed, and how often it is this objective's turn."""

    kind: ObjectiveName
    """``mlm``, ``clm`` and ``span-corruption`` take texts, ``tlm`` and ``translation`` pairs."""
    weight: float = Field(1.0, gt=0)
    """Share of the steps, beside those of the other objectives."""
    rate: float = Field(0.15, gt=0, lt=1)
    """Share of the tokens that is hidden."""
    mean_span: float = Field(3.0, ge=1)
    """Mean length of a hidden span."""
    whole_words: bool = False
    """Whether all pieces of a word are hidden together."""
    reset_positions: bool = True
    """Whether the positions of a translation start again, where the model learns positions."""


class CorpusData(Config):
    """Texts and pairs that a run is given."""

    train: tuple[str, ...] = ()
    """Corpus folders, tables with a column ``text``, or ``hub:NAME:SPLIT``; ``*`` stands for any
    characters."""
    pairs: tuple[str, ...] = ()
    """Tables with the columns ``source``, ``target``, ``source_lang`` and ``target_lang``, message
    catalogues, ``.tmx``, two parallel files by the name of either, or ``hub:NAME:SPLIT``; or
    folders of them."""
    validation_pairs: tuple[str, ...] = ()
    """Like ``pairs``."""
    held_out: float = Field(0.01, ge=0, lt=1)
    """Share of a table that is held out, by a hash of its clusters or texts."""
    validation_rows: int = Field(100, ge=1)
    """Rows a language is validated on at most."""
    languages: tuple[str, ...] = ()
    """Only these; empty: all. Of pairs, both sides have to be among them."""
    lang: str | None = None
    """The language of tables that do not tell."""
    on_error: Literal["stop", "skip"] = "stop"
    """What to do with a row that cannot be read."""


class PretrainData(CorpusData):
    """What it is trained with."""

    validation: tuple[str, ...] = ()
    """Like ``train``; without it corpus folders bring their own, of tables a share is held out."""
    pack: bool = False
    """Whether short documents of a language share a row."""


class Phase(Config):
    """A stretch of the run with its own sampling."""

    share: float = Field(1.0, gt=0, le=1)
    """Share of the steps; those of all phases add up to 1."""
    temperature: float = Field(0.7, gt=0, le=1)
    """Languages are drawn in proportion to their tokens to this power."""
    rate: float | None = Field(None, gt=0, lt=1)
    """Share of hidden tokens, instead of the objectives' own."""


class PretrainSettings(StepwiseSettings):
    """How it is trained."""

    token_budget: int = Field(8192, ge=16)
    """Padded tokens in a step."""
    phases: tuple[Phase, ...] = (Phase(),)
    """Stretches of the run (Marone et al., mmBERT, 2025, section 3: the temperature and the share
    of hidden tokens fall from phase to phase)."""
    embeddings: Literal["trained", "frozen"] = "trained"
    """Whether the input embeddings, and an output layer tied to them, are trained."""
    lora_rank: int = Field(0, ge=0)
    """With a rank, only low-rank terms beside the matrices are trained, and merged at the end; and
    a head where the model had none."""

    @model_validator(mode="after")
    def _phases_fill_the_run(self) -> PretrainSettings:
        total = sum(phase.share for phase in self.phases)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the phases' shares add up to {total:g}, expected 1")
        return self


class PretrainRecipe(Config):
    """A pretraining run: the sections of its recipe."""

    model: PretrainModel
    objectives: tuple[ObjectiveSettings, ...] = Field(min_length=1)
    data: PretrainData
    training: PretrainSettings = PretrainSettings()

    @model_validator(mode="after")
    def _objectives_have_data(self) -> PretrainRecipe:
        for objective in self.objectives:
            wanted = "pairs" if objective.kind in ON_PAIRS else "train"
            if not getattr(self.data, wanted):
                raise ValueError(f"objective {objective.kind} needs data.{wanted}")
        return self
