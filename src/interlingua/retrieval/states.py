"""The states of a text's subwords at some layers of an encoder.

Legend: I subwords, K layers, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import UsageError
from interlingua.base.progress import track
from interlingua.models.folder import ModelFolder

Floats = NDArray[np.float32]

LAYER = 7
"""Where words of two languages are most alike, of a model of 12 layers; as many twelfths of others.

The starter's best on the development parts of XL-WA in three languages. SimAlign has 8 for mBERT
and XLM-R."""
_BATCH = 32


def layer_of(folder: ModelFolder, layer: int | None = None) -> int:
    """The layer that is asked for, or `LAYER` twelfths of a model's.

    Raises:
        UsageError: The model has no such layer.
    """
    depth = folder.depth or 12
    layer = round(depth * LAYER / 12) if layer is None else layer
    if not 0 <= layer <= depth:
        raise UsageError(f"--layer {layer}: {folder.path} has {depth} layers")
    return layer


class SubwordStates:
    """An encoder, ready to tell the states of subwords.

    Args:
        folder: Any encoder.
        fast: bfloat16 where the hardware has it.
    """

    def __init__(self, folder: ModelFolder, *, fast: bool = False) -> None:
        from interlingua.inference.hardware import bfloat16_is_native, device
        from interlingua.models.encoder import load_encoder

        self._pad = folder.pad_id
        self._device = device()
        half = fast and bfloat16_is_native(self._device)
        model: Any = load_encoder(folder, dtype="bfloat16" if half else "float32")
        self._model = model.to(self._device)
        self._tokenizer = folder.tokenizer()
        self._tokenizer.enable_truncation(folder.info.max_length)

    def tokenize(self, texts: Sequence[str]) -> list[Any]:
        """Encodings of whole texts; what is longer than the model reads is cut off."""
        return list(self._tokenizer.encode_batch(list(texts)))

    def tokenize_words(self, sentences: Sequence[Sequence[str]]) -> list[Any]:
        """Encodings of lists of words, which their ``word_ids`` tell apart."""
        return [self._tokenizer.encode(list(words), is_pretokenized=True) for words in sentences]

    def of(
        self, encodings: Sequence[Any], layers: Sequence[int], *, told: str
    ) -> Iterator[tuple[int, Floats]]:
        """Every row's number and states [K, I, D], special tokens among them; short rows first.

        Args:
            encodings: What `tokenize` or `tokenize_words` gave.
            layers: Hidden states wanted, 0 being the embeddings [K].
            told: What is being done, for the progress bar.
        """
        order = sorted(range(len(encodings)), key=lambda row: len(encodings[row].ids))
        with track(told, len(order), unit="sentences") as bar:
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                yield from zip(rows, self._run([encodings[r] for r in rows], layers), strict=True)
                bar.advance(len(rows))

    def _run(self, encodings: Sequence[Any], layers: Sequence[int]) -> Iterator[Floats]:
        import torch

        from interlingua.batches.tokens import pad

        input_ids, mask = pad([np.asarray(e.ids) for e in encodings], self._pad)
        with torch.inference_mode():
            out = self._model(
                input_ids=torch.from_numpy(input_ids).to(self._device),
                attention_mask=torch.from_numpy(mask).to(self._device),
                output_hidden_states=True,
            )
        states = torch.stack([out.hidden_states[layer] for layer in layers]).float().cpu().numpy()
        for row, one in enumerate(encodings):
            yield states[:, row, : len(one.ids)]
