"""Plans in every format: how fast and how right, beside the general converters that an analyst would try instead.

Run it with ``make bench``; benchmarks/README.md says how to read the result.
"""

from __future__ import annotations

import html
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from threading import Timer
from typing import Any

import pandas as pd
from peers.install import made, pip
from read_plans import copies

from qyx_analysis.files import raw_dir
from qyx_analysis.tidy.reading import Reading, read_plan

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tests"))
from plans import GOLD, STEMS  # noqa: E402
from renderings import CONTACTS, PROJECTS, PROSE, Printed, as_printed, markdown, merged_page, word, workbook  # noqa: E402

OWN = "qyx"
ROUNDS = 5
ENOUGH = 10  # seconds of rounds for one reader
LIMIT = 120  # seconds for an answer of a reader
REQUIRED = 2.0  # seconds for 90 plans as text
PEERS = HERE.parent / ".venv-bench"
PYTHON = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")

# What each format is also read with.
READERS = {
    "txt": ("markitdown",),
    "md": ("markitdown", "docling"),
    "html": ("read_html", "markitdown", "docling"),
    "docx": ("python_docx", "markitdown", "docling"),
    "xlsx": ("read_excel", "markitdown", "docling"),
    "pdf": ("pdfplumber", "camelot", "markitdown"),
    "pdf bare": ("pdfplumber", "camelot", "markitdown"),
}


# --- the documents ----------------------------------------------------------------------------------------


def text(stem: str) -> bytes:
    """The real document where it is at hand, else the table with prose around."""
    if folder := os.environ.get("QYX_DOCUMENTS"):
        return Path(folder, f"{stem}.txt").read_bytes()
    table = (raw_dir() / f"{stem}.txt").read_text(encoding="utf-8")
    return "\n\n".join([*PROSE, table, "二、重点任务", *PROSE]).encode("utf-8")


def true_type(path: Path) -> None:
    """The font of the figures as office programs embed fonts: pdfminer reads no text in an OpenType one of fpdf2."""
    from fontTools import subset
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib import TTFont, newTable
    from pylopdf_fonts_zh_cn import sans_path

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = TTFont(sans_path())
    subsetter = subset.Subsetter()
    subsetter.populate(text="".join(map(str, map(as_printed, STEMS))) + str((PROSE, CONTACTS, PROJECTS)))
    subsetter.subset(font)
    glyphs, table = font.getGlyphSet(), newTable("glyf")
    table.glyphOrder, table.glyphs = font.getGlyphOrder(), {}
    for name in table.glyphOrder:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        table.glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), table
    del font["CFF "], font["VORG"]
    table.compile(font)
    font["maxp"].tableVersion, font["maxp"].maxZones = 0x00010000, 1
    for what in ("TwilightPoints", "Storage", "FunctionDefs", "InstructionDefs", "StackElements", "SizeOfInstructions"):
        setattr(font["maxp"], f"max{what}", 0)
    font["maxp"].maxComponentElements = 0
    font.sfntVersion = "\0\1\0\0"
    font.save(path)


def pdf(plan: Printed, font: Path, ruled: bool) -> bytes:
    """Some pages with page numbers, prose and two other tables; the table crosses a page and its cells wrap."""
    import fpdf

    class Pages(fpdf.FPDF):
        def footer(self) -> None:
            self.set_y(-15)
            self.cell(0, 8, f"— {self.page_no()} —", align="C")

    pages = Pages()
    pages.add_font("sans", fname=font)
    pages.set_font("sans", size=10.5)
    pages.add_page()

    def paragraphs(texts: Iterable[str]) -> None:
        for line in texts:
            pages.multi_cell(0, 8, line, new_x="LMARGIN", new_y="NEXT")

    def table(rows: Sequence[Sequence[str]], widths: Sequence[int] | None = None) -> None:
        layout = {"borders_layout": "ALL" if ruled else "NONE", "col_widths": widths}
        with pages.table(line_height=7, text_align="CENTER", v_align="MIDDLE", headings_style=plain, **layout) as grid:
            spans = dict(plan.domains) if len(rows) > len(plan.rows) else {}
            for i, row in enumerate(rows, -1):
                line, covered = grid.row(), plan.years_covered(row) if spans and i >= 0 else 1
                for j, cell in enumerate(row):
                    if j == 0 and spans and i >= 0:
                        if i in spans:
                            line.cell(cell, rowspan=spans[i])
                    elif not 3 < j < 3 + covered:
                        line.cell(cell, colspan=covered if j == 3 else 1)

    plain = fpdf.FontFace(emphasis="")
    paragraphs([*PROSE, *PROSE[1:] * 6])
    table(CONTACTS)
    paragraphs(["", plan.title])
    table([plan.header, *plan.rows], [14, 14, 44, *[18] * 6, *[22] * (len(plan.header) - 9)])
    paragraphs([*plan.notes, ""])
    table(PROJECTS)
    return bytes(pages.output())


RENDERED: dict[str, Callable[[Printed], bytes]] = {
    "md": markdown,
    "html": lambda plan: merged_page(plan, '<meta charset="utf-8">').encode("utf-8"),
    "docx": word,
    "xlsx": workbook,
}


def rendered(folder: Path, case: str) -> list[Path]:
    (folder / case).mkdir()
    font = folder / "sans.ttf"
    if case == "pdf":
        true_type(font)
    paths = [folder / case / f"{stem}.{case.split()[0]}" for stem in STEMS]
    for path in paths:
        if case == "txt":
            data = text(path.stem)
        elif path.suffix == ".pdf":
            data = pdf(as_printed(path.stem), font, ruled=case == "pdf")
        else:
            data = RENDERED[case](as_printed(path.stem))
        path.write_bytes(data)
    return paths


# --- the readers ------------------------------------------------------------------------------------------


def peers_python() -> Path | None:
    """The Python of the peers' own environment, made when it is missing or stale; None where that is impossible."""
    python, wanted = PEERS / PYTHON, HERE / "peers.txt"
    return (
        python
        if made(PEERS, wanted, [sys.executable, "-m", "venv", "--clear", PEERS], pip(python, "-r", wanted))
        else None
    )


class Worker:
    """A reader in its own process, asked for one round after another."""

    def __init__(self, python: Path, reader: str, paths: Sequence[Path]) -> None:
        command = [python, HERE / "peers" / "worker.py", reader, *paths]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if reader == OWN else subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self.name, self.rounds = reader, []
        self.ready = self.answer()
        self.missing = self.ready.get("missing")

    def answer(self) -> dict[str, Any]:
        timer = Timer(LIMIT, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        return json.loads(line) if line else {"missing": f"stopped, or no answer within {LIMIT} s"}

    def round(self) -> None:
        """Ask for one more, unless that would take too long: the slowest have fewer rounds, at least two."""
        if not self.missing and (len(self.rounds) < 2 or sum(answer["wall"] for answer in self.rounds) < ENOUGH):
            try:
                self.process.stdin.write("\n")
                self.process.stdin.flush()
                answer = self.answer()
            except BrokenPipeError:
                answer = self.answer()
            self.missing = answer.get("missing")
            self.rounds.append(answer)

    def seconds(self) -> float:
        """Of one round: the median of all but the first, in which libraries still import and compile."""
        return median(answer["processor"] for answer in self.rounds[1:])

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=LIMIT)
        self.process.stdout.close()


# --- cells right ------------------------------------------------------------------------------------------


def gold() -> pd.DataFrame:
    return pd.read_csv(GOLD, encoding="utf-8", dtype={"raw": str})


def own_cells_right(rows: dict[str, list[Any]] | None, stem: str) -> int:
    """Cells with the kind, operator and value that the plan publishes."""
    if rows is None or not rows["year"]:
        return 0
    wanted = gold().query("region == @stem").rename(columns={"no": "number"})
    both = wanted.merge(pd.DataFrame(rows), on=["number", "year"], suffixes=("", "_read"), validate="one_to_one")
    value = both["value"].eq(both["published_value"]) | (both["value"].isna() & both["published_value"].isna())
    operator = both["operator"].fillna("").eq(both["operator_read"])
    return int((both["kind"].eq(both["kind_read"]) & operator & value).sum())


def normal(printed: object) -> str:
    """Without space, line breaks, marks of importance or escapes; dashes, quotes and wide characters alike."""
    text = unicodedata.normalize("NFKC", html.unescape(str(printed or "")))
    text = re.sub(r"[‐-―−－]", "-", re.sub(r"[\s\\*▲“”\"‘’']", "", text))
    return "" if text.lower() == "nan" else text


def same(cell: str, wanted: str) -> bool:
    """Equal as text or as numbers: that 3.0 became 3 is forgiven."""
    try:
        return cell == wanted or float(cell) == float(wanted)
    except ValueError:
        return False


def peer_cells_right(tables: list[list[list[str]]] | None, stem: str) -> int:
    """Printed cells that stand in the row of their number and name and in the column of their year.

    The best of each table alone and of all after one another, as a table that crosses pages needs it.
    """
    tables = tables or []
    candidates = [*tables, [row for table in tables for row in table]]
    wanted = gold().query("region == @stem")
    return max(_found(rows, wanted) for rows in candidates)


def _found(rows: list[list[str]], wanted: pd.DataFrame) -> int:
    columns: dict[int, int] = {}
    width = 0
    lines: list[tuple[str, dict[int, str]]] = []
    for row in rows:
        cells = [normal(cell) for cell in row]
        if not any(cells):
            continue
        years = {int(cell[:4]): i for i, cell in enumerate(cells) if re.match(r"20\d\d年.{0,5}$", cell)}
        if len(years) > 2:
            columns, width = years, len(cells)
        elif columns:
            cells = [""] * (width - len(cells)) + cells  # some print nothing where a merged domain goes on
            values = {year: cells[i] for year, i in columns.items() if i < len(cells)}
            lines.append(("".join(cells[: min(columns.values())]), values))
    names = ["", *(who for who, _ in lines), ""]
    right = 0
    for cell in wanted.itertuples():
        name, number = normal(cell.indicator_text), re.compile(rf"\D{{0,5}}{cell.no}(?!\d)")
        named = [
            values
            for i, (who, values) in enumerate(lines)
            # A name broken between lines stands above and below its number too.
            if f"{cell.no}{name}" in who
            or number.match(who)
            and name in names[i] + number.sub("", who, count=1) + names[i + 2]
        ]
        # One text for all years may stand in each of them, or in the first alone.
        merged = [values for values in named if cell.kind == "reference" and values.get(cell.year) == ""]
        seen = [values.get(cell.year, "") for values in named] + [values.get(2022, "") for values in merged]
        right += any(same(text, normal(cell.raw)) for text in seen)
    return right


# --- what is printed --------------------------------------------------------------------------------------


def show(case: str, workers: list[Worker]) -> None:
    own = workers[0]
    if own.missing:
        sys.exit(f"{case}: {OWN}: {own.missing}")
    for worker in workers:
        if worker.missing:
            print(f"{case:<9}{worker.name:<12} not measured: {worker.missing}")
            continue
        count = own_cells_right if worker is own else peer_cells_right
        right = [count(read, stem) for read, stem in zip(worker.rounds[0]["results"], STEMS, strict=True)]
        speed, ratio = len(STEMS) / worker.seconds(), worker.seconds() / own.seconds()
        before, peak = (f"{at['peak']:.0f}" if at["peak"] else "?" for at in (worker.ready, worker.rounds[-1]))
        print(
            f"{case:<9}{worker.name:<12}{speed:11.1f}{ratio:8.2f}{worker.ready['imports']:12.1f}"
            f"{before:>6} -> {peak:<5}{'  '.join(f'{n:3d}' for n in right):>20}{sum(right):8d}",
            flush=True,
        )


def compare(folder: Path, peers: Path | None) -> None:
    print("format   reader      documents/s  x time  imports, s  peak MB      right of 126 each     of 504")
    for case, names in READERS.items():
        if case.startswith("pdf") and not (find_spec("qyx_analysis.documents.pdf") and find_spec("fpdf")):
            print(f"{case:<9}skipped: it needs qyx_analysis.documents.pdf, and fpdf2 to write the documents")
            continue
        paths = rendered(folder, case)
        workers = [Worker(Path(sys.executable), OWN, paths)]
        workers += [Worker(peers, name, paths) for name in names] if peers else []
        for _ in range(1 + ROUNDS):
            for worker in workers:
                worker.round()
        for worker in workers:
            worker.close()
        show(case, workers)


def ninety(folder: Path) -> None:
    """Seconds for 90 plans in the first call after the imports, and in a later one; processes may be two."""
    folder.mkdir()
    copies(folder, 90)
    worker = Worker(Path(sys.executable), OWN, [folder])
    for _ in range(2):
        worker.round()
    worker.close()
    read = len(set(worker.rounds[0]["results"][0]["document"]))
    first, later = worker.rounds[0], worker.rounds[-1]
    verdict = "below" if first["wall"] < REQUIRED else "NOT below"
    print(
        f"{read} plans as text: {first['wall']:.2f} s after import ({first['processor']:.2f} s of a processor), "
        f"{later['wall']:.2f} s ({later['processor']:.2f}) again: {verdict} {REQUIRED:.0f} s"
    )


def flat(folder: Path, texts: list[Path], many: int = 2000, few: int = 4) -> None:
    """What one document costs among ``many`` and among ``few``, from its bytes to the typed frame of all."""
    folder.mkdir()
    paths = []
    for i in range(many):  # each another text of one of the counties, whose code begins the name
        source = texts[i % len(texts)]
        paths.append(folder / f"{source.stem}-{i}.txt")
        paths[-1].write_bytes(source.read_bytes() + f"\n\n附件{i}\n".encode())

    def cost(group: list[Path]) -> float:
        start = time.process_time()
        targets = Reading([read_plan(path, path.stem[:6]) for path in group]).targets
        assert len(targets) == 126 * len(group)
        return (time.process_time() - start) / len(group)

    groups = [paths[i : i + few] for i in range(0, 40 * few, few)]
    before = [cost(group) for group in groups]
    long = cost(paths)
    short = median([*before, *map(cost, groups)])
    times = f"{1000 * long:.1f} and {1000 * short:.1f} ms"
    print(f"one of {many:,} documents takes {long / short:.2f} x one of {few} ({times})")


def main() -> None:
    peers = peers_python()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(folder, peers)
        ninety(folder / "ninety")
        flat(folder / "flat", sorted(Path(folder, "ninety").glob("*.txt")))


if __name__ == "__main__":
    main()
