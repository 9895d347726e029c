"""Taking off what all vectors share."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from interlingua.base.errors import ConfigError
from interlingua.models.encoder import PooledEncoder
from interlingua.models.scratch import NewModel, config_of, model_of
from interlingua.training.centring import centre

IDS = {"pad": 1, "start": 0, "end": 2}


def encoder(shape: str) -> Any:
    torch.manual_seed(0)
    new = NewModel.model_validate(
        {"shape": shape, "tokenizer": "-", "layers": 2, "width": 32, "heads": 2}
        | {"intermediate": 64, "max_length": 40}
    )
    assert config_of(new, vocabulary=90, **IDS)
    return model_of(new, vocabulary=90, **IDS).base_model.train()


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("shape", ["bert", "xlm-roberta"])
def test_vectors_lose_the_mean_and_nothing_else(shape: str, pooling: Any) -> None:
    model = encoder(shape)
    pooled = PooledEncoder(model, pooling=pooling, normalize=False).eval()
    ids = torch.randint(4, 90, (6, 12))
    mask = torch.ones_like(ids)
    mask[:3, 7:] = 0
    with torch.no_grad():
        before = pooled(ids, mask)
        model.train()
        centre(model, before.mean(dim=0))
        assert model.training
        after = pooled.eval()(ids, mask)
    assert torch.allclose(after, before - before.mean(dim=0), atol=1e-5)
    assert after.mean(dim=0).abs().max() < 1e-5


@pytest.mark.parametrize("shape", ["modernbert", "llama"])
def test_a_norm_without_bias_is_told_and_left_alone(shape: str) -> None:
    model = encoder(shape)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ConfigError, match="norm with a bias"):
        centre(model, torch.ones(32))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
