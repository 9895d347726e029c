"""The licence of a Debian package, from its machine-readable ``copyright`` file (DEP-5)."""

from __future__ import annotations

from pathlib import Path

import regex

from interlingua.corpus.deb822 import paragraphs
from interlingua.corpus.rows import Faults

UNKNOWN = "unknown"

_GNU = regex.compile(r"(AGPL|LGPL|GPL|GFDL|FDL)-(\d)(?:\.(\d))?(?:\.0)?(\+)?")
_SPDX = {
    "expat": "MIT",
    "mit": "MIT",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "apache-2.0": "Apache-2.0",
    "mpl-2.0": "MPL-2.0",
    "mpl-1.1": "MPL-1.1",
    "artistic": "Artistic-1.0-Perl",
    "isc": "ISC",
    "zlib": "Zlib",
    "cc0": "CC0-1.0",
    "cc0-1.0": "CC0-1.0",
    "cc-by-sa-3.0": "CC-BY-SA-3.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "public-domain": "LicenseRef-public-domain",
}
_JOIN = regex.compile(r"\s+(and|or)\s+|,\s*(?:(and|or)\s+)?")


def spdx(short_name: str) -> str:
    """A short name of DEP-5 as an SPDX expression; a name SPDX lacks becomes a ``LicenseRef``."""
    parts = _JOIN.split(" ".join(short_name.split()))
    names = [_spdx_name(name) for name in parts[::3]]
    joined = names[0]
    for first, second, name in zip(parts[1::3], parts[2::3], names[1:], strict=True):
        joined += f" {(first or second or 'and').upper()} {name}"
    return joined


def _spdx_name(name: str) -> str:
    plain, _, exception = name.partition(" with ")
    match = _GNU.fullmatch(plain)
    if match is not None:
        family = "GFDL" if match[1] == "FDL" else match[1]
        minor = match[3] or "0"
        return f"{family}-{match[2]}.{minor}-{'or-later' if match[4] else 'only'}"
    known = _SPDX.get(plain.casefold())
    if known and not exception:
        return known
    named: str = "LicenseRef-" + regex.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")
    return named


def package_licence(copyright_text: str) -> str:
    """The licence of ``Files: *`` in a ``copyright`` file, or ``unknown``.

    A file that is not machine-readable is ``unknown``: nobody reads prose here.
    """
    lines = enumerate(copyright_text.split("\n"), 1)
    stanzas = [fields for _, fields in paragraphs(lines, Path("copyright"), Faults("skip"))]
    if not stanzas or "copyright-format" not in stanzas[0].get(
        "format", stanzas[0].get("format-specification", "")
    ).casefold().replace("dep5", "copyright-format"):
        return UNKNOWN
    for fields in stanzas:
        if "*" in fields.get("files", "").split():
            name = fields.get("license", "").split("\n")[0].strip()
            return spdx(name) if name else UNKNOWN
    return UNKNOWN


__all__ = ["UNKNOWN", "package_licence", "spdx"]
