"""Vectors do not depend on companions, order or engine, and nothing crashes the encoder."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from interlingua.base.errors import UnknownNameError
from interlingua.inference import choose
from interlingua.inference.encode import Encoder

if TYPE_CHECKING:
    from pathlib import Path

    from interlingua.models.folder import ModelFolder

TEXTS = [
    "a short one",
    "Ein etwas längerer Satz, der mehr Stücke hat als der erste.",
    "短い文",
    "x " * 300,
    "",
    "नमस्ते दुनिया",
]


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.fixture(scope="module")
def exact(starter: ModelFolder) -> Encoder:
    return Encoder(starter, exact=True)


def test_exact_vectors_do_not_depend_on_companions_or_order(exact: Encoder) -> None:
    together = exact.encode(TEXTS).vectors
    alone = np.concatenate([exact.encode([text]).vectors for text in TEXTS])
    turned = exact.encode(TEXTS[::-1]).vectors[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, turned, atol=1e-5)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize(("precision", "least"), [("float32", 1 - 1e-5), ("auto", 0.999)])
def test_engines_agree_with_exact_float32(
    starter: ModelFolder, exact: Encoder, engine: str, precision: str, least: float
) -> None:
    pytest.importorskip(engine)
    encoder = Encoder(starter, engine=engine, precision=precision)
    assert cosines(encoder.encode(TEXTS).vectors, exact.encode(TEXTS).vectors).min() >= least


def test_nothing_in_nothing_out(exact: Encoder, starter: ModelFolder) -> None:
    assert exact.encode([]).vectors.shape == (0, starter.width)


def test_a_million_characters_take_no_longer_than_a_long_text(exact: Encoder) -> None:
    texts = ["a" * 1_000_000, "\U0001f600" * 100_000, "e\u0301" * 100_000]
    started = time.monotonic()
    found = exact.encode(texts)
    assert time.monotonic() - started < 60  # a hang, not a timing
    assert found.truncated.all()
    assert (found.tokens <= 512).all()


def test_lone_surrogates_are_replaced(exact: Encoder) -> None:
    found = exact.encode(["\ud800 apple", "\ufffd apple"]).vectors
    assert np.isfinite(found).all()


def test_unknown_pieces_are_counted(exact: Encoder) -> None:
    found = exact.encode(["plain words", "𒀀𒀁𒀂 𒀃"])
    assert found.unknown[0] == 0
    assert found.unknown[1] > 0


def test_an_unknown_engine_names_near_ones(starter: ModelFolder) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean torch"):
        Encoder(starter, engine="tourch").encode(["a"])


def test_the_choice_is_measured_once_and_kept(
    starter: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setenv("INTERLINGUA_CACHE", str(tmp_path))
    assert choose.open_engine(starter, rows=10).name == "torch"  # a small job compiles nothing
    assert not (tmp_path / "engines").exists()
    chosen = choose.open_engine(starter)
    kept = json.loads((tmp_path / "engines" / "choices.json").read_text())
    (entry,) = kept.values()
    assert entry["engine"] == chosen.name
    assert entry["timings"][chosen.name]["cosine"] >= 0.999
    assert choose.open_engine(starter, rows=10).name == chosen.name
    (tmp_path / "engines" / "choices.json").write_text("{torn")
    assert choose.open_engine(starter, rows=10).name == "torch"
