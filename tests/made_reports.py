"""What a run of reports has made, for the tests that compare runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Each notebook is given back as it is, after a while: what becomes of files is the same as with kernels.
_PROGRAM = """
import json, sys, time
from qyx_analysis.reports import make_reports, making, runner
making.execute = lambda notebook, *_: time.sleep(0.1) or notebook
making._open_before = lambda *_: None
runner.in_processes = lambda work, tasks, *_: enumerate(map(work, tasks))
{before}
make_reports(quiet=True, **json.loads(sys.argv[1]))
"""

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


def started(before: str = "", stderr: Any = None, **asked: Any) -> subprocess.Popen[bytes]:
    """A run of reports in a process of its own, to be killed or watched, without kernels."""
    given = {name: str(value) if isinstance(value, Path) else value for name, value in asked.items()}
    command = [sys.executable, "-c", _PROGRAM.format(before=before), json.dumps(given)]
    return subprocess.Popen(command, cwd=ROOT, stderr=stderr)
