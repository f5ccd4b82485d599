"""The folder that reports are written to: one of this machine, or one at an address of storage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from qyx_analysis import raw
from qyx_analysis.notebook.desk import LANGUAGES
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.reports.downloads import FIGURES, TABLES, figures_in, workbook_file
from qyx_analysis.reports.index import Outcome, is_report
from qyx_analysis.reports.record import HEAD, MANIFEST, TAIL, known_hashes
from qyx_analysis.storage import Storage, folder_at


class ReportFolder:
    """A folder of this machine: ``path``. What is in it of earlier runs is known from the beginning.

    ``hashes`` are the checksums of pages that are not here as they are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hashes: dict[str, str] = {}
        self._figures = figures_in(path)

    def prepare(self) -> None:
        """Make the folder, and remove what runs that were killed left unfinished."""
        self.path.mkdir(parents=True, exist_ok=True)
        raw.remove_stale(self.path)

    def put(self, outcome: Outcome, files: Mapping[str, bytes]) -> None:
        """Write a report: its figures, then its page. Figures of an earlier run that had more are removed."""
        page = {outcome.file: files[outcome.file]}
        self._write({name: data for name, data in files.items() if name not in page})
        self._write(page)
        before = self._figures.get((outcome.file.split(".")[0], outcome.lang), {})
        self._remove({file for forms in before.values() for file in forms.values()} - set(files))

    def finish(self) -> None:
        """Publish tables, index and manifest when they are written: here they are in their place."""

    def _write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            raw.write_whole(self.path / name, data)

    def _remove(self, names: Iterable[str]) -> None:
        for path in (self.path / name for name in names):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # a figure that is open in Windows
                values = {"reason": error.strerror or str(error)}
                raise DataError(Problem("out_unwritable", str(path), values=values)) from error


class StoredFolder(ReportFolder):
    """A folder at an address, and one here that stands in for it as long as a run takes.

    Of an earlier run it has what a run reads: the ends of the pages, names and sizes of the rest, the manifest and the
    workbooks. These have no time; what has one was written by this run.
    """

    def __init__(self, storage: Storage, here: Path) -> None:
        self._storage = storage
        found = {name: size for folder in ("", TABLES, FIGURES) for name, size in storage.sizes(folder).items()}
        sizes = {name: size for name, size in found.items() if not name.rpartition("/")[2].startswith(".")}
        pages = {name: size for name, size in sizes.items() if is_report(name) and size}
        for name, size in sizes.items():
            if name in pages or "/" in name:
                _stand_in(here / name, size)
        for name, (head, tail) in storage.ends(pages, HEAD, TAIL).items():
            _stand_in(here / name, pages[name], head, tail)
        self._fetch({MANIFEST, *map(workbook_file, LANGUAGES)} & set(sizes), here)
        hashes = known_hashes(here, pages)
        self._fetch(set(pages) - set(hashes), here)
        super().__init__(here)
        self.hashes = hashes

    def prepare(self) -> None:
        self._storage.check(TABLES, FIGURES)

    def finish(self) -> None:
        written = [path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()]
        written = [name for name in written if (self.path / name).stat().st_mtime]
        tables = {name for name in written if name.startswith(f"{TABLES}/")}
        for names in (tables, {name for name in written if name.startswith("index")}, {MANIFEST} & set(written)):
            self._storage.write(self.path, sorted(names))

    def _fetch(self, names: Iterable[str], here: Path) -> None:
        for name, data in self._storage.read(sorted(names)).items():
            _stand_in(here / name, len(data), data)

    def _write(self, files: Mapping[str, bytes]) -> None:
        super()._write(files)
        self._storage.write(self.path, files)
        for name in files:
            self.hashes.pop(name, None)

    def _remove(self, names: Iterable[str]) -> None:
        names = list(names)
        super()._remove(names)
        self._storage.remove(names)


@contextmanager
def report_folder(out: object) -> Iterator[ReportFolder]:
    """The folder that a path or an address means, for one run."""
    folder = folder_at(out)
    if isinstance(folder, Path):
        yield ReportFolder(folder)
        return
    with TemporaryDirectory(prefix="qyx-", ignore_cleanup_errors=True) as here:
        yield StoredFolder(folder, Path(here))


def _stand_in(path: Path, size: int, head: bytes = b"", tail: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
        file.write(head)
        file.seek(size - len(tail))
        file.write(tail)
    os.utime(path, (0, 0))
