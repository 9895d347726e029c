"""What was downloaded, by sha256, so that a run can be repeated on the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

from interlingua.base.errors import DataError
from interlingua.base.files import sha256_file, write_json

SNAPSHOT = "snapshot.json"
_NAMED = 5  # files that an error names


class Snapshot:
    """The sha256 of every file a fetch has used, checked against an earlier snapshot if given.

    Args:
        pinned: A ``snapshot.json`` of an earlier run.

    Raises:
        DataError: ``pinned`` is no snapshot.
    """

    def __init__(self, pinned: Path | None = None) -> None:
        self.files: dict[str, dict[str, str | int]] = {}
        self._pinned = None if pinned is None else _read(pinned)
        self._path = pinned
        self._faults: list[str] = []

    def add(self, name: str, file: Path) -> None:
        """Note a file under the name it has in the archive, without host and folder."""
        digest = sha256_file(file)
        self.files[name] = {"sha256": digest, "bytes": file.stat().st_size}
        if self._pinned is not None and self._pinned.get(name) != digest:
            self._faults.append(f"{name} {'differs' if name in self._pinned else 'is new'}")

    def pinned(self) -> list[str] | None:
        """The names in the earlier snapshot, or None without one."""
        return None if self._pinned is None else sorted(self._pinned)

    def check(self) -> None:
        """Refuse a run whose files are not those of the earlier snapshot.

        Raises:
            DataError: A file differs, is new or is missing; each is named.
        """
        missing = [f"{name} is missing" for name in self.pinned() or [] if name not in self.files]
        faults = self._faults + missing
        if faults:
            more = f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
            raise DataError(
                f"not the files of the snapshot: {', '.join(faults[:_NAMED])}{more}",
                path=self._path,
                remedy="Leave out --snapshot to take today's files",
            )

    def write(self, folder: Path) -> None:
        """Write ``snapshot.json`` into a folder."""
        write_json(folder / SNAPSHOT, {"files": dict(sorted(self.files.items()))})


def _read(path: Path) -> dict[str, str]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except FileNotFoundError:
        raise DataError("no such file", path=path) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Give the snapshot.json that an earlier fetch wrote"
        raise DataError("not a snapshot", path=path, remedy=remedy) from error


__all__ = ["SNAPSHOT", "Snapshot"]
