"""What lies beside the pages for other programs: the tables as CSV and Excel files, the figures as SVG and PNG.

A build's own tables are plain UTF-8 and hold every text as it was read. These copies are opened in office programs:
there a text must stay a text, whatever it begins with.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from qyx_analysis.catalogue import message
from qyx_analysis.datapackage.building import PACKAGE
from qyx_analysis.datapackage.loading import load_table
from qyx_analysis.export.workbook import STATE, Sheet, sheet_name, to_csv, to_xlsx
from qyx_analysis.notebook.desk import LANGUAGES
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.folder import TABLES, ReportFolder, figure_file

if TYPE_CHECKING:
    from nbformat import NotebookNode

_FORMS = {"svg": "image/svg+xml-compressed", "png": "image/png"}  # as figures/picture.py puts them into a notebook


def figures_of(notebook: NotebookNode, stem: str, lang: str) -> dict[str, bytes]:
    """The figures of an executed notebook as it holds them, by their files; nothing is drawn again."""
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    files = {}
    for number, forms in enumerate((data for data in outputs if {*_FORMS.values()} & {*data}), 1):
        for form, mime in _FORMS.items():
            if mime in forms:
                data = base64.b64decode(forms[mime])
                files[figure_file(stem, number, lang, form)] = gzip.decompress(data) if form == "svg" else data
    return files


# --- tables -----------------------------------------------------------------------------------------------


def workbook_file(lang: str) -> str:
    """The Excel file of all tables, inside the folder of the reports.

    >>> workbook_file("zh")
    'data/qyx-tables.zh.xlsx'
    """
    return f"{TABLES}/qyx-tables.{lang}.xlsx"


def data_id(data: Path) -> str:
    """What tells one build from another: the first twelve digits of the sha256 over its tables.

    Two pages with the same one show the same data. Raises ``DataError`` when a table is missing.
    """
    digest = hashlib.sha256()
    for path in (data / f"{name}.csv" for name in resources(data)):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            values = {"reason": error.strerror or str(error)}
            raise DataError(Problem("data_unreadable", str(path), values=values)) from error
    return digest.hexdigest()[:12]


def resources(data: Path) -> list[str]:
    """Names of the tables of a build, in the order of its ``datapackage.json``."""
    return [resource["name"] for resource in json.loads((data / PACKAGE).read_text(encoding="utf-8"))["resources"]]


def write_tables(
    data: Path, folder: ReportFolder, langs: Iterable[str], version: str, sources: list[dict[str, str]]
) -> None:
    """Write every table of a build as CSV, and all of them as one workbook in each language asked for or there.

    What was made from the same data by the same version is left as it is: each workbook, written last, says both.
    """
    state = f"{version} {data_id(data)}"
    files = {name: f"{TABLES}/{name}.csv" for name in resources(data)}
    books = {lang: workbook_file(lang) for lang in LANGUAGES}
    there = folder.read(books.values())
    kept = [lang for lang in sorted(books) if lang in langs or books[lang] in there]
    stale = [lang for lang in kept if _state_of(there.get(books[lang], b"")) != state]
    if stale or not {*files.values()} <= {*folder.sizes}:
        tables = {name: load_table(name, data) for name in files}
        folder.write({files[name]: to_csv(table, bom=True) for name, table in tables.items()})
        folder.write({books[lang]: workbook(tables, lang, state, sources) for lang in stale})


# --- the workbook -----------------------------------------------------------------------------------------


def workbook(tables: dict[str, pd.DataFrame], lang: str, state: str, sources: list[dict[str, str]]) -> bytes:
    """All tables as one Excel file in ``lang``; its first sheet says what it is and what it was made from."""
    return to_xlsx(tables, lang, _about(tables, lang, state, sources), state)


def _state_of(book: bytes) -> str:
    """Version and data that a workbook was made from; nothing where it does not say."""
    try:
        with zipfile.ZipFile(io.BytesIO(book)) as parts:
            about = parts.read("docProps/custom.xml").decode("utf-8")
    except (KeyError, zipfile.BadZipFile):
        return ""
    found = re.search(rf'name="{STATE}"[^>]*><vt:lpwstr>([^<]*)<', about)
    return found[1] if found else ""


def _about(tables: dict[str, pd.DataFrame], lang: str, state: str, sources: list[dict[str, str]]) -> Sheet:
    rows = [(message("report_planned", lang), "")]
    rows += [(message(key, lang), "") for key in ("sheet_bounds", "sheet_texts")]
    rows += [(message("sheet_state", lang), state)]
    rows += [(sheet_name(name, lang), message("sheet_rows", lang, n=len(table))) for name, table in tables.items()]
    rows += [(f"{source['title']} · {source['path']}", f"sha256 {source['sha256']}") for source in sources]
    return Sheet(message("sheet_about", lang), pd.DataFrame(rows, columns=[message("report_index_title", lang), ""]))
