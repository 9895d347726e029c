"""The only way sentences are tagged: windows in, a tag for every word out.

Evaluation and applications are thin over it. Legend: N sentences, T words, C labels, D width,
M words of all sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlingua.base.errors import ModelError
from interlingua.batches.buckets import plan
from interlingua.batches.tokens import pad
from interlingua.batches.words import WordTokenizer, WordWindows
from interlingua.inference.choose import LateEngine
from interlingua.inference.hardware import bfloat16_is_native, device
from interlingua.inference.predict import softmax
from interlingua.inference.windows import window_logits
from interlingua.models.folder import ModelFolder
from interlingua.tasks.tagging import in_bio, repaired


@dataclass(frozen=True, slots=True)
class Tagged:
    """Tags of N sentences, as many as they have words.

    Attributes:
        tags: The tags of each sentence, T names; entities begin with ``B-``.
        scores: The probability of each tag, float32 [T] a sentence.
        pieces: Pieces of each sentence, int32 [N].
        unknown: How many of them the vocabulary does not know, int32 [N].
    """

    tags: list[list[str]]
    scores: list[NDArray[np.float32]]
    pieces: NDArray[np.int32]
    unknown: NDArray[np.int32]


class SentenceTagger:
    """A model with a token-classification head, ready to tag; opened with the first sentences.

    Args:
        folder: The model.
        engine: ``auto`` (the fastest here, measured once), ``torch`` or ``openvino``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``int8``.
        exact: float32 without padding, so that tags do not depend on the other sentences.

    Raises:
        ModelError: The model has no such head.
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
        self.labels = tagger_labels(folder)
        self.bio = in_bio(self.labels)
        self.engine = LateEngine(
            folder, engine=engine, precision=precision, exact=exact, outputs="tokens"
        )
        self._tokenizer = WordTokenizer(folder.tokenizer(), max_length=folder.info.max_length)

    def windows(self, sentences: Sequence[Sequence[str]]) -> WordWindows:
        """What the model reads of sentences of words [N]."""
        return self._tokenizer.windows(sentences)

    def tag(self, sentences: Sequence[Sequence[str]]) -> Tagged:
        """A tag for every word of every sentence.

        Args:
            sentences: Words of N sentences; an empty one gets no tags.
        """
        read = self.windows(sentences)
        found = [np.zeros(len(words), dtype=np.int64) for words in sentences]
        scores = [np.zeros(len(words), dtype=np.float32) for words in sentences]
        if read.windows:
            logits = window_logits(
                self.engine(len(read.windows)),
                read.input_ids,
                pad_id=self.folder.pad_id,
                exact=self.exact,
                task="Tagging",
            )
            for window, all_logits in zip(read.windows, logits, strict=True):
                own = all_logits[window.places]
                found[window.sentence][window.words] = own.argmax(axis=1)
                scores[window.sentence][window.words] = softmax(own).max(axis=1)
        return Tagged(decoded(found, self.labels, bio=self.bio), scores, read.pieces, read.unknown)


def decoded(
    classes: Sequence[NDArray[np.int64]], labels: Sequence[str], *, bio: bool
) -> list[list[str]]:
    """Names of the classes of every sentence, repaired where they are of the scheme BIO."""
    named = [[labels[i] for i in row.tolist()] for row in classes]
    return [repaired(tags) for tags in named] if bio else named


def tagger_labels(folder: ModelFolder) -> tuple[str, ...]:
    """The labels of a folder's token-classification head.

    Raises:
        ModelError: It has none.
    """
    from interlingua.models.native import native_head, native_kind

    head = native_head(folder) if native_kind(folder) == "token-classification" else None
    if head is None:
        raise ModelError(
            f"{folder.path} has no head that tags words",
            remedy="Teach it first: interlingua finetune --task ner --train … --out …",
        )
    return head.labels


def word_states(folder: ModelFolder, read: WordWindows) -> NDArray[np.float32]:
    """States of the places of all words, window after window, by a frozen encoder.

    Args:
        folder: The model.
        read: Windows of sentences.

    Returns:
        float32 [M, D].
    """
    import torch

    from interlingua.base.progress import track
    from interlingua.models.encoder import load_encoder
    from interlingua.models.native import states_of

    where = device()
    encoder = load_encoder(folder, dtype="bfloat16" if bfloat16_is_native(where) else "float32")
    encoder.to(where)  # type: ignore[arg-type]
    starts = np.concatenate([[0], np.cumsum([len(window.words) for window in read.windows])])
    states = np.zeros((int(starts[-1]), folder.width), dtype=np.float32)
    with torch.inference_mode(), track("Encoding", len(read.windows), unit="windows") as bar:
        for rows in plan(read.lengths, token_budget=2048):
            windows = [read.windows[row] for row in rows]
            ids, mask = pad([window.input_ids for window in windows], folder.pad_id)
            found = states_of(
                encoder, torch.from_numpy(ids).to(where), torch.from_numpy(mask).to(where)
            )
            for i, (row, window) in enumerate(zip(rows, windows, strict=True)):
                own = found[i, torch.from_numpy(window.places).to(where)]
                states[starts[row] : starts[row + 1]] = own.float().cpu().numpy()
            bar.advance(len(rows))
    return states
