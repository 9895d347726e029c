"""Requirements on figures: a pipeline stops where one is missed."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import regex

from interlingua.base.errors import GateError, UsageError, quoted
from interlingua.base.registry import did_you_mean

_NUMBER = r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_GATE = regex.compile(rf"\s*([a-z_]+|[a-z]{{3}}_[A-Z][a-z]{{3}})\s*(>=|<=|>|<)\s*({_NUMBER})\s*")
_SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class Gate(NamedTuple):
    """A requirement on a figure: its name or language tag, one of ``>= <= > <``, and a bound."""

    name: str
    sign: str
    bound: float


def read_gates(given: Iterable[str], names: Sequence[str]) -> list[Gate]:
    """Requirements such as ``zero_shot_mean>=0.7`` or ``swh_Latn>=0.6``, before anything is run.

    Args:
        given: The requirements.
        names: The figures that there can be, languages apart.

    Raises:
        UsageError: One cannot be read, or names no figure and no language.
    """
    gates = [_read(text) for text in given]
    for gate in gates:
        if gate.name.islower() and gate.name not in names:
            raise _unknown(gate.name, names)
    return gates


def _read(text: str) -> Gate:
    match = _GATE.fullmatch(text)
    if match is not None:
        return Gate(match[1], match[2], float(match[3]))
    raise UsageError(
        f"--require {quoted(text)} cannot be read",
        remedy="Write NAME>=NUMBER, as in --require 'zero_shot_mean>=0.7'",
    )


def _unknown(name: str, names: Sequence[str]) -> UsageError:
    return UsageError(
        f"--require names {quoted(name)}, which the report does not have",
        remedy=did_you_mean(name, names),
    )


def hold(figures: Mapping[str, float], gates: Sequence[Gate]) -> None:
    """Hold figures against requirements.

    Args:
        figures: By name or language tag.
        gates: The requirements.

    Raises:
        UsageError: A requirement names a figure that is not there.
        GateError: One or more are missed; the message names each with its figure.
    """
    missed = []
    for name, sign, bound in gates:
        if name not in figures:
            raise _unknown(name, list(figures))
        if not _SIGNS[sign](figures[name], bound):
            missed.append(f"{name} is {figures[name]:.4f}, required {sign} {bound:g}")
    if missed:
        raise GateError("; ".join(missed))
