"""From a recipe to what it will cost: here by measurement, on other devices by their makers' word.

    hours  = operations / (rate * 3600)
    kWh    = hours * watts * PUE / 1000                   (Patterson et al. 2021, arXiv 2104.10350)

Here the rate is that of a few steps of the very model, or, where they would not fit, a share of a
measured matrix product; of a device in the table it is that share, the utilisation, of what its
maker promises. Energy and price are told only where watts and prices are known.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from pydantic import Field

from interlingua.base.config import Config
from interlingua.training.align.settings import AlignRecipe
from interlingua.training.arithmetic import Arithmetic
from interlingua.training.cost.fit import remedy
from interlingua.training.cost.load import Load, facts_of
from interlingua.training.cost.machine import (
    Accelerator,
    chosen,
    matmul_rate,
    memory_here,
    process_bytes,
)
from interlingua.training.cost.memory import Memory
from interlingua.training.cost.of_align import AlignSample, sample_align
from interlingua.training.cost.of_finetune import FinetuneSample, sample_finetune
from interlingua.training.cost.of_pretrain import Sample, sample_pretrain
from interlingua.training.cost.timing import (
    Timed,
    time_align,
    time_finetune,
    time_pretrain,
    worth_running,
)
from interlingua.training.pretrain_settings import PretrainRecipe
from interlingua.training.settings import FinetuneRecipe

AnyRecipe = PretrainRecipe | AlignRecipe | FinetuneRecipe
AnySample = Sample | AlignSample | FinetuneSample

_GB = 1e9


class CostSettings(Config):
    """What a prediction assumes; none of it is known to this package."""

    utilisation: float = Field(0.4, gt=0, le=1)
    """Share of a device's dense bfloat16 rate that training reaches. PaLM reached 0.46 on 6,144
    chips (Chowdhery et al. 2022, table 3); small models reach less."""
    pue: float = Field(1.0, ge=1)
    """Power usage effectiveness: energy of the building per energy of the machine."""
    watts: float | None = Field(None, gt=0)
    """Power that this machine draws; without it no energy is told for it."""
    price_per_kwh: float | None = Field(None, ge=0)
    """Price of a kilowatt hour, in any currency; without it no price of energy is told."""
    price_per_hour: float | None = Field(None, ge=0)
    """Price of an hour of a device, in the same currency; it takes the place of that of energy."""
    devices: tuple[str, ...] = ()
    """Devices of the table, by a part of their names; empty: all."""
    measure: Literal["steps", "matmul", "none"] = "steps"
    """What is measured here: a few steps, or a matrix product alone, or nothing."""
    vocabulary: int | None = Field(None, ge=2)
    """Size of a vocabulary that is not there yet."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Time, energy and price on a device.

    Attributes:
        device: Its name.
        basis: What the rate comes from.
        flops_per_second: The rate.
        tokens_per_second: The same in tokens that are no padding.
        hours: Of the whole run.
        memory_gb: What there is, in GB.
        needed_gb: What is needed.
        fits: Whether that is enough.
        remedy: What to change if it is not.
        kwh: Energy, where the watts are known.
        price: Where a price was given.
        source: Where a device's figures are from.
    """

    device: str
    basis: str
    flops_per_second: float
    tokens_per_second: float
    hours: float
    memory_gb: float
    needed_gb: float
    fits: bool
    remedy: str
    kwh: float | None
    price: float | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a recipe will cost."""

    load: Load
    precision: str
    matmul_flops_per_second: float | None
    here: Estimate | None
    devices: tuple[Estimate, ...]
    memory: dict[str, int]
    settings: CostSettings

    def facts(self) -> dict[str, Any]:
        """All figures, as JSON values."""
        matmul = self.matmul_flops_per_second
        return {
            **facts_of(self.load),
            "memory": self.memory,
            "precision": self.precision,
            "matmul_tflops": None if matmul is None else round(matmul / 1e12, 4),
            "here": None if self.here is None else asdict(self.here),
            "devices": [asdict(estimate) for estimate in self.devices],
            "assumptions": self.settings.model_dump(mode="json", exclude={"devices"}),
        }


def predict(recipe: AnyRecipe, settings: CostSettings | None = None) -> Prediction:
    """What a recipe will cost.

    Args:
        recipe: The recipe.
        settings: What is assumed.

    Raises:
        UserError: The recipe, its model or its data cannot be used, or a device is not known.
    """
    settings = settings or CostSettings()
    devices = chosen(settings.devices)
    with TemporaryDirectory(prefix="interlingua-cost-") as place:
        folder = Path(place)
        sample: AnySample
        if isinstance(recipe, PretrainRecipe):
            sample = sample_pretrain(recipe, folder, vocabulary=settings.vocabulary)
        elif isinstance(recipe, AlignRecipe):
            sample = sample_align(recipe, folder)
        else:
            sample = sample_finetune(recipe)
        return _predicted(recipe, sample, devices, settings, folder)


def _predicted(
    recipe: AnyRecipe,
    sample: AnySample,
    devices: list[Accelerator],
    settings: CostSettings,
    folder: Path,
) -> Prediction:
    from interlingua.inference.hardware import device as device_here
    from interlingua.inference.hardware import name_of

    load = sample.load
    device = device_here()
    arithmetic = Arithmetic.of(_loop_settings(recipe, sample), device)
    cpu = device.type == "cpu"
    process = process_bytes() if cpu else 0
    memory = load.memory(bfloat16=arithmetic.bfloat16, cpu=cpu, process=process)
    here, matmul = None, None
    if settings.measure != "none":
        matmul = matmul_rate(device, bfloat16=arithmetic.bfloat16)
        timed = None
        limit = memory_here(device)
        if settings.measure == "steps" and worth_running(
            load, rate=matmul, memory=memory.total, limit=limit
        ):
            timed = _timed(recipe, sample, folder)
        rate, basis = _rate(matmul, timed, settings)
        place = _Place(name_of(device), basis, rate, limit, settings.watts, cpu=cpu)
        here = _estimate(load, settings, place, memory, bfloat16=arithmetic.bfloat16)
    return Prediction(
        load,
        "bfloat16" if arithmetic.bfloat16 else "float32",
        matmul,
        here,
        tuple(_elsewhere(load, settings, accelerator) for accelerator in devices),
        memory.facts(),
        settings,
    )


def _elsewhere(load: Load, settings: CostSettings, accelerator: Accelerator) -> Estimate:
    """Time, energy and price on a device of the table."""
    place = _Place(
        accelerator.name,
        f"{settings.utilisation:.0%} of {accelerator.tflops:g} TFLOP/s, bfloat16",
        accelerator.tflops * 1e12 * settings.utilisation,
        round(accelerator.memory_gb * _GB),
        accelerator.watts,
        accelerator.source,
    )
    return _estimate(load, settings, place, load.memory(bfloat16=True), bfloat16=True)


def _loop_settings(recipe: AnyRecipe, sample: AnySample) -> Any:  # noqa: ANN401 - of either recipe
    if isinstance(sample, FinetuneSample):
        assert isinstance(recipe, FinetuneRecipe)
        strategy = sample.lesson.strategy
        return getattr(recipe.training, "full" if strategy == "probe" else strategy)
    return recipe.training


def _timed(recipe: AnyRecipe, sample: AnySample, folder: Path) -> Timed | None:
    if isinstance(sample, FinetuneSample):
        return time_finetune(sample, folder)
    if isinstance(sample, AlignSample):
        assert isinstance(recipe, AlignRecipe)
        return time_align(recipe, sample, folder)
    assert isinstance(recipe, PretrainRecipe)
    return time_pretrain(recipe, sample, folder) if sample.stores else None


def _rate(matmul: float, timed: Timed | None, settings: CostSettings) -> tuple[float, str]:
    """Operations a second here, and where that comes from."""
    if timed is None or not timed.seconds:
        return matmul * settings.utilisation, (
            f"{settings.utilisation:.0%} of a measured matrix product"
        )
    rate = timed.flops / timed.seconds
    plural = "s" if timed.steps > 1 else ""
    what = f"{timed.steps} step{plural}" if timed.steps else "rows encoded"
    return rate, f"{what}, {rate / matmul:.0%} of a measured matrix product"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run could be: a name, its rate and where that is from, bytes of memory, watts."""

    name: str
    basis: str
    rate: float
    limit: int
    watts: float | None
    source: str = ""
    cpu: bool = False


def _estimate(
    load: Load, settings: CostSettings, place: _Place, memory: Memory, *, bfloat16: bool
) -> Estimate:
    hours = load.flops / place.rate / 3600
    kwh = None if place.watts is None else hours * place.watts * settings.pue / 1000
    price = None
    if settings.price_per_hour is not None:
        price = hours * settings.price_per_hour
    elif settings.price_per_kwh is not None and kwh is not None:
        price = kwh * settings.price_per_kwh
    fits = memory.total <= place.limit
    room = place.limit - memory.process
    return Estimate(
        device=place.name,
        basis=place.basis,
        flops_per_second=place.rate,
        tokens_per_second=facts_of(load)["tokens"] / max(hours * 3600, 1e-9),
        hours=hours,
        memory_gb=place.limit / _GB,
        needed_gb=memory.total / _GB,
        fits=fits,
        remedy="" if fits else remedy(load, room, bfloat16=bfloat16, cpu=place.cpu),
        kwh=kwh,
        price=price,
        source=place.source,
    )


__all__ = ["CostSettings", "Estimate", "Prediction", "predict"]
