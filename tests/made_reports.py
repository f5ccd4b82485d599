"""What a run of reports has made, for the tests that compare runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.+]+|\d{4}\xe5\xb9\xb4[^<]{2,12}\d\d:\d\d|\d+ [A-Z][a-z]+ \d{4} \d\d:\d\d")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, pages without the times at which they were made, but for the manifest's."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: _TIMES.sub(b"", path.read_bytes()) if path.suffix == ".html" else path.read_bytes()
        for name, path in sorted(found.items())
        if path.name != "manifest.json"
    }


def statuses(folder: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Of each report of the manifest its status and inputs."""
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["reports"]
    return {entry["file"]: (entry["status"], entry["inputs"]) for entry in entries}
