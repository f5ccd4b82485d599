"""What each report is made from, told by checksums, and whether a report in the folder was made from the same.

A page carries the checksums of its inputs in its own head: page and record are one file, written at once, so that no
interruption can part them. ``manifest.json`` is written from the pages at the end of a run, for other programs.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping
from html import unescape
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import raw
from qyx_analysis.datapackage.building import derived_tables
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.wings import wings

MANIFEST = "manifest.json"
# A county's report shows what others plan; where and in which words they print it concerns only their own.
_PLACE = [
    *("raw", "document", "section", "locator", "char_start", "char_end", "text", "department", "correction"),
    *("message_zh", "message_en"),
]
HEAD, TAIL = 4000, 100  # bytes of a page in which its head, and its end, are found
_RECORD = re.compile(r'<meta name="qyx-inputs" content="([^"]*)">')
_MADE = re.compile(r'<meta name="qyx-made" content="([^"]*)">')
_DISTRIBUTION = "qyx-analysis"


def digest(*parts: bytes) -> str:
    """Twelve hexadecimal digits that change when any part does."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:12]


# --- the inputs -------------------------------------------------------------------------------------------


def common_inputs() -> dict[str, str]:
    """What every report is made with: the files of this library, the versions of what it needs, and the font."""
    from pylopdf_fonts_zh_cn import sans_path

    package = Path(__file__).parents[1]
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    code = [part for path in files for part in (path.relative_to(package).as_posix().encode(), path.read_bytes())]
    return {
        "code": digest(*code),
        "packages": digest(platform.python_version().encode(), *_versions()),
        "font": digest(Path(sans_path()).read_bytes()),
    }


def _versions() -> list[bytes]:
    try:
        needed = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # run from a folder without being installed
        needed = []
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needed if "extra ==" not in line]
    return [f"{name} {metadata.version(name)}".encode() for name in sorted(names)]


class DataInputs:
    """Checksums of the rows of a build, by region."""

    def __init__(self, folder: Path) -> None:
        self._rows: dict[str, dict[str, bytes]] = {}
        self._plans: dict[str, dict[str, bytes]] = {}  # the same rows without what concerns only their own region
        self._shared = b""  # what all counties' reports show of a table of which each shows its own rows
        self._own = {"findings", *(name for wing in wings() for name in wing.own_tables)}
        shared = {name: columns for wing in wings() for name, columns in wing.shared_columns.items()}
        derived = derived_tables()
        for path in sorted(folder.glob("*.csv")):
            if path.stem not in derived:  # which say nothing that the others and the library do not
                table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
                self._rows[path.stem] = _by_region(table)
                if columns := shared.get(path.stem):
                    self._shared += _by_region(table[columns].drop_duplicates().sort_values(columns))[""]
                self._plans[path.stem] = _by_region(table.drop(columns=_PLACE, errors="ignore"))

    def of(self, region: str, compared: Iterable[str]) -> str:
        """Give the checksum of what a report of ``region``, or of none, can show beside those it compares with."""
        others = sorted({*compared, ""} - {region})
        parts = [self._shared]
        for table, rows in self._rows.items():
            parts.append(rows.get(region, b""))
            if not region:
                parts += [rows.get(code, b"") for code in others]
            elif table not in self._own:
                parts += [self._plans[table].get(code, b"") for code in others]
        return digest(*parts)


def _by_region(table: pd.DataFrame) -> dict[str, bytes]:
    """The checksums of a table's rows under their region; those of a table without regions under an empty name."""
    hashes = pd.util.hash_pandas_object(table, index=False).to_numpy()
    if "region" not in table:
        return {"": hashes.tobytes()}
    return {str(code): hashes[places].tobytes() for code, places in table.groupby("region").indices.items()}


# --- the folder -------------------------------------------------------------------------------------------


def recorded(path: Path) -> dict[str, str] | None:
    """The inputs that a page says it was made from; ``None`` where no whole page of ours is."""
    try:
        with path.open("rb") as page:
            head = page.read(HEAD).decode("utf-8", errors="replace")
            page.seek(max(0, path.stat().st_size - TAIL))
            whole = page.read().rstrip().endswith(b"</html>")
    except OSError:
        return None
    said = _RECORD.search(head)
    return dict(pair.split("=", 1) for pair in unescape(said[1]).split()) if said and whole else None


def changed(path: Path, inputs: Mapping[str, str]) -> list[str]:
    """Why a report is to be made: the inputs that differ from those of the page that is there, or that none is."""
    before = recorded(path)
    if before is None:
        return ["page"]
    return [name for name, value in inputs.items() if before.get(name) != value]


def write_manifest(folder: Path, outcomes: Iterable[Any], hashes: Mapping[str, str]) -> None:
    """Write ``manifest.json``: every report of the folder and every one that failed in this run.

    What an earlier run says of a report that this one did not touch is kept as long as its page is there. ``hashes``
    are the checksums of pages of which the folder has only the ends.
    """
    reports = {entry["file"]: entry for entry in _manifest(folder) if (folder / entry["file"]).is_file()}
    for outcome in outcomes:
        before = reports.get(outcome.file, {}) if outcome.unchanged else {}
        reports[outcome.file or outcome.name] = before | {
            "name": outcome.name,
            "lang": outcome.lang,
            "title": before.get("title", outcome.title),
            "file": outcome.file,
            "status": outcome.status,
            "seconds": before.get("seconds", 0.0) if outcome.unchanged else round(outcome.seconds, 3),
            "reason": outcome.reason,
        }
    for entry in reports.values():
        path = folder / entry["file"]
        entry["made"], entry["inputs"] = _made(path), recorded(path) or {}
        known = hashes.get(entry["file"])
        entry["sha256"] = known or (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
    text = json.dumps({"reports": [reports[key] for key in sorted(reports)]}, ensure_ascii=False, indent=1)
    raw.write_whole(folder / MANIFEST, f"{text}\n".encode())


def known_hashes(folder: Path, pages: Iterable[str]) -> dict[str, str]:
    """The checksums that the manifest has of these pages, where it speaks of them as they are: not of earlier ones."""
    entries = {entry["file"]: entry for entry in _manifest(folder)}
    told = {page: entries[page] for page in pages if entries.get(page, {}).get("sha256")}
    return {
        page: entry["sha256"]
        for page, entry in told.items()
        if (entry.get("made"), entry.get("inputs")) == (_made(folder / page), recorded(folder / page))
    }


def _made(path: Path) -> str:
    """When a page says it was made; nothing where there is none that says so."""
    try:
        with path.open("rb") as page:
            said = _MADE.search(page.read(HEAD).decode("utf-8", errors="replace"))
    except OSError:
        return ""
    return said[1] if said else ""


def _manifest(folder: Path) -> list[dict[str, Any]]:
    path = folder / MANIFEST
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["reports"]
        return [entry for entry in entries if entry["file"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(Problem("manifest_unreadable", str(path), values={"reason": str(error)})) from error
