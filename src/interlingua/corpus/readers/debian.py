"""Package descriptions of Debian: a synopsis of one line and a long text, in many languages.

    Packages          package, source package, section, Description-md5
    Translation-en    package, Description-md5, Description-en
    Translation-it    package, Description-md5, Description-it

A translation belongs to the English text whose package and ``Description-md5`` it names; it keeps
the paragraphs of the original, so that paragraphs are pairs too (Debian Policy, section 5.6.13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import regex

from interlingua.base.errors import DataError, LanguageError
from interlingua.corpus.deb822 import paragraphs
from interlingua.corpus.locales import locale_tag
from interlingua.corpus.records import Document, Pair
from interlingua.corpus.rows import Faults, read_lines
from interlingua.languages.segmentation import UNSPACED

_LOCALE = regex.compile(r"Translation-([A-Za-z@_%0-9]+?)(?:\.[a-z0-9]+)?$")
# Between two of these a wrapped line is joined without a blank.
_TIGHT = regex.compile(rf"[{UNSPACED}\u3000-\u303f\uff00-\uffef]")
_LIST_ITEM = regex.compile(r"\s*(?:[-*+o•·–—]|\d{1,2}[.)])\s")
_OPEN_TRANSLATION = regex.compile(r"<trans[^>]*>")  # a part that nobody has translated yet


@dataclass(frozen=True, slots=True)
class Package:
    """What ``Packages`` says of a package beside its description."""

    name: str
    section: str
    source: str
    description_md5: str


@dataclass(frozen=True, slots=True)
class Description:
    """A description in one language.

    Attributes:
        package: The package.
        md5: ``Description-md5`` of the English original.
        lang: Language tag.
        synopsis: One line.
        paragraphs: The long text; a list or other text that keeps its lines is one paragraph.
        line: Where it stands in its file.
    """

    package: str
    md5: str
    lang: str
    synopsis: str
    paragraphs: tuple[str, ...]
    line: int = 0

    @property
    def text(self) -> str:
        """Synopsis and long text, with an empty line between paragraphs."""
        return "\n\n".join([self.synopsis, *self.paragraphs])


def reflow(body: str) -> tuple[str, ...]:
    """The paragraphs of a long description; wrapped lines are joined, list items are not.

    A line of one full stop parts paragraphs, a line that begins with a blank is kept as it is.
    """
    done: list[str] = []
    for block in regex.split(r"(?m)^\.[ \t]*$", body):
        lines: list[str] = []
        joins = False  # whether the next line goes on with the last one
        for raw in block.split("\n"):
            line = raw.rstrip()
            verbatim = raw[:1] in (" ", "\t")
            item = _LIST_ITEM.match(raw) is not None
            if not line.strip():
                joins = False
            elif lines and joins and not item and not (verbatim and not _in_item(lines[-1])):
                last, rest = lines[-1], line.strip()
                tight = _TIGHT.match(last[-1]) and _TIGHT.match(rest)
                lines[-1] = last + ("" if tight else " ") + rest
            else:
                lines.append(line.strip() if item or not verbatim else line.rstrip()[1:])
                joins = item or not verbatim
        if lines:
            done.append("\n".join(lines))
    return tuple(done)


def _in_item(line: str) -> bool:
    return _LIST_ITEM.match(line) is not None


def translation_lang(path: Path) -> str:
    """The language tag in the name of a ``Translation-*`` file.

    Raises:
        DataError: The name has no locale, or one that nobody knows.
    """
    match = _LOCALE.search(path.name)
    if match is None:
        raise DataError("the name does not end in Translation-xx", path=path)
    try:
        return locale_tag(match[1].replace("%5f", "_"))
    except LanguageError as error:
        raise DataError(error.problem, path=path, remedy=error.remedy) from error


def read_descriptions(path: Path, faults: Faults) -> Iterator[Description]:
    """Descriptions of one ``Translation-*`` file, those only that are translated throughout.

    Raises:
        DataError: The file or a paragraph of it cannot be read.
    """
    lang = translation_lang(path)
    for line, fields in paragraphs(read_lines(path, faults), path, faults):
        value = next(
            (
                fields[key]
                for key in fields
                if key.startswith("description-") and key != "description-md5"
            ),
            None,
        )
        if "package" not in fields or "description-md5" not in fields or value is None:
            problem = "expected the fields Package, Description-md5 and Description-xx"
            faults.report(DataError(problem, path=path, line=line))
            continue
        if _OPEN_TRANSLATION.search(value):
            continue
        synopsis, _, body = value.partition("\n")
        if synopsis.strip():
            yield Description(
                package=fields["package"],
                md5=fields["description-md5"],
                lang=lang,
                synopsis=" ".join(synopsis.split()),
                paragraphs=reflow(body),
                line=line,
            )


def read_packages(path: Path, faults: Faults) -> Iterator[Package]:
    """The packages of a ``Packages`` file.

    Raises:
        DataError: The file or a paragraph of it cannot be read.
    """
    for line, fields in paragraphs(read_lines(path, faults), path, faults):
        if "package" not in fields:
            faults.report(DataError("expected the field Package", path=path, line=line))
            continue
        yield Package(
            name=fields["package"],
            section=fields.get("section", "").rpartition("/")[2],
            source=fields.get("source", fields["package"]).partition(" ")[0],
            description_md5=fields.get("description-md5", ""),
        )


def read_debian(path: Path, faults: Faults) -> Iterator[Document]:
    """A ``Translation-*`` file alone, as documents; `fetch.debian` knows section and source too.

    Raises:
        DataError: The file or a paragraph of it cannot be read.
    """
    for found in read_descriptions(path, faults):
        yield description_document(found, None, cluster=found.md5)


def description_document(found: Description, package: Package | None, *, cluster: str) -> Document:
    """A description as a document with its synopsis, section and source package in ``meta``."""
    meta = {"package": found.package, "synopsis": found.synopsis, "description_md5": found.md5}
    if package is not None:
        meta |= {"section": package.section, "source_package": package.source}
    return Document(
        text=found.text,
        lang=found.lang,
        id=f"{found.package}/{found.md5[:8]}/{found.lang}",
        source="debian",
        cluster=cluster,
        meta=meta,
    )


def description_pairs(
    english: Description, other: Description, *, cluster: str, meta: Mapping[str, str]
) -> Iterator[Pair]:
    """The synopses, and the paragraphs where both texts have as many of them."""
    parts = [("synopsis", english.synopsis, other.synopsis)]
    if len(english.paragraphs) == len(other.paragraphs):
        both = zip(english.paragraphs, other.paragraphs, strict=True)
        parts += [(f"p{number}", left, right) for number, (left, right) in enumerate(both, 1)]
    for part, left, right in parts:
        yield Pair(
            source_text=left,
            target_text=right,
            source_lang=english.lang,
            target_lang=other.lang,
            id=f"{other.package}/{other.md5[:8]}/{other.lang}/{part}",
            source="debian",
            cluster=cluster,
            meta={**meta, "part": part.rstrip("0123456789") if part == "synopsis" else "paragraph"},
        )


__all__ = [
    "Description",
    "Package",
    "description_document",
    "description_pairs",
    "read_debian",
    "read_descriptions",
    "read_packages",
    "reflow",
    "translation_lang",
]
