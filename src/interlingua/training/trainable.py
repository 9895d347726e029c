"""Which of an encoder's parameters are trained: at which rate, and from which epoch on.

An encoder's parameters lie in layers 0 to depth - 1, counted from the input; what lies before the
first layer, such as embeddings and their norm, is layer -1, and what follows the last belongs to
the last.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import regex
import torch
from torch import Tensor, nn

from interlingua.base.optional import require

if TYPE_CHECKING:
    from interlingua.batches.buckets import IntArray
    from interlingua.models.folder import ModelFolder
    from interlingua.training.settings import FullSettings, LoraSettings

BEFORE = -1
_SHORT = 256
_LAYER = regex.compile(r"(?:^|\.)(?:layer|layers|block|h)\.(\d+)\.")
_ATTENTION = regex.compile(r"(?:\.self\.dropout|[Aa]ttention|attn|attn_drop(?:out)?)$")
_EMBEDDING = regex.compile(r"embed|shared|relative_attention_bias|^wte|^wpe")


def layer_of(name: str, depth: int) -> int:
    """The layer a parameter lies in, by its name in the bare encoder."""
    found = _LAYER.search(name)
    if found:
        return int(found[1])
    return BEFORE if _EMBEDDING.search(name) else depth - 1


def depth_of(names: Iterable[str]) -> int:
    """How many layers parameters of these names form."""
    return 1 + max(int(found[1]) for name in names if (found := _LAYER.search(name)))


def rate(name: str, depth: int, *, top: float, decay: float) -> float:
    """The peak learning rate of a parameter: ``top`` in the last layer, times ``decay`` a layer.

    Source: Howard and Ruder, ACL 2018, section 3.2, discriminative fine-tuning (decay 1 / 2.6).
    """
    return top * decay ** (depth - 1 - layer_of(name, depth))


def trained_from(unfreezing: Sequence[int], epoch: int, depth: int) -> int:
    """The lowest layer that is trained in an epoch (from 0), all above it included.

    Args:
        unfreezing: Top layers trained in each epoch; the last number holds on; empty: all.
        epoch: The epoch, from 0.
        depth: Layers of the encoder; where all are trained, what lies before them is too.

    Source: Howard and Ruder, ACL 2018, section 3.3, gradual unfreezing.
    """
    if not unfreezing:
        return BEFORE
    layers = unfreezing[min(epoch, len(unfreezing) - 1)]
    return depth - layers if layers < depth else BEFORE


def set_dropout(encoder: nn.Module, share: float) -> None:
    """Set the dropout of an encoder's hidden states, and none on its attention weights.

    Dropping attention weights keeps torch from its fused attention: a tenth of a step's time.
    """
    for name, module in encoder.named_modules():
        attention = _ATTENTION.search(name) is not None
        if isinstance(module, nn.Dropout):
            module.p = 0.0 if attention else share
        elif isinstance(getattr(module, "dropout", None), float):
            setattr(module, "dropout", 0.0 if attention else share)  # noqa: B010 - typed as a module


def attend_by_products(encoder: nn.Module, *, length: int, device: torch.device) -> None:
    """On a CPU, have short rows attend by plain matrix products instead of the fused kernel.

    Backward, the fused kernel takes most of a step of short rows: forward and backward of a layer
    of 12 heads in bfloat16 over 128 rows of 18 tokens took 84 ms, plain products 10 ms; over 16
    rows of 128 tokens 56 and 28 ms. Products keep a table of L^2 a head and row, so that long rows
    stay as they are.

    Args:
        encoder: A model of `transformers`.
        length: Tokens of a row at most, L.
        device: Where it is trained.
    """
    choose: Callable[[str], None] | None = getattr(encoder, "set_attn_implementation", None)
    if choose is not None and device.type == "cpu" and attends_by_products(length):
        choose("eager")


def attends_by_products(length: int) -> bool:
    """Whether rows of so many tokens at most attend by plain products on a CPU."""
    return length <= _SHORT


def add_lora(encoder: nn.Module, settings: LoraSettings, *, seed: int) -> nn.Module:
    """Put a low-rank term beside every matrix of an encoder and freeze everything else.

    A matrix W [O, I] acts as W + (alpha / r) B A, with B [O, r] zero and A [r, I] random at first.

    Source: Hu et al., ICLR 2022, section 4.1.
    """
    peft = require("peft", extra="train")
    torch.manual_seed(seed)
    config = peft.LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=0.0, target_modules="all-linear"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # a name that peft still uses
        adapted: nn.Module = peft.get_peft_model(encoder, config)
    return adapted


def merged(encoder: nn.Module) -> nn.Module:
    """The encoder with its low-rank terms added to its matrices, an ordinary one again."""
    plain: nn.Module = encoder.merge_and_unload()  # type: ignore[operator]
    return plain


class RowEmbedding(nn.Module):
    """An embedding table of which only some rows are trained.

    Those rows are a small table of their own. A dense optimizer over it does what it would do to
    the whole table, except that rows which no training text uses do not decay: their gradient is
    zero, and Adam's step for a gradient that was always zero is zero. The whole table and its two
    moments are never touched.

    Args:
        table: The whole table, [V, D].
        rows: Ids that are trained, without repetition [R].
    """

    def __init__(self, table: nn.Embedding, rows: IntArray) -> None:
        super().__init__()
        self.table = table.requires_grad_(False)
        ids = torch.from_numpy(rows)
        self.rows = nn.Parameter(table.weight.detach()[ids].clone())
        slots = torch.full((table.num_embeddings,), -1, dtype=torch.int64)
        slots[ids] = torch.arange(len(ids))
        self.register_buffer("slots", slots, persistent=False)
        self.register_buffer("ids", ids, persistent=False)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Embeddings [B, L, D] of token ids [B, L]."""
        slots = self.get_buffer("slots")[input_ids]
        trained = nn.functional.embedding(slots.clamp(min=0), self.rows)
        known: Tensor = self.table(input_ids)
        return torch.where((slots >= 0).unsqueeze(-1), trained, known)

    def whole(self) -> nn.Embedding:
        """The table with the trained rows written into it."""
        with torch.no_grad():
            self.table.weight[self.get_buffer("ids")] = self.rows
        return self.table


def train_rows(encoder: nn.Module, input_ids: Sequence[np.ndarray]) -> None:
    """Have an encoder train the rows of its input embeddings that some token ids use."""
    used = np.unique(np.concatenate(input_ids)).astype(np.int64)
    table: nn.Embedding = encoder.get_input_embeddings()  # type: ignore[operator]
    encoder.set_input_embeddings(RowEmbedding(table, used))  # type: ignore[operator]


def join_rows(encoder: nn.Module) -> None:
    """Undo `train_rows`, keeping what was learned."""
    embedding = encoder.get_input_embeddings()  # type: ignore[operator]
    if isinstance(embedding, RowEmbedding):
        encoder.set_input_embeddings(embedding.whole())  # type: ignore[operator]


def trained_encoder(
    folder: ModelFolder,
    settings: FullSettings | LoraSettings,
    input_ids: Sequence[np.ndarray],
    *,
    device: torch.device,
    seed: int,
) -> tuple[nn.Module, Callable[[str], float]]:
    """The bare encoder, of which what is trained asks for a gradient, and its rates by name.

    Args:
        folder: The parent model.
        settings: Those of the strategy.
        input_ids: Token ids of the training rows, whose embeddings may be trained.
        device: Where it is trained.
        seed: Seed of low-rank terms.
    """
    from interlingua.models.encoder import load_encoder
    from interlingua.training.settings import FullSettings

    plain = load_encoder(folder)
    depth = depth_of(name for name, _ in plain.named_parameters())
    set_dropout(plain, settings.encoder_dropout)
    attend_by_products(plain, length=max(map(len, input_ids)), device=device)
    decay = 1.0
    adapted: nn.Module = plain
    if isinstance(settings, FullSettings):
        decay = settings.layer_decay
        plain.requires_grad_(True)
        plain.get_input_embeddings().requires_grad_(False)
        if settings.embeddings == "rows":
            train_rows(plain, input_ids)
    else:
        adapted = add_lora(plain, settings, seed=seed)
    return adapted, partial(rate, depth=depth, top=settings.learning_rate, decay=decay)
