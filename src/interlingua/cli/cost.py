"""``interlingua cost``: what a recipe will cost, before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from interlingua.base.config import make
from interlingua.cli.options import (
    Json,
    Quiet,
    RecipeSeed,
    Settings,
    begin,
    console,
    emit,
    recipe_of,
    write,
)

if TYPE_CHECKING:
    from interlingua.training.align.settings import AlignRecipe
    from interlingua.training.cost.actual import Compared
    from interlingua.training.cost.predict import Estimate, Prediction
    from interlingua.training.pretrain_settings import PretrainRecipe
    from interlingua.training.settings import FinetuneRecipe


def cost(
    recipe: Annotated[Path, typer.Argument(help="A YAML recipe of pretrain, align or finetune.")],
    actual: Annotated[
        Path | None, typer.Option("--actual", help="A run of it: say how far off this was.")
    ] = None,
    devices: Annotated[
        list[str] | None, typer.Option("--device", help="Only devices whose name holds this.")
    ] = None,
    utilisation: Annotated[
        float, typer.Option(help="Share of a device's dense rate that training reaches.")
    ] = 0.4,
    pue: Annotated[float, typer.Option(help="Energy of the building per energy of devices.")] = 1.0,
    watts: Annotated[float | None, typer.Option(help="Power that this machine draws.")] = None,
    price_per_kwh: Annotated[float | None, typer.Option(help="In any currency.")] = None,
    price_per_hour: Annotated[
        float | None, typer.Option(help="Of a device, in the same currency.")
    ] = None,
    measure: Annotated[
        Literal["steps", "matmul", "none"],
        typer.Option(help="What is measured here: a few steps (30 s), a product, nothing."),
    ] = "steps",
    vocabulary: Annotated[
        int | None, typer.Option(help="Size of a vocabulary that is not there yet.")
    ] = None,
    settings: Settings = None,
    seed: RecipeSeed = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell parameters, operations, memory, hours, energy and price of a recipe before it runs.

    Example: interlingua cost recipes/tiny-multilingual/4-mlm.yaml --device H100 --price-per-hour 2
    """
    begin(quiet=quiet, json=json)
    document = recipe_of(recipe, settings, seed)

    from interlingua.training.cost.actual import compare
    from interlingua.training.cost.predict import CostSettings, predict

    assumed = {
        "utilisation": utilisation,
        "pue": pue,
        "watts": watts,
        "price_per_kwh": price_per_kwh,
        "price_per_hour": price_per_hour,
        "devices": devices or [],
        "measure": measure,
        "vocabulary": vocabulary,
    }
    prediction = predict(make(_kind_of(document), document), make(CostSettings, assumed))
    facts = prediction.facts()
    compared = [] if actual is None else compare(facts, actual)
    if json:
        emit({**facts, "compared": [row.facts() for row in compared]} if compared else facts)
        return
    _print(prediction, facts)
    _print_devices(prediction)
    if compared:
        _print_compared(compared)


def _kind_of(document: dict[str, Any]) -> type[PretrainRecipe | AlignRecipe | FinetuneRecipe]:
    """Which recipe a document is, by its objectives; the settings are for `make` to judge."""
    from interlingua.training.align.settings import AlignRecipe, ContrastName
    from interlingua.training.pretrain_settings import PretrainRecipe
    from interlingua.training.settings import FinetuneRecipe

    if "objectives" not in document:
        return FinetuneRecipe
    objectives = document["objectives"]
    first = objectives[0] if isinstance(objectives, list) and objectives else {}
    kind = first.get("kind") if isinstance(first, dict) else None
    return AlignRecipe if kind in get_args(ContrastName) else PretrainRecipe


def _print(prediction: Prediction, facts: dict[str, Any]) -> None:
    count, flops, memory = facts["parameters"], facts["flops"], facts["memory"]
    write(
        f"{facts['family']}: {count['total']:,} parameters, {count['trained']:,} trained, "
        f"{count['embedding']:,} in tables"
    )
    write(
        f"{facts['steps']:,} steps, {facts['tokens']:,} tokens, "
        f"{facts['labelled_tokens']:,} labelled ({facts['sizes_from']})"
    )
    write(
        f"{flops['total']:.3g} operations, {flops['per_token']:,} a token "
        f"(6 N would be {flops['six_n_per_token']:,})"
    )
    parts = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in memory.items() if size)
    write(f"memory in GB, {facts['precision']}: {parts}")
    if prediction.matmul_flops_per_second is not None:
        rate = prediction.matmul_flops_per_second / 1e12
        write(f"measured here: {rate:.3g} TFLOP/s of a matrix product")


def _print_devices(prediction: Prediction) -> None:
    from rich.table import Table

    rows = [*([] if prediction.here is None else [prediction.here]), *prediction.devices]
    shown = console()
    table = Table(title=f"PUE {prediction.settings.pue:g}; a device alone")
    table.add_column("device", overflow="fold")
    for name in ("hours", "tokens/s", "GB needed", "GB there", "kWh", "price"):
        table.add_column(name, justify="right")
    table.add_column("rate from", overflow="fold")
    for row in rows:
        table.add_row(*_cells(row), style="" if row.fits else "red")
    shown.print(table)
    for row in rows:
        if not row.fits:
            write(f"does not fit on {row.device}: {row.remedy}")


def _cells(row: Estimate) -> list[str]:
    return [
        row.device,
        _hours(row.hours),
        f"{row.tokens_per_second:,.0f}",
        f"{row.needed_gb:.2f}",
        f"{row.memory_gb:.0f}",
        "" if row.kwh is None else f"{row.kwh:.3g}",
        "" if row.price is None else f"{row.price:,.2f}",
        row.basis,
    ]


def _hours(hours: float) -> str:
    return f"{hours:,.1f}" if hours >= 1 else f"{hours:.2g}"


def _print_compared(rows: list[Compared]) -> None:
    from rich.table import Table

    table = Table(title="how far off")
    for name in ("quantity", "predicted", "off", "at its start", "off", "actual"):
        table.add_column(name, justify="left" if name == "quantity" else "right")
    for row in rows:
        table.add_row(
            row.name,
            _figure(row.predicted),
            _share(row.off),
            _figure(row.early),
            _share(row.early_off),
            _figure(row.actual),
        )
    console().print(table)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:+.1%}"
