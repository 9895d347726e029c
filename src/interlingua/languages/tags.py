"""The language tag, and every other spelling of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NoReturn

import regex

from interlingua.base.errors import LanguageError, quoted
from interlingua.base.registry import near_names
from interlingua.languages.scripts import direction_of, script_named, writes
from interlingua.languages.tables import read_table

UND = "und"
_LOW_RESOURCE_GIB = 1.0
_SHAPE = regex.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?")
_BCP47 = regex.compile(r"[A-Za-z]{1,3}(?:[-_][A-Za-z0-9]{1,8})+")
_LOCALE = regex.compile(
    r"[_-][A-Za-z]{2}(?=[.@])|\.[A-Za-z0-9-]+(?=@|$)|@euro$"
)  # sr_RS.UTF-8@latin
_MAX_LENGTH = 64
_NAME = 4  # characters; anything shorter is a code


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
        low_resource: Less than 1 GiB of text in CC-100, or none (Conneau et al. 2020, table 6): a
            stand-in for how well a language is provided for, explained in ``languages.tsv``. Every
            language outside the shipped table counts as low-resource.
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


@cache
def _table() -> dict[str, Language]:
    table = {}
    for row in read_table("languages.tsv"):
        script = row["tag"][4:]
        table[row["tag"]] = Language(
            tag=row["tag"],
            name=row["name"],
            autonym=row["autonym"],
            family=row["family"],
            direction=direction_of(script),
            script=script,
            low_resource=float(row["cc100_gib"] or 0) < _LOW_RESOURCE_GIB,
            iso639_1=row["iso639_1"] or None,
        )
    return table


def known() -> tuple[Language, ...]:
    """The shipped languages, by tag; `parse` knows every other code of ISO 639 too."""
    return tuple(_table().values())


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.replace("_", " ").replace("-", " ").split())


@cache
def _spellings() -> dict[str, str]:
    """Every spelling that is written down, folded, and the tag it means.

    Where several scripts share a code, the one with most text is meant.
    """
    spellings: dict[str, str] = {}
    sizes = {row["tag"]: float(row["cc100_gib"] or 0) for row in read_table("languages.tsv")}
    for tag in sorted(sizes, key=lambda tag: (-sizes[tag], tag[4:] != "Latn", tag)):
        language = _table()[tag]
        for code in (tag, tag[:3], language.iso639_1):
            if code:
                spellings.setdefault(_key(code), tag)
        for spelling in (language.name, language.autonym):
            # A name as short as a code is left to the language that has this code.
            if spelling and (len(spelling) >= _NAME or not spelling.isascii()):
                spellings.setdefault(_key(spelling), tag)
    for row in read_table("aliases.tsv"):
        spellings[_key(row["alias"])] = row["tag"]
    return spellings


def parse(text: str) -> Language:
    """The language that a spelling means.

    Args:
        text: A tag (``eng_Latn``), a code of ISO 639 (``en``, ``eng``, ``ger``), BCP 47
            (``zh-Hant``, ``pt-BR``: the region is dropped, the script kept), a locale
            (``sr@latin``, ``en_US.UTF-8``), an English or native name.

    Raises:
        LanguageError: Nobody knows it, or it is ``und``; the remedy names near ones.
    """
    language = _parsed(text)
    if language is None:
        _refuse(text)
    return language


def tag_of(text: str) -> str:
    """The tag that a spelling means; ``und`` stays ``und``.

    Raises:
        LanguageError: Nobody knows it.
    """
    return UND if text.strip().casefold() == UND else parse(text).tag


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Language | None:
    tag = _find(text)
    return None if tag is None or tag == UND else _table().get(tag) or _beyond(tag)


def _refuse(text: str) -> NoReturn:
    names = [language.name for language in known()] + list(_table())
    near = [found] if (found := _named(text)) is not None else []
    near = near or near_names(text[:_MAX_LENGTH], names)
    remedy = f"Did you mean {', '.join(near)}?" if near else "Write a tag such as deu_Latn"
    raise LanguageError(f"{quoted(text)} is no language", remedy=remedy)


def _find(text: str) -> str | None:
    """The tag, not always of the table; None for what nobody knows."""
    if not text or len(text) > _MAX_LENGTH:
        return None
    text = _LOCALE.sub("", text.strip())
    written = _spellings().get(_key(text))
    if written is not None:
        return written
    match = _SHAPE.fullmatch(text)
    if match is not None:
        return _of_code(match[1].lower(), (match[2] or "").title())
    if _BCP47.fullmatch(text):
        return _registered(text, "")
    name = _named(text)
    # Of names outside the table only codes are taken: Bench and Label are languages too.
    return name if name is not None and _spellings().get(name[:3], "")[:3] == name[:3] else None


def _of_code(code: str, script: str) -> str | None:
    base = _spellings().get(code)
    if base == UND:
        return None
    if base is None:
        return _registered(code, script)
    if not script or writes(base[4:], script):  # zho_Hani and kor_Kore are no tags of their own
        return base
    tag = f"{base[:3]}_{script}"
    return tag if tag in _table() else _registered(base[:3], script)


@cache
def _registered(code: str, script: str) -> str | None:
    """The tag of a code that the IANA registry lists.

    Without a script, the likely one after the Unicode CLDR, or Latn where that knows none.
    """
    import langcodes

    private = "qaa" <= code.lower() <= "qtz" and len(code) == 3  # for anybody's own use
    try:
        language = langcodes.Language.get(f"{code}-{script}" if script else code)
        three = language.to_alpha3()
    except (LookupError, ValueError):  # a language without a code; a tag that is not well formed
        return None
    if private or not language.is_valid() or _spellings().get(three) == UND:
        return None
    script = script or language.script or ""
    # A retired code may lead to one that another tag stands for: swc is Swahili, as swh is.
    joined = _spellings().get(three)
    if joined is not None and joined[:3] == code.lower():  # tgl, which the registry calls fil
        three = joined[:3]
    if joined is not None and joined[:3] != three:
        return _of_code(three, script)
    if joined is not None and (not script or writes(joined[4:], script)):
        return joined
    return f"{three}_{script or language.maximize().script or 'Latn'}"


def _named(text: str) -> str | None:
    """The tag of a language that the Unicode CLDR calls so, in any language it speaks."""
    import langcodes

    if len(text) < _NAME or len(text) > _MAX_LENGTH or _BCP47.fullmatch(text):
        return None
    name, _, detail = text.rstrip(") ").partition("(")
    try:
        found = langcodes.find(name.strip()).to_tag()
        tag = _find(found)
        script = script_named(detail)
        if detail and script is None:
            langcodes.Language.find_name("territory", detail, "en")  # or it is no region either
    except (LookupError, UnicodeError):
        return None
    words = {script_named(word) for word in name.split()} if " " in name.strip() else set()
    if tag is None or words - {None, tag[4:]}:  # CLDR calls both kinds of Serbian sr
        return None
    return _of_code(tag[:3], script) if script else tag


def _beyond(tag: str) -> Language:
    """A language outside the shipped table: what that knows of it in another script, or CLDR."""
    import langcodes

    language = langcodes.Language.get(tag[:3])
    if language.to_alpha3() != tag[:3]:
        language = langcodes.Language.get(tag[:3], normalize=False)
    sibling = _table().get(_spellings().get(tag[:3], ""))
    if sibling is not None and sibling.tag[:3] == tag[:3]:
        script = langcodes.Language.make(script=tag[4:]).script_name("en")
        name = f"{sibling.name.partition(' (')[0]} ({script} script)"
        return replace(
            sibling,
            tag=tag,
            name=name,
            direction=direction_of(tag[4:]),
            script=tag[4:],
            low_resource=True,
        )
    name = language.display_name("en")
    return Language(
        tag=tag,
        name=name,
        autonym=language.autonym() or name,
        family="unknown",
        direction=direction_of(tag[4:]),
        script=tag[4:],
        low_resource=True,
        iso639_1=language.language if len(language.language or "") == 2 else None,
    )
