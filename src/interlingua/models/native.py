"""Heads over the states of single tokens, in the layout of the classes of ``transformers``.

A tagger's or a reader's folder is one that ``AutoModelForTokenClassification`` or
``AutoModelForQuestionAnswering`` opens: the encoder's weights with the names they have below such a
model, and one linear layer beside them.

Legend: B rows, L tokens, D width, C classes.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from interlingua.base.errors import ModelError, quoted
from interlingua.base.optional import require
from interlingua.models.encoder import PooledEncoder, load_encoder, types_for
from interlingua.models.heads import Head
from interlingua.models.info import Outputs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelFolder
    from interlingua.models.tokenizer import SecondText

NativeKind = Literal["token-classification", "question-answering"]
ANSWER_LABELS = ("start", "end")
"""What the two columns of a reader's head are."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the classes of a kind call themselves, who loads them, and the name of their head."""

    ending: str
    loader: str
    layer: str


_LAYOUTS: dict[NativeKind, _Layout] = {
    "token-classification": _Layout(
        "ForTokenClassification", "AutoModelForTokenClassification", "classifier"
    ),
    "question-answering": _Layout(
        "ForQuestionAnswering", "AutoModelForQuestionAnswering", "qa_outputs"
    ),
}


def native_kind(folder: ModelFolder) -> NativeKind | None:
    """Which native head a folder says it has, if any."""
    named = [str(name) for name in folder.config.get("architectures") or ()]
    for kind, layout in _LAYOUTS.items():
        if any(name.endswith(layout.ending) for name in named):
            return kind
    return None


def with_head(encoder: PreTrainedModel, head: Head, kind: NativeKind) -> PreTrainedModel:
    """An encoder and a head as one model of ``transformers``; the encoder is used, not copied.

    Args:
        encoder: A bare encoder.
        head: Weight [C, D] and labels.
        kind: What the head is for.

    Raises:
        ModelError: The architecture's class has no head that is one linear layer.
    """
    model = _empty(encoder.config, head.labels, kind)
    layer = nn.Linear(head.weight.shape[1], len(head.labels))
    bias = head.bias if head.mean is None else head.bias - head.weight @ head.mean
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight))
        layer.bias.copy_(torch.from_numpy(bias))
    setattr(model, model.base_model_prefix, encoder)
    setattr(model, _LAYOUTS[kind].layer, layer)
    model.train(encoder.training)
    return model


def check_native(folder: ModelFolder, kind: NativeKind) -> None:
    """See that a model's architecture can have a head of a kind, before anything is trained.

    Raises:
        ModelError: It cannot.
    """
    transformers = require("transformers", extra="train")
    config = transformers.AutoConfig.from_pretrained(
        folder.path, local_files_only=True, trust_remote_code=False
    )
    _empty(config, ANSWER_LABELS, kind)


def native_head(folder: ModelFolder) -> Head | None:
    """The native head of a folder, with the labels its ``config.json`` names.

    Raises:
        ModelError: The folder says it has one, and its weights or labels do not fit.
    """
    kind = native_kind(folder)
    if kind is None:
        return None
    layer = _LAYOUTS[kind].layer
    found = _tensors(folder, (f"{layer}.weight", f"{layer}.bias"))
    if f"{layer}.weight" not in found:
        raise ModelError(f"the weights of {folder.path} lack {layer}.weight")
    weight = found[f"{layer}.weight"]
    bias = found.get(f"{layer}.bias", np.zeros(len(weight), np.float32))
    labels = ANSWER_LABELS if kind == "question-answering" else _labels(folder)
    if weight.shape[1] != folder.width:
        raise ModelError(f"{folder.path} is {folder.width} wide, its head {weight.shape[1]}")
    return Head(weight, bias, labels)


class TokenLogits(nn.Module):
    """An encoder with a native head: token ids in, logits of every token out.

    Args:
        encoder: A bare encoder of `transformers`.
        head: The head.
        second: Where tokens of type 1 begin, if the encoder tells two texts apart so.
    """

    def __init__(self, encoder: nn.Module, head: Head, second: SecondText | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.second = second
        self.head = nn.Linear(head.weight.shape[1], len(head.labels))
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(head.weight))
            self.head.bias.copy_(torch.from_numpy(head.bias))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits float32 [B, L, C] of token ids [B, L]; of no meaning on padding."""
        states = states_of(self.encoder, input_ids, attention_mask, second=self.second)
        logits: Tensor = self.head(states.float())
        return logits


class TokenStates(nn.Module):
    """A bare encoder: token ids in, the states of all tokens out.

    Args:
        encoder: A bare encoder of `transformers`.
        second: Where tokens of type 1 begin, if the encoder tells two texts apart so.
    """

    def __init__(self, encoder: nn.Module, second: SecondText | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.second = second

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """States [B, L, D] of token ids [B, L]."""
        return states_of(self.encoder, input_ids, attention_mask, second=self.second)


def states_of(
    encoder: nn.Module,
    input_ids: Tensor,
    attention_mask: Tensor,
    *,
    second: SecondText | None = None,
) -> Tensor:
    """The last states [B, L, D] of an encoder."""
    types = types_for(input_ids, attention_mask, second)
    out = encoder(input_ids=input_ids, attention_mask=attention_mask, return_dict=True, **types)
    states: Tensor = out.last_hidden_state
    return states


def load_module(
    folder: ModelFolder, outputs: Outputs, *, dtype: str = "float32"
) -> PooledEncoder | TokenLogits:
    """The module an engine runs, in evaluation mode on the CPU.

    Args:
        folder: The model.
        outputs: ``vectors``, one a text, or ``tokens``: logits of every token by the native head.
        dtype: Of the encoder.

    Raises:
        ModelError: The folder has no native head, or cannot be loaded.
    """
    encoder = load_encoder(folder, dtype=dtype)
    if outputs == "vectors":
        return PooledEncoder.for_folder(encoder, folder).eval()
    head = native_head(folder)
    if head is None:
        raise ModelError(
            f"{folder.path} has no head over tokens",
            remedy="Teach it first: interlingua finetune --task … --train … --model … --out …",
        )
    return TokenLogits(encoder, head, folder.second).eval()


def _empty(config: Any, labels: tuple[str, ...], kind: NativeKind) -> PreTrainedModel:  # noqa: ANN401
    """A native model without weights, whose head is seen to be one linear layer."""
    transformers = require("transformers", extra="train")
    layout = _LAYOUTS[kind]
    own = copy.deepcopy(config)
    own.id2label = dict(enumerate(labels))
    own.label2id = {label: i for i, label in enumerate(labels)}
    try:
        with torch.device("meta"):
            model: PreTrainedModel = getattr(transformers, layout.loader).from_config(own)
    except Exception as error:  # the library raises many classes
        raise ModelError(
            f"a model of type {own.model_type} cannot have a head for {kind}: {quoted(error, 200)}"
        ) from error
    body = f"{model.base_model_prefix}."
    beside = {name for name, _ in model.named_parameters() if not name.startswith(body)}
    if beside != {f"{layout.layer}.weight", f"{layout.layer}.bias"}:
        raise ModelError(
            f"a model of type {own.model_type} has more than a linear layer for {kind}, "
            f"as {quoted(min(beside, default='nothing'))}",
            remedy="Take a BERT, XLM-R, DistilBERT or mT5 encoder",
        )
    own_model: Any = model
    own_model.config.architectures = [type(model).__name__]
    return model


def _tensors(folder: ModelFolder, names: tuple[str, ...]) -> dict[str, Any]:
    """Some tensors of a folder's weights as float32 arrays; those it has."""
    safe_open = require("safetensors", extra="text").safe_open
    found = {}
    for file in folder.weights:
        with safe_open(file, framework="pt") as weights:
            held = set(weights.keys())
            for name in names:
                if name in held:
                    found[name] = weights.get_tensor(name).float().numpy()
    return found


def _labels(folder: ModelFolder) -> tuple[str, ...]:
    """Labels in the order of the head's rows: ``interlingua.json``'s, else ``config.json``'s."""
    named = folder.config.get("id2label")
    if folder.info.labels:
        return folder.info.labels
    if not isinstance(named, dict) or not named:
        raise ModelError(f"{folder.path} names no labels (id2label)")
    return tuple(str(named[key]) for key in sorted(named, key=int))
