"""A linear classification head over pooled states, in ``head.safetensors``.

Legend: N texts, C classes, D features.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ModelError, quoted
from interlingua.base.files import atomic_path
from interlingua.base.optional import require
from interlingua.models.checks import check_safetensors

HEAD_FILE = "head.safetensors"
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Logits are ``(features - mean) @ weight.T + bias``.

    Attributes:
        weight: float32 [C, D].
        bias: float32 [C].
        labels: Names of the classes, in the order of the rows.
        mean: Subtracted from the features first, float32 [D], or none.
    """

    weight: Floats
    bias: Floats
    labels: tuple[str, ...]
    mean: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse arrays whose shapes do not fit together or that hold numbers that are not finite.

        Raises:
            ModelError: They do not fit.
        """
        classes, width = self.weight.shape if self.weight.ndim == 2 else (0, 0)
        fits = classes == len(self.labels) > 0 and self.bias.shape == (classes,)
        if not fits or (self.mean is not None and self.mean.shape != (width,)):
            raise ModelError(
                f"a head of {len(self.labels)} labels has weight {self.weight.shape}, bias "
                f"{self.bias.shape} and mean {None if self.mean is None else self.mean.shape}"
            )
        arrays = [self.weight, self.bias, *([] if self.mean is None else [self.mean])]
        if any(array.dtype != np.float32 for array in arrays):
            raise ModelError("a head is float32")
        if not all(np.isfinite(array).all() for array in arrays):
            raise ModelError("a head holds a number that is not finite")

    def logits(self, features: Floats) -> Floats:
        """Scores of the classes, before any softmax.

        Args:
            features: Pooled states [N, D].

        Returns:
            Logits float32 [N, C].
        """
        centred = features if self.mean is None else features - self.mean
        return (centred @ self.weight.T + self.bias).astype(np.float32, copy=False)

    def save(self, path: str | Path) -> None:
        """Write the head as safetensors, whole or not at all.

        Raises:
            DiskError: The disk refused it.
            MissingExtraError: The package ``safetensors`` is not installed.
        """
        save_file = require("safetensors.numpy", extra="text").save_file
        arrays = {"weight": self.weight, "bias": self.bias}
        arrays |= {} if self.mean is None else {"mean": self.mean}
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        with atomic_path(path) as temporary:
            metadata = {"labels": json.dumps(self.labels, ensure_ascii=False)}
            save_file(arrays, temporary, metadata=metadata)
            temporary.chmod(0o644)

    @classmethod
    def load(cls, path: str | Path) -> Head:
        """Read a head.

        Raises:
            ModelError: The file is not a head.
            MissingExtraError: The package ``safetensors`` is not installed.
        """
        file = Path(path)
        header = check_safetensors(file)
        names = set(header) - {"__metadata__"}
        try:
            labels = json.loads(header["__metadata__"]["labels"])
        except (KeyError, TypeError, ValueError):
            labels = None
        if names not in ({"weight", "bias"}, {"weight", "bias", "mean"}) or not (
            isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        ):
            raise ModelError(f"{file} is not a head: it holds {quoted(sorted(names))}")
        arrays = require("safetensors.numpy", extra="text").load_file(file)
        try:
            return cls(arrays["weight"], arrays["bias"], tuple(labels), arrays.get("mean"))
        except ModelError as error:
            raise ModelError(f"{file}: {error.problem}") from error
