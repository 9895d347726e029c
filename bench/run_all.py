"""Run every bench and write what they print to bench/out/, one JSON file each.

python bench/run_all.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run the benches one after the other."""
    (HERE / "out").mkdir(exist_ok=True)
    for script in sorted(HERE.glob("*.py")):
        if script.name == Path(__file__).name:
            continue
        print(f"{script.name} …", flush=True)
        done = subprocess.run(
            [sys.executable, str(script), "--json"], capture_output=True, text=True, check=True
        )
        (HERE / "out" / f"{script.stem}.json").write_text(done.stdout, encoding="utf-8")
        print(done.stdout.strip())


if __name__ == "__main__":
    main()
