"""A model with its language-modelling head, told to give states where there is something to guess.

The head's last step, a product with the whole vocabulary, is left to `objectives.token_loss`: here
the output layer hands on what it is given, so that whatever an architecture does before it (BERT's
transform, T5's scaling, a decoder's last norm) is done by its own code.

Legend: B rows, L tokens, M labelled positions, D width, V vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from interlingua.base.errors import ModelError
from interlingua.models.encoder import load_as
from interlingua.models.lookup import LookupInPlace

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from interlingua.models.folder import ModelFolder

Kind = Literal["masked", "causal", "sequence"]
_LOADERS = {
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
    "sequence": "AutoModelForSeq2SeqLM",
}
_SEQUENCE = ("t5", "mt5", "umt5", "bart", "mbart", "m2m_100", "marian", "pegasus")
_CAUSAL_NAMES = ("ForCausalLM", "LMHeadModel")
_CAUSAL = ("llama", "gpt2", "gpt_neox", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "bloom")
_OFFSET = ("roberta", "camembert", "xlm-roberta", "xlm-roberta-xl", "xmod")


def kind_of(folder: ModelFolder) -> Kind:
    """Whether a model hides tokens, goes on with a text, or turns one text into another."""
    config = folder.config
    if str(config["model_type"]) in _SEQUENCE or config.get("is_encoder_decoder"):
        return "sequence"
    named = [str(name) for name in config.get("architectures") or ()]
    if any(name.endswith(_CAUSAL_NAMES) for name in named):
        return "causal"
    return "causal" if str(config["model_type"]) in _CAUSAL else "masked"


def load_language_model(folder: ModelFolder) -> tuple[PreTrainedModel, list[str]]:
    """Load a model with its head; a head that the folder lacks is made new.

    Returns:
        The model in training mode on the CPU, float32, and the names of what was made new.

    Raises:
        ModelError: The architecture has no such head, or the weights of its body do not fit.
    """
    kind = kind_of(folder)
    model, report = load_as(
        folder,
        _LOADERS[kind],
        told=f"a {kind} language model of type {folder.config['model_type']}",
        dtype=torch.float32,
        attn_implementation="sdpa",
    )
    head = _head_names(model)
    new = sorted(report.get("missing_keys", ()))
    missing = [name for name in new if not name.startswith(head)]
    if missing:
        raise ModelError(f"the weights of {folder.path} lack {len(missing)}, as {missing[0]}")
    return model.train(), new


def _head_names(model: PreTrainedModel) -> tuple[str, ...]:
    body = model.base_model_prefix
    return tuple(name for name, _ in model.named_children() if name != body)


class LanguageModel(nn.Module):
    """States at labelled positions, and the output layer that turns them into logits.

    Args:
        model: A model of ``transformers`` with a language-modelling head; its output layer and, if
            they are trained, its input embeddings are changed until `plain` is called.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        output = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        if output is None:
            raise ModelError(f"{type(model).__name__} has no output layer over the vocabulary")
        self.output: nn.Linear = output
        self.cap = float(getattr(model.config, "final_logit_softcapping", None) or 0.0)
        if self.cap:
            model.config.final_logit_softcapping = None
        self.changed: list[nn.Module] = [output]
        setattr(output, "forward", _hand_on)  # noqa: B010 - not a parameter of the class
        for module in model.modules():
            if not isinstance(module, nn.Embedding) or not module.weight.requires_grad:
                continue
            if module.num_embeddings == output.weight.shape[0]:
                setattr(module, "forward", _lookup(module))  # noqa: B010
                self.changed.append(module)

    def plain(self) -> PreTrainedModel:
        """The model as its library made it."""
        for module in self.changed:
            vars(module).pop("forward", None)
        if self.cap:
            self.model.config.final_logit_softcapping = self.cap
        return self.model

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labelled: Tensor,
        *,
        positions: Tensor | None = None,
        decoder_ids: Tensor | None = None,
    ) -> Tensor:
        """States just before the output layer.

        Args:
            input_ids: Token ids [B, L].
            attention_mask: 1 where there is a token [B, L].
            labelled: Where there is something to guess, bool [B, L], or [B, L'] of the decoder.
            positions: Positions from 0 [B, L], for encoders that learn them.
            decoder_ids: What the decoder of an encoder-decoder reads [B, L'].

        Returns:
            States [M, D].
        """
        given: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
        if positions is not None:
            given["position_ids"] = positions + self._first_position()
        if decoder_ids is not None:
            given["decoder_input_ids"] = decoder_ids
        states: Tensor = self.model(**given).logits
        return states[labelled]

    def _first_position(self) -> int:
        config = self.model.config
        return int(config.pad_token_id) + 1 if config.model_type in _OFFSET else 0


def _hand_on(states: Tensor) -> Tensor:
    return states


def _lookup(module: nn.Embedding) -> Any:  # noqa: ANN401 - a function on tensors
    def forward(input_ids: Tensor) -> Tensor:
        found: Tensor = LookupInPlace.apply(  # type: ignore[no-untyped-call]
            module.weight, input_ids, module.padding_idx
        )
        return found

    return forward
