"""``interlingua score``: the official scorers over a submission on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.base.errors import UsageError
from interlingua.cli.options import Json, Quiet, begin, console, emit, write


def score(
    suite: Annotated[
        str,
        typer.Argument(
            help="xtreme, xglue, xquad, mlqa, tydiqa_goldp, panx, udpos, masakhaner, tatoeba"
            " or bucc2018."
        ),
    ],
    predictions: Annotated[
        Path | None, typer.Option(help="Folder of the submission; of one task also a file.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="What is right: a folder, or a file beside a file.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="Score this language only; any spelling of its tag.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say which definitions are followed, and which others are."),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score predictions as the makers of a benchmark do, to the last bit, on their scale.

    Example: interlingua score xtreme --predictions submission --labels labels --explain
    """
    begin(quiet=quiet, json=json)
    from interlingua.evaluation.score.suites import SUITES
    from interlingua.evaluation.score.words import definitions
    from interlingua.evaluation.score.words import explain as in_words

    record = SUITES.get(suite)
    if predictions is None or labels is None:
        if not explain or predictions is not None or labels is not None:
            raise UsageError(
                "--predictions and --labels are both needed",
                remedy="Or give --explain alone, for the definitions",
            )
        if json:
            emit({"suite": suite, "definitions": definitions(record.tasks)})
        else:
            write("\n\n".join(in_words(record, record.tasks)))
        return
    from interlingua.evaluation.score.run import document
    from interlingua.evaluation.score.run import score as run
    from interlingua.evaluation.score.table import print_report

    report = run(suite, predictions=predictions, labels=labels, lang=lang)
    tasks = tuple(t.task for t in report.tasks)
    if json:
        emit(document(report) | ({"definitions": definitions(tasks)} if explain else {}))
        return
    print_report(report, console())
    if explain:
        write("\n" + "\n\n".join(in_words(record, tasks)))
