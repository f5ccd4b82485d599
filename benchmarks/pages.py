"""The same executed notebook as a page of ours and of nbconvert's own templates, measured in a real browser."""

from __future__ import annotations

import copy
import logging
import re
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from nbformat import NotebookNode

from qyx_analysis.datapackage import building
from qyx_analysis.engine.execution import execute, read_notebook
from qyx_analysis.files import project_dir, raw_dir
from qyx_analysis.reports.pages import Provenance, report_html
from qyx_analysis.reports.plan import REGION_NOTEBOOK

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
import browsing

ROUNDS = 5
TEMPLATES = ("lab", "classic", "basic")
COUNTS = """
const pictures = [...document.querySelectorAll("img, svg")].filter((p) => p.getBoundingClientRect().width > 100);
const texts = pictures.map((p) => p.alt || p.getAttribute("aria-label") || "");
const said = texts.filter((text) => text.length > 20 && !text.startsWith("No description has been provided"));
const heads = [...document.querySelectorAll("th")];
return [said.length, pictures.length, heads.filter((th) => th.scope).length, heads.length];
"""


def executed(folder: Path) -> NotebookNode:
    """The report of one county, run on the four published tables."""
    data = building.build([raw_dir()], folder / "data").out
    notebook = read_notebook(project_dir() / "notebooks" / REGION_NOTEBOOK)
    return execute(notebook, {"region": "330213", "lang": "zh", "data_dir": str(data)})


def pages(notebook: NotebookNode) -> dict[str, Any]:
    """Name of each page and the function that makes it; exporters are made once, as a batch run would."""
    from nbconvert.exporters import HTMLExporter

    def plain(template: str, source: NotebookNode) -> Any:
        exporter = HTMLExporter(template_name=template)
        return lambda: exporter.from_notebook_node(source)[0]

    origin = Provenance("0", datetime.now().astimezone(), [])
    made: dict[str, Any] = {"qyx": lambda: report_html(notebook, "奉化区", "zh", origin, {})}
    made |= {f"nbconvert {template}": plain(template, notebook) for template in TEMPLATES}
    return made | {f"nbconvert {template} of PNG": plain(template, as_pixels(notebook)) for template in TEMPLATES[:2]}


def as_pixels(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its pictures as matplotlib gives them by itself: PNG alone."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/svg+xml", None)
    return notebook


def measured(browser: Any, path: Path) -> list[str]:
    """What a reader of the page meets: requests, alternative texts, phone, dark, print, axe."""
    asked = [address for address in browsing.show(browser, path, browsing.PHONE) if not address.startswith("file:")]
    needed = browser.execute_script("return document.documentElement.scrollWidth")
    said, pictures, scopes, heads = browser.execute_script(COUNTS)
    grave = len(browsing.faults(browser)) if browsing.AXE.is_file() else "?"
    browsing.show(browser, path, browsing.DESK, "dark")
    ground = browser.execute_script(
        "return [document.body, document.documentElement].map((e) => getComputedStyle(e).backgroundColor)"
        ".find((c) => c !== 'rgba(0, 0, 0, 0)') || 'rgb(255, 255, 255)'"
    )
    dark = max(map(int, re.findall(r"\d+", ground)[:3])) < 128
    paper = browsing.printed(browser, path)
    cut = len(paper["cut_rows"]) + len(paper["cut_drawings"])
    return [
        str(len(asked)),
        f"{said}/{pictures}",
        f"{scopes}/{heads}",
        f"{needed} px",
        "yes" if dark else "no",
        str(grave),
        f"{len(paper['texts'])} pages, {cut} cut" + (", text off the paper" if paper["outside"] else ""),
    ]


def main() -> None:
    """Print one line per page."""
    if lacking := browsing.missing():
        print(f"pages.py: not installed: {', '.join(lacking)}")
        return
    logging.disable(logging.WARNING)  # nbconvert warns of every picture without alternative text
    heads = ["page", "kB", "ms", "requests", "alt", "scope", "360 px needs", "dark", "axe", "A4"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    with tempfile.TemporaryDirectory() as name:
        folder, browser = Path(name), browsing.start()
        try:
            for page, made in pages(executed(folder)).items():
                made()  # the first time loads templates
                times = []
                for _ in range(ROUNDS):
                    started = perf_counter()
                    html = made()
                    times.append(perf_counter() - started)
                path = folder / f"{page.replace(' ', '-')}.html"
                path.write_text(html, encoding="utf-8", newline="\n")
                size, time = path.stat().st_size / 1000, sorted(times)[ROUNDS // 2] * 1000
                print("| " + " | ".join([page, f"{size:.0f}", f"{time:.0f}", *measured(browser, path)]) + " |")
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
