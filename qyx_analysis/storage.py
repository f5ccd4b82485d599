"""Folders at addresses of storage, ``s3://bucket/reports`` or another that fsspec knows: files in and out, whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from qyx_analysis import raw
from qyx_analysis.problems import DataError, Problem

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:(//|:)", re.IGNORECASE)  # not C://
_BROKEN = re.compile(r"[a-z][a-z0-9+.-]+:[/\\]", re.IGNORECASE)  # an address of which a path took one slash
_SECRET = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


def is_address(given: object) -> bool:
    """Whether this is an address and not a path.

    >>> is_address("s3://bucket/data"), is_address("C://data")
    (True, False)
    """
    return bool(_ADDRESS.match(str(given)))


def folder_at(given: object) -> Path | Storage:
    """The folder that a path or an address means; ``file://`` is a path as well.

    >>> folder_at("reports").name
    'reports'
    """
    text = str(given)
    if not is_address(text):
        if _BROKEN.match(text):
            raise DataError(Problem("address_broken", text))
        return Path(text)
    storage = Storage(text)
    return Path(storage.root) if storage.is_local else storage


def without_password(address: object) -> str:
    """How an address may be shown.

    >>> without_password("sftp://reader:secret@host/reports")
    'sftp://reader:***@host/reports'
    """
    return _SECRET.sub(r"\1:***@", str(address))


class Storage:
    """A folder at an address. Whatever goes wrong there is a ``DataError`` of one line that names the address.

    ``name`` is the address without its password; ``root`` is what the file system calls the folder.
    """

    def __init__(self, address: str) -> None:
        self.name = without_password(address.rstrip("/"))
        with self._told():
            from fsspec.core import url_to_fs
            from fsspec.implementations.local import LocalFileSystem
            from fsspec.spec import AbstractFileSystem

            self._files, root = url_to_fs(address)
            self.root = root.rstrip("/")
            self.is_local = isinstance(self._files, LocalFileSystem)
            # Object stores show a file when all of it is there and cannot rename; what can, shows half of it before.
            self._renames = type(self._files).mv is not AbstractFileSystem.mv
        self._made: set[str] = set()

    def sizes(self, folder: str = "") -> dict[str, int]:
        """The files of a folder in this one, by their name from here, with their bytes; none where it is not there."""
        where = self._path(folder)
        with self._told():
            self._files.invalidate_cache()
            try:
                listed = self._files.ls(where, detail=True)
            except FileNotFoundError:
                return {}
        names = {entry["name"].rstrip("/").rpartition("/")[2]: entry for entry in listed if entry["type"] == "file"}
        return {f"{folder}/{name}" if folder else name: int(entry["size"]) for name, entry in names.items()}

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """The files of these names that are there."""
        names = list(names)
        with self._told():
            self._files.invalidate_cache()
            read = self._files.cat_ranges([self._path(name) for name in names], None, None, on_error="return")
            for content in read:
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        return {name: content for name, content in zip(names, read, strict=True) if isinstance(content, bytes)}

    def ends(self, sizes: Mapping[str, int], head: int, tail: int) -> dict[str, tuple[bytes, bytes]]:
        """The first and the last bytes of files that are there."""
        paths = [self._path(name) for name in sizes]
        starts = [max(0, size - tail) for size in sizes.values()]
        with self._told():
            read = self._files.cat_ranges(
                paths * 2,
                [0] * len(paths) + starts,
                [min(head, size) for size in sizes.values()] + list(sizes.values()),
                on_error="return",
            )
            for content in read:
                if isinstance(content, Exception):
                    raise content
        return dict(zip(sizes, zip(read[: len(paths)], read[len(paths) :], strict=True), strict=True))

    def write(self, folder: Path, names: Iterable[str]) -> None:
        """Write files of a folder of this machine under the same names; each appears as a whole."""
        files = {str(folder / name): self._path(name) for name in names}
        with self._told():
            if not self._renames:
                if files:
                    self._files.put(list(files), list(files.values()))
                return
            for here, there in files.items():
                self._replace(here, there)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; one that is not there is none to remove."""
        with self._told():
            for name in names:
                with suppress(FileNotFoundError):
                    self._files.rm_file(self._path(name))

    def check(self, *inside: str) -> None:
        """Refuse a folder that cannot be written, and remove what runs that were killed left unfinished.

        Also in the folders ``inside``, and only what this machine knows to be left: of another it may be in work.
        """
        self.remove(name for folder in ("", *inside) for name in self.sizes(folder) if raw.writer_is_gone(name))
        probe = raw.unfinished_name("qyx")
        with self._told():
            self._make_folder(self._path(probe))
            self._files.pipe_file(self._path(probe), b"qyx")
        self.remove([probe])

    def _replace(self, here: str, there: str) -> None:
        folder, _, name = there.rpartition("/")
        beside = f"{folder}/{raw.unfinished_name(name)}"
        self._make_folder(there)
        try:
            self._files.put_file(here, beside)
            with suppress(Exception):  # some servers refuse, others do nothing, when there is such a file
                self._files.mv(beside, there)
            self._files.invalidate_cache()
            if self._files.exists(beside):
                if self._files.exists(there):
                    self._files.rm_file(there)
                self._files.mv(beside, there)
        except BaseException:
            with suppress(Exception):
                self._files.rm_file(beside)
            raise

    def _make_folder(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if self._renames and folder not in self._made:  # object stores have no folders, and would make a bucket
            self._files.makedirs(folder, exist_ok=True)
            self._made.add(folder)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root or "/"

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
