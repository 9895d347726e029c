r"""Take from a model's vectors what all of them share.

The pooled vectors of most encoders lie in a narrow cone. With v_i the vectors of N texts of many
languages, before they are brought to length one, each becomes

    v_i - mu,    mu = 1 / N sum_i v_i

(Mu and Viswanath, ICLR 2018, algorithm 1, first step). A vector is the mean of states, or one of
them, and the last states come from a norm with a bias: so mu is taken off that bias, and the model
needs no further layer, wherever it is opened.

Legend: D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from interlingua.base.errors import ConfigError

_CLOSE = 1e-3


@torch.no_grad()
def centre(encoder: nn.Module, mean: Tensor) -> None:
    """Move the last states of an encoder, in place.

    Args:
        encoder: A bare encoder of `transformers`.
        mean: What is taken off every state [D].

    Raises:
        ConfigError: Its last states do not come from a norm with a bias.
    """
    norms = [
        module
        for module in encoder.modules()
        if isinstance(module, nn.LayerNorm) and isinstance(module.bias, nn.Parameter)
    ]
    if norms:
        bias, training = norms[-1].bias, encoder.training
        encoder.eval()
        before = _states(encoder, mean.device)
        bias.sub_(mean.to(bias.dtype))
        moved = before - _states(encoder, mean.device)
        encoder.train(training)
        if torch.allclose(moved, mean.expand_as(moved), atol=_CLOSE * float(mean.abs().max())):
            return
        bias.add_(mean.to(bias.dtype))
    raise ConfigError(
        f"vectors of {type(encoder).__name__} cannot be centred: its last states do not come from "
        "a norm with a bias",
        remedy="Leave model.centre out",
    )


def _states(encoder: nn.Module, device: torch.device) -> Tensor:
    """The last states of a text of three tokens [1, 3, D]."""
    ids = torch.arange(3, device=device).unsqueeze(0) + 4
    states: Tensor = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    return states


__all__ = ["centre"]
