"""A project of two notebooks that take no time, for the tests of how reports are made."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def small_notebooks(folder: Path, parameters: str, code: str) -> Path:
    """Write the notebook of a county and one across counties, alike, and give their folder."""
    folder.mkdir()
    for name in ("region-report.ipynb", "10-across.ipynb"):
        marked = new_code_cell(parameters, metadata={"tags": ["parameters"]})
        cells = [new_markdown_cell("# Title\n\n## Part"), marked, new_code_cell(code)]
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number}"
        nbformat.write(new_notebook(cells=cells), folder / name)
    return folder
