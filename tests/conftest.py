"""Nothing passes for tested in CI that was skipped; one browser and one process to fork for all tests that want one."""

import os
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import examples  # noqa: F401 (its profiles of hypothesis)
import pytest
from hypothesis import settings

settings.load_profile("quick")

ALLOWED = "machine:"  # begins the reason of a skip for what the machine cannot have


def skips_fail(report: pytest.TestReport | pytest.CollectReport, reason: str) -> None:
    if os.environ.get("CI") and not reason.startswith(ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, and not for a reason that begins with “{ALLOWED}”: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        assert call.excinfo is not None
        skips_fail(report, str(call.excinfo.value))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole module that is skipped, as ``pytest.importorskip`` does."""
    report = yield
    if report.skipped:
        skips_fail(report, str(report.longrepr[2]).removeprefix("Skipped: "))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real browser, if the machine has it."""
    import browsing

    if lacking := browsing.missing():
        pytest.skip(f"not installed: {', '.join(lacking)}")  # which fails in CI
    driven = browsing.start()
    yield driven
    driven.quit()


@pytest.fixture(scope="module")
def forkable() -> Iterator[Callable[..., Any]]:
    """Calls a function in a process that can be forked: in this one other tests may have left threads."""
    from qyx_analysis.engine.warm import why_not_forked

    if sys.platform in ("win32", "darwin"):
        pytest.skip("machine: no safe fork")
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        assert process.submit(why_not_forked, "python3").result() == ""
        yield lambda function, *given, **options: process.submit(function, *given, **options).result()
