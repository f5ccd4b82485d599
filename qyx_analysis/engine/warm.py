"""A papermill engine whose kernels start warm: ``papermill --engine qyx-warm in.ipynb out.ipynb``.

nbclient talks to the kernel as to any other, so outputs, errors and time-outs are those of the ordinary engine; only
the way there is short. The kernel is a fork of this process (:mod:`qyx_analysis.engine.kernel`), which has already
imported what notebooks do. Where that cannot be done the ordinary engine runs the notebook, and the log says why.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import Connection
from queue import Empty
from time import monotonic, sleep
from typing import Any

from jupyter_client.client import KernelClient
from jupyter_client.session import Session
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine
from papermill.log import logger

from qyx_analysis.engine.kernel import fork_kernel, pipe_session
from qyx_analysis.engine.processes import can_fork, how_it_ended

# With what they import only when a table is shown, a figure saved or a shell started. matplotlib_inline is not among
# them: a kernel imports it anew.
WARM = (
    "numpy", "pandas", "pandas.core.methods.to_dict", "pandas.core.reshape.reshape", "pandas.io.formats.style",
    "pyarrow", "scipy.stats", "seaborn", "matplotlib.pyplot", "matplotlib.style", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg", "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin", "PIL.PpmImagePlugin", "IPython.core.completerlib", "IPython.core.debugger",
    "IPython.core.logger", "IPython.core.oinspect", "IPython.core.pylabtools", "IPython.extensions.storemagic",
    "sqlite3", "tornado.platform.asyncio",
)  # fmt: skip
_GRACE = 5.0  # seconds that a kernel has for its farewell


class _Channel:
    """Messages of a kernel, one at a time, as nbclient asks for them."""

    def __init__(self, session: Session, incoming: Connection, outgoing: Connection | None = None) -> None:
        self._session, self._incoming, self._outgoing = session, incoming, outgoing
        self._waiting: set[asyncio.Future[None]] = set()

    def send(self, message: dict[str, Any]) -> None:
        assert self._outgoing is not None
        with suppress(BrokenPipeError):  # the kernel is dead, which nbclient will find out
            self._outgoing.send(self._session.serialize(message))

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Give the next message; ``Empty`` after ``timeout`` seconds."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        self._waiting.add(ready)
        loop.add_reader(self._incoming, _wake, ready)
        try:
            await asyncio.wait_for(ready, timeout)
            _, frames = self._session.feed_identities(self._incoming.recv())
        except TimeoutError:
            raise Empty from None
        except EOFError:
            ended = loop.create_future()
            self._waiting.add(ended)
            await ended  # for ever: nbclient looks every second whether the kernel is alive
        finally:
            self._waiting.discard(ready)
            if not self._incoming.closed:
                loop.remove_reader(self._incoming)
        return self._session.deserialize(frames)

    def close(self) -> bool:
        """Wake whoever waits, and tell whether anyone did."""
        waiting = list(self._waiting)
        for future in waiting:
            future.cancel()
        return bool(waiting)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class ForkedKernel(KernelClient):
    """A kernel in a forked child, in the roles of both the manager and the client that nbclient deals with."""

    has_kernel = ipykernel = True
    shell_channel: Any = None
    iopub_channel: Any = None

    def __init__(self) -> None:
        super().__init__(session=pipe_session())
        self._child = fork_kernel()
        self._end: Any = None
        self.shell_channel = _Channel(self.session, self._child.replies, self._child.requests)
        self.iopub_channel = _Channel(self.session, self._child.outputs)

    def client(self) -> ForkedKernel:
        return self

    def start_channels(self, *_: Any, **__: Any) -> None:
        """They are open."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """A pipe keeps what is sent until the kernel reads it."""

    async def is_alive(self) -> bool:
        return self._ended() is None

    def interrupt_kernel(self) -> None:
        os.kill(self._child.pid, signal.SIGINT)

    def stop(self, now: bool) -> None:
        """End the kernel and all that it started; unless ``now``, it may first do what it registered for its exit."""
        if any([self.shell_channel.close(), self.iopub_channel.close()]):
            run_sync(asyncio.sleep)(0.01)  # until they have noticed
        for connection in (self._child.requests, self._child.replies, self._child.outputs):
            connection.close()
        deadline = monotonic() + (0 if now else _GRACE)
        while self._ended() is None and monotonic() < deadline:
            sleep(0.005)
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)  # not yet waited for: the number is still the child's
        self._end = os.waitid(os.P_PID, self._child.pid, os.WEXITED)

    def last_words(self) -> str:
        """How the kernel ended: the signal that killed it, or its exit status."""
        ended = self._ended()
        return how_it_ended(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)

    def _ended(self) -> Any:
        return self._end or os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)


# --- before a fork ----------------------------------------------------------------------------------------


def why_not_forked(kernel_name: str) -> str:
    """What speaks against a fork of this process as the kernel of that name; nothing: an empty text."""
    from IPython.core.interactiveshell import InteractiveShell
    from jupyter_client.kernelspec import KernelSpecManager

    if not can_fork():
        return f"this process has threads, or {sys.platform} cannot fork it safely"
    if InteractiveShell.initialized():
        return "this process is an interactive session"
    command = KernelSpecManager().get_kernel_spec(kernel_name).argv
    major, minor = sys.version_info[:2]
    ours = {"python", f"python{major}", f"python{major}.{minor}", sys.executable}  # Jupyter takes these for this one
    if command[0] not in ours or "ipykernel_launcher" not in command:
        return f"kernel {kernel_name} is another interpreter"
    return ""


@cache
def warm_up(more: tuple[str, ...] = ()) -> None:
    """Import what notebooks use, and ``more``, once; no import of these changes what a notebook computes.

    What there is then stays: a collection in a child must not touch, and thereby copy, what both processes share.
    """
    with _one_thread():
        for name in (*WARM, *more):
            if find_spec(name.partition(".")[0]):
                import_module(name)
    import_module("matplotlib.backends").backend_registry.list_all()  # looks through all installed packages
    gc.collect()
    gc.freeze()


def _unwatched(bar: Any) -> None:
    """End the thread that watches papermill's bar, to redraw it where nothing moves: it is all that forbids a fork."""
    if monitor := getattr(bar, "monitor", None):
        monitor.exit()
        type(bar).monitor = None


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenBLAS reads the number of its threads when it is loaded; the notebooks do not inherit the variable."""
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        del os.environ["OPENBLAS_NUM_THREADS"]
        if before is not None:
            os.environ["OPENBLAS_NUM_THREADS"] = before


class WarmEngine(NBClientEngine):
    """The ordinary engine with a kernel that is forked; ``warm`` are further modules that it is to find imported."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, warm: tuple[str, ...] = (), **kwargs: Any) -> Any:
        _unwatched(nb_man.pbar)
        obstacle = why_not_forked(kernel_name)
        if obstacle:
            logger.warning("qyx-warm: an ordinary kernel runs this notebook: %s", obstacle)
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
        warm_up(warm)
        kernel = ForkedKernel()
        now = True
        try:
            done = super().execute_managed_notebook(nb_man, kernel_name, km=kernel, **kwargs)
            now = kwargs.get("shutdown_kernel") == "immediate"
            return done
        except DeadKernelError as error:
            raise DeadKernelError(f"Kernel died: {kernel.last_words()}") from error
        finally:
            kernel.stop(now)
