"""The ordinary Jupyter kernel in a forked child: all is imported already, and pipes take the place of sockets."""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import logging
import os
import random
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import zmq
from ipykernel.iostream import IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

from qyx_analysis.engine.processes import end_with_parent

_DIED_IN_OURS = 70  # EX_SOFTWARE: the exit status when not the notebook but this module fails


class PipeSocket:
    """Two pipes as ipykernel sees them: a socket for messages of several frames."""

    def __init__(self, outgoing: Connection, incoming: Connection | None = None) -> None:
        self._outgoing, self._incoming = outgoing, incoming
        self._tasks: set[asyncio.Future[None]] = set()
        self.context: zmq.Context[Any] = zmq.Context.instance()

    def send_multipart(self, frames: list[Any], *_: Any, **__: Any) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more
            self._outgoing.send([bytes(frame) for frame in frames])

    def flush(self, *_: Any) -> None:
        """Nothing is kept back."""

    def on_recv(self, handler: Callable[[list[zmq.Message]], Awaitable[None]], **_: Any) -> None:
        """Have ``handler`` called with each message; when no more can come, the event loop ends."""
        incoming, loop = self._incoming, asyncio.get_event_loop()
        assert incoming is not None

        def receive() -> None:
            try:
                frames = incoming.recv()
            except EOFError:
                loop.stop()
                return
            self._tasks.add(task := asyncio.ensure_future(handler([zmq.Message(frame) for frame in frames]), loop=loop))
            task.add_done_callback(self._tasks.discard)

        loop.add_reader(incoming, receive)


class PipeKernel(IPythonKernel):
    """ipykernel's kernel without the threads that listen to sockets."""

    shell: Any
    shell_stream = AnyTrait()
    debugger_class = AnyTrait()  # there is none

    _supports_kernel_subshells = False

    def start(self) -> None:
        super(IPythonKernel, self).start()  # IPythonKernel's own serves the debugger
        self.shell.exit_now = False
        self.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())  # asked where cells run

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nothing waits in a queue: the client asks for one cell at a time."""


class PipeKernelApp(IPKernelApp):
    """ipykernel's own start, with all that a user configured, up to the point where a socket would be opened."""

    kernel_class = Type(PipeKernel)
    shell_stream, outputs = AnyTrait(), AnyTrait()

    def init_sockets(self) -> None:
        self.configure_tornado_logger()
        self.iopub_thread = IOPubThread(self.outputs, pipe=True, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_kernel(self) -> None:
        without: Any = SimpleNamespace(_is_debugpy_available=False)
        sys.modules["ipykernel.debugger"] = without  # importing it costs more than all the rest
        traits = ("session", "iopub_thread", "iopub_socket", "log", "profile_dir", "user_ns")
        given = {name: getattr(self, name) for name in traits}
        self.kernel = PipeKernel.instance(parent=self, shell_stream=self.shell_stream, **given)
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count

    def _nothing(self, **_: Any) -> None:
        """There is no connection file and no port."""

    init_connection_file = init_poller = init_heartbeat = write_connection_file = log_connection_info = _nothing

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        """There is none; what nbclient has in it is said here."""
        self.update_config(Config({"HistoryManager": {"hist_file": ":memory:"}}))


def pipe_session(**options: Any) -> Session:
    """What makes messages of contents; without signatures, as nobody else has the ends of a pipe."""
    session = Session(**options)
    session.auth = None
    return session


def fork_kernel() -> SimpleNamespace:
    """Start a kernel in a child of this process, with the modules that are imported here.

    Gives its ``pid``, where to send ``requests``, and where to read ``replies`` and ``outputs``. The child leads a
    process group of its own, and ends with this process, however that ends.
    """
    ends = {name: Pipe(duplex=False) for name in ("requests", "replies", "outputs")}
    mine = {name: end[1 if name == "requests" else 0] for name, end in ends.items()}
    theirs = {name: end[0 if name == "requests" else 1] for name, end in ends.items()}
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # else the child would write it once more
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        for connection in mine.values():
            connection.close()
        # in an empty context as in a fresh process: libraries keep event loops in context variables
        contextvars.Context().run(_child, parent, **theirs)
    for connection in theirs.values():
        connection.close()
    return SimpleNamespace(pid=pid, **mine)


def _child(parent: int, requests: Connection, replies: Connection, outputs: Connection) -> NoReturn:
    status, terminal = _DIED_IN_OURS, os.dup(2)  # before ipykernel captures it
    try:
        os.setsid()
        end_with_parent(parent, signal.SIGKILL)
        atexit._clear()
        _as_in_a_fresh_process()
        app = PipeKernelApp.instance(shell_stream=PipeSocket(replies, requests), outputs=PipeSocket(outputs))
        app.session = pipe_session(parent=app)
        app.initialize()
        _fresh_matplotlib()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        app.kernel.start()
        loop.run_forever()  # until the other end is closed
        atexit._run_exitfuncs()
        sys.stdout.flush()
        status = 0
    except BaseException:
        os.write(terminal, traceback.format_exc().encode())  # the notebook's own errors never come here
    finally:
        os._exit(status)


def _as_in_a_fresh_process() -> None:
    """Undo what a fork inherits and a new interpreter would not have."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with Path(os.devnull).open("rb") as null:
        os.dup2(null.fileno(), 0)
    for fd, (name, mode) in enumerate({"stdin": "r", "stdout": "w", "stderr": "w"}.items()):
        stream = open(fd, mode, encoding="utf-8", newline="\n", closefd=False, buffering=1)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for handler in logging.root.handlers[:]:
        logging.root.removeHandler(handler)
    logging.root.setLevel(logging.WARNING)
    if "rfc3987_syntax" in sys.modules and sys.modules["rfc3987_syntax"] is None:
        del sys.modules["rfc3987_syntax"]
    _ordinary_warnings()
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # the one state that a fork of numpy shares


def _fresh_matplotlib() -> None:
    """Have it choose its backend again, as when it is imported; the inline one joins the shell that imports it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib_inline"]:
        del sys.modules[name]
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
        pyplot._backend_mod = None  # type: ignore[attr-defined]
    if matplotlib := sys.modules.get("matplotlib"):
        matplotlib.rc_file_defaults()
        matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]  # which is read at import alone


def _ordinary_warnings() -> None:
    """Forget what was warned of and how; what libraries said of their own warnings when they were imported stays."""
    of_libraries: list[Any] = [
        (action, getattr(text, "pattern", ""), category, getattr(module, "pattern", ""), line)
        for action, text, category, module, line in reversed(warnings.filters)
        if text or hasattr(module, "pattern") or category.__module__ != "builtins"
    ]
    warnings.resetwarnings()
    for silent in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", silent)
    warnings.filterwarnings("default", "", DeprecationWarning, "__main__")
    for action, text, category, module, line in of_libraries:
        warnings.filterwarnings(action, text, category, module, line)
