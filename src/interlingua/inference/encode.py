"""Texts to vectors: tokenised, bucketed by length, run, and put back in order.

Legend: N texts, D features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.progress import track
from interlingua.batches.buckets import IntArray, plan, plan_equal
from interlingua.batches.tokens import Tokenized, pad, tokenize
from interlingua.inference.choose import LateEngine
from interlingua.inference.engine import Batch, Engine
from interlingua.models.folder import ModelFolder

_WINDOW = 16_384


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors of N texts, and what the tokenizer made of them.

    Attributes:
        vectors: float32 [N, D].
        truncated: Whether a text was cut [N].
        tokens: Tokens of each text, special ones included, int32 [N].
        unknown: How many of them the vocabulary does not know, int32 [N].
    """

    vectors: NDArray[np.float32]
    truncated: NDArray[np.bool_]
    tokens: NDArray[np.int32]
    unknown: NDArray[np.int32]


class Encoder:
    """A model ready to encode; the engine is opened with the first texts.

    Args:
        folder: The model.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``int8``.
        exact: float32, and batches of equal length only, so that a vector does not depend on the
            other texts.
    """

    def __init__(
        self,
        folder: ModelFolder,
        *,
        engine: str = "auto",
        precision: str = "auto",
        exact: bool = False,
    ) -> None:
        self.folder = folder
        self.exact = exact
        self.engine = LateEngine(folder, engine=engine, precision=precision, exact=exact)
        self._tokenizer = folder.tokenizer()
        unknown = getattr(self._tokenizer.model, "unk_token", None) or "<unk>"
        self._unknown_id = self._tokenizer.token_to_id(unknown)

    @property
    def width(self) -> int:
        """Features of a vector, D."""
        return self.folder.features

    def encode(
        self,
        texts: Sequence[str],
        *,
        prefix: str | None = None,
        pairs: Sequence[str] | None = None,
    ) -> Encoded:
        """Encode texts, or pairs of texts, in their order.

        Args:
            texts: The texts [N].
            prefix: Put in front of every text; None: the model's default prefix.
            pairs: Second texts [N].
        """
        count = len(texts)
        vectors = np.zeros((count, self.width), dtype=np.float32)
        truncated = np.zeros(count, dtype=np.bool_)
        tokens = np.zeros(count, dtype=np.int32)
        unknown = np.zeros(count, dtype=np.int32)
        if count:
            engine = self.engine(count)
            with track("Encoding", count, unit="texts") as bar:
                for start in range(0, count, _WINDOW):
                    part = slice(start, start + _WINDOW)
                    tokenized = self._tokenize(
                        texts[part], prefix, None if pairs is None else pairs[part]
                    )
                    truncated[part] = tokenized.truncated
                    tokens[part] = tokenized.lengths
                    unknown[part] = tokenized.unknown
                    for rows, found in self._run(engine, tokenized):
                        vectors[start + rows] = found
                        bar.advance(len(rows))
        return Encoded(vectors, truncated, tokens, unknown)

    def _tokenize(
        self, texts: Sequence[str], prefix: str | None, pairs: Sequence[str] | None
    ) -> Tokenized:
        info = self.folder.info
        return tokenize(
            self._tokenizer,
            texts,
            pairs=pairs,
            max_length=info.max_length,
            prefix=info.prefix() if prefix is None else prefix,
            unknown_id=self._unknown_id,
        )

    def _run(
        self, engine: Engine, tokenized: Tokenized
    ) -> Iterator[tuple[IntArray, NDArray[np.float32]]]:
        lengths = tokenized.lengths
        divide = plan_equal if self.exact else plan
        batches = divide(lengths, token_budget=engine.token_budget)

        def prepared() -> Iterator[Batch]:
            for rows in batches:
                yield pad([tokenized.input_ids[row] for row in rows], self.folder.pad_id)

        for i, found in engine.run_many(prepared()):
            yield batches[i], found
