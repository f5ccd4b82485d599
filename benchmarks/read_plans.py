"""How fast are plans read? Documents per second, and ratios against two peers that read the same bytes.

Run it with ``make bench``; benchmarks/README.md says how to read the result.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pandas as pd

from qyx_analysis import catalogue
from qyx_analysis.files import SOURCES, csv_bytes, raw_dir, read_sources
from qyx_analysis.names import region_name
from qyx_analysis.tidy.reading import read_plans

COUNTS = (4, 90)  # the plans there are, and the county-level divisions of the province
ROUNDS = 7


def copies(folder: Path, count: int) -> list[Path]:
    """Fill ``folder`` with ``count`` plans: copies of the real ones, each for another county."""
    sources = read_sources(raw_dir())
    counties = catalogue.regions().query("level == 'county'").head(count)
    register = []
    for i, county in enumerate(counties.itertuples()):
        source = sources.iloc[i % len(sources)]
        text = (raw_dir() / source["file"]).read_bytes().decode("utf-8")
        data = text.replace(region_name(source["region"]), county.name_zh).encode("utf-8")
        (folder / f"{county.code}.txt").write_bytes(data)
        register.append((f"{county.code}.txt", county.code, hashlib.sha256(data).hexdigest()))
    (folder / SOURCES).write_bytes(csv_bytes(pd.DataFrame(register, columns=["file", "region", "sha256"])))
    return sorted(folder.glob("*.txt"))


def ours(paths: list[Path]) -> None:
    """Everything from the bytes to the typed, tidy frame."""
    reading = read_plans([paths[0].parent])
    assert len(reading.plans) == len(paths), reading.problems


def with_pandas(paths: list[Path]) -> None:
    """The least that pandas does with the same text: each file to a frame of lines, nothing understood."""
    for path in paths:
        pd.read_csv(path, sep="\x01", header=None, names=["line"], quoting=3, encoding="utf-8")


def split_lines(paths: list[Path]) -> None:
    """The floor: checksum, decode and cut into lines, in plain Python."""
    for path in paths:
        data = path.read_bytes()
        hashlib.sha256(data).hexdigest()
        data.decode("utf-8").split("\n")


def seconds(job: Callable[[list[Path]], None], paths: list[Path]) -> float:
    """Processor time per document; a few documents are read again and again, so that a clock tick is small."""
    repeats = max(COUNTS) // len(paths)
    start = time.process_time()
    for _ in range(repeats):
        job(paths)
    return (time.process_time() - start) / (repeats * len(paths))


def measure() -> dict[tuple[str, int], float]:
    """Median seconds of each job and count; the rounds are interleaved so that a slow machine slows all alike."""
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for count in COUNTS:
            Path(folder, str(count)).mkdir()
            paths = copies(Path(folder, str(count)), count)
            cases += [(job, paths) for job in (ours, with_pandas, split_lines)]
        for job, paths in cases:
            job(paths)  # warm: files in memory, patterns compiled
        rounds = [[seconds(job, paths) for job, paths in cases] for _ in range(ROUNDS)]
    medians = map(median, zip(*rounds, strict=True))
    return {(job.__name__, len(paths)): time for (job, paths), time in zip(cases, medians, strict=True)}


def main() -> None:
    each = measure()
    print("read_plans     documents/s   x pandas.read_csv   x line split")
    for count in COUNTS:
        own = each["ours", count]
        ratios = (own / each["with_pandas", count], own / each["split_lines", count])
        print(f"{count:4d} documents {1 / own:12.0f} {ratios[0]:19.1f} {ratios[1]:14.0f}")
    few, many = COUNTS
    print(f"one of {many} takes {each['ours', many] / each['ours', few]:.2f} x one of {few}")


if __name__ == "__main__":
    main()
