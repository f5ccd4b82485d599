"""The same work on the workers of a Dask cluster: ``distributed`` places the tasks, and places again those it loses.

A task brings what it needs and takes back what it made, so that the machines share nothing but the library. A worker
has threads, which a process that is forked must not have; so each of its threads keeps one process for the work.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.pool import Lost, end_with_parent, how_it_ended

_ANSWER = 10.0  # seconds that the scheduler has to answer
_WORKER = 60.0  # seconds in which there must be a worker: clusters that grow with the work start without
_GRACE = 5.0  # seconds that a process has to clear up when it is stopped
_SERVE = "from qyx_analysis.reports.cluster import serve; serve()"
_of_thread = threading.local()


def on_cluster(
    work: Callable[[Any, Any], Any], shared: Any, tasks: Iterable[Any], scheduler: str, timeout: float
) -> Iterator[tuple[int, Any | Lost]]:
    """Do ``work(shared, task)`` on every task and give its number and result, whichever is finished first.

    ``work`` is a function of an installed module; everything can be pickled. A task that takes ``timeout`` seconds,
    whose process ends, or that was on so many lost workers that the cluster suspects it, is lost. Raises ``DataError``
    when there is no ``distributed``, scheduler or worker, or when the workers cannot run the work.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise DataError(Problem("cluster_not_installed", scheduler)) from error
    try:
        client = Client(scheduler, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(Problem("cluster_silent", scheduler, values={"reason": reason})) from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it has to say comes as an exception too
    with client:
        same = client.submit(_same, shared, pure=False)  # a task too, so that a lost worker does not lose it
        futures = {
            client.submit(_beside, work, same, task, timeout, pure=False): number for number, task in enumerate(tasks)
        }
        try:
            client.wait_for_workers(1, timeout=_WORKER)
        except TimeoutError as error:
            raise DataError(Problem("cluster_empty", scheduler)) from error
        for future in as_completed(list(futures), loop=client.loop):
            try:
                result = future.result()
            except KilledWorker:
                result = Lost("KilledWorker")
            except CancelledError as error:
                raise DataError(Problem("cluster_silent", scheduler, values={"reason": str(error)})) from error
            except Exception as error:
                reason = f"{type(error).__name__}: {error}".partition("\n")[0]
                raise DataError(Problem("cluster_failed", scheduler, values={"reason": reason})) from error
            yield futures.pop(future), result
            future.release()


# --- on a worker ------------------------------------------------------------------------------------------


def _same(shared: Any) -> Any:
    return shared


def _beside(work: Callable[[Any, Any], Any], shared: Any, task: Any, timeout: float) -> Any | Lost:
    """Do the work in the process of this thread, which is started when there is none."""
    process: subprocess.Popen[bytes] | None = getattr(_of_thread, "process", None)
    if process is None or process.poll() is not None:
        command = [sys.executable, "-c", _SERVE, str(os.getpid())]
        process = _of_thread.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    stopped = threading.Event()
    late = threading.Timer(timeout, _stop, [process, stopped])
    late.start()
    try:
        with suppress(BrokenPipeError):  # it has ended, which is found out when its result is read
            pickle.dump((work, shared, task), process.stdin)
            process.stdin.flush()
        return pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError):
        return Lost("" if stopped.is_set() else how_it_ended(process.wait()))
    finally:
        late.cancel()
        if stopped.is_set():
            _of_thread.process = None


def _stop(process: subprocess.Popen[bytes], stopped: threading.Event) -> None:
    stopped.set()
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()


def serve() -> None:
    """In the process: do what comes until no more can come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the worker decides
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a kernel that runs is stopped too
        end_with_parent(int(sys.argv[1]), signal.SIGTERM)
    # what the work prints goes to the log of the worker, and what it reads is nothing
    with os.fdopen(os.dup(0), "rb") as incoming, os.fdopen(os.dup(1), "wb") as outgoing:
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        while True:
            try:
                work, shared, task = pickle.load(incoming)
            except EOFError:
                return
            pickle.dump(work(shared, task), outgoing)
            outgoing.flush()
