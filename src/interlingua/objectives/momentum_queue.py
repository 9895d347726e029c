r"""A queue of keys from earlier batches, made by an encoder that follows slowly.

Many negatives need no large batch if those of earlier batches are kept (He et al., MoCo, CVPR 2020,
equation 1): with the newest K keys k_j, a query q and its own key k_+,

    L = - log( exp(q k_+ / t) / (exp(q k_+ / t) + sum_(j <= K) exp(q k_j / t)) )

which is `info_nce.contrast` over keys and queue. So that keys of different age agree, they come
from an encoder whose parameters are a running mean of the trained one's (equation 2):

    theta_k <- m theta_k + (1 - m) theta_q

Legend: K length of the queue, P pairs, D width.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class KeyQueue:
    """The newest K keys, each with the number of its text.

    Args:
        length: K.
        width: D.
        device: Where it lies.

    Attributes:
        keys: [K, D]; rows that were never filled are zero.
        groups: The number of each key's text, and of its partner's [K, 2]; -1: never filled.
        place: Where the next key goes, a scalar.
    """

    def __init__(self, length: int, width: int, device: torch.device | None = None) -> None:
        self.keys = torch.zeros(length, width, device=device)
        self.groups = torch.full((length, 2), -1, dtype=torch.int64, device=device)
        self.place = torch.zeros((), dtype=torch.int64)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold; to be restored in place."""
        return {"keys": self.keys, "groups": self.groups, "place": self.place}

    @torch.no_grad()
    def add(self, keys: Tensor, groups: Tensor) -> None:
        """Put keys [P, D] with their groups [P, 2] in the place of the oldest.

        Of more than K keys the last K stay.
        """
        length = len(self.keys)
        keys, groups = keys.detach()[-length:], groups[-length:]
        places = (torch.arange(len(keys), device=keys.device) + int(self.place)) % length
        self.keys[places] = keys.to(self.keys.dtype)
        self.groups[places] = groups
        self.place.fill_((int(self.place) + len(keys)) % length)

    def ignored(self, groups: Tensor) -> Tensor:
        """Which keys are no negatives of queries [P, K].

        Those never filled, and those that have a text or a partner in common with the query's pair.

        Args:
            groups: Of the right key of each query and of its partner, [P, 2].
        """
        common = (groups.unsqueeze(1) == self.groups.unsqueeze(0)).any(dim=-1)
        empty: Tensor = self.groups[:, 0] < 0
        return common | empty


@torch.no_grad()
def follow(followers: Iterable[Tensor], leaders: Iterable[Tensor], momentum: float) -> None:
    """Move the followers' parameters towards the leaders', in place: equation 2 of the text."""
    for follower, leader in zip(followers, leaders, strict=True):
        follower.mul_(momentum).add_(leader, alpha=1.0 - momentum)
