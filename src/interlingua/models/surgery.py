"""Surgery on a model's vocabulary: embeddings follow the pieces that stay, move or are new.

Legend: V rows before, W after, D width, N new rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from interlingua.base.errors import ModelError
from interlingua.base.optional import require
from interlingua.base.seeding import generator
from interlingua.models.encoder import load_as, load_encoder
from interlingua.vocab.vocabulary import NEW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelFolder
    from interlingua.vocab.vocabulary import Revision

Initialisation = Literal["decompose", "mean", "random"]
_DTYPES = ("float32", "bfloat16", "float16")
_IDS = "_token_id"


def load_whole(folder: ModelFolder) -> PreTrainedModel:
    """The model with the head it was saved with, in its own precision; else the bare encoder.

    Raises:
        ModelError: The weights do not fit the architecture.
    """
    dtype = str(folder.config.get("dtype") or folder.config.get("torch_dtype") or "float32")
    dtype = dtype if dtype in _DTYPES else "float32"
    names = folder.config.get("architectures") or [""]
    transformers = require("transformers", extra="train")
    if "For" not in str(names[0]) or not hasattr(transformers, str(names[0])):
        return load_encoder(folder, dtype=dtype)
    model, _ = load_as(folder, str(names[0]), told=str(names[0]), dtype=getattr(torch, dtype))
    whole: PreTrainedModel = model.eval()
    return whole


@torch.no_grad()
def revise(
    model: PreTrainedModel,
    revision: Revision,
    *,
    parts: Sequence[Sequence[int]] = (),
    initialisation: Initialisation = "decompose",
    seed: int = 0,
) -> None:
    """Give a model the embeddings of a revised vocabulary, in place.

    Rows of pieces that stay are copied bit for bit, from the input matrix, and from the output
    matrix and its bias where there are any of their own; rows that belong to no piece are dropped.

    Args:
        model: Any model of `transformers`.
        revision: What became of the vocabulary.
        parts: For each new piece, in order, the old ids it was cut into.
        initialisation: How new rows begin, see `new_rows`.
        seed: Seed of ``random``.

    Raises:
        ModelError: The model has too few embeddings for its tokenizer.
    """
    matrices = _matrices(model)
    origin = revision.origin
    least = int(origin.max()) + 1
    if matrices["input"].shape[0] < least:
        raise ModelError(
            f"the model has {matrices['input'].shape[0]} embeddings, its tokenizer {least} pieces"
        )
    made = {
        name: _rows(
            matrix.detach().clone(),
            origin,
            parts=parts,
            initialisation="mean" if matrix.ndim == 1 else initialisation,
            seed=seed,
        )
        for name, matrix in matrices.items()
    }
    model.resize_token_embeddings(len(origin), mean_resizing=False)
    for name, matrix in _matrices(model).items():
        matrix.copy_(made[name])
    moved = revision.moved()
    for config in (model.config, getattr(model, "generation_config", None)):
        _move_ids(config, moved)


def new_rows(
    matrix: Tensor, parts: Sequence[Sequence[int]], initialisation: Initialisation, *, seed: int
) -> Tensor:
    """First embeddings of new pieces.

    ``decompose``: the mean of the rows of the old pieces it was cut into, so that a text means
    about what it meant; a piece of nothing but unknown characters begins as ``random`` does.
    ``mean``: the mean of all rows. ``random``: normal, with the mean and the standard deviation
    that the rows have in each dimension (Hewitt 2021, "Initializing new word embeddings").

    Args:
        matrix: The old rows [V, D].
        parts: For each of N new pieces the old ids it was cut into, the unknown one left out.
        initialisation: How to begin.
        seed: Seed of ``random``.

    Returns:
        Rows [N, D], in the precision of ``matrix``.
    """
    rows = matrix.float()
    mean, deviation = rows.mean(dim=0), rows.std(dim=0)
    if initialisation == "mean":
        return mean.expand(len(parts), *mean.shape).to(matrix.dtype)
    noise = generator(seed, "new rows").standard_normal((len(parts), *mean.shape))
    made = mean + deviation * torch.from_numpy(noise.astype(np.float32))
    if initialisation == "decompose":
        for i, ids in enumerate(parts):
            if ids:
                made[i] = rows[list(ids)].mean(dim=0)
    return made.to(matrix.dtype)


def _rows(
    matrix: Tensor,
    origin: NDArray[np.int64],
    *,
    parts: Sequence[Sequence[int]],
    initialisation: Initialisation,
    seed: int,
) -> Tensor:
    """The matrix [W, ...] of the new vocabulary."""
    made = matrix[torch.from_numpy(np.where(origin == NEW, 0, origin))]
    places = np.flatnonzero(origin == NEW)
    assert len(places) == len(parts)
    if len(places):
        used = matrix[: int(origin.max()) + 1]
        made[torch.from_numpy(places)] = new_rows(used, parts, initialisation, seed=seed)
    return made


def _matrices(model: PreTrainedModel) -> dict[str, Tensor]:
    """What has a row for each piece: the input matrix, and an output matrix and bias of its own."""
    whole: Any = model
    given: Tensor = whole.get_input_embeddings().weight
    found = {"input": given}
    output = whole.get_output_embeddings()
    if output is None:
        return found
    if output.weight.data_ptr() != given.data_ptr():
        found["output"] = output.weight
    if getattr(output, "bias", None) is not None:
        found["bias"] = output.bias
    return found


def _move_ids(config: Any, moved: Mapping[int, int]) -> None:  # noqa: ANN401 - two classes
    """Give ``pad_token_id`` and its like the ids that these tokens have now."""
    for name, value in vars(config).items() if config is not None else ():
        if not name.endswith(_IDS):
            continue
        if isinstance(value, int) and value in moved:
            setattr(config, name, moved[value])
        elif isinstance(value, list):
            setattr(config, name, [moved.get(each, each) for each in value])
