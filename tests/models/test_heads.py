"""Heads: the arithmetic, the file, and what is refused."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from interlingua.base.errors import ModelError
from interlingua.models.heads import Head

WEIGHT = np.array([[1, 0, 2], [0, -1, 1]], dtype=np.float32)
BIAS = np.array([0.5, -0.5], dtype=np.float32)
MEAN = np.array([1, 1, 1], dtype=np.float32)


def test_logits_by_hand() -> None:
    head = Head(WEIGHT, BIAS, ("yes", "no"), MEAN)
    # (2,3,4) - mean = (1,2,3): 1 + 6 + 0.5 and -2 + 3 - 0.5
    assert head.logits(np.array([[2, 3, 4]], dtype=np.float32)).tolist() == [[7.5, 0.5]]
    plain = Head(WEIGHT, BIAS, ("yes", "no"))
    assert plain.logits(np.array([[1, 2, 3]], dtype=np.float32)).tolist() == [[7.5, 0.5]]


@pytest.mark.parametrize("mean", [None, MEAN])
def test_saved_and_loaded(tmp_path, mean) -> None:
    head = Head(WEIGHT, BIAS, ("Ja, „gut“", "不是"), mean)
    head.save(tmp_path / "head.safetensors")
    loaded = Head.load(tmp_path / "head.safetensors")
    assert loaded.labels == head.labels
    for name in ("weight", "bias", "mean"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(head, name))
    assert (tmp_path / "head.safetensors").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize(
    ("weight", "bias", "labels", "mean"),
    [
        (WEIGHT, BIAS, ("one",), None),
        (WEIGHT, BIAS[:1], ("a", "b"), None),
        (WEIGHT, BIAS, ("a", "b"), BIAS),
        (WEIGHT.astype(np.float64), BIAS, ("a", "b"), None),
        (WEIGHT * np.nan, BIAS, ("a", "b"), None),
        (np.empty((0, 3), np.float32), np.empty(0, np.float32), (), None),
        (BIAS, BIAS, ("a", "b"), None),
    ],
)
def test_what_does_not_fit_is_refused(weight, bias, labels, mean) -> None:
    with pytest.raises(ModelError):
        Head(weight, bias, labels, mean)


def _file(header: object, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04.",
        struct.pack("<Q", 2**40) + b"{}",
        _file([]),
        _file({"weight": 3}),
        _file({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        _file({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"123"),
        _file({"__metadata__": {"labels": "[1]"}}),
    ],
)
def test_a_file_that_is_no_head_is_refused(tmp_path, content) -> None:
    path = tmp_path / "head.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"head\.safetensors"):
        Head.load(path)


def test_a_missing_head_is_refused(tmp_path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Head.load(tmp_path / "head.safetensors")
