"""Files are whole or absent, and a manifest finds every alteration."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from interlingua.base.errors import DiskError, UsageError
from interlingua.base.files import (
    atomic_folder,
    atomic_path,
    check_manifest,
    file_lock,
    refuse_others,
    write_json,
    write_manifest,
    write_text,
)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_a_disk_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="No space left"), atomic_folder(tmp_path / "m") as folder:
        (folder / "x").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_words_it_its_own_way_is_understood(tmp_path: Path) -> None:
    with pytest.raises(DiskError), atomic_path(tmp_path / "m"):
        raise ValueError("I/O error: No space left on device (os error 28)")


def test_a_real_full_disk(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(DiskError), atomic_path(tmp_path / "m") as temporary:
        temporary.symlink_to(full)
        temporary.write_text("x" * 100_000)


def test_stray_temporary_files_are_cleaned_by_the_next_writer(tmp_path: Path) -> None:
    (tmp_path / ".tmp-m").mkdir()
    (tmp_path / ".tmp-m" / "torn").write_text("x")
    with atomic_folder(tmp_path / "m") as folder:
        (folder / "whole").write_text("y")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["m", "whole"]


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    (tmp_path / "sub" / "b.bin").write_bytes(b"b" * 100)
    write_manifest(tmp_path, step=3)
    return tmp_path


def test_an_untouched_folder_has_no_faults(folder: Path) -> None:
    assert check_manifest(folder) == []


@pytest.mark.parametrize("name", ["a.bin", "sub/b.bin", "manifest.json"])
@pytest.mark.parametrize("damage", ["delete", "empty", "half", "last", "flip"])
def test_every_damage_is_found(folder: Path, name: str, damage: str) -> None:
    file = folder / name
    data = file.read_bytes()
    if damage == "delete":
        file.unlink()
    else:
        middle = len(data) // 2
        cut = {"empty": b"", "half": data[:middle], "last": data[:-2]}
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        file.write_bytes(cut.get(damage, flipped))
    assert check_manifest(folder) or (name == "manifest.json" and damage == "flip")


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    refuse_others(tmp_path / "none", mark="ours.json")
    refuse_others(tmp_path, mark="ours.json")  # it is empty
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="holds other files, which would be lost"):
        refuse_others(tmp_path, mark="ours.json")
    with pytest.raises(UsageError, match="is a file"):
        refuse_others(tmp_path / "thesis.txt", mark="ours.json")
    (tmp_path / "ours.json").write_text("{}")
    refuse_others(tmp_path, mark="ours.json")


def test_a_folder_that_was_moved_aside_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between the two renames, or killed there: the old folder has its place again."""
    target = tmp_path / "m"
    with atomic_folder(target) as folder:
        (folder / "x").write_text("old")
    rename = Path.rename

    def stopped(path: Path, to: Path) -> Path:
        if to == target and path.name == ".tmp-m":
            raise KeyboardInterrupt
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt), atomic_folder(target) as folder:
        (folder / "x").write_text("new")
    assert (target / "x").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    monkeypatch.setattr(Path, "rename", rename)
    target.rename(tmp_path / ".tmp-old-m")
    with pytest.raises(RuntimeError), atomic_folder(target) as folder:
        raise RuntimeError
    assert (target / "x").read_text() == "old"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "hello")
    assert os.read(reader, 10) == b"hello"
    os.close(reader)
    assert pipe.is_fifo()


def test_places_that_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "x", tmp_path / ("x" * 300)):
        with pytest.raises(DiskError, match="cannot write"):
            write_text(place, "x")
    with pytest.raises(DiskError, match="cannot write"), atomic_folder(tmp_path / "file" / "x"):
        pass


def test_a_lock_is_held_by_one_and_goes_with_its_holder(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock") as first:
        with file_lock(tmp_path / "lock") as second:
            assert (first, second) == (True, False)
        with pytest.raises(RuntimeError) as raised, file_lock(tmp_path / "lock"):
            raise RuntimeError
        assert raised.value.__context__ is None
    with pytest.raises(RuntimeError), file_lock(tmp_path / "lock"):
        raise RuntimeError
    with file_lock(tmp_path / "lock", wait=True) as again:
        assert again


def test_no_lock_is_needed_to_import_the_package() -> None:
    """Where the system has none, what only reads works."""
    code = "import sys; sys.modules['fcntl'] = None; import interlingua.cli.main"
    subprocess.run([sys.executable, "-c", code], check=True)
