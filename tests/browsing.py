"""Debian's Chromium without a window, and what the tests and a benchmark ask it about a page."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any

import pypdfium2

BLANK = 2_000  # bytes of a PDF with nothing on its page
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
AXE = Path(__file__).parent / "npm" / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESK = (360, 740), (1280, 900)
A4 = (595, 842)  # points
_EDGE = 14  # points of paper that a printer cannot reach
_ROWS = """
return [...document.querySelectorAll('tr')].filter((row) => row.checkVisibility())
  .map((row) => [...row.cells].map((cell) => cell.innerText).join(''))
"""
_LABELS = """
return [...document.querySelectorAll('figure svg')]
  .map((picture) => [...picture.querySelectorAll('text')].map((text) => text.textContent))
"""


def print_page(browser: Any, options: dict[str, Any]) -> bytes:
    """The open page as a PDF; at times Chromium fails to print, or prints what it has not laid out yet."""
    from selenium.common.exceptions import WebDriverException

    for _ in range(8):
        with suppress(WebDriverException):
            data = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", options)["data"])
            if len(data) > BLANK:
                return data
        browser.refresh()
    raise AssertionError("Chromium prints nothing")


def missing() -> list[str]:
    """The programs that are not installed."""
    return [path.name for path in (CHROMIUM, DRIVER) if not path.exists()]


def start() -> Any:
    """A browser that keeps a log of requests and of its console."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))


def show(
    browser: Any,
    path: Path,
    size: tuple[int, int] = DESK,
    scheme: str = "light",
    media: str = "screen",
    scripts: bool = True,
) -> list[str]:
    """Open a page in a window of this size; gives back the addresses that were asked for."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    for log in ("performance", "browser"):
        browser.get_log(log)  # forgets what was before
    browser.get(path.as_uri())
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith(("data:", "blob:"))]


def faults(browser: Any) -> list[str]:
    """What axe-core calls serious or critical in the page that is shown, its folded parts open."""
    browser.execute_script("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "axe.run({resultTypes: ['violations']}).then((result) => arguments[arguments.length - 1](result))"
    )
    assert len(found["passes"]) > 10, "axe has hardly looked"
    grave = [fault for fault in found["violations"] if fault["impact"] in ("serious", "critical")]
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in grave]


def _plain(text: str) -> str:
    """A text without spaces, line ends and hyphens, which a PDF file has not at the end of a line, in one form."""
    return re.sub(r"[\s\u00ad\ufffe-]", "", unicodedata.normalize("NFKC", text))


def printed(browser: Any, path: Path) -> dict[str, Any]:
    """A page as it is printed: sizes of the pages, texts, and what is cut between pages or leaves the paper.

    A row or a drawing is whole where one page has all its text.
    """
    show(browser, path, media="print")
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")  # folded tables open
    rows = {_plain(row) for row in browser.execute_script(_ROWS)}
    drawings = [list(map(_plain, labels)) for labels in browser.execute_script(_LABELS)]
    paper = {"preferCSSPageSize": True, "paperWidth": A4[0] / 72, "paperHeight": A4[1] / 72}
    pdf = print_page(browser, paper)
    with pypdfium2.PdfDocument(pdf) as document:
        sizes = {tuple(map(round, page.get_size())) for page in document}
        pages = [page.get_textpage() for page in document]
        texts = [_plain(page.get_text_range()) for page in pages]
        boxes = [page.get_charbox(i) for page in pages for i in range(0, page.count_chars(), 3)]
    return {
        "sizes": sizes,
        "texts": texts,
        "cut_rows": [row for row in rows if not any(row in text for text in texts)],
        "cut_drawings": [labels for labels in drawings if not any(set(labels) <= _of(labels, text) for text in texts)],
        "outside": [box for box in boxes if box[0] < box[2] and _leaves(box)],
    }


def _of(labels: list[str], text: str) -> set[str]:
    return {label for label in labels if label in text}


def _leaves(box: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = box
    return left < _EDGE or bottom < _EDGE or right > A4[0] - _EDGE or top > A4[1] - _EDGE
