"""Sides of a bench in processes of their own, which answer one word at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


class Runner:
    """One side in a process of its own, so that nobody's idle threads slow another.

    Args:
        script: The bench, which answers words on its standard input where it is given ``--child``.
        who: The side.
        arguments: More of its command line.
    """

    def __init__(self, script: str, who: str, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, script, "--child", who, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str) -> Any:  # noqa: ANN401 - what the child answers
        """Send one word and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
