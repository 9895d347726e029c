r"""Message catalogues of GNU gettext: ``.po`` (text) and ``.mo`` (binary, either byte order).

    msgctxt EOT msgid [NUL msgid_plural]  ->  msgstr[0] [NUL msgstr[1] ...]

Both formats are those of the GNU gettext manual, sections "The Format of PO Files" and "The Format
of GNU MO Files". A catalogue names only the language that it translates into: the manual has
``msgid`` in English, and a header ``X-Source-Language`` says otherwise.
"""

from __future__ import annotations

import gettext
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import regex

from interlingua.base.errors import DataError, LanguageError, quoted
from interlingua.corpus.locales import locale_tag
from interlingua.corpus.records import Pair
from interlingua.corpus.rows import Faults, open_bytes

MAX_CATALOGUE_BYTES = 64 << 20
"""A larger catalogue is refused: the largest in use have about 10 MB."""

MSGID_LANG = "eng_Latn"
"""The language of ``msgid`` by the manual, where no header says otherwise."""

_MAGIC = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_HEADER = struct.Struct("IIIII")
_PAIR_BYTES = 8  # length and offset of a string
_CONTEXT = "\x04"
_CHARSET = regex.compile(rb"charset=([A-Za-z0-9_.:-]+)")
_PLURAL = regex.compile(r"nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;]+)")
_LINE = regex.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d{1,2})\])?)\s*)?"(.*)"')
_ESCAPE = regex.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(slots=True)
class Message:
    """One entry: what is translated, and its translation in each plural form."""

    msgid: str
    forms: list[str]
    plural: str = ""
    context: str = ""
    line: int = 0
    fuzzy: bool = False


@dataclass(slots=True)
class Catalogue:
    """The entries of a file and its header, by lower-case name."""

    messages: list[Message] = field(default_factory=list)
    header: dict[str, str] = field(default_factory=dict)


def read_mo(path: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of a binary catalogue.

    Raises:
        DataError: The file is no catalogue, is torn, or nobody knows its language.
    """
    yield from catalogue_pairs(parse_mo(_bounded(path), path, faults), path, faults)


def read_po(path: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of a text catalogue; fuzzy and obsolete entries are no translations.

    Raises:
        DataError: A line is not of the format, or nobody knows the language.
    """
    yield from catalogue_pairs(parse_po(_bounded(path), path, faults), path, faults)


def _bounded(path: Path) -> bytes:
    with open_bytes(path) as stream:
        data = stream.read(MAX_CATALOGUE_BYTES + 1)
    if len(data) > MAX_CATALOGUE_BYTES:
        raise DataError(f"longer than {MAX_CATALOGUE_BYTES:,} bytes", path=path)
    return data


def parse_mo(data: bytes, path: Path, faults: Faults) -> Catalogue:
    """The entries of a binary catalogue; an entry in another encoding than declared is a fault.

    Raises:
        DataError: It is no catalogue, or a table or a string ends outside the file.
    """
    order = _MAGIC.get(data[:4])
    if order is None or len(data) < _HEADER.size:
        raise DataError("no .mo file: the first four bytes are not its mark", path=path)
    _, revision, count, originals, translations = struct.unpack_from(f"{order}5I", data)
    if revision >> 16 > 1:
        raise DataError(f"revision {revision >> 16} of the format, expected 0 or 1", path=path)
    if max(originals, translations) + _PAIR_BYTES * count > len(data):
        problem = f"torn: tables of {count} strings end outside its {len(data)} bytes"
        raise DataError(problem, path=path)

    def text(table: int, index: int) -> bytes:
        length, start = struct.unpack_from(f"{order}2I", data, table + _PAIR_BYTES * index)
        if start + length > len(data):
            raise DataError(f"torn: string {index + 1} ends outside the file", path=path)
        return data[start : start + length]

    entries = [(text(originals, n), text(translations, n)) for n in range(count)]
    head = next((value for key, value in entries if not key), b"")
    charset = _charset(head, path)
    catalogue = Catalogue(header=_header(head.decode(charset, "replace")))
    for number, (key, value) in enumerate(entries, 1):
        if not key:
            continue
        try:
            msgid, forms = key.decode(charset), value.decode(charset).split("\0")
        except UnicodeDecodeError:
            faults.report(DataError(f"not {charset}", path=path, line=number))
            continue
        context, mark, rest = msgid.partition(_CONTEXT)
        msgid, _, plural = (rest if mark else msgid).partition("\0")
        message = Message(msgid, forms, plural, context if mark else "", number)
        catalogue.messages.append(message)
    return catalogue


def parse_po(data: bytes, path: Path, faults: Faults) -> Catalogue:
    """The entries of a text catalogue.

    Raises:
        DataError: The encoding is unknown or wrong, or a line is not of the format.
    """
    charset = _charset(data, path)
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode(charset)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"not {charset}, as its header declares", path=path, line=line) from error
    catalogue = Catalogue()
    for message in _po_messages(text, path, faults):
        if not message.msgid and not message.context:
            catalogue.header = _header("".join(message.forms))
        elif not message.fuzzy:
            catalogue.messages.append(message)
    return catalogue


def _po_messages(text: str, path: Path, faults: Faults) -> Iterator[Message]:
    message, slot, fuzzy = Message("", []), "", False
    started = False
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] == "#":
            if started and slot.startswith("msgstr"):
                yield message
                message, slot, started = Message("", []), "", False
            if line.startswith("#,") and "fuzzy" in line:
                fuzzy = True
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            problem = f'{quoted(line)} is neither a keyword nor a string in "quotes"'
            faults.report(DataError(problem, path=path, line=number))
            continue
        keyword, form, value = match[1], match[2], _unescape(match[3])
        if keyword in ("msgctxt", "msgid") and slot.startswith("msgstr"):
            yield message
            message, slot, started = Message("", []), "", False
        if keyword is None and not slot:
            faults.report(DataError("a string before any keyword", path=path, line=number))
            continue
        if not started:
            message.line, message.fuzzy, fuzzy, started = number, fuzzy, False, True
        slot = keyword or slot
        if keyword is not None and keyword.startswith("msgstr"):
            if int(form or 0) != len(message.forms):
                problem = f"{keyword} follows {len(message.forms)} forms"
                faults.report(DataError(problem, path=path, line=number))
            message.forms.append("")
        _put(message, slot, value)
    if started and message.forms:
        yield message


def _put(message: Message, slot: str, value: str) -> None:
    if slot == "msgctxt":
        message.context += value
    elif slot == "msgid":
        message.msgid += value
    elif slot == "msgid_plural":
        message.plural += value
    else:
        message.forms[-1] += value


def _unescape(text: str) -> str:
    def one(match: regex.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 8))
        if match[2]:
            return chr(int(match[2], 16))
        return str(_ESCAPED.get(match[3], match[3]))

    return _ESCAPE.sub(one, text) if "\\" in text else text


def _charset(header: bytes, path: Path) -> str:
    match = _CHARSET.search(header)
    name = match[1].decode() if match else "UTF-8"
    if name == "CHARSET":  # a template that nobody has filled in
        name = "UTF-8"
    try:
        b"".decode(name)
    except LookupError:
        raise DataError(f"unknown character set {quoted(name)}", path=path) from None
    return name


def _header(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.split("\n"))
    return {name.strip().lower(): value.strip() for name, mark, value in lines if mark}


def catalogue_locale(header: dict[str, str], path: Path) -> str:
    """The locale of a catalogue: its folder above ``LC_MESSAGES``, else header, else file name."""
    if path.parent.name == "LC_MESSAGES":
        return path.parent.parent.name
    return header.get("language") or path.name.partition(".po")[0].partition(".mo")[0]


def catalogue_pairs(catalogue: Catalogue, path: Path, faults: Faults) -> Iterator[Pair]:
    """Pairs of a catalogue: a plural gives one for every form.

    Raises:
        DataError: Nobody knows the language.
    """
    locale = catalogue_locale(catalogue.header, path)
    source = catalogue.header.get("x-source-language", "")
    try:
        target_lang = locale_tag(locale)
        source_lang = locale_tag(source) if source else MSGID_LANG
    except LanguageError as error:
        faults.report(DataError(error.problem, path=path, remedy=error.remedy))
        return
    singular = _singular_form(catalogue.header)
    domain = path.name.partition(".")[0]
    for message in catalogue.messages:
        key = hashlib.sha256(f"{message.context}\x04{message.msgid}".encode()).hexdigest()[:12]
        meta = {"domain": domain, "locale": locale}
        if message.context:
            meta["context"] = message.context
        for index, form in enumerate(message.forms):
            many = message.plural and not (index == singular and len(message.forms) > 1)
            text = message.plural if many else message.msgid
            if text.strip() and form.strip():
                yield Pair(
                    source_text=text,
                    target_text=form,
                    source_lang=source_lang,
                    target_lang=target_lang,
                    id=f"{domain}/{locale}/{key}" + (f"/{index}" if message.plural else ""),
                    source="gettext",
                    meta=meta,
                )


def _singular_form(header: dict[str, str]) -> int:
    """Which form is said of one thing; the first where the header does not tell."""
    match = _PLURAL.search(header.get("plural-forms", ""))
    if match is None:
        return 0
    try:
        return int(gettext.c2py(match[2].strip())(1))
    except (ValueError, ArithmeticError, RecursionError):
        return 0


__all__ = [
    "MAX_CATALOGUE_BYTES",
    "MSGID_LANG",
    "Catalogue",
    "Message",
    "catalogue_pairs",
    "parse_mo",
    "parse_po",
    "read_mo",
    "read_po",
]
