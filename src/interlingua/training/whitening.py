r"""Language whitening: make a head lean less on what differs between languages.

The same sentence in K languages should have one vector; what differs is language, not meaning. From
M parallel sentences with vectors x_{km} the within-meaning covariance is

    S = 1/(KM) sum_{k,m} (x_{km} - x_m)(x_{km} - x_m)^T,    x_m = 1/K sum_k x_{km}

scaled to a mean eigenvalue of one, and features are multiplied by A = (S + r I)^{-1/2} before a
head is fitted: directions along which languages differ shrink, so that a regularised head avoids
them. This is within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006)
with meanings as classes. A is folded into the head's weights: nothing is added when the model runs,
and an answer depends on its own text alone.

The parallel sentences are those of the shipped phrasebook, without labels. Legend: K languages,
M meanings, D features.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import NDArray

from interlingua.base.cache import cache_dir
from interlingua.base.errors import DiskError
from interlingua.base.files import atomic_path
from interlingua.base.optional import require
from interlingua.base.progress import say
from interlingua.corpus.phrasebook import test_files
from interlingua.corpus.rows import read_table
from interlingua.inference.encode import Encoder

RIDGE = 2.0
"""r: how far whitening stops short of full; see LOG.md for others."""


def whitening(parallel: NDArray[np.float32], *, ridge: float = RIDGE) -> NDArray[np.float64]:
    """The symmetric matrix A [D, D] of parallel vectors.

    Args:
        parallel: Vectors [K, M, D]: K languages of M meanings.
        ridge: r, at least a small positive number.
    """
    spread = (parallel - parallel.mean(axis=0, keepdims=True)).reshape(-1, parallel.shape[-1])
    spread = spread.astype(np.float64)
    covariance = spread.T @ spread / len(spread)
    width = len(covariance)
    scale = np.trace(covariance) / width
    if scale > 0:
        covariance /= scale
    values, vectors = np.linalg.eigh(covariance + ridge * np.eye(width))
    return np.asarray((vectors * values**-0.5) @ vectors.T)


def language_whitening(encoder: Encoder) -> NDArray[np.float64]:
    """The matrix A [D, D] of a model, from the phrasebook; kept in the cache.

    The sentences are encoded once a model: some seconds.
    """
    languages = [[str(row.values["text"]) for row in read_table(p)] for p in test_files()]
    key = hashlib.sha256(json.dumps([encoder.folder.fingerprint, languages]).encode()).hexdigest()
    path = cache_dir() / "whitening" / f"{key[:32]}.safetensors"
    safetensors = require("safetensors.numpy", extra="text")
    if path.exists():
        try:
            return np.asarray(safetensors.load_file(path)["matrix"], dtype=np.float64)
        except (
            OSError,
            ValueError,
            KeyError,
            require("safetensors", extra="text").SafetensorError,
        ):
            say(f"warning: {path} is damaged and made again")
    texts = [text for language in languages for text in language]
    vectors = encoder.encode(texts).vectors.reshape(len(languages), -1, encoder.width)
    matrix = whitening(vectors)
    try:
        with atomic_path(path) as temporary:
            safetensors.save_file({"matrix": np.ascontiguousarray(matrix)}, temporary)
    except DiskError as error:
        say(f"warning: cannot be kept: {error}")
    return matrix
