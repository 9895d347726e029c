"""Debian's archive through the machine's own ``apt-get``, in a private state folder, without root.

Sources, keys and proxies are those of the machine's configuration, which is read and never written;
lists and archives go into the cache of this package.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import regex

from interlingua.base.cache import cache_dir
from interlingua.base.errors import MachineError, UserError, quoted
from interlingua.base.files import write_text
from interlingua.corpus.deb822 import paragraphs
from interlingua.corpus.fetch.command import run_command
from interlingua.corpus.rows import Faults

_SECONDS = 1800
_NAME = regex.compile(r"[a-z0-9][a-z0-9.+-]{1,127}")  # Debian Policy, section 5.6.1
_LOCALE = regex.compile(r"[A-Za-z]{2,3}(?:[_@][A-Za-z]+)*")
_TRANSLATION = regex.compile(r"[ /]i18n/Translation-(\S+?)(?:\.(?:bz2|xz|gz))?$", regex.MULTILINE)
_FIELDS = ("CREATED_BY", "FILENAME", "LANGUAGE", "CODENAME", "METAKEY")


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A list that apt has fetched: ``Packages`` or ``Translations``."""

    kind: str
    path: Path
    locale: str
    name: str


class Apt:
    """A private apt: its own lists and archives, the machine's sources.

    Args:
        folder: Where lists and archives are kept; the cache of this package if not given.

    Raises:
        UserError: This machine has no ``apt-get``.
    """

    def __init__(self, folder: Path | None = None) -> None:
        for tool in ("apt-get", "apt-cache", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise UserError(
                    f"'{tool}' is not on this machine",
                    remedy="Fetch on a machine with Debian or Ubuntu, and copy the folder",
                )
        self.folder = (folder or cache_dir() / "apt").absolute()
        self._configuration = self.folder / "apt.conf"
        for part in ("lists/partial", "archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self._configure(["en"])

    def _configure(self, locales: Sequence[str]) -> None:
        assert all(_LOCALE.fullmatch(locale) for locale in locales), locales
        wanted = "".join(f'"{locale}"; ' for locale in locales)
        write_text(
            self._configuration,
            f'Dir::State "{self.folder}";\n'
            f'Dir::State::lists "{self.folder}/lists";\n'
            'Dir::State::status "/var/lib/dpkg/status";\n'
            f'Dir::Cache "{self.folder}";\n'
            f'Dir::Cache::archives "{self.folder}/archives";\n'
            'Dir::Cache::pkgcache "pkgcache.bin";\n'
            # Lists are read by us: plain files. Hooks of the machine are none of our business.
            'Acquire::GzipIndexes "false";\n'
            'Acquire::Retries "3";\n'
            "#clear APT::Update::Pre-Invoke;\n"
            "#clear APT::Update::Post-Invoke;\n"
            "#clear APT::Update::Post-Invoke-Success;\n"
            "#clear Acquire::Languages;\n"
            f"Acquire::Languages {{ {wanted}}};\n",
        )

    def _run(self, *command: str, folder: Path | None = None) -> str:
        arguments = [command[0], "-c", str(self._configuration), *command[1:]]
        done = run_command(
            arguments,
            folder=folder or self.folder,
            seconds=_SECONDS,
            environment={"LC_ALL": "C.UTF-8"},
        )
        if done.returncode:
            told = next((line for line in done.stderr.splitlines() if line[:2] == "E:"), "")
            reason = told or done.stderr[-300:]
            raise MachineError(f"{' '.join(command[:2])} failed ({done.returncode}): {reason}")
        return done.stdout

    def update(self, locales: Sequence[str] = ("en",)) -> None:
        """Fetch the lists of packages and of descriptions in these locales.

        Raises:
            MachineError: apt failed; the message is its own.
        """
        self._configure(locales)
        self._run("apt-get", "update", "-q")

    def locales(self) -> list[str]:
        """The locales that the archive has descriptions in, after `update`."""
        found: set[str] = set()
        for release in sorted((self.folder / "lists").glob("*Release")):
            found |= set(_TRANSLATION.findall(release.read_text(encoding="utf-8")))
        return sorted(locale for locale in found if _LOCALE.fullmatch(locale))

    def indexes(self) -> list[IndexFile]:
        """The lists fetched by `update`, each under the name it has in the archive."""
        form = "\t".join(f"$({field})" for field in _FIELDS)
        files = []
        for line in self._run("apt-get", "indextargets", "--format", form).splitlines():
            kind, path, locale, codename, key = line.split("\t")
            if kind in ("Packages", "Translations") and Path(path).exists():
                files.append(IndexFile(kind, Path(path), locale, f"{codename}/{key}"))
        return sorted(files, key=lambda file: file.name)

    def known(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Which of the names are packages of the fetched lists, and which are not.

        Raises:
            UserError: A name that no package can have.
        """
        for name in names:
            if not _NAME.fullmatch(name):
                raise UserError(f"{quoted(name)} is no name of a Debian package")
        packages = set(self._run("apt-cache", "pkgnames").split())
        return [n for n in names if n in packages], [n for n in names if n not in packages]

    def download(self, names: Sequence[str]) -> dict[str, Path]:
        """Fetch packages, without installing them; those already there are not fetched again.

        Returns:
            The archive of each package by its name.

        Raises:
            MachineError: apt failed.
        """
        assert all(_NAME.fullmatch(name) for name in names), names
        archives = self.folder / "archives"
        if not names:
            return {}
        self._run("apt-get", "download", "-q", *names, folder=archives)
        shown = enumerate(
            self._run("apt-cache", "show", "--no-all-versions", *names).splitlines(), 1
        )
        found = {}
        for _, fields in paragraphs(shown, Path("apt-cache"), Faults()):
            version = fields["version"].replace(":", "%3a")
            file = f"{fields['package']}_{version}_{fields['architecture']}.deb"
            found[fields["package"]] = archives / file
        return found


__all__ = ["Apt", "IndexFile"]
