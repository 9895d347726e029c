"""``interlingua languages``: tags, names, and which language a text is in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from interlingua.cli.apply import Input, Texts, finish, read_inputs
from interlingua.cli.options import Json, Quiet, begin, emit, write

app = typer.Typer(help="Languages: list, look up, identify.", no_args_is_help=True)


@app.command("list")
def list_languages(json: Json = False, quiet: Quiet = False) -> None:
    """List the languages known by tag.

    Example: interlingua languages list
    """
    begin(quiet=quiet, json=json)
    from interlingua.languages import known

    if json:
        emit([asdict(language) for language in known()])
        return
    for language in known():
        low = "low-resource" if language.low_resource else ""
        names = f"{language.name:<32} {language.autonym:<28}"
        write(f"{language.tag}  {names} {language.family:<20} {low}")


@app.command("show")
def show(
    tag: Annotated[str, typer.Argument(help="Any spelling: de, deu, German, Deutsch, zh-Hant.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show one language, however it is spelled.

    Example: interlingua languages show zh-TW
    """
    begin(quiet=quiet, json=json)
    from interlingua.languages import parse

    facts = asdict(parse(tag))
    if json:
        emit(facts)
        return
    for key, value in facts.items():
        write(f"{key:<14} {value}")


@app.command("identify")
def identify(
    texts: Texts = None,
    input: Input = None,
    detector: Annotated[
        str, typer.Option(help="py3langid, or the path of a fastText model such as GlotLID.")
    ] = "py3langid",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which language each text is in; und where it cannot be told.

    Example: interlingua languages identify 'Habari ya asubuhi, rafiki yangu'
    """
    begin(quiet=quiet, json=json)
    rows = read_inputs(texts, input)
    from interlingua.languages import identify as run

    found = run([row.text for row in rows], detector=detector)
    records = [
        {"id": row.id, "lang": result.tag, "probability": round(result.probability, 4)}
        for row, result in zip(rows, found, strict=True)
    ]
    if json:
        finish(records, output=None, json=True, key="languages")
        return
    for record in records:
        write(f"{record['lang']}  {record['probability']:.2f}  {record['id']}")
