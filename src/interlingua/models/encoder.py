"""Bare encoders, and the one module that turns token ids into vectors.

Legend: B rows, L tokens, D hidden width, K pooled layers.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from interlingua.base.errors import ModelError, quoted
from interlingua.base.optional import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelFolder
    from interlingua.models.tokenizer import SecondText

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_ENCODER_HALVES = {"t5": "T5EncoderModel", "mt5": "MT5EncoderModel", "umt5": "UMT5EncoderModel"}
_WITH_POOLER = ("bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert")
_SMALLEST_COUNT = 1e-9


def load_encoder(folder: ModelFolder, *, dtype: str = "float32") -> PreTrainedModel:
    """Load the bare encoder, without pooler or head, in evaluation mode on the CPU.

    Of an encoder-decoder only the encoder is loaded.

    Args:
        folder: An opened model.
        dtype: ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        ModelError: The architecture is unknown, or the weights do not fit it.
        MissingExtraError: The package ``transformers`` is not installed.
    """
    assert dtype in _DTYPES, f"dtype {dtype!r} is none of {', '.join(_DTYPES)}"
    kind = str(folder.config["model_type"])
    options: dict[str, Any] = {"add_pooling_layer": False} if kind in _WITH_POOLER else {}
    options |= {"dtype": _DTYPES[dtype], "attn_implementation": "sdpa"}
    name = _ENCODER_HALVES.get(kind, "AutoModel")
    model, report = load_as(folder, name, told=kind, **options)
    _check_report(folder, report)
    encoder: PreTrainedModel = model.eval()
    return encoder


def load_as(
    folder: ModelFolder,
    name: str,
    *,
    told: str,
    **options: Any,  # noqa: ANN401 - the library's own
) -> tuple[Any, dict[str, Any]]:
    """Load the weights of a folder into a class of ``transformers``, safely and silently.

    Args:
        folder: An opened model.
        name: The class.
        told: What to call it in a message.
        options: More for ``from_pretrained``.

    Returns:
        The model, and the library's report of what was missing or did not fit.

    Raises:
        ModelError: The library cannot load it.
        MissingExtraError: The package ``transformers`` is not installed.
    """
    transformers = require("transformers", extra="train")
    try:
        with _silence(transformers):
            model, report = getattr(transformers, name).from_pretrained(
                folder.path,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **options,
            )
    except Exception as error:  # the library raises many classes
        reason = quoted(error, 200)
        raise ModelError(f"{folder.path} cannot be loaded as {told}: {reason}") from error
    return model, report


def _check_report(folder: ModelFolder, report: dict[str, Any]) -> None:
    missing = sorted(key for key in report.get("missing_keys", ()) if "pooler" not in key)
    mismatched = [str(key[0]) for key in report.get("mismatched_keys", ())]
    for keys, what in ((missing, "lack"), (mismatched, "have another size for")):
        if keys:
            raise ModelError(
                f"the weights of {folder.path} {what} {len(keys)} tensors of the encoder, "
                f"as {quoted(keys[0])}"
            )


@contextmanager
def _silence(transformers: Any) -> Iterator[None]:  # noqa: ANN401 - a module
    """Keep the library's loading bars and reports off the terminal."""
    loud = transformers.utils.logging
    level, bars = loud.get_verbosity(), loud.is_progress_bar_enabled()
    loud.set_verbosity(logging.CRITICAL)
    loud.disable_progress_bar()
    try:
        yield
    finally:
        loud.set_verbosity(level)
        if bars:
            loud.enable_progress_bar()


def token_types(input_ids: Tensor, attention_mask: Tensor, second: SecondText) -> Tensor:
    """1 where a token belongs to a second text, else 0, as the model's tokenizer numbers them.

    Args:
        input_ids: Token ids [B, L].
        attention_mask: 1 where there is a token, 0 on padding [B, L].
        second: Where the second text begins.

    Returns:
        int64 [B, L]; zero for a row of one text.
    """
    # OpenVINO does not add up what is true or false.
    ended = (input_ids == second.separator).to(torch.int64).cumsum(dim=1).clamp(max=1)
    return (ended.cumsum(dim=1) > second.after).to(torch.int64) * attention_mask


def types_for(
    input_ids: Tensor, attention_mask: Tensor, second: SecondText | None
) -> dict[str, Tensor]:
    """What an encoder is given besides, if it tells two texts apart."""
    if second is None:
        return {}
    return {"token_type_ids": token_types(input_ids, attention_mask, second)}


def pool(hidden: Tensor, attention_mask: Tensor, mode: Literal["mean", "cls"]) -> Tensor:
    """One vector a row, in float32.

    Args:
        hidden: States [B, L, D].
        attention_mask: 1 where there is a token, 0 on padding [B, L].
        mode: ``mean`` over the tokens, special ones included, or the first token's (``cls``).

    Returns:
        Vectors [B, D]; zero for a row without tokens.
    """
    if mode == "cls":
        return hidden[:, 0].float()
    weights = attention_mask.unsqueeze(-1).to(torch.float32)
    total = (hidden.float() * weights).sum(dim=1)
    return total / weights.sum(dim=1).clamp(min=_SMALLEST_COUNT)


def pool_pair(
    hidden: Tensor, input_ids: Tensor, attention_mask: Tensor, separator: int, *, normalize: bool
) -> Tensor:
    """What two texts in one row are, and how they differ: u, v, abs(u - v) and u * v.

    u is the mean state of the tokens before the first separator, v of those after it that are no
    separators: zero, if there is no second text.

    Args:
        hidden: States [B, L, D].
        input_ids: Token ids [B, L].
        attention_mask: 1 where there is a token, 0 on padding [B, L].
        separator: Id of the token between and after the texts.
        normalize: Whether u and v are brought to length one first.

    Returns:
        Vectors [B, 4 * D].

    Source: the features of Conneau et al., InferSent, EMNLP 2017, section 3.1, here of states that
    have seen both texts.
    """
    ends = (input_ids == separator).to(torch.int64)
    second = (ends.cumsum(dim=1) > 0).to(torch.int64)
    u = pool(hidden, attention_mask * (1 - second), "mean")
    v = pool(hidden, attention_mask * second * (1 - ends), "mean")
    if normalize:
        u, v = nn.functional.normalize(u, dim=-1), nn.functional.normalize(v, dim=-1)
    return torch.cat([u, v, (u - v).abs(), u * v], dim=-1)


class PooledEncoder(nn.Module):
    """An encoder with pooling: token ids in, vectors out.

    With several layers, each layer's pooled state is brought to length one, they are put side by
    side, and the whole is divided by the root of their number, so that it has length one again.

    Args:
        encoder: A bare encoder of `transformers`.
        pooling: ``mean``, ``cls`` or ``pair``.
        separator: For pooling ``pair``: id of the token between two texts.
        layers: Hidden states to pool, 0 being the embeddings; empty means the encoder's output.
        normalize: Whether vectors are brought to length one.
        second: Where tokens of type 1 begin, if the encoder tells two texts apart so.
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        pooling: Literal["mean", "cls", "pair"] = "mean",
        separator: int | None = None,
        layers: tuple[int, ...] = (),
        normalize: bool = True,
        second: SecondText | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling: Literal["mean", "cls", "pair"] = pooling
        self.separator = separator
        self.layers = tuple(layers)
        self.normalize = normalize
        self.second = second

    @classmethod
    def for_folder(cls, encoder: nn.Module, folder: ModelFolder) -> PooledEncoder:
        """With the pooling, layers, normalisation and token types that a model folder names."""
        info = folder.info
        return cls(
            encoder,
            pooling=info.pooling,
            separator=info.separator,
            layers=info.layers,
            normalize=info.normalize,
            second=folder.second,
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Encode rows of token ids.

        Args:
            input_ids: Token ids [B, L].
            attention_mask: 1 where there is a token, 0 on padding [B, L].

        Returns:
            Vectors float32 [B, D], or [B, K * D] for K layers; of pairs, four times as wide.
        """
        out = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            output_hidden_states=bool(self.layers),
            return_dict=True,
            **types_for(input_ids, attention_mask, self.second),
        )
        states = [out.hidden_states[i] for i in self.layers] or [out.last_hidden_state]
        pooled = [self._pool(state, input_ids, attention_mask) for state in states]
        if len(pooled) == 1:
            return pooled[0]
        scale = len(pooled) ** -0.5 if self.normalize else 1.0
        return torch.cat(pooled, dim=-1) * scale

    def _pool(self, state: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        if self.pooling == "pair":
            assert self.separator is not None
            return pool_pair(
                state, input_ids, attention_mask, self.separator, normalize=self.normalize
            )
        vector = pool(state, attention_mask, self.pooling)
        return nn.functional.normalize(vector, dim=-1) if self.normalize else vector
