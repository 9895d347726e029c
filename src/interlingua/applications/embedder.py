"""Vectors for texts in any language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import UsageError, quoted
from interlingua.base.registry import did_you_mean
from interlingua.inference.encode import Encoder
from interlingua.models.folder import open_model


class Embedder:
    """A model, ready to turn texts into vectors.

    Args:
        model: ``starter``, a folder or a hub id.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        exact: float32 without padding: a vector does not depend on its companions.

    Example:
        >>> Embedder("starter").encode(["Guten Tag"]).shape  # doctest: +SKIP
        (1, 384)
    """

    def __init__(
        self, model: str | Path = "starter", *, engine: str = "auto", exact: bool = False
    ) -> None:
        self.folder = open_model(model)
        self.encoder = Encoder(self.folder, engine=engine, exact=exact)

    def encode(self, texts: Sequence[str], *, prefix: str | None = None) -> NDArray[np.float32]:
        """Vectors float32 [N, D] of N texts, in their order.

        Args:
            texts: The texts.
            prefix: Name of one of the model's prefixes, such as ``query`` or ``passage``, or
                ``none``; without it the model's default.

        Raises:
            UsageError: The model has no such prefix.
        """
        named = self.folder.info.prefixes
        if prefix is None:
            return self.encoder.encode(texts).vectors
        if prefix != "none" and prefix not in named:
            raise UsageError(
                f"the model has no prefix {quoted(prefix)}",
                remedy=did_you_mean(prefix, [*named, "none"]),
            )
        return self.encoder.encode(texts, prefix=named.get(prefix, "")).vectors
