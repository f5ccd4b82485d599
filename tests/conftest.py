"""Nothing passes for tested in CI that was skipped; and one browser for all tests that want one."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is not a fault of the code
settings.load_profile("patient")

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
    """Debian's Chromium without a window. Its log of requests and of the console is kept."""
    chromium, driver = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
    missing = [path.name for path in (chromium, driver) if not path.exists()]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")  # which fails in CI
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    for flag in ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driven = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(driver)))
    yield driven
    driven.quit()
