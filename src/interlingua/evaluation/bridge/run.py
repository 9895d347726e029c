"""Measure how well a model joins languages, and write the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from interlingua.base.errors import NonFiniteError
from interlingua.base.files import atomic_path
from interlingua.corpus.parallel import Parallel, read_parallel
from interlingua.corpus.rows import Faults
from interlingua.evaluation.bootstrap import LEVEL
from interlingua.evaluation.bridge.measure import (
    LEAST,
    NEIGHBOURS,
    Floats,
    Layout,
    Measured,
    lay_out,
    measure,
)
from interlingua.evaluation.bridge.records import MEASURES, Bridge
from interlingua.evaluation.bridge.report import (
    ENGLISH,
    changes_of,
    directions_of,
    english_gaps,
    figures_of,
    languages_of,
    summarise,
    weakest_language,
)
from interlingua.evaluation.evaluate import Run
from interlingua.evaluation.gates import Gate, hold
from interlingua.evaluation.records import Bootstrap, DataFile
from interlingua.evaluation.scorecard import facts_of
from interlingua.inference.encode import Encoder
from interlingua.languages import tag_of
from interlingua.models.folder import open_model

REPORT, PAGE, REJECTED = "bridge.json", "bridge.html", "rejected.jsonl"
MOST = 2000
"""Items that two languages are compared on, at most, unless told otherwise."""
_RESAMPLES = 1000


def bridge(
    model: str | Path,
    *,
    data: Sequence[str | Path],
    out: str | Path,
    against: str | Path | None = None,
    languages: Sequence[str] = (),
    items: int = MOST,
    run: Run | None = None,
) -> Bridge:
    """Tell how well a model joins languages, from parallel data.

    Args:
        model: ``starter``, a folder or a hub id.
        data: Files or folders: pairs of any form, parallel files, or rows whose ids are the same in
            all languages.
        out: Folder for ``bridge.json`` and ``bridge.html``.
        against: The model before, compared item by item.
        languages: Languages to compare; empty: all.
        items: Items of two languages at most.
        run: Engine, seed, and what to do with rows that cannot be read.

    Raises:
        UserError: A model or file cannot be used; nothing was written.
    """
    settings = run or Run()
    faults = Faults(settings.on_error)
    tags = [tag_of(name) for name in languages]
    parallel = read_parallel(data, languages=tags, most=items, seed=settings.seed, faults=faults)
    layout = lay_out(parallel.items, resamples=_RESAMPLES, seed=settings.seed)
    after = _measured(model, parallel, layout, settings)
    before = None if against is None else _measured(against, parallel, layout, settings)
    report = build(
        after,
        before,
        layout,
        parallel,
        names=(_name(model), None if against is None else _name(against)),
        seed=settings.seed,
    )
    write(out, report)
    if faults.rejected.faults:
        faults.rejected.write(Path(out) / REJECTED)
    return report


def _measured(model: str | Path, parallel: Parallel, layout: Layout, run: Run) -> Measured:
    """Embed every text once and measure; English gaps included."""
    encoder = Encoder(open_model(model), engine=run.engine, exact=run.exact)
    places = [(tag, i) for tag, rows in layout.numbers.items() for i in rows.tolist()]
    texts = [parallel.items[i][tag] for tag, i in places]
    encoded = encoder.encode(texts).vectors
    lengths = np.linalg.norm(encoded, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise NonFiniteError(f"{model} gives vectors that are not numbers")
    unit = encoded / np.maximum(lengths, 1e-12)
    vectors: dict[str, Floats] = {}
    start = 0
    for tag, rows in layout.numbers.items():
        vectors[tag] = unit[start : start + len(rows)]
        start += len(rows)
    measured = measure(vectors, layout)
    for tag, gap in english_gaps(measured).items():
        measured.languages[tag]["english_gap"] = gap
    return measured


def build(
    after: Measured,
    before: Measured | None,
    layout: Layout,
    parallel: Parallel,
    *,
    names: tuple[str, str | None],
    seed: int,
) -> Bridge:
    """The report of one model, or of two on the same items.

    Args:
        after: What was measured of the model.
        before: What was measured of the one before.
        layout: The items.
        parallel: Where they came from.
        names: Of both models.
        seed: Of the bootstrap.
    """
    facts = {tag: facts_of(tag, taught=False) for tag in after.languages}
    weakest = weakest_language(after)
    summary = summarise(after, facts, weakest)
    earlier = None if before is None else summarise(before, facts, weakest)
    return Bridge(
        model=names[0],
        against=names[1],
        summary=figures_of(summary),
        changes=changes_of(summary, earlier),
        languages=languages_of(layout, facts, after, before),
        directions=directions_of(layout, after, before),
        weakest=weakest,
        probe_chance=1 / len(facts),
        neighbours=NEIGHBOURS,
        items=len(parallel.items),
        repeated=layout.repeated,
        copied=layout.copied,
        bootstrap=Bootstrap(level=LEVEL, resamples=len(layout.draws), parallel=True),
        notes=_notes(set(summary), layout, parallel),
        data=tuple(DataFile.model_validate(file) for file in parallel.files),
        seed=seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _notes(told: set[str], layout: Layout, parallel: Parallel) -> dict[str, str]:
    notes = {}
    if "low_resource_mean" not in told:
        notes["summary.low_resource_mean"] = "no low-resource language was compared"
    if "english_gap" not in told:
        where = (
            "there is no English" if ENGLISH not in layout.numbers else "pairs have English only"
        )
        notes["summary.english_gap"] = f"{where}: nothing to compare English with"
    if layout.thin:
        pairs = ", ".join("-".join(pair) for pair in layout.thin[:5])
        more = f" and {len(layout.thin) - 5} more" if len(layout.thin) > 5 else ""
        notes["directions"] = f"fewer than {LEAST} different items: {pairs}{more}"
    if parallel.alone:
        notes["items"] = f"{parallel.alone:,} texts without another language were left out"
    if parallel.clashes:
        notes["clashes"] = (
            f"{parallel.clashes:,} texts were left out: their id had another text in the language"
        )
    return notes


def write(out: str | Path, report: Bridge) -> None:
    """Write ``bridge.json`` and ``bridge.html``, both or neither.

    Raises:
        DiskError: The disk refused a write; the folder is as it was before.
    """
    from interlingua.evaluation.bridge.page import render

    folder = Path(out)
    with atomic_path(folder / REPORT) as json_file, atomic_path(folder / PAGE) as page_file:
        page_file.write_text(render(report), encoding="utf-8", newline="\n")
        json_file.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")


GATED = (*MEASURES, *(f"{name}_change" for name in MEASURES))
"""The figures of a report that can be required, languages apart."""


def check_bridge(report: Bridge, gates: Sequence[Gate]) -> None:
    """Hold a report against requirements: ``retrieval_mean>=0.9``, ``swh_Latn>=0.8``.

    A name of the summary with ``_change`` is the difference to the model before, the tag of a
    language its retrieval.

    Raises:
        UsageError: A requirement names what the report does not have.
        GateError: One or more are missed.
    """
    figures = {name: figure.value for name, figure in report.summary.items()}
    figures |= {f"{name}_change": change.difference for name, change in report.changes.items()}
    figures |= {tag: one.figures["retrieval"].value for tag, one in report.languages.items()}
    hold(figures, gates)


def _name(model: str | Path) -> str:
    return Path(model).name or str(model)
