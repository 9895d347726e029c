"""Which language a text is in; ``und`` when it cannot be told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import regex

from interlingua.base.errors import LanguageError
from interlingua.base.files import disk_errors
from interlingua.base.optional import require
from interlingua.languages.scripts import UNKNOWN, script_of, writes
from interlingua.languages.tables import read_table
from interlingua.languages.tags import UND, known, parse

_CHARACTERS = 1000
_BEST = 10
THRESHOLD = 0.5
"""Least probability of a language to be named."""
_HAN = regex.compile(r"\p{Han}")
# What carries no language: control and invisible characters, addresses, mentions of people.
_INVISIBLE = regex.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_CONTROL = regex.compile(r"\p{Cc}+")
_ADDRESS = regex.compile(r"(?:https?://|www\.)\S+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}|@\w+")

Detector: TypeAlias = Callable[[str, int], list[tuple[str, float]]]
"""From a text and a number of labels (-1: all) to labels and probabilities, best first."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A language tag, or ``und``, and its probability in [0, 1]."""

    tag: str
    probability: float


_NOTHING = Identified(UND, 0.0)


def identify(
    texts: Sequence[str],
    *,
    detector: str | Path = "py3langid",
    threshold: float = THRESHOLD,
    among: Sequence[str] = (),
) -> list[Identified]:
    """Tell the language of each text.

    A result is given only if it is probable enough and the text's letters are of a script the
    language is written in. Chinese is told simplified or traditional by its characters; where all
    are common to both, it is ``zho_Hans``. Few letters tell little: of ten characters the default
    detector leaves four texts in ten at ``und``.

    Args:
        texts: The texts; the first 1,000 characters of each are looked at.
        detector: ``py3langid``, or the path of a fastText model such as GlotLID.
        threshold: Least probability to name a language.
        among: Languages that are possible, whose probabilities are then taken to sum to one;
            empty: all the detector knows. A language it does not know is never found.

    Raises:
        MissingExtraError: The detector's package is not installed.
        LanguageError: A language of ``among`` is unknown, or ``detector`` is no fastText model.
    """
    wanted = frozenset(parse(tag).tag for tag in among)
    ask = _langid if detector == "py3langid" else _fasttext(Path(detector))
    return [_one(text, ask, threshold, wanted) for text in texts]


def _one(text: str, ask: Detector, threshold: float, wanted: frozenset[str]) -> Identified:
    beginning = _clean(text[:_CHARACTERS])
    script = script_of(beginning)
    if script == UNKNOWN:
        return _NOTHING
    found: dict[str, float] = {}
    for label, probability in ask(beginning, -1 if wanted else _BEST):
        tag = _tag(label, beginning, script)
        if tag is not None and (not wanted or tag in wanted) and writes(tag[4:], script):
            found[tag] = found.get(tag, 0.0) + probability
    total = sum(found.values()) if wanted else 1.0
    if not found or total <= 0.0:
        return _NOTHING
    best = max(found, key=found.__getitem__)
    probability = min(1.0, found[best] / total)
    return Identified(best, probability) if probability >= threshold else _NOTHING


def _clean(text: str) -> str:
    shown = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate becomes a "?"
    cleaned: str = _ADDRESS.sub(" ", _CONTROL.sub(" ", _INVISIBLE.sub("", shown)))
    return cleaned.strip()


@cache
def _known(label: str) -> str | None:
    if label in _odd_labels():
        return _odd_labels()[label]
    try:
        return parse(label).tag
    except LanguageError:  # also of labels for what is no language, such as zxx
        return None


@cache
def _odd_labels() -> dict[str, str]:
    return {row["label"]: row["tag"] for row in read_table("labels.tsv")}


def _tag(label: str, text: str, script: str) -> str | None:
    """The tag of a detector's label, in the one of its scripts that the text shows."""
    tag = _known(label)
    if tag in {"zho_Hans", "zho_Hant"}:
        return f"zho_{chinese_script(text)}"
    if tag is not None and not writes(tag[4:], script):
        return _known(f"{tag[:3]}_{script}") if _several(tag[:3], script) else tag
    return tag


@cache
def _several(code: str, script: str) -> bool:
    """Whether the shipped table has the language in this script too."""
    return f"{code}_{script}" in {language.tag for language in known()}


def chinese_script(text: str) -> str:
    """``Hans`` or ``Hant``: which Chinese characters fit the one national standard only.

    GB 2312 lists the simplified characters in use, Big5 the traditional ones; most of what is in
    one and not the other differs between the two scripts. ``Hans`` where there are as many of each.
    """
    characters = _HAN.findall(text)
    balance = sum(_lean(character) for character in characters)
    return "Hant" if balance > 0 else "Hans"


@cache
def _lean(character: str) -> int:
    return _fits(character, "big5") - _fits(character, "gb2312")


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _identifier() -> Any:  # noqa: ANN401 - an untyped library
    langid = require("py3langid.langid", extra="text")
    with disk_errors(Path(tempfile.gettempdir())):  # where it unpacks its model
        return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)


def _langid(text: str, count: int) -> list[tuple[str, float]]:
    ranked = _identifier().rank(text)
    return [(str(code), float(p)) for code, p in (ranked if count < 0 else ranked[:count])]


@cache
def _fasttext(path: Path) -> Detector:
    if not path.is_file():
        raise LanguageError(f"{path} is no fastText model file", remedy="Give py3langid, or a path")
    fasttext = require("fasttext", extra="lid")
    try:
        return labelled(fasttext.load_model(str(path)))
    except (ValueError, RuntimeError, MemoryError) as error:
        raise LanguageError(
            f"{path} is no fastText model ({error})", remedy="Give py3langid, or another file"
        ) from None


def labelled(model: Any) -> Detector:  # noqa: ANN401 - any object with fastText's predict
    """A detector over a fastText model with labels such as ``__label__eng_Latn``."""

    def ask(text: str, count: int) -> list[tuple[str, float]]:
        labels, probabilities = model.predict(text, count)
        return [
            (str(label).removeprefix("__label__"), float(p))
            for label, p in zip(labels, probabilities, strict=True)
        ]

    return ask
