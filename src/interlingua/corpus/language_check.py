"""Whether a document is in the language it is said to be in, as a whole and line by line.

A document without a language gets the one that is identified. One with a language keeps it unless
the opposite is plain: its letters are of other scripts, or it has many letters, the detector knows
the language, finds it next to impossible and is sure of another. So a short text, a language that
the detector does not know and a close relative are never thrown out on a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import regex
from pydantic import Field

from interlingua.base.config import Config
from interlingua.corpus.tokens import letters_of
from interlingua.languages import UND, writes
from interlingua.languages.identify import candidates, detectable
from interlingua.languages.scripts import main_script, script_counts

NO_LANGUAGE, WRONG_SCRIPT, WRONG_LANGUAGE = "language unknown", "wrong script", "wrong language"
_IMPOSSIBLE = 0.02


class LanguageRules(Config):
    """When a document or a line is in the wrong language."""

    detector: str = "py3langid"
    """``py3langid``, or the path of a fastText model such as GlotLID."""

    among: tuple[str, ...] = ()
    """Languages that documents without one may be in; empty: all that the detector knows."""

    confidence: float = Field(0.5, ge=0, le=1)
    """Least probability to give a document without a language one."""

    certainty: float = Field(0.95, ge=0.5, le=1)
    """Least probability of another language to drop a document or a line."""

    letters: int = Field(80, ge=1)
    """Letters that a document or a line must have to be dropped for its language."""

    script_share: float = Field(0.1, ge=0, le=1)
    """Least share of the letters in the language's script, from 20 letters on."""

    lines: bool = True
    """Whether lines in another language are taken out of a document."""


@dataclass(slots=True)
class Checked:
    """What a check has made of a document.

    Attributes:
        text: The text, without lines in another language.
        lang: Its language.
        script: The script of most of its letters.
        reason: Why it is dropped; empty: it is not.
        lines: Lines that were taken out.
    """

    text: str
    lang: str
    script: str
    reason: str = ""
    lines: int = 0


def check(texts: Sequence[str], langs: Sequence[str], rules: LanguageRules) -> list[Checked]:
    """Check documents together.

    Args:
        texts: The texts.
        langs: Their language tags; ``und`` where nobody has said.
        rules: When one is wrong.

    Raises:
        MissingExtraError: The detector's package is not installed.
        LanguageError: The detector is no model, or ``among`` names no language.
    """
    known = detectable(rules.detector)
    counts = [script_counts(text) for text in texts]
    done = [
        Checked(text, lang, main_script(found))
        for text, lang, found in zip(texts, langs, counts, strict=True)
    ]
    _name([one for one in done if one.lang == UND], rules)
    told = []
    for one, lang, scripts in zip(done, langs, counts, strict=True):
        if lang != UND and not _in_script(scripts, lang, rules):
            one.reason = WRONG_SCRIPT
        elif lang != UND and _known(lang, known):
            told.append(one)
    for one, other in zip(
        told, _others([(one.text, one.lang) for one in told], rules), strict=True
    ):
        one.reason = WRONG_LANGUAGE if other else ""
    if rules.lines:
        _check_lines([one for one in done if not one.reason and "\n" in one.text], rules, known)
    return done


def _name(documents: Sequence[Checked], rules: LanguageRules) -> None:
    """Give documents the language that is identified."""
    found = candidates([one.text for one in documents], detector=rules.detector, among=rules.among)
    for one, tags in zip(documents, found, strict=True):
        best = next(iter(tags), UND)
        one.lang = best if tags.get(best, 0.0) >= rules.confidence else UND
        one.reason = "" if one.lang != UND else NO_LANGUAGE


def _others(said: Sequence[tuple[str, str]], rules: LanguageRules) -> list[bool]:
    """Of texts and the languages they are said to be in, which are plainly in another."""
    enough = letters_of([text for text, _ in said]) >= rules.letters
    judged = [text for (text, _), many in zip(said, enough, strict=True) if many]
    found = iter(candidates(judged, detector=rules.detector))
    return [
        bool(many) and _is_other(lang, next(found), rules)
        for (_, lang), many in zip(said, enough, strict=True)
    ]


def _check_lines(documents: Sequence[Checked], rules: LanguageRules, known: frozenset[str]) -> None:
    """Take lines out that are in another language, unless nothing would be left."""
    lines: list[tuple[Checked, int, str]] = []
    for one in documents:
        for number, line in enumerate(one.text.split("\n")):
            if len(line) >= rules.letters and _known(one.lang, known):
                lines.append((one, number, line))
    others = _others([(line, one.lang) for one, _, line in lines], rules)
    foreign: dict[int, tuple[Checked, set[int]]] = {}
    for (one, number, _), other in zip(lines, others, strict=True):
        if other:
            foreign.setdefault(id(one), (one, set()))[1].add(number)
    for one, numbers in foreign.values():
        parts = one.text.split("\n")
        kept = [part for number, part in enumerate(parts) if number not in numbers]
        text = regex.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
        if text:
            one.text, one.lines = text, len(numbers)
        else:
            one.reason = WRONG_LANGUAGE


def _in_script(counts: Counter[str], lang: str, rules: LanguageRules) -> bool:
    total = counts.total()
    own = sum(count for script, count in counts.items() if _writes(lang, script))
    return total < 20 or own >= rules.script_share * total


def _writes(lang: str, script: str) -> bool:
    # Kana is Japanese, and so are the characters beside it.
    return writes(lang[4:], script) or (lang[4:] == "Jpan" and script in {"Hira", "Kana", "Hani"})


def _known(lang: str, known: frozenset[str]) -> bool:
    return not known or lang[:3] in known


def _is_other(lang: str, tags: dict[str, float], rules: LanguageRules) -> bool:
    """Whether the detector is sure of another language and finds this one next to impossible."""
    best = next(iter(tags), UND)
    if best == UND or best[:3] == lang[:3] or tags[best] < rules.certainty:
        return False
    own = sum(probability for tag, probability in tags.items() if tag[:3] == lang[:3])
    return own < _IMPOSSIBLE


__all__ = ["NO_LANGUAGE", "WRONG_LANGUAGE", "WRONG_SCRIPT", "Checked", "LanguageRules", "check"]
