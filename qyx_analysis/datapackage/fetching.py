"""A build at an address of storage -> a folder of this machine, fetched once for each state of it."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
from pathlib import Path
from tempfile import mkdtemp

from qyx_analysis.problems import DataError, Problem
from qyx_analysis.storage import Storage

PACKAGE = "datapackage.json"
_fetched: dict[tuple[str, str], Path] = {}  # by address and checksum of the descriptor, which has those of the tables


def fetched(storage: Storage, inside: str = "") -> Path | None:
    """The folder with the build that is in the folder ``inside`` of a storage; ``None`` when none is.

    It is there as long as this process. Raises ``DataError`` when a table is not the one that the descriptor tells
    of: the build is being replaced, or somebody has changed it.
    """
    package = f"{inside}{PACKAGE}"
    described = storage.read([package]).get(package)
    if described is None:
        return None
    state = f"{storage.name}/{inside}", hashlib.sha256(described).hexdigest()
    if state not in _fetched:
        files = {PACKAGE: described} | _tables(storage, inside, described)
        folder = Path(mkdtemp(prefix="qyx-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        _fetched[state] = folder
    return _fetched[state]


def _tables(storage: Storage, inside: str, described: bytes) -> dict[str, bytes]:
    where = f"{storage.name}/{inside}{PACKAGE}"
    try:
        sums = {resource["path"]: resource["hash"] for resource in json.loads(described)["resources"]}
        if any(Path(name).name != name for name in sums):
            raise ValueError("path")
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(Problem("data_unreadable", where, values={"reason": f"{PACKAGE}: {error}"})) from error
    found = storage.read(f"{inside}{name}" for name in sums)
    tables = {name: found.get(f"{inside}{name}", b"") for name in sums}
    torn = [name for name, data in tables.items() if f"sha256:{hashlib.sha256(data).hexdigest()}" != sums[name]]
    if torn:
        raise DataError(Problem("build_torn", f"{storage.name}/{inside}{torn[0]}"))
    return tables
