"""Memory against what torch really saves."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from interlingua.models.language_model import LanguageModel
from interlingua.models.scratch import NewModel, config_of, model_of
from interlingua.training.cost.architecture import Batch, architecture_of
from interlingua.training.cost.memory import activations
from interlingua.training.trainable import attend_by_products, set_dropout

SHAPES = ["bert", "xlm-roberta", "modernbert", "mt5", "llama"]
IDS = {"pad": 1, "start": 0, "end": 2}


def saved_bytes(model: Any, batch: Batch, *, bfloat16: bool) -> int:
    """Bytes of all storages that a forward pass keeps for the backward pass, parameters apart."""
    storages: dict[int, tuple[int, Any]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = (storage.nbytes(), storage)
        return tensor

    ids = torch.randint(3, 700, (batch.rows, batch.length))
    mask = torch.ones_like(ids)
    mask[0, -8:] = 0
    target = torch.randint(3, 700, (batch.rows, batch.target)) if batch.target else None
    labelled = torch.ones((target if target is not None else ids).shape, dtype=torch.bool)
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=bfloat16),
    ):
        model(ids, mask, labelled, decoder_ids=target)
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    return sum(size for place, (size, _) in storages.items() if place not in own)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("cpu", [False, True])
def test_what_layers_save_is_what_torch_saves(
    shape: str, bfloat16: bool, dropout: float, cpu: bool
) -> None:
    new = NewModel.model_validate(
        {"shape": shape, "tokenizer": "-", "layers": 4, "width": 64, "heads": 4}
        | {"intermediate": 160, "max_length": 96}
    )
    model = model_of(new, vocabulary=700, **IDS)
    model.train()
    set_dropout(model, dropout)
    if cpu:
        attend_by_products(model, length=88, device=torch.device("cpu"))
    batch = Batch(rows=3, length=88, labelled=88 * 3, target=40 if shape == "mt5" else 0)
    counted = architecture_of(config_of(new, vocabulary=700, **IDS).to_dict())
    said = activations(counted, batch, bfloat16=bfloat16, dropout=dropout > 0, cpu=cpu)
    found = saved_bytes(LanguageModel(model), batch, bfloat16=bfloat16)
    assert said == pytest.approx(found, rel=0.06)
