"""Attention and positions, plainly written; `docs/concepts/attention.md` explains each function.

    python examples/attention.py      compares them with torch's own

Legend: B sequences, H heads, L queries, S keys, D width, K = D / H width of a head.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def attention(
    q: Tensor, k: Tensor, v: Tensor, *, allowed: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """softmax(q k^T / sqrt(K) + bias) v, only where ``allowed``.

    q [..., L, K], k and v [..., S, K], allowed (bool) and bias [..., L, S]; gives [..., L, K].
    """
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
    return scores.softmax(dim=-1) @ v


def causal(length: int) -> Tensor:
    """Each position sees itself and what came before: bool [L, L]."""
    return torch.ones(length, length, dtype=torch.bool).tril()


def unpadded(attention_mask: Tensor) -> Tensor:
    """Nobody sees padding: an attention mask [B, S] of ones and zeros as bool [B, 1, 1, S]."""
    return attention_mask.bool()[:, None, None, :]


def window(length: int, reach: int) -> Tensor:
    """Each position sees neighbours up to ``reach`` away on either side: bool [L, L]."""
    place = torch.arange(length)
    return (place[:, None] - place).abs() <= reach


class MultiHeadAttention(torch.nn.Module):
    """H attentions side by side, each over its own projection of width K, then joined."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (
            torch.nn.Linear(width, width) for _ in range(4)
        )

    def forward(self, x: Tensor, memory: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Queries from x [B, L, D], keys and values from memory [B, S, D]; gives [B, L, D]."""

        def split(states: Tensor) -> Tensor:  # [B, L, D] to [B, H, L, K]
            return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = split(self.query(x)), split(self.key(memory)), split(self.value(memory))
        return self.output(attention(q, k, v, allowed=allowed).transpose(1, 2).flatten(-2))


def sinusoidal(length: int, width: int) -> Tensor:
    """Sines in even columns, cosines in odd ones, of wavelengths 2 pi to 20000 pi: [L, D]."""
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def learned_positions(input_ids: Tensor, pad_id: int) -> Tensor:
    """The rows of XLM-R's table of positions: pad_id + 1 onwards, padding at pad_id: [B, L]."""
    there = input_ids != pad_id
    return there.cumsum(dim=1) * there + pad_id


def bucket(distance: Tensor, *, both: bool, buckets: int = 32, furthest: int = 128) -> Tensor:
    """T5's bucket of each distance, key place - query place: near ones alone, far ones by log.

    With ``both``, as in an encoder, half the buckets are for what comes after.
    """
    if both:
        buckets //= 2
        after = (distance > 0) * buckets
        distance = distance.abs()
    else:
        after = torch.zeros_like(distance)
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    far = (distance.clamp(min=1) / exact).log() / math.log(furthest / exact) * (buckets - exact)
    far = (exact + far.long()).clamp(max=buckets - 1)
    return after + torch.where(distance < exact, distance, far)


def rotary(x: Tensor, places: Tensor, base: float = 10000.0) -> Tensor:
    """Turn columns i and i + K/2 of x [..., L, K] together by places[L] / base^(2i/K)."""
    half = x.shape[-1] // 2
    angle = places[:, None] * base ** (-torch.arange(half) / half)
    cos, sin = angle.cos(), angle.sin()
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def apart(a: Tensor, b: Tensor) -> float:
    """The largest difference."""
    return float((a - b).abs().max())


def main() -> None:
    """Print how far each is from torch's own, and what rotations keep."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 4, 7, 8)
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2])
    for name, allowed in {
        "no mask": None,
        "causal": causal(7),
        "padding": unpadded(mask),
        "causal and padding": causal(7) & unpadded(mask),
    }.items():
        theirs = functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
        print(f"attention, {name}: {apart(attention(q, k, v, allowed=allowed), theirs):.1e}")

    ours, theirs = MultiHeadAttention(32, 4), torch.nn.MultiheadAttention(32, 4, batch_first=True)
    with torch.no_grad():
        three = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.copy_(torch.cat([linear.weight for linear in three]))
        theirs.in_proj_bias.copy_(torch.cat([linear.bias for linear in three]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
        x, memory = torch.randn(2, 5, 32), torch.randn(2, 7, 32)
        found = theirs(x, memory, memory, key_padding_mask=mask == 0)[0]
        print(f"multi-head: {apart(ours(x, memory, unpadded(mask)), found):.1e}")

    places = torch.arange(7)
    near, far = (rotary(q, places + s) @ rotary(k, places + s).mT for s in (0, 100))
    print(f"rotary scores after a move of 100 places: {apart(near, far):.1e}")
    line = torch.arange(-130, 131, 26)
    print("T5 buckets of", line.tolist(), "are", bucket(line, both=True).tolist())


if __name__ == "__main__":
    main()
