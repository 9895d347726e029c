"""The settings of a fine-tuning run: what a recipe may hold and what a flag may say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt

from interlingua.base.config import Config

Strategy = Literal["auto", "probe", "head", "lora", "full"]


class ModelSettings(Config):
    """Which model is taught."""

    name: str = "starter"
    """``starter``, a folder or a hub id."""
    normalize: bool | None = None
    """Whether pooled vectors are brought to length one; without it as the model has it, and not
    where ``lora`` or ``full`` trains the encoder, since a head then has to shout."""


class DataSettings(Config):
    """What it is taught with."""

    task: str
    """The task's name."""
    train: tuple[str, ...] = Field(min_length=1)
    """Files with labelled rows."""
    validation: tuple[str, ...] = ()
    """Files to choose by; without them training rows are held out, stratified by label."""
    held_out: float = Field(0.1, gt=0, le=0.5)
    """Share of the training rows held out, if no validation file is named: one part of a whole
    number of like parts. A run that ends with ``last`` or ``average`` needs few."""
    lang: str | None = None
    """The language of the training rows; without it the path, a column or identification tells."""
    labels: tuple[str, ...] = ()
    """The label set, in order; without it the task's, or the sorted labels of the training rows."""
    detokenize: bool = False
    """Join words and marks that stand apart in English rows, as XNLI's copy of MultiNLI has them
    (``I can 't say .``); of classification."""
    on_error: Literal["stop", "skip"] = "stop"
    """What to do with a row that cannot be read."""


class ProbeSettings(Config):
    """A frozen encoder and a regularised logistic head."""

    layers: tuple[int, ...] = ()
    """Hidden states whose pooled vectors are joined; empty: the last. 0 is the embedding layer."""
    whitening: bool = True
    """Shrink the directions along which languages differ, as the phrasebook shows them; of single
    texts only."""
    folds: int = Field(5, ge=2, le=20)
    """Parts of the cross-validation that chooses the regularisation."""
    words: int = Field(30_000, ge=100)
    """Words that the probe of a tagger is fitted on at most, of sentences drawn at random."""


class LoopSettings(Config):
    """How the loop runs; a step is one optimizer update."""

    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the steps over which the rate rises from zero."""
    schedule: Literal["linear", "cosine", "wsd", "constant"] = "linear"
    """How the rate falls after that: to zero, to a tenth, or (wsd) only at the end."""
    decay: float = Field(0.2, gt=0, le=1)
    """Share of the steps over which the rate of ``wsd`` falls."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's decoupled decay, on matrices only."""
    clip_norm: float = Field(1.0, gt=0)
    """Largest norm of the gradient."""
    token_budget: int = Field(2048, ge=16)
    """Padded tokens in a step, over all processes and accumulation."""
    max_rows: int = Field(32, ge=1)
    """Rows in a step at most."""
    micro_rows: int = Field(1_000_000, ge=1)
    """Rows a process works on at once; with fewer than it has, gradients accumulate."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the forward pass; auto: bfloat16 where the hardware has it."""
    checkpoint: Literal["best", "last", "average"] = "best"
    """Which parameters the run ends with: of the best validation, the last, or the mean of
    ``average_over`` points spread evenly over the second half of the steps."""
    average_over: int = Field(10, ge=1)
    """How many points are averaged."""
    validations: int = Field(1, ge=1, le=100)
    """Validations in an epoch, evenly spread."""
    patience: int = Field(3, ge=1)
    """Validations without a better score before the run ends, where the best is kept."""
    checkpoint_steps: int = Field(50, ge=1)
    """Steps between checkpoints."""
    keep_checkpoints: int = Field(2, ge=1)
    """How many checkpoints stay."""


class StepwiseSettings(LoopSettings):
    """A run of so many steps over a mixture, as pretraining and alignment have it."""

    steps: int = Field(10_000, ge=1)
    """Updates."""
    learning_rate: float = Field(5e-4, gt=0, le=1)
    """Peak learning rate."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """Share of the steps over which the rate rises from zero."""
    schedule: Literal["linear", "cosine", "wsd", "constant"] = "cosine"
    """How the rate falls after that."""
    validate_every: int = Field(500, ge=1)
    """Steps between validations."""
    max_rows: int = Field(256, ge=1)
    """Rows in a step at most."""
    max_length: int = Field(128, ge=8)
    """Tokens of a row, special ones included."""
    checkpoint: Literal["best", "last", "average"] = "last"
    """Which parameters the run ends with."""
    checkpoint_steps: int = Field(500, ge=1)
    """Steps between checkpoints."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on hidden states."""
    seed: int = Field(0, ge=0, lt=2**32)
    """One seed for weights, order, chance and dropout."""


class TeachingSettings(LoopSettings):
    """What teaching a head by gradient takes besides."""

    epochs: int = Field(5, ge=1, le=1000)
    """Times every row is seen at most; early stopping may end sooner."""
    head_learning_rate: float = Field(1e-3, gt=0, le=1)
    """Peak learning rate of the head."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on the pooled vector."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the right label's probability that is spread over all labels."""
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced``: a row of a class with n of N rows in C classes counts N / (C n) times."""
    start_rows: int = Field(1000, ge=0)
    """The head starts as a probe fitted on this many training rows; with 0, and for pairs of texts,
    of which a probe knows little, at zero."""


class HeadSettings(TeachingSettings):
    """A frozen encoder, whose vectors are computed once, and a head trained on them."""

    epochs: int = Field(30, ge=1, le=1000)
    """Times every row is seen at most; early stopping may end sooner."""
    patience: int = Field(5, ge=1)
    """Validations without a better score before the run ends."""


class EncoderSettings(TeachingSettings):
    """What training an encoder along with its head takes besides."""

    token_dropout: float = Field(0.0, ge=0, lt=1)
    """Share of the tokens of a row's first text that a step leaves out, others each time."""


class LoraSettings(EncoderSettings):
    """A frozen encoder with a trained low-rank term beside each of its matrices."""

    learning_rate: float = Field(1e-3, gt=0, le=1)
    """Peak learning rate of the low-rank terms."""
    encoder_dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on the encoder's hidden states, instead of what its configuration says."""
    rank: int = Field(16, ge=1)
    """Rank r of each term."""
    alpha: float = Field(32.0, gt=0)
    """The term is multiplied by alpha / r."""


class FullSettings(EncoderSettings):
    """The encoder trained along with its head."""

    learning_rate: float = Field(1e-4, gt=0, le=1)
    """Peak learning rate of the encoder's last layer."""
    encoder_dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on the encoder's hidden states, instead of what its configuration says."""
    layer_decay: float = Field(1.0, gt=0, le=1)
    """Each layer's rate is that of the layer above times this (Howard and Ruder 2018)."""
    unfreezing: tuple[NonNegativeInt, ...] = ()
    """Top layers trained in epoch 1, 2, ...; the last number holds on; empty: all at once."""
    embeddings: Literal["frozen", "rows"] = "frozen"
    """Input embeddings: left alone, so that languages absent from training keep their place, or
    trained in the rows that the training texts use."""


class ReadingSettings(Config):
    """How questions and their contexts become windows, for task ``qa``."""

    window: int = Field(384, ge=32)
    """Tokens of a window, question and special ones included; at most what the model bears."""
    unanswered: float = Field(1.0, ge=0)
    """Windows without the answer that an epoch sees at most, for each window that has it; others
    are drawn every epoch."""
    cloze: float = Field(0.0, ge=0, le=100)
    """Questions made from the training contexts alone, for each that the files ask: a sentence
    without some words, which are the answer (see ``tasks.cloze``)."""


class TrainingSettings(Config):
    """By which strategy and with which seed."""

    strategy: Strategy = "auto"
    """``probe``, ``head``, ``lora``, ``full``, or ``auto``: what the task record says."""
    seed: int = Field(0, ge=0, lt=2**32)
    """One seed for splits, order, initial head and dropout."""
    runs: int = Field(1, ge=1, le=20)
    """Runs by gradient from one start, with orders and dropout of seed, seed + 1, ...; the model
    is the mean of their parameters (Schmidt et al., ACL 2023)."""
    reading: ReadingSettings = ReadingSettings()
    probe: ProbeSettings = ProbeSettings()
    head: HeadSettings = HeadSettings()
    lora: LoraSettings = LoraSettings()
    full: FullSettings = FullSettings()


class FinetuneRecipe(Config):
    """A fine-tuning run: the sections of its recipe."""

    model: ModelSettings = ModelSettings()
    data: DataSettings
    training: TrainingSettings = TrainingSettings()
