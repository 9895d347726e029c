"""Programs of this machine, run without a shell and without waiting for ever."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from interlingua.base.errors import MachineError


def run_command(
    command: Sequence[str], *, folder: Path, seconds: int, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; whether it succeeded, its ``returncode`` says.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        seconds: How long it may take.
        environment: Variables it is given beside those of this process.

    Raises:
        MachineError: It took longer.
    """
    try:
        return subprocess.run(
            list(command),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        name = Path(command[0]).name
        raise MachineError(f"{name} was not done after {seconds} seconds") from None
