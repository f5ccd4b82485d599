"""What a benchmark compares with is installed beside the project, never into its environment."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


def pip(python: Any, *arguments: Any) -> list[Any]:
    """The command that installs with the pip of ``python``."""
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", *arguments]


def made(folder: Path, requirements: Path, *commands: list[Any]) -> bool:
    """Fill ``folder`` by ``commands``, unless these requirements filled it already; False where that is impossible."""
    wanted, done = requirements.read_bytes(), folder / ".ready"
    if not done.exists() or done.read_bytes() != wanted:
        print(f"making {folder.name} with the packages of {requirements.name} (a minute or two)", flush=True)
        try:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
        except (OSError, subprocess.CalledProcessError) as error:
            reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
            print(f"It could not be made (no network?), so its peers are not measured: {reason}", flush=True)
            return False
        done.write_bytes(wanted)
    return True
