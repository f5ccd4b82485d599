"""Where the project's files are, and the register of source documents: ``data/raw/sources.csv``."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import platform
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import pandas as pd

from qyx_analysis.catalogue import project_dir
from qyx_analysis.problems import DataError, Problem

SOURCES = "sources.csv"
FACTS = "prose"  # the folder beside the documents with the facts of their sentences
_DAY = 86_400.0  # seconds
SOURCE_COLUMNS = (
    "file",
    "region",
    "issuer",
    "document_number",
    "date",
    "title",
    "layout",
    "sha256",
    "supersedes",
    "note",
)


def raw_dir() -> Path:
    """The folder of the source documents: ``data/raw`` of the project."""
    return project_dir() / "data" / "raw"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that its final name never shows half of it.

    Raises :class:`~qyx_analysis.problems.DataError` when it cannot be written.
    """
    temporary = path.with_name(unfinished_name(path.name))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise DataError(
            Problem("out_unwritable", str(path), values={"reason": error.strerror or str(error)})
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def unfinished_name(name: str) -> str:
    """The name that a file has until all of it is written: it tells who writes it."""
    return f".{name}.{_writer()}.{secrets.token_hex(4)}.part"


def _writer() -> str:
    """This machine and process, in the name of a file that is not finished."""
    return f"{re.sub(r'[^a-zA-Z0-9-]', '-', platform.node())}~{os.getpid()}"


def remove_stale(folder: Path) -> None:
    """Remove the unfinished files of processes that are gone: of this machine's at once, of others' after a day."""
    for path in folder.rglob(".*.part"):
        with suppress(OSError):
            gone = writer_is_gone(path.name)
            if gone or (gone is None and time.time() - path.stat().st_mtime > _DAY):
                path.unlink()


def writer_is_gone(name: str) -> bool | None:
    """Whether who writes the file of an unfinished name is gone; ``None`` where this machine cannot tell."""
    writer = re.search(r"\.([a-zA-Z0-9-]*)~(\d+)\.[^.]*\.part$", name)
    if not writer or writer[1] != _writer().partition("~")[0] or os.name != "posix":
        return None
    return not _runs(int(writer[2]))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as UTF-8 CSV with ``\\n`` line ends; whole numbers without ``.0``, infinity as ``INF`` (Table Schema)."""
    text = io.StringIO()
    frame.apply(_plain_numbers).to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode("utf-8")


def _plain_numbers(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_float_dtype(column):
        return column
    return column.map(lambda value: "" if value != value else f"{value:.12g}".replace("inf", "INF"))


def typed(frame: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
    """The columns of ``types`` in their order, with these pandas types; a missing text is empty."""
    texts = dict.fromkeys((column for column, kind in types.items() if kind == "str"), "")
    return frame.reindex(columns=list(types)).astype(dict.fromkeys(texts, object)).fillna(texts).astype(types)


def read_typed(source: Path | IO[bytes], types: dict[str, str]) -> pd.DataFrame:
    """Read back what :func:`csv_bytes` wrote, with the pandas types of its columns; empty texts stay empty texts."""
    texts = [column for column, kind in types.items() if kind == "str"]
    frame = pd.read_csv(
        source, encoding="utf-8", dtype=dict.fromkeys(texts, "str"), keep_default_na=False,
        na_values={column: [""] for column in types if column not in texts},
    )  # fmt: skip
    return frame.astype(types)


def read_sources(folder: Path) -> pd.DataFrame:
    """Read ``sources.csv`` of a folder, all columns as text; an empty frame where there is none.

    Raises :class:`~qyx_analysis.problems.DataError` when a column is missing or a file stands there twice.
    """
    path = folder / SOURCES
    if not path.is_file():
        return pd.DataFrame(columns=list(SOURCE_COLUMNS), dtype=str)
    try:
        sources = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(Problem("sources_unreadable", SOURCES, values={"reason": str(error)})) from error
    missing = [column for column in ("file", "region", "sha256") if column not in sources.columns]
    if missing:
        raise DataError(Problem("sources_columns", SOURCES, "line 1", ", ".join(missing)))
    twice = sources.loc[sources["file"].duplicated(), "file"]
    if len(twice):
        raise DataError(Problem("sources_twice", SOURCES, text=twice.iloc[0]))
    return sources


def register(folder: Path, source: Path, entry: dict[str, str]) -> Path:
    """Copy a document into ``folder`` and write its line in ``sources.csv``: the file first, then the line.

    Raises :class:`~qyx_analysis.problems.DataError` when a file of that name or stem is registered already.
    """
    sources = read_sources(folder)
    taken = {Path(name).stem for name in sources["file"]} | {path.stem for path in folder.glob("*")}
    if source.stem in taken:
        raise DataError(Problem("add_name_taken", source.name, values={"folder": folder.name}))
    data = source.read_bytes()
    target = folder / source.name
    line = dict.fromkeys(SOURCE_COLUMNS, "") | entry
    line |= {"file": source.name, "sha256": hashlib.sha256(data).hexdigest()}
    write_whole(target, data)
    write_sources(folder, pd.concat([sources, pd.DataFrame([line])], ignore_index=True))
    return target


def write_sources(folder: Path, sources: pd.DataFrame) -> None:
    """Write ``sources.csv`` of a folder; all columns are text."""
    text = sources.fillna("").to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    write_whole(folder / SOURCES, text.encode("utf-8"))
