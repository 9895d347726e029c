"""An audit as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from interlingua.vocab.audit_words import NOTHING, between, figure, headline, percent, signed

if TYPE_CHECKING:
    from rich.console import Console

    from interlingua.vocab.audit import Audit, LanguageAudit


def print_audit(audit: Audit, console: Console, *, against: Audit | None = None) -> None:
    """Print an audit: one row a language, the highest premium first.

    Args:
        audit: The audit.
        console: Where to.
        against: Another tokenizer on the same texts, to set beside it.
    """
    console.print(Text(headline(audit), style="bold"))
    console.print(Text(f"{audit.tokenizer}: {audit.kind}, {audit.size:,} pieces", style="dim"))
    if against is not None:
        beside = f"{against.tokenizer}: {against.kind}, {against.size:,} pieces"
        console.print(Text(f"against {beside}", style="dim"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("language", no_wrap=True, max_width=20)
    for name in _columns(audit, against):
        table.add_column(
            name,
            justify="left" if name in ("tag", "per") else "right",
            style="dim" if name == "tag" else "",
            no_wrap=True,
        )
    for tag, found in audit.languages.items():
        told = _figures(found) | {"tag": tag}
        other = None if against is None else against.languages.get(tag)
        if other is not None:
            told |= _beside(found, other)
        table.add_row(found.name, *[told.get(name, NOTHING) for name in _columns(audit, against)])
    console.print(table)
    shared = [found.shared for found in audit.languages.values() if found.shared]
    if shared:
        span = f"{min(shared):,}" if min(shared) == max(shared) else f"{min(shared):,} or more"
        console.print(Text(f"premium over {span} sentences shared with {audit.reference}"))
    else:
        console.print(
            Text(f"no premium: no text shares an id with one in {audit.reference}", style="yellow")
        )


def _columns(audit: Audit, against: Audit | None) -> list[str]:
    """What fits into a line: with another tokenizer its figures, else more of this one's."""
    columns = ["tag", "premium", "interval", "fertility", "per", "lost"]
    if against is not None:
        columns.remove("interval")
        return [*columns, "premium there", "fertility there", "tokens there"]
    bytes_too = any(found.byte_rate is not None for found in audit.languages.values())
    return [*columns, "bytes" if bytes_too else "used", "single", "chars/token"]


def _figures(found: LanguageAudit) -> dict[str, str]:
    return {
        "premium": signed(found.premium),
        "interval": between(found.premium_ci),
        "fertility": figure(found.fertility),
        "per": found.unit,
        "lost": percent(found.unknown_characters, 2),
        "bytes": percent(found.byte_rate),
        "single": percent(found.single_rate, 0),
        "chars/token": figure(found.characters_per_token),
        "used": f"{found.used:,}",
    }


def _beside(found: LanguageAudit, other: LanguageAudit) -> dict[str, str]:
    return {
        "premium there": signed(other.premium),
        "fertility there": figure(other.fertility),
        "tokens there": signed(other.tokens / max(found.tokens, 1) - 1),
    }
