"""One reader in a process of its own: ``worker.py READER FILE...``; benchmarks/formats.py starts it and asks.

It answers in lines of JSON: once when its imports are done, then for each line on standard input with one round over
all files. Reader ``qyx`` gives tidy rows, every other one a list of tables as rows of texts.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Rows = list[list[str]]


# Each loads its library and gives back: a path -> what the reader makes of it.


def qyx() -> Callable[[Path], Any]:
    from qyx_analysis.tidy.reading import read_plans

    def convert(path: Path) -> Any:
        reading = read_plans([path], jobs=2)
        for problem in reading.problems:
            print(problem, file=sys.stderr)
        wanted = ["document", "number", "year", "kind", "operator", "published_value"]
        return reading.targets[wanted].to_dict(orient="list")

    return convert


def read_html() -> Callable[[Path], list[Rows]]:
    import lxml.html  # noqa: F401  # pandas would import it in the first round
    import pandas as pd

    return lambda path: [of_frame(frame) for frame in pd.read_html(path, encoding="utf-8", keep_default_na=False)]


def read_excel() -> Callable[[Path], list[Rows]]:
    import openpyxl  # noqa: F401
    import pandas as pd

    options: dict[str, Any] = {"sheet_name": None, "header": None, "keep_default_na": False}
    return lambda path: [of_frame(frame) for frame in pd.read_excel(path, **options).values()]


def python_docx() -> Callable[[Path], list[Rows]]:
    import docx

    def convert(path: Path) -> list[Rows]:
        return [[[cell.text for cell in row.cells] for row in table.rows] for table in docx.Document(path).tables]

    return convert


def markitdown() -> Callable[[Path], list[Rows]]:
    from markitdown import MarkItDown

    converter = MarkItDown()
    return lambda path: of_text(converter.convert(path).text_content)


def docling() -> Callable[[Path], list[Rows]]:
    """Its readers of formats, without the pipeline around them, whose import needs PyTorch for speech even here."""
    from docling.backend.html_backend import HTMLDocumentBackend
    from docling.backend.md_backend import MarkdownDocumentBackend
    from docling.backend.msexcel_backend import MsExcelDocumentBackend
    from docling.backend.msword_backend import MsWordDocumentBackend
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.document import InputDocument

    backends: dict[str, tuple[Any, Any]] = {
        ".html": (InputFormat.HTML, HTMLDocumentBackend),
        ".md": (InputFormat.MD, MarkdownDocumentBackend),
        ".xlsx": (InputFormat.XLSX, MsExcelDocumentBackend),
        ".docx": (InputFormat.DOCX, MsWordDocumentBackend),
    }

    def convert(path: Path) -> list[Rows]:
        kind, backend = backends[path.suffix]
        document = backend(in_doc=InputDocument(path, kind, backend), path_or_stream=path).convert()
        return [[[cell.text for cell in row] for row in table.data.grid] for table in document.tables]

    return convert


def pdfplumber() -> Callable[[Path], list[Rows]]:
    import pdfplumber

    def convert(path: Path) -> list[Rows]:
        settings: dict[str, Any] = {}
        if not is_ruled(path):  # of those tried, what finds most
            settings = {"vertical_strategy": "text", "horizontal_strategy": "text", "min_words_vertical": 6}
        with pdfplumber.open(path) as pdf:
            return [table for page in pdf.pages for table in page.extract_tables(settings)]

    return convert


def camelot() -> Callable[[Path], list[Rows]]:
    import camelot

    def convert(path: Path) -> list[Rows]:
        flavor = "lattice" if is_ruled(path) else "stream"
        return [of_frame(table.df) for table in camelot.read_pdf(str(path), pages="all", flavor=flavor)]

    return convert


READERS = {name.__name__: name for name in (qyx, read_html, read_excel, python_docx, markitdown, docling)}
READERS |= {"pdfplumber": pdfplumber, "camelot": camelot}


def is_ruled(path: Path) -> bool:
    """An analyst sees whether a table has rules, and chooses the finder that suits it."""
    return "bare" not in path.parent.name


def of_frame(frame: Any) -> Rows:
    """The names of the columns as the first row: a header may have become that."""
    return [
        [str(name) for name in frame.columns],
        *([str(value) for value in row] for row in frame.to_numpy().tolist()),
    ]


def of_text(text: str) -> list[Rows]:
    """Its pipe tables, the same cut where a row was joined to the next, and its lines cut at tabs."""
    return [piped(text), piped(text.replace("| |", "|\n|")), [line.split("\t") for line in text.splitlines()]]


def piped(text: str) -> Rows:
    """Other lines are kept as rows with one text, where a name stands that was broken out of its row."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        re.split(r"(?<!\\)\|", line)[1:-1] if line.startswith("|") else ["", "", line, *[""] * 20] for line in lines
    ]


# --- the process ------------------------------------------------------------------------------------------


def peak() -> float | None:
    """The most memory this process has had, in MB; Linux alone tells it without what was before the process."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8")) if status.exists() else None
    return int(found[1]) / 1024 if found else None


def main() -> None:
    name, *files = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries print what they like elsewhere
    start = time.perf_counter()
    try:
        convert = READERS[name]()
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers)
        return
    print(json.dumps({"imports": time.perf_counter() - start, "peak": peak()}), file=answers, flush=True)
    for _ in sys.stdin:
        results, wall, processor = [], time.perf_counter(), time.process_time()
        for file in files:
            try:
                results.append(convert(Path(file)))
            except Exception as error:  # a peer that cannot read a document has no cell of it
                print(f"{name}: {file}: {error!r}", file=sys.stderr)
                results.append(None)
        spent = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}
        print(json.dumps(spent | {"results": results, "peak": peak()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
