"""Vectors do not depend on companions, order or engine, and nothing crashes the encoder."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from interlingua.base.errors import UnknownNameError, UsageError
from interlingua.inference import choose
from interlingua.inference.encode import Encoder
from interlingua.inference.int8 import rounded

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


def test_a_signal_after_engines_were_closed_reaches_its_handler() -> None:
    pytest.importorskip("openvino")
    script = """
import os, signal
from interlingua.inference.openvino_engine import OpenVINOEngine
from interlingua.models.folder import open_model
folder = open_model("starter")
first = OpenVINOEngine(folder, precision="float32")
second = OpenVINOEngine(folder, precision="float32")
del first
del second
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGTERM)
"""
    found = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert (found.returncode, found.stdout) == (0, "handled\n"), found.stderr


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
    assert entry["timings"][f"{chosen.name} {chosen.precision}"]["cosine"] >= 0.999
    assert choose.open_engine(starter, rows=10).name == chosen.name
    (tmp_path / "engines" / "choices.json").write_text("{torn")
    assert choose.open_engine(starter, rows=10).name == "torch"


def test_eight_bits_stay_near_float32(starter: ModelFolder, exact: Encoder) -> None:
    pytest.importorskip("openvino")
    encoder = Encoder(starter, engine="openvino", precision="int8")
    found = encoder.encode(TEXTS).vectors
    assert encoder.engine().precision == "int8"
    assert cosines(found, exact.encode(TEXTS).vectors).min() >= 0.998
    np.testing.assert_array_equal(found, encoder.encode(TEXTS).vectors)


def test_eight_bits_are_checked_again_for_every_model(
    starter: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setenv("INTERLINGUA_CACHE", str(tmp_path))
    key = choose._key(starter, "auto")
    entry = {"engine": "openvino", "precision": "int8", "timings": {}, "int8_cosine": {}}
    choose._keep(key, entry)
    assert choose.open_engine(starter).precision == "int8"
    known = json.loads((tmp_path / "engines" / "choices.json").read_text())[key]["int8_cosine"]
    assert known[starter.fingerprint[:24]] >= 0.999
    choose._keep(key, {**entry, "int8_cosine": {starter.fingerprint[:24]: 0.98}})
    assert choose.open_engine(starter).precision != "int8"


def test_torch_has_no_eight_bits(starter: ModelFolder) -> None:
    with pytest.raises(UsageError, match="float32 or bfloat16"):
        Encoder(starter, engine="torch", precision="int8").encode(["a"])


def test_rounding_to_bytes_keeps_each_row_within_half_a_step() -> None:
    weight = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    weight[2] = 0
    whole, scale = rounded(weight)
    assert whole.dtype == np.int8
    assert (np.abs(whole * scale - weight) <= scale / 2 + 1e-7).all()
    assert (np.abs(whole).max(axis=1) == [127, 127, 0, 127, 127]).all()
