"""Where files are, at a path or an address of storage; whole writes; the register of sources ``sources.csv``."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import platform
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import pandas as pd

from qyx_analysis.catalogue import project_dir
from qyx_analysis.problems import DataError, Problem

SOURCES = "sources.csv"
FACTS = "prose"  # the folder beside the documents with the facts of their sentences
SOURCE_COLUMNS = (
    *("file", "region", "issuer", "document_number", "date", "title", "layout", "sha256", "supersedes", "note"),
)
_DAY = 86_400.0  # seconds
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:(//|:)", re.IGNORECASE)  # not C://
_BROKEN = re.compile(r"[a-z][a-z0-9+.-]+:[/\\]", re.IGNORECASE)  # an address of which a path took one slash
_SECRET = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


def raw_dir() -> Path:
    """The folder of the source documents: ``data/raw`` of the project."""
    return project_dir() / "data" / "raw"


# --- whole writes -----------------------------------------------------------------------------------------


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
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def unwritable(path: object, error: OSError) -> DataError:
    """What is said of a file or folder that cannot be written."""
    return DataError(Problem("out_unwritable", str(path), values={"reason": error.strerror or str(error)}))


def unfinished_name(name: str) -> str:
    """The name that a file has until all of it is written: it tells who writes it."""
    return f".{name}.{_writer()}.{secrets.token_hex(4)}.part"


def _writer() -> str:
    """This machine and process, in the name of a file that is not finished."""
    return f"{re.sub(r'[^a-zA-Z0-9-]', '-', platform.node())}~{os.getpid()}"


def writer_is_gone(name: str) -> bool | None:
    """Whether who writes the file of an unfinished name is gone; ``None`` where this machine cannot tell."""
    writer = re.search(r"\.([a-zA-Z0-9-]*)~(\d+)\.[^.]*\.part$", name)
    if not writer or writer[1] != _writer().partition("~")[0] or os.name != "posix":
        return None
    try:
        os.kill(int(writer[2]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's
        pass
    return False


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as UTF-8 CSV with ``\\n`` line ends; whole numbers without ``.0``, infinity as ``INF`` (Table Schema)."""
    text = io.StringIO()
    frame.apply(_plain_numbers).to_csv(text, index=False, lineterminator="\n")
    return text.getvalue().encode("utf-8")


def _plain_numbers(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_float_dtype(column):
        return column
    return column.map(lambda value: "" if value != value else f"{value:.12g}".replace("inf", "INF"))


def set_types(frame: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
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


# --- the register -----------------------------------------------------------------------------------------


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


# --- folders at paths and at addresses --------------------------------------------------------------------


def is_address(given: object) -> bool:
    """Whether this is an address and not a path.

    >>> is_address("s3://bucket/data"), is_address("C://data")
    (True, False)
    """
    return bool(_ADDRESS.match(str(given)))


def without_password(address: object) -> str:
    """How an address may be shown.

    >>> without_password("sftp://reader:secret@host/reports")
    'sftp://reader:***@host/reports'
    """
    return _SECRET.sub(r"\1:***@", str(address))


def folder_at(given: object) -> Folder:
    """The folder that a path or an address means; ``file://`` is a path as well.

    >>> folder_at("reports").path
    PosixPath('reports')
    """
    text = str(given)
    if is_address(text):
        stored = StoredFolder(text)
        return Folder(Path(stored.path)) if stored.is_local else stored
    if _BROKEN.match(text):
        raise DataError(Problem("address_broken", text))
    return Folder(Path(text))


class Folder:
    """A folder of this machine. Its files are named from here: ``index.html``, ``data/targets.csv``.

    ``name`` is how it may be shown. A file appears as a whole, whoever reads meanwhile and whatever becomes of us.
    """

    def __init__(self, path: Path) -> None:
        self.path: Any = path
        self.name = str(path)

    def sizes(self, inside: str = "") -> dict[str, int]:
        """The files of this folder, or of the one ``inside`` it, with their bytes; none where there is no folder."""
        return {name: size for name, size in self._list(inside) if not name.rpartition("/")[2].startswith(".")}

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Those of the files that are there."""
        there = {name: self.path / name for name in names}
        return {name: path.read_bytes() for name, path in there.items() if path.is_file()}

    def read_ends(self, sizes: Mapping[str, int], length: int) -> dict[str, bytes]:
        """The first and the last bytes of files that are there, as one."""
        found = {}
        for name, size in sizes.items():
            with suppress(OSError), (self.path / name).open("rb") as file:
                head = file.read(length)
                file.seek(max(0, size - length))
                found[name] = head + file.read()
        return found

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files, each as a whole."""
        for name, data in files.items():
            write_whole(self.path / name, data)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; one that is not there is none to remove."""
        for path in (self.path / name for name in names):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # one that is open in Windows
                raise unwritable(path, error) from error

    def prepare(self, *inside: str) -> None:
        """Make it a folder that can be written; remove what runs that were killed left, also in folders ``inside``.

        Of this machine's runs what is left goes at once, of others' after a day: they may be at work.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error
        for path in self.path.rglob(".*.part"):
            with suppress(OSError):
                gone = writer_is_gone(path.name)
                if gone or (gone is None and time.time() - path.stat().st_mtime > _DAY):
                    path.unlink()

    def _list(self, inside: str) -> Iterator[tuple[str, int]]:
        for path in self.path.joinpath(inside).glob("*"):
            if path.is_file():
                yield path.relative_to(self.path).as_posix(), path.stat().st_size


class StoredFolder(Folder):
    """A folder at an address that fsspec knows. What goes wrong there is an error of one line that names the address.

    ``path`` is what the storage calls the folder; what many files need is asked for at once.
    """

    def __init__(self, address: str) -> None:
        self.name = without_password(address.rstrip("/"))
        with self._told():
            from fsspec.core import url_to_fs
            from fsspec.implementations.local import LocalFileSystem
            from fsspec.spec import AbstractFileSystem

            self._files, root = url_to_fs(address)
            self.path = root.rstrip("/")
            self.is_local = isinstance(self._files, LocalFileSystem)
            # Object stores show a file when all of it is there and cannot rename; what can, shows half of it before.
            self._renames = type(self._files).mv is not AbstractFileSystem.mv

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        names = list(names)
        found = zip(names, self._parts([(name, None, None) for name in names]), strict=True)
        return {name: content for name, content in found if content is not None}

    def read_ends(self, sizes: Mapping[str, int], length: int) -> dict[str, bytes]:
        heads = self._parts([(name, 0, min(length, size)) for name, size in sizes.items()])
        tails = self._parts([(name, max(0, size - length), size) for name, size in sizes.items()])
        return {name: head + tail for name, head, tail in zip(sizes, heads, tails, strict=True) if head and tail}

    def write(self, files: Mapping[str, bytes]) -> None:
        with TemporaryDirectory(prefix="qyx-") as here, self._told():
            sent = {}  # from the disk: then fsspec tells an object store of which kind a file is, and browsers show it
            for number, (name, data) in enumerate(files.items()):
                path = Path(here, str(number)).with_suffix(Path(name).suffix)
                path.write_bytes(data)
                sent[str(path)] = self._at(name)
            if not self._renames:
                self._files.put(list(sent), list(sent.values()))
                return
            for folder in {there.rpartition("/")[0] for there in sent.values()}:
                self._files.makedirs(folder, exist_ok=True)
            for sending, there in sent.items():
                self._replace(sending, there)

    def remove(self, names: Iterable[str]) -> None:
        with self._told():
            for name in names:
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._at(name))

    def prepare(self, *inside: str) -> None:
        probe = unfinished_name("qyx")
        self.write({probe: b"qyx"})
        left = [name for folder in ("", *inside) for name, _ in self._list(folder) if writer_is_gone(name)]
        self.remove([probe, *left])

    def _list(self, inside: str) -> Iterator[tuple[str, int]]:
        with self._told(), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            for entry in self._files.ls(self._at(inside), detail=True):
                if entry["type"] == "file":
                    yield "/".join(filter(None, (inside, entry["name"].rpartition("/")[2]))), int(entry["size"])

    def _parts(self, parts: list[tuple[str, int | None, int | None]]) -> list[bytes | None]:
        """Parts of files, from one byte to another; nothing where there is no such file."""
        with self._told():
            self._files.invalidate_cache()
            names, starts, ends = zip(*parts, strict=True) if parts else ((), (), ())
            paths = [self._at(name) for name in names]
            found = self._files.cat_ranges(paths, list(starts), list(ends), on_error="return")
            for content in found:
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        return [None if isinstance(content, Exception) else content for content in found]

    def _replace(self, sending: str, there: str) -> None:
        folder, _, name = there.rpartition("/")
        beside = f"{folder}/{unfinished_name(name)}"
        try:
            self._files.put_file(sending, beside)
            with suppress(Exception):  # some servers refuse, others do nothing, when there is such a file
                self._files.mv(beside, there)
            self._files.invalidate_cache()
            if self._files.exists(beside):
                with suppress(FileNotFoundError):
                    self._files.rm_file(there)
                self._files.mv(beside, there)
        except BaseException:
            with suppress(Exception):
                self._files.rm_file(beside)
            raise

    def _at(self, name: str) -> str:
        return f"{self.path}/{name}" if name else self.path or "/"

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except Exception as error:  # each kind of storage has its own
            key = "storage_not_installed" if isinstance(error, ImportError) else "storage_failed"
            reason = without_password(error).partition("\n")[0] or type(error).__name__
            raise DataError(Problem(key, self.name, values={"reason": reason})) from error
