"""Requirements on figures: a pipeline stops where one is missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import regex

from interlingua.base.errors import GateError, UsageError, quoted
from interlingua.base.registry import did_you_mean

_GATE = regex.compile(r"\s*([a-z_]+|[a-z]{3}_[A-Z][a-z]{3})\s*(>=|<=|>|<)\s*(-?[0-9.]+)\s*")


def hold(figures: Mapping[str, float], gates: Sequence[str]) -> None:
    """Hold figures against requirements such as ``zero_shot_mean>=0.7`` or ``swh_Latn>=0.6``.

    Args:
        figures: By name or language tag.
        gates: The requirements.

    Raises:
        UsageError: A requirement cannot be read, or names a figure that is not there.
        GateError: One or more are missed; the message names each with its figure.
    """
    missed = []
    for gate in gates:
        match = _GATE.fullmatch(gate)
        try:
            bound = float(match[3]) if match is not None else 0.0
        except ValueError:
            match = None
        if match is None:
            raise UsageError(
                f"--require {quoted(gate)} cannot be read",
                remedy="Write NAME>=NUMBER, as in --require 'zero_shot_mean>=0.7'",
            )
        name, sign = match[1], match[2]
        if name not in figures:
            raise UsageError(
                f"--require names {quoted(name)}, which the report does not have",
                remedy=did_you_mean(name, list(figures)),
            )
        value = figures[name]
        kept = {">=": value >= bound, "<=": value <= bound, ">": value > bound, "<": value < bound}
        if not kept[sign]:
            missed.append(f"{name} is {value:.4f}, required {sign} {bound:g}")
    if missed:
        raise GateError("; ".join(missed))
