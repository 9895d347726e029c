"""What lies inside a Debian package, read without unpacking it to the disk."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import regex

from interlingua.base.errors import DataError

_WANTED = regex.compile(r"/(?:LC_MESSAGES/[^/]+\.mo|usr/share/doc/[^/]+/copyright)$")
_MAX_MEMBER_BYTES = 64 << 20
_MAX_MEMBERS = 1_000_000
_SECONDS = 120  # to end, once everything is read


def catalogue_members(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The message catalogues and ``copyright`` files of a package, with their paths.

    The archive is streamed: nothing is written, so that no path in it can lead anywhere; links,
    devices and files of more than 64 MiB are passed over.

    Raises:
        DataError: The file is no Debian package, or is torn.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(archive.absolute())]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as stream:
                for number, member in enumerate(stream):
                    if number >= _MAX_MEMBERS:
                        raise DataError(f"more than {_MAX_MEMBERS:,} files", path=archive)
                    name = "/" + member.name.removeprefix("./")
                    if not member.isreg() or member.size > _MAX_MEMBER_BYTES:
                        continue
                    if _WANTED.search(name) is None:
                        continue
                    file = stream.extractfile(member)
                    assert file is not None  # a regular file
                    yield PurePosixPath(name), file.read()
            while process.stdout.read(1 << 20):  # padding behind the archive's end
                pass
            if process.wait(_SECONDS):
                raise DataError("no Debian package, or torn", path=archive)
        except tarfile.TarError as error:
            raise DataError(f"no Debian package, or torn: {error}", path=archive) from error
        finally:
            process.kill()  # nothing happens to one that has ended


__all__ = ["catalogue_members"]
