"""Opening folders: whole ones of every make, and an error of one line for everything else."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from interlingua.base.errors import ModelError, UnsafeModelError
from interlingua.models.folder import open_folder, open_model

pytest.importorskip("torch")


class Canary:
    """Pickled, it would write a file when it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def _edit(path, **changes) -> None:
    document = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(document | changes))


def _cut(path, count: int) -> None:
    path.write_bytes(path.read_bytes()[:-count])


BAD = {
    "no config": lambda f: (f / "config.json").unlink(),
    "config is a folder": lambda f: ((f / "config.json").unlink(), (f / "config.json").mkdir()),
    "config is not JSON": lambda f: (f / "config.json").write_text("{not json"),
    "config is binary": lambda f: (f / "config.json").write_bytes(b"\xff\xfe\x00"),
    "config is a list": lambda f: (f / "config.json").write_text("[]"),
    "config nests deep": lambda f: (f / "config.json").write_text("[" * 100_000),
    "no model_type": lambda f: (f / "config.json").write_text("{}"),
    "no weights": lambda f: (f / "model.safetensors").unlink(),
    "weights are empty": lambda f: (f / "model.safetensors").write_bytes(b""),
    "weights are cut": lambda f: _cut(f / "model.safetensors", 1),
    "weights are cut in the header": lambda f: (f / "model.safetensors").write_bytes(
        b"\x40" + b"\0" * 9
    ),
    "weights are longer": lambda f: (f / "model.safetensors").open("ab").write(b"x"),
    "header is no JSON": lambda f: (f / "model.safetensors").write_bytes(
        b"\x04" + b"\0" * 7 + b"abcd"
    ),
    "interlingua.json is a list": lambda f: (f / "interlingua.json").write_text("[]"),
    "interlingua.json has an unknown key": lambda f: _edit(f / "interlingua.json", colour="red"),
    "interlingua.json has a wrong type": lambda f: _edit(f / "interlingua.json", pooling="max"),
    "interlingua.json lacks its prefix": lambda f: _edit(
        f / "interlingua.json", default_prefix="x"
    ),
    "interlingua.json asks for layers": lambda f: _edit(f / "interlingua.json", layers=[3]),
    "interlingua.json asks for length": lambda f: _edit(f / "interlingua.json", max_length=41),
    "modules.json is a table": lambda f: (f / "modules.json").write_text('{"a": 1}'),
    "index names files outside": lambda f: (
        (f / "model.safetensors").unlink(),
        _edit(f / "model.safetensors.index.json", weight_map={"a": "../../x.safetensors"}),
    ),
    "index names a missing shard": lambda f: (
        (f / "model.safetensors").unlink(),
        _edit(f / "model.safetensors.index.json", weight_map={"a": "model-1.safetensors"}),
    ),
}

UNSAFE = {
    "auto_map in config": lambda f: _edit(f / "config.json", auto_map={"AutoModel": "evil.Evil"}),
    "auto_map in tokenizer": lambda f: _edit(
        f / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", None]}
    ),
    "module of its own": lambda f: (f / "modules.json").write_text(
        '[{"idx": 0, "name": "0", "path": "", "type": "evil.Transformer"}]'
    ),
    "module of a package with a like name": lambda f: (f / "modules.json").write_text(
        '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers_evil.Evil"}]'
    ),
    "index of pickles": lambda f: (
        (f / "model.safetensors").unlink(),
        _edit(f / "model.safetensors.index.json", weight_map={"a": "pytorch_model-1.bin"}),
    ),
    "index of pickles only": lambda f: (
        (f / "model.safetensors").rename(f / "hidden"),
        _edit(f / "pytorch_model.bin.index.json", weight_map={"a": "pytorch_model-1.bin"}),
    ),
}
for ending in ("bin", "pt", "pth", "pkl", "ckpt", "h5"):
    UNSAFE[f"only .{ending}"] = lambda f, e=ending: (f / "model.safetensors").rename(
        f / f"model.{e}"
    )


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_folder_is_named_in_one_line(tiny_folder, fault) -> None:
    folder = tiny_folder()
    BAD[fault](folder)
    with pytest.raises(ModelError) as error:
        open_model(folder)
    assert type(error.value) is ModelError
    assert "\n" not in str(error.value) and str(folder) in str(error.value)


@pytest.mark.parametrize("fault", UNSAFE)
def test_foreign_code_is_refused(tiny_folder, fault) -> None:
    folder = tiny_folder()
    UNSAFE[fault](folder)
    with pytest.raises(UnsafeModelError) as error:
        open_model(folder)
    assert "\n" not in str(error.value)


def test_a_pickle_never_runs(tiny_folder, tmp_path) -> None:
    from interlingua.models.encoder import load_encoder

    folder, trap = tiny_folder(), tmp_path / "the pickle ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(str(trap))))
    (folder / "training_args.bin").write_bytes(pickle.dumps(Canary(str(trap))))
    load_encoder(open_model(folder))  # beside safetensors it is never looked at
    assert not trap.exists()
    (folder / "model.safetensors").unlink()
    with pytest.raises(UnsafeModelError, match=r"pytorch_model\.bin"):
        open_model(folder)
    assert not trap.exists()
    with pytest.raises(FileExistsError):  # the trap is a real one
        pickle.loads((folder / "pytorch_model.bin").read_bytes())
        pickle.loads((folder / "pytorch_model.bin").read_bytes())


@pytest.mark.parametrize(
    "name",
    [
        "nowhere",
        "./a/b",
        "/a/b",
        "../a/b",
        "a/b/c",
        "~/a",
        "a\\b",
        "",
        "a b/c",
        "tests/none",
        "x" * 999,
        "~nobody-here/x",
    ],
)
def test_what_is_no_folder_and_no_id_is_named(name) -> None:
    with pytest.raises(ModelError, match="is not a model folder"):
        open_model(name)


def test_a_near_name_is_offered() -> None:
    with pytest.raises(ModelError, match="Did you mean starter"):
        open_model("startr")


def test_a_file_is_not_a_folder(tmp_path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(ModelError, match="is a file"):
        open_model(tmp_path / "x")


def test_an_id_without_network_is_one_clear_line(tmp_path) -> None:
    pytest.importorskip("huggingface_hub")
    code = (
        "from interlingua.models.folder import open_model\n"
        "from interlingua.base.errors import ModelError\n"
        "try: open_model('someone/some-model')\n"
        "except ModelError as error: print(error)\n"
    )
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.count("\n") == 1
    assert (
        "'someone/some-model' is not in the hub's cache here and cannot be fetched" in done.stdout
    )


@pytest.mark.parametrize(
    ("kind", "length"),
    [("bert", 38), ("xlm-roberta", 38), ("distilbert", 38), ("modernbert", 38), ("mt5", 38)],
)
def test_plain_folders_open_with_derived_settings(tiny_folder, kind, length) -> None:
    folder = open_model(tiny_folder(kind))
    assert folder.width == 32 and folder.pad_id == 1
    assert (folder.info.max_length, folder.info.pooling, folder.info.prefixes) == (
        length,
        "mean",
        {},
    )


@pytest.mark.parametrize(("kind", "length"), [("bert", 40), ("xlm-roberta", 38), ("mt5", 512)])
def test_the_longest_text_follows_from_the_positions(tiny_folder, kind, length) -> None:
    path = tiny_folder(kind)
    (path / "tokenizer_config.json").unlink()
    assert open_model(path).info.max_length == length


def test_settings_of_sentence_transformers_are_read(tiny_folder) -> None:
    path = tiny_folder()
    modules = ["models.Transformer", "models.Pooling", "base.modules.normalize.Normalize"]
    entries = [
        {"idx": i, "name": str(i), "path": ["", "1_Pooling", "2_Normalize"][i], "type": kind}
        for i, kind in enumerate(f"sentence_transformers.{name}" for name in modules)
    ]
    (path / "1_Pooling").mkdir()
    (path / "modules.json").write_text(json.dumps(entries))
    old = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True}
    (path / "1_Pooling" / "config.json").write_text(json.dumps(old))
    (path / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
    prompts = {"prompts": {"query": "q: "}, "default_prompt_name": "query"}
    (path / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    info = open_model(path).info
    assert (info.pooling, info.normalize, info.max_length) == ("cls", True, 20)
    assert info.prefix() == "q: "
    new = {"embedding_dimension": 32, "pooling_mode": "mean"}
    (path / "1_Pooling" / "config.json").write_text(json.dumps(new))
    (path / "modules.json").write_text(json.dumps(entries[:2]))
    assert (open_model(path).info.pooling, open_model(path).info.normalize) == ("mean", False)
    (path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "max"}')
    with pytest.raises(ModelError, match=r"pooling 'max'. Known: mean, cls"):
        open_model(path)


def test_the_fingerprint_follows_all_that_makes_vectors_and_nothing_else(tiny_folder) -> None:
    path = tiny_folder()
    first = open_model(path).fingerprint
    assert open_model(path).fingerprint == first and len(first) == 64
    _edit(path / "interlingua.json", scores={"mean": 0.5}, max_length=38)
    assert open_model(path).fingerprint == first
    seen = {first}
    for change in ({"pooling": "cls"}, {"layers": [1, 2]}, {"normalize": False}, {"max_length": 9}):
        _edit(path / "interlingua.json", **change)
        seen.add(open_model(path).fingerprint)
    (path / "tokenizer.json").write_text((path / "tokenizer.json").read_text() + " ")
    seen.add(open_model(path).fingerprint)
    data = bytearray((path / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (path / "model.safetensors").write_bytes(data)
    seen.add(open_model(path).fingerprint)
    assert len(seen) == 7


def test_a_folder_of_links_opens_as_the_hub_makes_them(tiny_folder, tmp_path) -> None:
    path = tiny_folder()
    links = tmp_path / "snapshot"
    links.mkdir()
    for file in path.iterdir():
        (links / file.name).symlink_to(file)
    assert open_model(links).fingerprint == open_model(path).fingerprint


def test_a_broken_tokenizer_is_named(tiny_folder) -> None:
    path = tiny_folder()
    (path / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ModelError, match=r"tokenizer\.json is not a tokenizer"):
        open_model(path).tokenizer()
    (path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no tokenizer"):
        open_model(path).tokenizer()


def test_a_head_must_fit_its_folder(tiny_folder) -> None:
    from interlingua.models.heads import Head

    path = tiny_folder()
    Head(np.ones((2, 32), np.float32), np.zeros(2, np.float32), ("a", "b")).save(
        path / "head.safetensors"
    )
    with pytest.raises(ModelError, match="2 labels and 32 features"):
        open_model(path).head()
    _edit(path / "interlingua.json", labels=["a", "b"])
    assert open_model(path).head().labels == ("a", "b")
    _edit(path / "interlingua.json", layers=[1, 2])
    with pytest.raises(ModelError, match="64 features"):
        open_model(path).head()


def test_a_vocabulary_of_word_pieces_is_converted_once(tiny_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("INTERLINGUA_CACHE", str(tmp_path / "cache"))
    path = tiny_folder()
    (path / "tokenizer.json").unlink()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hallo", "welt", "##en"]
    (path / "vocab.txt").write_text("\n".join(words) + "\n")
    (path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    folder = open_model(path)
    assert folder.tokenizer().encode("Hallo Welten").ids == [2, 5, 6, 7, 3]
    assert folder.pad_id == 0
    made = list((tmp_path / "cache").rglob("tokenizer.json"))
    assert len(made) == 1
    stamp = made[0].stat().st_mtime_ns
    folder.tokenizer()
    assert made[0].stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\ntags: [a]\n---\n# A model\n", "Apache-2.0"),
        ("---\nlicense: openrail\n---\n", "openrail"),
        ("---\nlicense: [mit]\n---\n", ""),
        ("---\n: : :\n---\n", ""),
        ("---", ""),
        ("# license: mit", ""),
    ],
)
def test_the_licence_is_taken_from_the_card(tiny_folder, card, licence) -> None:
    path = tiny_folder()
    (path / "README.md").write_text(card)
    assert open_model(path).info.licence == licence


def test_where_a_model_came_from_is_its_parent(tiny_folder) -> None:
    path = tiny_folder()
    assert open_folder(path, origin="who/what").info.parent == "who/what"
    assert open_folder(path).info.parent is None
