"""What a corpus recipe may say.

corpus:
  inputs:
    - path: texts/*.jsonl        # lang: given, or told by row or path, or identified
  workers: 2
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from interlingua.base.config import Config
from interlingua.corpus.decontaminate import Decontamination
from interlingua.corpus.documents import Input, Tag
from interlingua.corpus.language_check import LanguageRules
from interlingua.corpus.near_duplicates import NearDuplicates
from interlingua.corpus.quality import QualityRules
from interlingua.corpus.rows import OnError

__all__ = [
    "CorpusRecipe",
    "CorpusSettings",
    "PersonalData",
    "Phase",
    "Sampling",
    "Shards",
    "Split",
]


class PersonalData(Config):
    """What personal data to replace by placeholders."""

    scrub: bool = True
    """Whether to replace any."""

    regions: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    """Countries (ISO 3166) whose national phone numbers are looked for, beside the language's."""


class Phase(Config):
    """A part of a training with a temperature of its own."""

    share: float = Field(gt=0, le=1)
    """Share of the bytes."""

    temperature: float = Field(ge=0, le=1)
    """Exponent on the languages' shares: 1 as they are, 0 all equal."""


class Sampling(Config):
    """How much of each language to write, by one of ``temperature``, ``unimax``, ``phases``."""

    bytes: int | None = Field(None, ge=1_000)
    """Bytes of text for training in all; none: as many as there are."""

    temperature: float | None = Field(None, ge=0, le=1)
    """Exponent on the languages' shares: 1 as they are, 0 all equal."""

    unimax: float | None = Field(None, gt=0)
    """As much of every language, no text more often than this."""

    phases: tuple[Phase, ...] = ()
    """Temperatures one after the other, each written to a folder of its own."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [self.temperature is not None, self.unimax is not None, bool(self.phases)]
        if sum(given) != 1:
            raise ValueError("sampling is by one of temperature, unimax and phases")
        if self.phases and abs(sum(phase.share for phase in self.phases) - 1) > 1e-6:
            raise ValueError("the shares of the phases sum to 1")
        return self


class Split(Config):
    """What is put aside to validate on."""

    validation: float = Field(0.01, ge=0, lt=1)
    """Share of the clusters; a cluster of near-duplicates and translations is never divided."""


class Shards(Config):
    """The files that are written."""

    bytes: int = Field(100_000_000, ge=1_000)
    """Bytes of JSON lines in a file, before compression, at most but for a single longer line."""

    compression: Literal["zst", "gz"] = "zst"
    """``zst`` or ``gz``."""


class CorpusSettings(Config):
    """What to read and what to do with it."""

    inputs: tuple[Input, ...] = Field(min_length=1)
    """Where the texts are."""

    languages: tuple[Tag, ...] = ()
    """Only documents in these languages; empty: all."""

    on_error: OnError = "stop"
    """A row that cannot be read: ``stop``; ``skip`` and count it; ``replace`` bytes that are not
    UTF-8 and count them, and skip the rest."""

    max_characters: int = Field(1_000_000, ge=1_000)
    """A longer document is dropped: it is a book, or a broken file."""

    language: LanguageRules = LanguageRules()
    """When a document or a line is in the wrong language."""

    quality: QualityRules | None = QualityRules()
    """How far from what is usual in its language a document may be; null: any distance."""

    near_duplicates: NearDuplicates | None = NearDuplicates()
    """What counts as a near-duplicate; null: only equal texts are duplicates."""

    decontamination: Decontamination = Decontamination()
    """Benchmarks whose texts must not be in the corpus."""

    personal_data: PersonalData = PersonalData()
    """What personal data to replace."""

    sampling: Sampling | None = None
    """How much of each language to write; null: everything, once."""

    split: Split = Split()
    """What is put aside to validate on."""

    shards: Shards = Shards()
    """The files that are written."""

    workers: int = Field(1, ge=1, le=256)
    """Processes; their number changes no byte of the corpus."""

    seed: int = Field(0, ge=0)
    """Seed of the split and of the sampling."""


class CorpusRecipe(Config):
    """A recipe for ``interlingua corpus build``."""

    corpus: CorpusSettings
    """What to read and what to do with it."""
