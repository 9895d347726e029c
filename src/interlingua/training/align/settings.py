"""The recipe of an alignment run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from interlingua.base.config import Config
from interlingua.training.pretrain_settings import CorpusData, ObjectiveSettings
from interlingua.training.settings import StepwiseSettings

ContrastName = Literal["infonce", "xcl", "distill", "cpc", "preserve"]
PAIRED = ("infonce", "xcl", "distill")
GUESSED = ("mlm", "tlm")
_QUEUE_OF_XCL = 4096


class FalseNegativeSettings(Config):
    """Candidates that are ignored because they are probably right too."""

    rule: Literal["ratio", "difference", "parent"] = "ratio"
    """Above ``value`` times the right one's cosine; above that cosine minus ``value``; or, by the
    frozen parent, above a cosine of ``value`` with the right one, where that is the anchor's."""
    value: float = 0.95
    """The factor, the difference, or the parent's cosine."""


class ContrastSettings(Config):
    """What is drawn together, and how often it is this objective's turn."""

    kind: ContrastName
    """``infonce``, ``xcl`` and ``distill`` take pairs, ``cpc`` documents, ``preserve`` documents
    and the anchor side of pairs."""
    weight: float = Field(1.0, gt=0)
    """Share of the steps, beside those of the other objectives."""
    temperature: float = Field(0.05, gt=0)
    """What cosines are divided by."""
    learned_temperature: bool = False
    """Whether that is only where the temperature starts."""
    symmetric: bool = True
    """Whether targets choose among sources too; ``xcl`` always does both."""
    margin: float = Field(0.0, ge=0, lt=2)
    """By which the right one has to win, in cosine."""
    distance_weight: float = Field(0.0, ge=0)
    """Of ``infonce`` and ``xcl``: how much of the squared distance between translations is added to
    the loss. Without it texts may be told apart by leaving the region of their translations."""
    false_negatives: FalseNegativeSettings | None = None
    """Which candidates are ignored because of their cosine; none: no candidate is."""
    anchor_negatives: int = Field(0, ge=0)
    """Texts of the anchor's language, drawn anew for every step from those that the parent has
    encoded, among which a text chooses its translation too: they cost no encoding."""
    hard_negatives: int = Field(0, ge=0, le=16)
    """So many of a pair's column ``negatives``, drawn anew for every step, are candidates of the
    whole batch, both ways."""
    queue: int | None = Field(None, ge=0)
    """Earlier keys that are negatives too; without it 4096 for ``xcl`` and none for ``infonce``."""
    momentum: float = Field(0.999, ge=0, lt=1)
    """How slowly the encoder of keys follows, where there is a queue."""
    layer: int | None = Field(None, ge=0)
    """Hidden state whose vectors are compared, 0 being the embeddings; none: as the model has
    it."""
    pooling: Literal["mean", "cls"] | None = None
    """How states become one vector; none: as the model has it."""
    horizon: int = Field(3, ge=1)
    """Segments that the one to be chosen is away at most."""
    head: bool = False
    """Whether a matrix for each distance predicts the segment from the other."""
    dimensions: tuple[int, ...] = ()
    """Lengths that vectors shall be usable at; empty: the whole only."""

    @property
    def queue_length(self) -> int:
        """Keys in the queue of this objective."""
        if self.queue is not None:
            return self.queue
        return _QUEUE_OF_XCL if self.kind == "xcl" else 0

    @model_validator(mode="after")
    def _fits_together(self) -> ContrastSettings:
        if self.queue_length and not (self.kind in PAIRED and self.symmetric):
            raise ValueError(f"queue suits symmetric infonce and xcl, not {self.kind}")
        if self.kind == "xcl" and not self.symmetric:
            raise ValueError("xcl goes in both directions: leave symmetric out")
        if self.distance_weight and self.kind not in ("infonce", "xcl"):
            raise ValueError(f"distance_weight suits infonce and xcl, not {self.kind}")
        plain = self.kind == "infonce" and not self.queue_length
        if (self.anchor_negatives or self.hard_negatives) and not plain:
            raise ValueError("anchor_negatives and hard_negatives suit infonce without a queue")
        return self

    @property
    def needs_anchor(self) -> str:
        """What of it makes no sense without an anchor; empty: nothing."""
        found = self.false_negatives
        if found is not None and found.rule == "parent":
            return "false_negatives by the parent"
        if self.anchor_negatives:
            return "anchor_negatives"
        return "distill" if self.kind == "distill" else ""


class GuessSettings(ObjectiveSettings):
    """Tokens that are guessed beside, by two of pretraining's objectives."""

    kind: Literal["mlm", "tlm"]
    """``mlm`` takes texts, ``tlm`` pairs, both sides in one row."""


def _member(value: Any) -> str:  # noqa: ANN401 - whatever a recipe holds
    """Which kind of objective a recipe's entry is."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "<guess>" if kind in GUESSED else "<contrast>"


AnyObjective = Annotated[
    Annotated[ContrastSettings, Tag("<contrast>")] | Annotated[GuessSettings, Tag("<guess>")],
    Discriminator(_member),
]


class AlignModel(Config):
    """Which model is aligned."""

    name: str = "starter"
    """``starter``, a folder or a hub id."""
    centre: bool = False
    """Whether what the vectors of all texts share is taken off before anything else."""


class AlignSettings(StepwiseSettings):
    """How it is aligned."""

    steps: int = Field(1000, ge=1)
    """Updates."""
    learning_rate: float = Field(5e-5, gt=0, le=1)
    """Peak learning rate."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the steps over which the rate rises from zero."""
    token_budget: int = Field(16384, ge=16)
    """Padded tokens in a step, of both sides of pairs, or of the one that is encoded."""
    max_rows: int = Field(128, ge=2)
    """Pairs in a step at most: each is a negative of all others."""
    validate_every: int = Field(200, ge=1)
    """Steps between validations."""
    checkpoint_steps: int = Field(200, ge=1)
    """Steps between checkpoints."""
    anchor: str | None = None
    """A language that stands still: its side of a pair is encoded by the frozen parent and the
    other side is drawn to it. Without it both sides are trained."""
    sampling: float = Field(0.7, gt=0, le=1)
    """Language pairs are drawn in proportion to their tokens to this power."""
    one_pair_a_batch: bool = False
    """Whether a batch holds pairs of two languages only, so that no negative is told by its
    language."""
    parent_share: float = Field(0.0, ge=0, lt=1)
    """How much of the parameters it started from is in the model that is written; the rest is of
    those that were trained."""
    layers: int | None = Field(None, ge=1)
    """Top layers that are trained; none: all."""
    embeddings: Literal["frozen", "rows"] = "frozen"
    """Input embeddings: left alone, or trained in the rows that the texts use."""


class AlignRecipe(Config):
    """An alignment run: the sections of its recipe."""

    model: AlignModel = AlignModel()
    objectives: tuple[AnyObjective, ...] = Field(
        default=(ContrastSettings(kind="infonce"),), min_length=1
    )
    data: CorpusData
    training: AlignSettings = AlignSettings()

    @property
    def contrasts(self) -> tuple[ContrastSettings, ...]:
        """The objectives on vectors."""
        return tuple(one for one in self.objectives if isinstance(one, ContrastSettings))

    @property
    def guesses(self) -> tuple[GuessSettings, ...]:
        """The objectives on tokens."""
        return tuple(one for one in self.objectives if isinstance(one, GuessSettings))

    @model_validator(mode="after")
    def _objectives_have_data(self) -> AlignRecipe:
        if not self.contrasts:
            raise ValueError(
                f"{' and '.join(GUESSED)} draw nothing together: add infonce, or use "
                "interlingua pretrain"
            )
        if self.model.centre and self.guesses:
            raise ValueError(
                "model.centre moves the states that mlm and tlm guess from: leave one of them out"
            )
        for objective in self.objectives:
            if objective.kind in (*PAIRED, "tlm") and not self.data.pairs:
                raise ValueError(f"objective {objective.kind} needs data.pairs")
            if objective.kind in ("cpc", "mlm") and not self.data.train:
                raise ValueError(f"objective {objective.kind} needs data.train")
        for objective in self.contrasts:
            if objective.needs_anchor and not self.training.anchor:
                raise ValueError(f"{objective.needs_anchor} needs training.anchor")
            anchored = self.training.anchor is not None and self.data.pairs
            if objective.kind == "preserve" and not (anchored or self.data.train):
                raise ValueError("objective preserve needs data.train, or an anchor and data.pairs")
        return self
