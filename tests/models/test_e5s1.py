"""The E5S1 reader: exact on what is whole, and an error of ours on anything else."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from interlingua.base.errors import ModelError
from interlingua.models import e5s1


def test_a_block_means_what_the_format_says() -> None:
    # scale 0.5; byte j holds weight j in its low and weight j + 16 in its high nibble
    raw = np.frombuffer(np.float16(0.5).tobytes() + bytes([0x8F, 0x07] + [0x88] * 14), np.uint8)
    values = e5s1.dequantize(raw)
    expected = np.zeros(32)
    expected[0], expected[16] = (15 - 8) * 0.5, (8 - 8) * 0.5
    expected[1], expected[17] = (7 - 8) * 0.5, (0 - 8) * 0.5
    assert values.dtype == np.float32
    assert values.tolist() == expected.tolist()


def test_everything_written_is_read_back(tiny_file) -> None:
    path, content = tiny_file
    file = e5s1.read(path)
    assert file.shape.hidden == 32 and file.shape.layers == 2 and file.shape.positions == 24
    assert file.pieces[:4] == ("<s>", "<pad>", "</s>", "<unk>") and file.pieces[-1] == "<mask>"
    assert file.special == {"bos": 0, "eos": 2, "pad": 1, "unk": 3}
    assert file.rules == {"\t": " ", "\n": " ", "ﬁ": "fi", "\x01": "", "Ａ": "A"}
    names = {short: long for short, long, _ in e5s1.layout(file.shape)}
    state = e5s1.state_dict(file)
    assert len(state) == len(content.weights) == 5 + 16 * 2
    for short, values in content.weights.items():
        np.testing.assert_array_equal(state[names[short]], values)


def test_a_file_cut_anywhere_is_refused(tiny_file) -> None:
    path, _ = tiny_file
    whole = path.read_bytes()
    for end in [
        0,
        1,
        3,
        4,
        7,
        8,
        30,
        43,
        44,
        60,
        100,
        *range(150, len(whole), 997),
        len(whole) - 1,
    ]:
        path.write_bytes(whole[:end])
        with pytest.raises(ModelError) as error:
            e5s1.state_dict(e5s1.read(path))
        assert "\n" not in str(error.value)


def test_random_damage_never_escapes_as_another_error(tiny_file) -> None:
    path, _ = tiny_file
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, 900, rng.integers(1, 4)):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            e5s1.state_dict(e5s1.read(path))
        except ModelError:
            refused += 1
    assert refused > 150


@pytest.mark.parametrize(
    ("place", "layout", "value", "words"),
    [
        (0, "4s", b"GGUF", "magic"),
        (4, "I", 2, "magic number or version"),
        (8, "i", -32, "hidden is -32"),
        (8, "i", 33, "whole blocks"),
        (12, "i", 10**6, "layers"),
        (16, "i", 5, "heads"),
        (36, "f", float("nan"), "epsilon"),
        (44, "i", 2**31 - 1, "pieces"),
        (56, "i", -1, "special ids"),
        (64, "Q", 2**63, "ends before"),
    ],
)
def test_a_lie_in_the_header_is_named(tiny_file, place, layout, value, words) -> None:
    path, _ = tiny_file
    data = bytearray(path.read_bytes())
    struct.pack_into("<" + layout, data, place, value)
    path.write_bytes(data)
    with pytest.raises(ModelError, match=words):
        e5s1.read(path)


def test_a_tensor_past_the_end_is_refused(tiny_file) -> None:
    path, _ = tiny_file
    data = bytearray(path.read_bytes())
    entry = data.index(b"emb.pos") + len("emb.pos") + 5
    struct.pack_into("<Q", data, entry, len(data) - 8)
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"'emb.pos' lies past the end"):
        e5s1.read(path)


def test_missing_weights_are_named(tiny_file) -> None:
    path, _ = tiny_file
    path.write_bytes(path.read_bytes().replace(b"l1.oln.b", b"l1.oln.x"))
    file = e5s1.read(path)
    with pytest.raises(ModelError, match=r"'l1.oln.b'"):
        e5s1.state_dict(file)


def test_the_real_file_has_197_tensors(starter) -> None:
    from interlingua.models.starter import find_file

    file = e5s1.read(find_file())
    assert len(file.tensors) == 197
    assert (len(file.pieces), len(file.rules)) == (250_002, 4_837)
    assert file.shape == e5s1.Shape(384, 12, 12, 1536, 250_037, 512, 2, file.shape.epsilon)
