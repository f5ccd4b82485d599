"""Tasks in processes of their own, so many at a time: whatever becomes of a process is the end of one task alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

_GRACE = 3.0  # seconds that a process has to clear up when it is stopped


def can_fork() -> bool:
    """Whether this process may be forked: not where libraries forbid it, and not while threads run in it."""
    alone = threading.active_count() == 1 and threading.current_thread() is threading.main_thread()
    return alone and sys.platform not in ("win32", "darwin") and hasattr(os, "fork")


def end_with_parent(parent: int, sent: int) -> None:
    """Have this process receive the signal ``sent`` when ``parent``, which started it, is gone. Linux only."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, sent)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it went before we could ask
        os.kill(os.getpid(), sent)


def how_it_ended(status: int) -> str:
    """Name the signal or the exit status behind an exit code as :mod:`subprocess` gives it.

    >>> how_it_ended(3), how_it_ended(-2)
    ('exit status 3', 'SIGINT')
    """
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"exit status {status}"


@dataclass(frozen=True)
class Lost:
    """A task without a result: its process ended (``how``), or was stopped after its time when ``how`` is empty."""

    how: str


@dataclass
class _Worker:
    """A process that works on one task after another, and the task it has now."""

    process: Any
    connection: Connection
    task: int = -1
    deadline: float = field(default=float("inf"))

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(_GRACE)
        self.process.kill()
        self.process.join()
        self.connection.close()


def in_processes(
    work: Callable[[Any], Any], tasks: Iterable[Any], jobs: int, timeout: float
) -> Iterator[tuple[int, Any | Lost]]:
    """Do ``work`` on every task and give its number and result, whichever is finished first.

    ``work``, the tasks and the results can be pickled. A process does one task after another, in ``jobs`` processes;
    one that ends, or takes ``timeout`` seconds for a task, has lost that task and is replaced. However this
    generator is left, no process stays.
    """
    context = multiprocessing.get_context("fork" if can_fork() else "spawn")
    waiting = deque(enumerate(tasks))
    workers = [_start(context, work) for _ in range(min(jobs, len(waiting)))]
    try:
        for worker in workers:
            _give(worker, waiting.popleft(), timeout)
        while any(worker.task >= 0 for worker in workers):
            first = min(worker.deadline for worker in workers)
            wait([worker.connection for worker in workers if worker.task >= 0], max(0.0, first - monotonic()))
            for place, worker in enumerate(workers):
                number, result = worker.task, _result(worker)
                if result is None:
                    continue
                worker.task, worker.deadline = -1, float("inf")
                if isinstance(result[0], Lost) and waiting:
                    workers[place] = worker = _start(context, work)
                if waiting:
                    _give(worker, waiting.popleft(), timeout)
                yield number, result[0]
    finally:
        for worker in workers:
            worker.stop()


def _start(context: Any, work: Callable[[Any], Any]) -> _Worker:
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, here, there, os.getpid()))
    process.start()
    there.close()
    return _Worker(process, here)


def _give(worker: _Worker, task: tuple[int, Any], timeout: float) -> None:
    worker.task, worker.deadline = task[0], monotonic() + timeout
    try:
        worker.connection.send(task[1])
    except OSError:  # it has ended, which is found out when its result is asked for
        return


def _result(worker: _Worker) -> tuple[Any] | None:
    """What a worker has to say about its task, if anything yet; a worker that is lost is stopped."""
    if worker.task < 0:
        return None
    try:
        if worker.connection.poll():
            return (worker.connection.recv(),)
        if monotonic() < worker.deadline:
            return None
        how = ""
    except (EOFError, OSError):
        worker.process.join(_GRACE)
        how = how_it_ended(worker.process.exitcode or 0)
    worker.stop()
    return (Lost(how),)


def _serve(work: Callable[[Any], Any], there: Connection, here: Connection, parent: int) -> None:
    """In the process: do the tasks that come until no more can come."""
    there.close()  # the parent's end
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent decides
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a kernel that runs is stopped too
        end_with_parent(parent, signal.SIGTERM)
    multiprocessing.current_process().name = "MainProcess"  # which notebooks see, by a fork
    while True:
        try:
            task = here.recv()
        except EOFError:
            return
        here.send(work(task))
