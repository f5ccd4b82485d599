"""The same work on the workers of a Dask cluster: ``distributed`` places the tasks, and places again those it loses.

A task brings what it needs and takes back what it made, so that the machines share nothing but the library. A worker
has threads, which a process that is forked must not have; so each of its threads keeps one process for the work.
"""

from __future__ import annotations

import io
import logging
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qyx_analysis.engine.processes import Lost, Worker
from qyx_analysis.problems import DataError, Problem

_ANSWER = 10.0  # seconds that the scheduler has to answer
_WORKER = 60.0  # seconds in which there must be a worker: clusters that grow with the work start without
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


def packed(folders: Mapping[str, Iterable[Path]]) -> bytes:
    """Files as one, to be sent along as what tasks share: under the name of each folder those that it is to have."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, paths in folders.items():
            for path in sorted(paths):
                archive.write(path, f"{folder}/{path.name}")
    return whole.getvalue()


@lru_cache(maxsize=1)
def unpacked(whole: bytes) -> TemporaryDirectory[str]:
    """The folders that were packed, on a worker; they go with its process, or when others are asked for."""
    here = TemporaryDirectory(prefix="qyx-", ignore_cleanup_errors=True)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        archive.extractall(here.name)
    return here


# --- on a worker ------------------------------------------------------------------------------------------


def _same(shared: Any) -> Any:
    return shared


def _beside(work: Callable[[Any, Any], Any], shared: Any, task: Any, timeout: float) -> Any | Lost:
    """Do the work in the process that this thread keeps."""
    if not hasattr(_of_thread, "worker"):
        _of_thread.worker = Worker()
    return _of_thread.worker.do(partial(work, shared), task, timeout)
