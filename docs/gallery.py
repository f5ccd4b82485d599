"""Puts every picture of every notebook, in both languages, on one page for looking at them: ``make gallery``."""

from datetime import datetime
from pathlib import Path

import papermill
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from qyx_analysis import __version__
from qyx_analysis.files import project_dir
from qyx_analysis.notebook.desk import LANGUAGES
from qyx_analysis.reports.pages import Provenance, report_html

OUT = project_dir() / "reports" / "gallery.html"


def pictures(path: Path, lang: str) -> list[NotebookNode]:
    """The cells of a notebook that draw, under its name."""
    done = papermill.execute_notebook(path, None, {"lang": lang}, progress_bar=False)
    drawn = [
        cell
        for cell in done.cells
        if any(mime.startswith("image/") for output in cell.get("outputs", []) for mime in output.get("data", {}))
    ]
    return [new_markdown_cell(f"## {path.stem}.{lang}"), *drawn]


paths = sorted((project_dir() / "notebooks").glob("*.ipynb"))
cells = [cell for path in paths for lang in LANGUAGES for cell in pictures(path, lang)]
origin = Provenance(__version__, datetime.now().astimezone(), [])
page = report_html(new_notebook(cells=cells), "qyx-analysis", "en", origin, {})
OUT.write_text(page, encoding="utf-8", newline="\n")
print(OUT)
