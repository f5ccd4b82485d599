"""Tasks in processes of their own, so many at a time: whatever becomes of a process is the end of one task alone."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any

_GRACE = 5.0  # seconds that a process has to clear up when it is stopped
# Ctrl-C reaches every process of a terminal, and the parent decides. What the parent can import, its processes can.
_SERVE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); parent, *sys.path = sys.argv[1:]; "
    "from qyx_analysis.engine.processes import serve; serve(int(parent))"
)


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


class Worker:
    """A process that does one task after another; it is started when there is a task and none is running."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def do(self, work: Callable[[Any], Any], task: Any, timeout: float) -> Any | Lost:
        """Give ``work(task)``, unless that ends the process or takes more than ``timeout`` seconds.

        ``work``, the task and its result can be pickled.
        """
        if self._process and self._process.poll() is not None:
            self.stop()
        if not self._process:
            command = [sys.executable, "-P", "-c", _SERVE, str(os.getpid()), *sys.path]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process, deadline, late = self._process, monotonic() + timeout, threading.Timer(timeout, self.stop)
        assert process.stdin and process.stdout
        late.start()
        try:
            with suppress(BrokenPipeError):  # it has ended, which is found out when its result is read
                pickle.dump((work, task), process.stdin)
                process.stdin.flush()
            return pickle.load(process.stdout)
        except (EOFError, pickle.UnpicklingError):
            return Lost("" if monotonic() >= deadline else how_it_ended(process.wait()))
        finally:
            late.cancel()
            late.join()  # else it might stop the process in its next task

    def stop(self) -> None:
        """End the process, whatever it does."""
        process, self._process = self._process, None
        if process:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
            with suppress(BrokenPipeError), process:
                """Its pipes are closed."""


def in_processes(
    work: Callable[[Any], Any], tasks: Iterable[Any], jobs: int, timeout: float
) -> Iterator[tuple[int, Any | Lost]]:
    """Do ``work`` on every task and give its number and result, whichever is finished first.

    A process does one task after another, in ``jobs`` processes; one that ends, or takes ``timeout`` seconds for a
    task, has lost that task and is replaced. However this generator is left, no process stays.
    """
    waiting, running = enumerate(tasks), dict[Future[Any], int]()
    workers = [Worker() for _ in range(jobs)]
    threads, idle = ThreadPoolExecutor(jobs), SimpleQueue[Worker]()

    def do(task: Any) -> Any | Lost:
        worker = idle.get()
        try:
            return worker.do(work, task, timeout)
        finally:
            idle.put(worker)

    def begin(count: int) -> None:
        running.update({threads.submit(do, task): number for number, task in islice(waiting, count)})

    try:
        for worker in workers:
            idle.put(worker)
        begin(jobs)
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                begin(1)
                yield number, future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        begun = True
        while begun:  # a task may be just about to start its process
            for worker in workers:
                worker.stop()
            begun = any(not future.done() for future in running)


def serve(parent: int) -> None:
    """In the process: do what comes until no more can come."""
    sys.argv[1:] = []
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a kernel that runs is stopped too
        end_with_parent(parent, signal.SIGTERM)
    # What the work prints goes to the log, and what it reads is nothing.
    with os.fdopen(os.dup(0), "rb") as incoming, os.fdopen(os.dup(1), "wb") as outgoing:
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        while True:
            try:
                work, task = pickle.load(incoming)
            except EOFError:
                return
            pickle.dump(work(task), outgoing)
            outgoing.flush()
