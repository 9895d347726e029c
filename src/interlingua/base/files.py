"""Files that are either whole or absent, and manifests that prove it.

Everything is written beside its final place, flushed to the disk and renamed. A crash leaves a
``.tmp-…`` file behind that nobody reads; the next writer of the same path removes it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interlingua.base.errors import DiskError, ModelError, UsageError

MANIFEST = "manifest.json"
_DISK_ERRORS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG),  # the place cannot be one
}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's "no space", "read-only" and the like into a `DiskError`.

    Libraries written in Rust or C++ report a full disk in their own classes; the text is looked at.

    Raises:
        DiskError: The disk refused a write.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        raise DiskError(_disk_message(path, error.strerror or str(error))) from error
    except Exception as error:
        text = str(error)
        if (
            "No space left" not in text
            and "os error 28" not in text
            and "File too large" not in text
        ):
            raise
        raise DiskError(_disk_message(path, "no space left on device")) from error


def _disk_message(path: Path, reason: str) -> str:
    above = (p for p in [path, *path.parents] if os.path.exists(p))  # noqa: PTH110 - long names
    free = shutil.disk_usage(next(above, Path("/"))).free / 1e6
    return f"cannot write {path}: {reason} ({free:.0f} MB free); nothing was left half-written"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it into place when the block succeeds.

    What is neither file nor folder, such as a pipe, is written into as it is.

    Raises:
        DiskError: The disk refused a write; ``path`` is as it was before.
    """
    target = Path(path)
    temporary = target.with_name(f".tmp-{target.name}")
    with disk_errors(target):
        if target.exists() and not (target.is_file() or target.is_dir()):
            yield target
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(temporary)
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(target)
            _sync(target.parent)
        finally:
            _remove(temporary)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; it takes that name when the block succeeds.

    A folder that is already there is replaced only then. One that a killed writer had moved aside,
    and put nothing in its place, is moved back first.

    Raises:
        DiskError: The disk refused a write; ``path`` is as it was before.
    """
    target = Path(path)
    temporary = target.with_name(f".tmp-{target.name}")
    replaced = target.with_name(f".tmp-old-{target.name}")
    with disk_errors(target):
        _remove(temporary)
        _put_back(replaced, target)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            for file in sorted(temporary.rglob("*")):
                _sync(file)
            if target.exists():
                target.rename(replaced)
            temporary.rename(target)
            _sync(target.parent)
        finally:
            _put_back(replaced, target)
            _remove(temporary)


@contextmanager
def file_lock(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a file as a lock, which goes when its holder ends, however that ends.

    Args:
        path: The lock's file, made if it is not there.
        wait: Wait until it is free.

    Yields:
        Whether it is held: always where it was waited for, not where another process has it.

    Raises:
        DiskError: The file cannot be made.
    """
    import fcntl  # POSIX alone has it, and reading needs no locks

    with disk_errors(path):
        file = path.open("wb")
    with file:
        held = True
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = False
        yield held


def refuse_file(out: Path) -> None:
    """See that a folder which is to be made is no file.

    Raises:
        UsageError: It is.
    """
    if out.is_file():
        raise UsageError(f"--out {out} is a file", remedy="Name a folder")


def refuse_others(out: Path, *, mark: str) -> None:
    """See that a folder which is about to be replaced holds nothing of anybody else.

    Args:
        out: The folder a command is to make.
        mark: Name of a file that every folder of its kind holds.

    Raises:
        UsageError: ``out`` is a file, or a folder with other files.
    """
    refuse_file(out)
    if out.is_dir() and any(out.iterdir()) and not (out / mark).is_file():
        raise UsageError(
            f"--out {out} holds other files, which would be lost",
            remedy="Name a folder that is not there yet, or one that this command made",
        )


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | Path, document: object) -> None:
    """Write a JSON document, whole or not at all; numbers that are not finite are refused."""
    write_text(path, json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def sha256_file(path: str | Path) -> str:
    """The sha256 of a file, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: str | Path, **facts: Any) -> None:  # noqa: ANN401 - JSON values
    """Write ``manifest.json``: sha256 and size of every file below ``folder``, and ``facts``."""
    root = Path(folder)
    files = {
        file.relative_to(root).as_posix(): {
            "sha256": sha256_file(file),
            "bytes": file.stat().st_size,
        }
        for file in sorted(root.rglob("*"))
        if file.is_file() and file.relative_to(root).as_posix() != MANIFEST
    }
    write_json(root / MANIFEST, {"files": files, **facts})


def check_manifest(folder: str | Path) -> list[str]:
    """What is wrong with a folder that has a manifest: missing, torn or altered files.

    Returns:
        One line per fault, empty when every file is as it was written.
    """
    root = Path(folder)
    try:
        files = json.loads((root / MANIFEST).read_text(encoding="utf-8"))["files"]
        entries = {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except FileNotFoundError:
        return [f"{MANIFEST} is missing"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [f"{MANIFEST} cannot be read"]
    faults = []
    for name, expected in entries.items():
        file = root / name
        if not file.is_file():
            faults.append(f"{name} is missing")
        elif sha256_file(file) != expected:
            faults.append(f"{name} differs from the manifest's sha256")
    return faults


def read_json_file(path: str | Path) -> dict[str, Any]:
    """Read a JSON object that this package or a model's maker wrote.

    Raises:
        ModelError: The file is not JSON, or not an object.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelError(f"{path} holds {type(document).__name__}, expected a JSON object")
    return document


def _put_back(replaced: Path, target: Path) -> None:
    """Give a folder that was moved aside its place again, unless another has it."""
    if replaced.exists() and not target.exists():
        replaced.rename(target)
    _remove(replaced)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
