"""``qyx extract``: keep the facts of a plan's sentences."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.wings.sentences.facts import extract


def add_commands(add_command: Any) -> None:
    """Add this wing's commands to ``qyx``."""
    command = add_command(
        "extract", _extract, "只保留规划正文的事实 / keep the facts of a plan's sentences, not the sentences",
        "qyx extract ningbo.txt",
    )  # fmt: skip
    command.add_argument("file", type=Path, metavar="FILE", help="规划全文 / the whole document")
    command.add_argument("--region", metavar="CODE", help="地区代码或名称 / code or name, if the title does not tell")
    command.add_argument(
        "--raw", type=Path, metavar="DIR", help="原始资料文件夹 / folder of the documents (default: data/raw)"
    )


def _extract(arguments: argparse.Namespace) -> int:
    said = extract(arguments.file, arguments.region, arguments.raw)
    name = f"{said.region} {region_name(said.region)} {region_name(said.region, 'en')}"
    counts = f"{len(said.targets)} 个目标 / targets, {len(said.governance)} 条治理信息 / rows of governance"
    print(f"{said.document}: {name}, {counts}")
    return 0
