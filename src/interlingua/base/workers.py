"""Work for several processes, with results in the order of the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from interlingua.base.errors import MachineError

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")

_AHEAD = 2  # items a process has waiting
_shared: list[Any] = []


def ordered_map(
    function: Callable[[Item, Shared], Result],
    items: Iterable[Item],
    shared: Shared,
    *,
    workers: int,
) -> Iterator[Result]:
    """Results of ``function(item, shared)``, in the order of the items.

    Only a few items a process are read ahead, so that memory stays bounded. With one worker
    everything is done in this process.

    Args:
        function: A function of a module, which every process imports.
        items: The work; each must be picklable, and so the results.
        shared: What all need; sent to each process once.
        workers: Processes.

    Raises:
        MachineError: A process was killed.
    """
    if workers == 1:
        for item in items:
            yield function(item, shared)
        return
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),  # a fork copies locks that threads hold
        initializer=_begin,
        initargs=(shared,),
    )
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_call, function, item))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise MachineError(
            "a worker process died, perhaps for want of memory; give fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(shared: Any) -> None:  # noqa: ANN401 - whatever the function needs
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    _shared[:] = [shared]
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(function: Callable[[Item, Any], Result], item: Item) -> Result:
    return function(item, _shared[0])


__all__ = ["ordered_map"]
