"""The language tag, and every other spelling of it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import regex

from interlingua.base.errors import LanguageError, quoted
from interlingua.base.registry import near_names

UND = "und"
_LOW_RESOURCE_GIB = 1.0
_RIGHT_TO_LEFT = frozenset(["Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"])
_SHAPE = regex.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?")
_MAX_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Language:
    """A language in one script.

    Attributes:
        tag: ``eng_Latn``: ISO 639-3 and ISO 15924, the FLORES-200 spelling where there is one.
        name: English name.
        autonym: Its own name for itself; the English name where no other is known.
        family: Language family at the top level; ``unknown`` outside the shipped table.
        direction: ``ltr`` or ``rtl``.
        script: ISO 15924 code.
        low_resource: Less than 1 GiB of text in CC-100, or none (Conneau et al. 2020, table 6).
        iso639_1: The two-letter code, if there is one.
    """

    tag: str
    name: str
    autonym: str
    family: str
    direction: str
    script: str
    low_resource: bool
    iso639_1: str | None


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def _table() -> dict[str, Language]:
    table = {}
    for row in _rows("languages.tsv"):
        script = row["tag"][4:]
        table[row["tag"]] = Language(
            tag=row["tag"],
            name=row["name"],
            autonym=row["autonym"],
            family=row["family"],
            direction="rtl" if script in _RIGHT_TO_LEFT else "ltr",
            script=script,
            low_resource=float(row["cc100_gib"] or 0) < _LOW_RESOURCE_GIB,
            iso639_1=row["iso639_1"] or None,
        )
    return table


def known() -> tuple[Language, ...]:
    """The shipped languages, by tag; `parse` knows every other code of ISO 639 too."""
    return tuple(_table().values())


def _key(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split())


@cache
def _spellings() -> dict[str, str]:
    """Every spelling that is written down, folded, and the tag it means.

    Where several scripts share a code, the one with most text is meant.
    """
    spellings: dict[str, str] = {}
    sizes = {row["tag"]: float(row["cc100_gib"] or 0) for row in _rows("languages.tsv")}
    for tag in sorted(sizes, key=lambda tag: (-sizes[tag], tag[4:] != "Latn", tag)):
        language = _table()[tag]
        for spelling in (tag, tag[:3], language.iso639_1, language.name, language.autonym):
            if spelling:
                spellings.setdefault(_key(spelling), tag)
    for row in _rows("aliases.tsv"):
        spellings[_key(row["alias"])] = row["tag"]
    return spellings


def parse(text: str) -> Language:
    """The language that a spelling means.

    Args:
        text: A tag (``eng_Latn``), a code of ISO 639 (``en``, ``eng``, ``ger``), BCP 47
            (``zh-Hant``, ``pt-BR``: the region is dropped), an English or native name.

    Raises:
        LanguageError: Nobody knows it, or it is ``und``; the remedy names near ones.
    """
    tag = _find(text)
    if tag is None or tag == UND:
        names = [language.name for language in known()] + list(_table())
        near = near_names(text[:_MAX_LENGTH], names)
        remedy = f"Did you mean {', '.join(near)}?" if near else "Write a tag such as deu_Latn"
        raise LanguageError(f"{quoted(text)} is no language", remedy=remedy)
    return _table().get(tag) or _beyond(tag)


def tag_of(text: str) -> str:
    """The tag that a spelling means; ``und`` stays ``und``.

    Raises:
        LanguageError: Nobody knows it.
    """
    return UND if text.strip().casefold() == UND else parse(text).tag


def _find(text: str) -> str | None:  # noqa: PLR0911 - a ladder of spellings
    if not text or len(text) > _MAX_LENGTH:
        return None
    spellings = _spellings()
    key = _key(text)
    if key in spellings:
        return spellings[key]
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        return None
    code, script = match[1].lower(), (match[2] or "").title()
    if not script:
        return spellings.get(code) or _registered(code, "")
    base = spellings.get(code)
    if base == UND:
        return None
    if base is not None and base[4:] != script and _table().get(f"{base[:3]}_{script}") is None:
        same = script in {"Jpan", "Hang", "Kore"} and base[4:] in {"Jpan", "Hang"}
        return base if same else _registered(base[:3], script)
    return f"{base[:3]}_{script}" if base is not None else _registered(code, script)


@cache
def _registered(code: str, script: str) -> str | None:
    """The tag of a code that the IANA registry lists, with the script it is likely written in."""
    import langcodes

    language = langcodes.Language.get(code if not script else f"{code}-{script}")
    private = "qaa" <= code <= "qtz" and len(code) == 3  # set aside for anybody's own use
    if private or not language.is_valid() or language.language is None:
        return None
    try:
        three = language.to_alpha3()
    except LookupError:
        return None
    likely = script or language.maximize().script or "Latn"
    return f"{three}_{likely}"


@cache
def _beyond(tag: str) -> Language:
    """A language outside the shipped table: what the Unicode CLDR knows of it."""
    import langcodes

    language = langcodes.Language.get(tag[:3])
    name = language.display_name("en")
    return Language(
        tag=tag,
        name=name,
        autonym=language.autonym() or name,
        family="unknown",
        direction="rtl" if tag[4:] in _RIGHT_TO_LEFT else "ltr",
        script=tag[4:],
        low_resource=True,
        iso639_1=language.language if len(language.language or "") == 2 else None,
    )
