"""``interlingua doctor``: what this machine has."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import regex

from interlingua import __version__
from interlingua.base.cache import cache_dir
from interlingua.base.optional import available
from interlingua.cli.options import Json, Quiet, begin, emit, write

_REQUIREMENT = regex.compile(r"([A-Za-z0-9._-]+).*extra == ['\"]([a-z0-9]+)['\"]")
_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "asimd", "bf16", "i8mm")


def doctor(json: Json = False, quiet: Quiet = False) -> None:
    """Show cores, instruction sets, extras, engines and caches of this machine.

    Example: interlingua doctor
    """
    begin(quiet=quiet, json=json)
    facts = examine()
    if json:
        emit(facts)
        return
    for key, value in facts.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(value, dict):
            shown = ", ".join(n if ok else f"{n} (missing)" for n, ok in value.items())
        write(f"{key:<16} {shown}")


def examine() -> dict[str, Any]:
    """Everything `doctor` tells, as plain values."""
    cache = cache_dir()
    place = next((p for p in [cache, *cache.parents] if p.exists()), Path("/"))
    size = sum(f.stat().st_size for f in cache.rglob("*") if f.is_file()) if cache.exists() else 0
    return {
        "interlingua": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "instruction_sets": _instruction_sets(),
        "gpus": _gpus(),
        "extras": _extras(),
        "engines": {"torch": available("torch"), "openvino": available("openvino")},
        "cache": str(cache),
        "cache_mb": round(size / 1e6),
        "disk_free_mb": round(shutil.disk_usage(place).free / 1e6),
        "engine_choices": (cache / "engines" / "choices.json").exists(),
    }


def _instruction_sets() -> list[str]:
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8", errors="replace") if info.exists() else ""
    present = set(text.split())
    return [flag for flag in _FLAGS if flag in present]


def _gpus() -> list[str]:
    if not available("torch"):
        return []
    import torch

    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def _extras() -> dict[str, bool]:
    """Each extra, and whether all it names directly is installed."""
    try:
        requirements = metadata.requires("interlingua") or []
    except metadata.PackageNotFoundError:
        return {}
    extras: dict[str, bool] = {}
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None or match[1].lower() == "interlingua":
            continue
        extras[match[2]] = extras.get(match[2], True) and _installed(match[1])
    return dict(sorted(extras.items()))


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
