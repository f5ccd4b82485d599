"""``qyx template actuals``: write the forms of actual values."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from qyx_analysis.datapackage.loading import data_dir, load_targets
from qyx_analysis.files import write_whole
from qyx_analysis.wings.monitoring.desk import load_governance


def add_commands(add_command: Any) -> None:
    """Add this wing's commands to ``qyx``."""
    command = add_command(
        "template", _template, "生成实际值填报表，每县一份 / write the forms of actual values, one per county",
        "qyx template actuals 330213 --period 2025 --out forms", data=True,
    )  # fmt: skip
    command.add_argument("what", choices=("actuals",), help="实际值 / actual values")
    command.add_argument("region", nargs="*", metavar="REGION", help="地区代码或名称 / codes or names (default: all)")
    command.add_argument(
        "--period", action="append", metavar="PERIOD",
        help="2024、2024Q2 或 2024-06，可重复；默认为已结束的目标年 / repeatable (default: target years that are over)",
    )  # fmt: skip
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="输出文件夹 / folder to write")


def _template(arguments: argparse.Namespace) -> int:
    from qyx_analysis.wings.monitoring.form import actuals_form, form_file

    folder = data_dir(arguments.data)
    targets, governance = load_targets(folder, arguments.region or None), load_governance(folder)
    years = sorted(targets.loc[targets["role"] == "target", "year"].unique())
    periods = arguments.period or [year for year in years if year < date.today().year] or years[:1]
    for region in targets["region"].unique():
        target = arguments.out / form_file(region)
        write_whole(target, actuals_form(targets, region, periods, governance))
        print(target)
    return 0
