"""Work for several processes: the order stays, memory is bounded, a dead worker is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from interlingua.base.errors import DataError, MachineError
from interlingua.base.workers import ordered_map


def scaled(item: int, factor: int) -> tuple[int, int]:
    return item * factor, os.getpid()


def refusing(item: int, factor: int) -> int:
    raise DataError(f"item {item}", remedy="Another")


def dying(item: int, factor: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers: int) -> None:
    done = list(ordered_map(scaled, range(20), 3, workers=workers))
    assert [value for value, _ in done] == [3 * i for i in range(20)]
    assert (os.getpid() in {pid for _, pid in done}) == (workers == 1)


def test_only_a_few_items_are_read_ahead() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            read.append(item)
            yield item

    results = ordered_map(scaled, items(), 1, workers=2)
    next(results)
    assert len(read) <= 6
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_worker_is_the_same_error(workers: int) -> None:
    with pytest.raises(DataError, match="item 0"):
        list(ordered_map(refusing, range(4), 1, workers=workers))


def test_a_killed_worker_is_a_fault_of_the_machine() -> None:
    with pytest.raises(MachineError, match="a worker process died"):
        list(ordered_map(dying, range(4), 1, workers=2))
