"""The tables of a finished build back into frames."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from qyx_analysis import catalogue, names
from qyx_analysis.files import StoredFolder, folder_at, project_dir, read_typed
from qyx_analysis.problems import DataError, Problem

_PACKAGE = "datapackage.json"
_copies: dict[tuple[str, str], Path] = {}  # by address and checksum of the descriptor, which has those of the tables


def data_dir(given: object = None) -> Path:
    """The folder of a build: the one given, else ``QYX_DATA``, else ``data/processed`` of the project.

    For an address of storage it is a copy on this machine, which goes with this process. Raises
    :class:`~qyx_analysis.problems.DataError` when no build is there.
    """
    folder = folder_at(given or os.environ.get("QYX_DATA") or project_dir() / "data" / "processed")
    for inside in ("", "processed/", "data/processed/"):
        if isinstance(folder, StoredFolder):
            if copy := _copied(folder, inside):
                return copy
        elif (folder.path / inside / "targets.csv").is_file():
            return folder.path / inside
    raise DataError(Problem("data_missing", folder.name))


def _copied(folder: StoredFolder, inside: str) -> Path | None:
    """A copy of a build at an address, made once for each state of it; ``None`` where no build is."""
    where = f"{folder.name}/{inside}"
    described = folder.read([inside + _PACKAGE]).get(inside + _PACKAGE)
    if described is None:
        return None
    state = where, hashlib.sha256(described).hexdigest()
    if state not in _copies:
        try:
            sums = {resource["path"]: resource["hash"] for resource in json.loads(described)["resources"]}
            if any(Path(name).name != name for name in sums):
                raise ValueError("path")
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(Problem("data_unreadable", where + _PACKAGE, values={"reason": str(error)})) from error
        found = folder.read(inside + name for name in sums)
        tables = {name: found.get(inside + name, b"") for name in sums}
        for name, data in tables.items():
            if f"sha256:{hashlib.sha256(data).hexdigest()}" != sums[name]:  # the build is being replaced
                raise DataError(Problem("build_torn", where + name))
        copy = Path(mkdtemp(prefix="qyx-"))
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        for name, data in {_PACKAGE: described, **tables}.items():
            (copy / name).write_bytes(data)
        _copies[state] = copy
    return _copies[state]


def _read_table(name: str, folder: Path) -> pd.DataFrame:
    path = folder / f"{name}.csv"
    try:
        return read_typed(path, catalogue.dtypes(name))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(Problem("data_unreadable", str(path), values={"reason": str(error)})) from error


def load_table(name: str, data: object = None) -> pd.DataFrame:
    """Load one table of a build by its name in ``datapackage.json``, typed as ``fields.csv`` declares.

    ``data`` as in :func:`load_targets`; raises ``DataError`` when there is no such table in the folder.

    >>> load_table("dispersion")["year"].min()
    np.int64(2022)
    """
    return _read_table(name, data_dir(data))


def load_targets(data: object = None, region: object = None) -> pd.DataFrame:
    """Load the tidy targets of a build.

    Parameters
    ----------
    data : path or address, optional
        Folder of the build; else ``QYX_DATA``, else the project's ``data/processed``.
    region : int, str or list of them, optional
        Only these regions, by code or name.

    Returns
    -------
    DataFrame
        One row per region x printed row x year; the columns are described in ``docs/data.md``. ``value`` is in
        the canonical ``unit``; a bound keeps its threshold in ``value`` and its sign in ``operator``.

    Raises
    ------
    DataError
        When there is no build in the folder, or a region is unknown or not in it.

    Examples
    --------
    >>> targets = load_targets(region=["奉化区", "慈溪市"])
    >>> targets.query("indicator == 'care_workers' and year == 2027")[["region_name", "raw", "operator", "value"]]
        region_name  raw operator  value
    77          奉化区  ≥32       >=   32.0
    203         慈溪市  ≥32       >=   32.0
    """
    frame = _read_table("targets", data_dir(data)).astype({"year": int})
    if region is None:
        return frame
    wanted = [names.find_region(r) for r in (region if isinstance(region, list | tuple) else [region])]
    absent = [code for code in wanted if code not in set(frame["region"])]
    if absent:
        present = ", ".join(frame["region_name"].unique())
        raise DataError(
            Problem("region_absent", "targets.csv", text=names.region_name(absent[0]), values={"present": present})
        )
    return frame[frame["region"].isin(wanted)].reset_index(drop=True)


def load_verdicts(data: object = None) -> pd.DataFrame:
    """Load the verdicts of a build, each with the share of the specifications that agree.

    ``data``: the folder of the build; else ``QYX_DATA``, else the project's. Returns the frame of
    :func:`qyx_analysis.verdicts`; its columns are described in ``docs/data.md``. Raises ``DataError`` when there is no
    build in the folder.

    >>> load_verdicts().query("kind == 'convergence' and indicator == 'dibao_standard'")["status"].item()
    'scale_dependent'
    """
    return _read_table("verdicts", data_dir(data))


def findings(data: object = None) -> pd.DataFrame:
    """Load what an analyst must be warned of in a build.

    Returns one row per finding: ``region, indicator, number, year, rule, severity, message_zh, message_en,
    raw, document, locator``. ``severity`` is error (do not use the value before checking it), warning (it
    changes what may be said) or info. Raises ``DataError`` when there is no build in the folder.

    >>> findings().query("severity == 'error'")[["region", "number", "year", "rule"]].values.tolist()
    [['330213', 17, 2027, 'cumulative_fall'], ['330922', 11, 2027, 'prose_value']]
    """
    return _read_table("findings", data_dir(data))


def load_tables(data: object = None) -> dict[str, pd.DataFrame]:
    """Load all tables of a build, in the order of its ``datapackage.json``; see :func:`load_table`.

    >>> list(load_tables())[:2]
    ['targets', 'prose_targets']
    """
    folder = data_dir(data)
    try:
        described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        resources = [resource["name"] for resource in described["resources"]]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(Problem("data_unreadable", "datapackage.json", values={"reason": str(error)})) from error
    return {name: _read_table(name, folder) for name in resources}


def explain(region: object, indicator: object, year: int | None = None, data: object = None) -> pd.DataFrame:
    """Trace the values of one row of one plan to file, place and printed text.

    Parameters
    ----------
    region : int or str
        Code or name.
    indicator : str or int
        The code, a name (short, full or as printed) or a part of one; or the place of the row in the plan, 1 for the
        first, which need not be the number that is printed there.
    year : int, optional
        Only this year.
    data : path or address, optional
        Folder of the build.

    Returns
    -------
    DataFrame
        The rows of the targets, with ``file`` (name of the source document) and ``sha256`` added.

    Raises
    ------
    DataError
        When the region is unknown or absent, has no such row or year, or has several rows of which the names have
        that part; the error lists them.

    Examples
    --------
    >>> explain("奉化区", "care_workers", 2027)[["raw", "file", "locator"]].values.tolist()
    [['≥32', 'fenghua.txt', 'line 140']]
    >>> explain("奉化区", "养老护理员")["row"].unique().tolist(), explain("奉化区", 13)["indicator"].unique().tolist()
    ([13], ['care_workers'])
    """
    rows = load_targets(data, region)
    asked = str(indicator).strip()
    found = _rows_called(rows, asked)
    if len(found) > 1:
        listed = rows[rows["row"].isin(found)].drop_duplicates("row")
        candidates = "; ".join(f"{row.row} {names.split_unit(row.name)[0]}" for row in listed.itertuples(index=False))
        raise DataError(Problem("row_ambiguous", "targets.csv", text=asked, values={"candidates": candidates}))
    rows = rows[rows["row"].isin(found) & ((rows["year"] == year) if year else True)]
    if rows.empty:
        text = " ".join(str(part) for part in (region, indicator, year) if part is not None)
        raise DataError(Problem("row_absent", "targets.csv", text=text))
    return rows.merge(_sources(data_dir(data)), on="region", how="left")


def _rows_called(rows: pd.DataFrame, asked: str) -> list[int]:
    """The places of the rows of a plan that are meant: by place or by a whole name; else by a part of one."""
    printed = rows.drop_duplicates("row")
    if asked.isdecimal():
        return printed.loc[printed["row"] == int(asked), "row"].tolist()
    wanted = names.folded(asked).casefold()
    called = {row.row: _called(row.indicator, row.name) for row in printed.itertuples(index=False)}
    code = names.find_indicator(asked) or names.find_indicator(names.split_unit(asked)[0])
    whole = [row.row for row in printed.itertuples() if code == row.indicator or wanted in called[row.row]]
    return whole or [place for place, texts in called.items() if any(wanted in text for text in texts)]


def _called(code: str, name: str) -> set[str]:
    """What a row is called: its code, its printed name with and without unit, and the catalogue's names for it."""
    known = catalogue.indicators().query("code == @code")
    texts = [code, name, names.split_unit(name)[0], names.indicator_name(code, "zh")]
    texts += known[["name_zh", "name_en", "short_zh", "short_en"]].to_numpy().ravel().tolist()
    return {names.folded(text).casefold() for text in texts}


def _sources(folder: Path) -> pd.DataFrame:
    try:
        described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        sources = [
            {"region": source["region"], "file": source["path"], "sha256": source["sha256"]}
            for source in described["sources"]
            if "targets" in source["tables"]
        ]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(Problem("data_unreadable", "datapackage.json", values={"reason": str(error)})) from error
    return pd.DataFrame(sources, columns=["region", "file", "sha256"])
