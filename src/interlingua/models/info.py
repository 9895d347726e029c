"""What a model folder says about itself: ``interlingua.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from interlingua.base.config import Config

INFO_FILE = "interlingua.json"
Outputs = Literal["vectors", "tokens"]
"""What a model is run for: a vector of each text, or the logits of each token."""


class DataFile(Config):
    """A file the model was taught or tuned with."""

    path: str
    """Its name, as given."""
    sha256: str
    """Of its bytes, 64 hexadecimal digits."""
    rows: int
    """Rows that were used."""


class ModelInfo(Config):
    """What a model was taught, and how its vectors are made."""

    task: str | None = None
    """Name of the task, or null for a bare encoder."""
    labels: tuple[str, ...] = ()
    """The label space, in the order of the head's rows."""
    source_languages: tuple[str, ...] = ()
    """Tags of the languages it was taught the task in."""
    pooling: Literal["mean", "cls", "pair"] = "mean"
    """How the states of a text's tokens become one vector; ``pair`` tells two texts apart."""
    separator: int | None = None
    """Id of the token that ends the first text of a pair; pooling ``pair`` needs it."""
    layers: tuple[int, ...] = ()
    """Hidden states to pool, 0 being the embeddings; empty means the last."""
    normalize: bool = True
    """Whether vectors are brought to length one."""
    prefixes: dict[str, str] = Field(default_factory=dict)
    """Texts put in front, by purpose, such as ``query`` and ``passage``."""
    default_prefix: str = ""
    """Name of the prefix used where none is asked for; empty means none."""
    max_length: int = Field(default=512, ge=2)
    """Tokens of a text, special ones included."""
    parent: str | None = None
    """The model it was made from."""
    data: tuple[DataFile, ...] = ()
    """The files it was taught with."""
    data_licences: dict[str, int] = Field(default_factory=dict)
    """Rows of those files by the licence that they name; an empty name: they name none."""
    scores: dict[str, Any] = Field(default_factory=dict)
    """Figures measured when it was made."""
    licence: str = ""
    """SPDX name of the licence of the weights, inherited from the parent."""
    citation: str = ""
    """Where it was described."""
    created: str = ""
    """Date and time, ISO 8601."""
    version: str = ""
    """Version of Interlingua that wrote it."""
    seed: int | None = None
    """Seed of the run."""

    @model_validator(mode="after")
    def _fits_together(self) -> ModelInfo:
        if self.default_prefix and self.default_prefix not in self.prefixes:
            raise ValueError(f"default_prefix {self.default_prefix!r} is not one of the prefixes")
        if self.pooling == "pair" and self.separator is None:
            raise ValueError("pooling 'pair' needs the id of the separator")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label is listed twice")
        if any(layer < 0 for layer in self.layers):
            raise ValueError("layers count from 0, the embeddings")
        return self

    def prefix(self, name: str | None = None) -> str:
        """The text of a prefix: of ``name``, or of the default where none is given.

        Raises:
            KeyError: No prefix has that name.
        """
        chosen = self.default_prefix if name is None else name
        return self.prefixes[chosen] if chosen else ""
