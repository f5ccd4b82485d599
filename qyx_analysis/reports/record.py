"""What each report is made from, told by checksums."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pandas as pd

from qyx_analysis.datapackage.building import derived_tables
from qyx_analysis.wings import wings

# A county's report shows what others plan; where and in which words they print it concerns only their own.
_PLACE = [
    *("raw", "document", "section", "locator", "char_start", "char_end", "text", "department", "correction"),
    *("message_zh", "message_en"),
]
_DISTRIBUTION = "qyx-analysis"


def digest(*parts: bytes) -> str:
    """Twelve hexadecimal digits that change when any part does."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:12]


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
