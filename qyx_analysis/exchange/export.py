"""A finished build in another format."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from qyx_analysis.datapackage import PACKAGE
from qyx_analysis.exchange.workbook import FIXED, to_csv, to_xlsx
from qyx_analysis.files import write_whole
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.processed import data_dir, load_tables

FORMATS = ("xlsx", "csv", "parquet", "datapackage")
_SUFFIX = {"xlsx": ".xlsx", "datapackage": ".zip"}  # the formats that are one file


def export(form: str, out: Path, data: object = None, bom: bool = False, lang: str = "zh") -> list[Path]:
    """Write a build in another format.

    Parameters
    ----------
    form : str
        ``xlsx`` (one workbook), ``csv`` or ``parquet`` (a file per table), ``datapackage`` (the package as a zip).
    out : Path
        The file of ``xlsx`` and ``datapackage``, whose suffix may be left out; the folder of the others.
    data : path, optional
        Folder of the build, as in ``load_targets``.
    bom : bool
        ``csv`` for a spreadsheet program, see ``to_csv``.
    lang : str
        Language of the workbook.

    Returns
    -------
    list of Path
        The files written, each as a whole or not at all.

    Raises
    ------
    DataError
        When there is no build, or ``out`` cannot be written.
    """
    folder = data_dir(data)
    if form in _SUFFIX:
        target = out if out.suffix else out.with_suffix(_SUFFIX[form])
        content = to_xlsx(load_tables(folder), lang) if form == "xlsx" else _zipped(folder)
        return _written({target: content})
    tables = load_tables(folder)
    if form == "csv":
        return _written({out / f"{name}.csv": to_csv(frame, bom) for name, frame in tables.items()})
    files = {}
    for name, frame in tables.items():
        data_bytes = io.BytesIO()
        frame.to_parquet(data_bytes, index=False)
        files[out / f"{name}.parquet"] = data_bytes.getvalue()
    return _written(files)


def _zipped(folder: Path) -> bytes:
    """The descriptor and the tables it names; the same build gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name in [PACKAGE, *(f"{table}.csv" for table in load_tables(folder))]:
            entry = zipfile.ZipInfo(name, FIXED.timetuple()[:6])
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            package.writestr(entry, (folder / name).read_bytes())
    return out.getvalue()


def _written(files: dict[Path, bytes]) -> list[Path]:
    for path, content in files.items():
        try:
            write_whole(path, content)
        except OSError as error:
            values = {"reason": error.strerror or str(error)}
            raise DataError(Problem("out_unwritable", str(path), values=values)) from error
    return list(files)
