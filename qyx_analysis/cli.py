"""The command ``qyx``: arguments in, the library's functions called, problems printed one per line.

A command is two functions: ``_NAME_options`` adds its arguments, ``_NAME`` runs it. Wings add commands of their own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import __version__, catalogue, names
from qyx_analysis.datapackage import loading
from qyx_analysis.files import is_address, project_dir, raw_dir, without_password
from qyx_analysis.problems import DataError, Problem, shown
from qyx_analysis.tidy.reading import add_document
from qyx_analysis.wings import Input, wings

_FEW = 3  # of the absent indicators are named


def main(argv: list[str] | None = None) -> int:
    """Run ``qyx``; the exit status is 0 when all went well, 1 when a part failed, 2 when nothing was done."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a character must not stop the work
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except DataError as error:
        _complain(error.problems)
        return 2
    except catalogue.CatalogueError as error:
        _complain([error])
        return 2
    except KeyboardInterrupt:
        print("已中断 / interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `qyx list regions | head`
        sys.stderr.close()
        return 0


def _complain(problems: Iterable[object]) -> None:
    for problem in problems:
        print(f"qyx: {problem}", file=sys.stderr)


def _both(key: str, **values: object) -> str:
    return " / ".join(catalogue.message(key, lang, **values) for lang in ("zh", "en"))


# --- the parser -------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qyx",
        description="县级公共服务“七优享”规划：目标表、测度与报告 / tidy data, measures and reports from county plans",
        epilog="example: qyx build && qyx report",
    )
    parser.add_argument("--version", action="version", version=f"qyx {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add_command(name: str, run: object, text: str, example: str, data: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}")
        command.set_defaults(run=run)
        if data:
            help_text = "数据文件夹 / folder of a build (default: QYX_DATA, else data/processed)"
            command.add_argument("--data", type=_folder, metavar="DIR", help=help_text)
        return command

    for add_options in (
        *(_add_options, _build_options, _report_options, _explain_options, _names_options),
        *(_diff_options, _doctor_options, _list_options),
        *(wing.add_commands for wing in wings() if wing.add_commands),
    ):
        add_options(add_command)
    return parser


AddCommand = Callable[..., argparse.ArgumentParser]


def _positive(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        number = kind(text)
        if number <= 0:
            raise ValueError(text)
        return number

    read.__name__ = kind.__name__  # in argparse's own message
    return read


def _folder(text: str) -> Path | str:
    """A path, or an address of storage, which a path would change."""
    return text.rstrip("/") if is_address(text) else Path(text)


# --- documents into data ----------------------------------------------------------------------------------


def _add_options(add_command: AddCommand) -> None:
    command = add_command(
        "add", _add, "登记一份规划 / put a document into data/raw", "qyx add ninghai.txt --region 330226"
    )
    command.add_argument("file", type=Path, metavar="FILE", help="规划文本 / the document")
    region_help = "地区代码或名称（标题已写明时可省略）/ code or name, if the title does not tell"
    command.add_argument("--region", metavar="CODE", help=region_help)
    raw_help = "原始资料文件夹 / folder of the documents (default: data/raw)"
    command.add_argument("--raw", type=Path, metavar="DIR", help=raw_help)


def _add(arguments: argparse.Namespace) -> int:
    target, plan = add_document(arguments.file, arguments.region, arguments.raw)
    name = f"{plan.region} {names.region_name(plan.region)} {names.region_name(plan.region, 'en')}"
    print(f"{target}: {name}, {plan.targets['indicator'].nunique()} 行 / rows")
    return 0


def _build_options(add_command: AddCommand) -> None:
    command = add_command(
        "build", _build, "读取规划、写出数据 / read the plans, write the data",
        "qyx build  |  qyx build county.txt --out /tmp/county",
    )  # fmt: skip
    path_help = "文件或文件夹 / files or folders (default: data/raw)"
    command.add_argument("path", type=Path, nargs="*", metavar="PATH", help=path_help)
    region_help = "单个文件的地区 / region of a single document that does not tell"
    command.add_argument("--region", metavar="CODE", help=region_help)
    out_help = "输出文件夹 / folder to write (default: data/processed)"
    command.add_argument("--out", type=_folder, metavar="DIR", help=out_help)
    for name, wing_input in _inputs().items():
        command.add_argument(f"--{name}", type=Path, action="append", metavar="PATH", help=wing_input.help)
    command.epilog = (
        f"{command.epilog}. Exit status: 0 everything read; 1 some files failed and are named; 2 nothing written."
    )


def _build(arguments: argparse.Namespace) -> int:
    from qyx_analysis.datapackage.building import build

    out = arguments.out or project_dir() / "data" / "processed"
    paths = arguments.path or [raw_dir()]
    inputs = {name: _given(arguments, name, wing_input) for name, wing_input in _inputs().items()}
    built = build(paths, out, arguments.region, jobs=os.cpu_count() or 1, progress=True, **inputs)
    _complain(built.problems)
    for plan in built.plans:
        if not plan.table:
            _complain([Problem("plan_in_prose", plan.document.name)])
        elif plan.absent:
            few, n = "、".join(plan.absent[:_FEW]), len(plan.absent)
            _complain([Problem("note_absent", plan.document.name, values={"n": n, "listed": few})])
    if built.exit_status == 2:
        print("qyx: 没有可用的文件，未写入任何内容 / no usable file, nothing written", file=sys.stderr)
        return built.exit_status
    counts = built.tables["findings"]["severity"].value_counts()
    levels = ", ".join(f"{counts.get(level, 0)} {level}" for level in ("error", "warning", "info"))
    cells, tables = sum(len(plan.targets) for plan in built.plans), sum(1 for plan in built.plans if plan.table)
    read = ", ".join([f"{tables} 份目标表 / tables", f"{cells} 个数值 / values", *built.counts])
    print(f"{without_password(built.out)}: {read}, 提示 / findings: {levels}")
    return built.exit_status


def _inputs() -> dict[str, Input]:
    """The files that wings read in a build besides plans."""
    return {name: wing_input for wing in wings() for name, wing_input in wing.inputs.items()}


def _given(arguments: argparse.Namespace, name: str, wing_input: Input) -> list[Path]:
    """The files given for an input; else its own folder, where the plans too are those of the project."""
    own = wing_input.folder()
    return getattr(arguments, name) or ([own] if own.is_dir() and not arguments.path else [])


# --- data into reports ------------------------------------------------------------------------------------


def _report_options(add_command: AddCommand) -> None:
    command = add_command(
        "report", _report, "生成 HTML 报告 / write the HTML reports",
        "qyx report  |  qyx report 330213 慈溪市 --peers 宁波市 --lang en  |  qyx report --kind briefing", data=True,
    )  # fmt: skip
    command.add_argument("region", nargs="*", metavar="REGION", help="地区代码或名称 / codes or names (default: all)")
    command.add_argument(
        "--kind", choices=("report", *(name for wing in wings() for name in wing.kinds)), default="report",
        help="报告，或有实际值的县的一页会议简报 / reports, or one-page briefings where there are actual values",
    )  # fmt: skip
    peers_help = "比较对象 / whom to compare with: codes, a group or a city"
    command.add_argument("--peers", default="", metavar="CODES|GROUP", help=peers_help)
    command.add_argument("--lang", choices=("zh", "en", "both"), default="zh", help="语言 / language (default: zh)")
    command.add_argument("--out", type=_folder, metavar="DIR", help="输出文件夹 / folder to write (default: reports)")
    command.add_argument(
        "-p", dest="parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="笔记本的其他参数 / another parameter of the notebooks",
    )  # fmt: skip
    where = command.add_mutually_exclusive_group()
    jobs_help = "同时生成的份数 / reports at a time (default: one per core)"
    where.add_argument("--jobs", type=_positive(int), metavar="N", help=jobs_help)
    cluster_help = "在 Dask 集群上生成 / make them on a Dask cluster: tcp://host:8786"
    where.add_argument("--scheduler", default="", metavar="ADDRESS", help=cluster_help)
    command.add_argument("--force", action="store_true", help="未变的也重新生成 / also those that have not changed")
    command.add_argument("--explain", action="store_true", help="只说明各份为何重新生成 / only say what has changed")
    timeout_help = "每份限时（秒）/ seconds for one report"
    command.add_argument("--timeout", type=_positive(float), default=600.0, metavar="S", help=timeout_help)
    command.add_argument("--quiet", action="store_true", help="不显示进度 / show no progress")


def _report(arguments: argparse.Namespace) -> int:
    from qyx_analysis.reports import explain_reports, index_file, make_reports

    if not arguments.data and not _has_data():
        _build(_parser().parse_args(["build"]))  # `qyx report` alone is enough on a fresh machine
    out = arguments.out or project_dir() / "reports"
    asked = {name: getattr(arguments, name) for name in ("peers", "data", "lang", "kind")}
    asked |= {"regions": arguments.region, "out": out, "parameters": dict(arguments.parameter)}
    if arguments.explain:
        for file, reasons in explain_reports(**asked):
            print(f"{file}: {', '.join(_both(f'stale_{why}') for why in reasons) or '未变 / unchanged'}")
        return 0
    options = {name: getattr(arguments, name) for name in ("jobs", "force", "timeout", "quiet", "scheduler")}
    outcomes = make_reports(**asked, **options)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    for name, reason in dict.fromkeys((outcome.name, outcome.reason) for outcome in failed):
        print(f"qyx: {shown(name)}: {reason}", file=sys.stderr)
    done, unchanged = len(outcomes) - len(failed), sum(outcome.unchanged for outcome in outcomes)
    index = index_file("zh" if arguments.lang == "both" else arguments.lang)
    left = f", 其中未变 / unchanged: {unchanged}" if unchanged else ""
    page = str(out / index) if isinstance(out, Path) else f"{without_password(out)}/{index}"
    print(f"{page}: {done}/{len(outcomes)} 份报告 / reports{left}")
    return (1 if done else 2) if failed else 0


def _has_data() -> bool:
    try:
        return bool(loading.data_dir())
    except DataError:
        return False


# --- questions about the data -----------------------------------------------------------------------------


def _explain_options(add_command: AddCommand) -> None:
    command = add_command(
        "explain", _explain, "追溯一个数值 / trace a value to its source",
        "qyx explain 330213 保障性租赁住房 2027", data=True,
    )  # fmt: skip
    command.add_argument("region", metavar="REGION", help="地区代码或名称 / code or name")
    command.add_argument(
        "indicator", metavar="INDICATOR",
        help="指标代码、名称或名称的一部分，或表中的行次 / code, name or part of one, or the row's place in the table",
    )  # fmt: skip
    command.add_argument("year", type=int, nargs="?", metavar="YEAR", help="年份 / year")


def _explain(arguments: argparse.Namespace) -> int:
    rows = loading.explain(arguments.region, arguments.indicator, arguments.year, arguments.data)
    first = rows.iloc[0]
    place = _both("place_row", n=first["row"])
    print(f"{first['region']} {first['region_name']} · {first['name']} · {first['domain']} · {place}")
    print(f"{first['indicator']} · {first['file']} · sha256 {first['sha256'][:12]}")
    for cell in rows.itertuples():
        number = "" if pd.isna(cell.value) else f"{cell.operator} {cell.value:.12g} {cell.unit}"
        if cell.kind == "range":
            number = f"{cell.value_low:.12g}–{cell.value_high:.12g} {cell.unit}"
        correction = f"  更正 / corrected: {cell.correction}" if cell.correction else ""
        print(f"{cell.year}  {cell.kind:<13} {number:<20} {cell.file}, {cell.locator}: “{shown(cell.raw)}”{correction}")
    warned = loading.findings(arguments.data).query("region == @first.region and indicator == @first.indicator")
    for finding in warned.itertuples():
        when = "" if pd.isna(finding.year) else f" {finding.year}"
        print(f"{finding.severity}{when}: {finding.message_zh} / {finding.message_en}")
    return 0


def _names_options(add_command: AddCommand) -> None:
    text = "目录之外的指标名称，及登记所需的一行 / names outside the catalogue, with the line that makes them known"
    add_command("names", _names, text, "qyx names", data=True)


def _names(arguments: argparse.Namespace) -> int:
    unknown = names.unknown_names(loading.load_targets(arguments.data))
    if unknown.empty:
        print(_both("names_none"))
        return 0
    folder = catalogue.own_dir()
    print(_both("names_head", n=len(unknown)))
    print(f"{folder / 'aliases.csv'}: alias,code,note_zh,note_en")
    print(f"{folder / 'indicators.csv'}: {','.join(names.INDICATOR_COLUMNS)}")
    for row in unknown.itertuples():
        printed_by = _both("names_row", counties=row.counties, regions=row.regions)
        print(f"\n{row.name} ({row.unit or '—'}) · {row.domain} · {printed_by}")
        if row.alias_line:
            print(f"  {_both('names_alias', closest=row.closest, similarity=row.similarity)}\n    {row.alias_line}")
        print(f"  {_both('names_new')}\n    {row.indicator_line}")
    return 0


def _diff_options(add_command: AddCommand) -> None:
    command = add_command(
        "diff", _diff, "逐格比较两次数据或两版规划 / compare two builds or two versions of a plan, cell by cell",
        "qyx diff old/processed data/processed  |  qyx diff plan-2023.docx plan-2024.docx",
    )  # fmt: skip
    command.add_argument(
        "old", type=Path, metavar="OLD", help="数据文件夹或规划文件 / folder of a build, or a document"
    )
    command.add_argument("new", type=Path, metavar="NEW", help="与之比较的另一份 / the other one")
    command.epilog = f"{command.epilog}. Exit status: 0 the same; 1 different; 2 one of them cannot be read."


def _diff(arguments: argparse.Namespace) -> int:
    from qyx_analysis.export.difference import compare

    changes = compare(arguments.old, arguments.new)
    for row in changes.itertuples():
        region = f"{row.region} {names.region_name(row.region)}"
        sides = ((row.old, row.old_place), (row.new, row.new_place))
        said = " → ".join(f"“{shown(text)}” ({place})" for text, place in sides if place)
        what = _both(f"diff_{row.change}").replace(" / ", "/")
        where = " · ".join(filter(None, (region, shown(row.item), row.when, row.field)))
        print(f"{row.table}: {where}: {what}: {said}")
    counts = {change: int((changes["change"] == change).sum()) for change in ("added", "removed", "changed")}
    print(_both("diff_count" if len(changes) else "diff_same", **counts))
    return 1 if len(changes) else 0


def _doctor_options(add_command: AddCommand) -> None:
    add_command("doctor", _doctor, "检查本机环境 / check what this machine has", "qyx doctor", data=True)


def _doctor(arguments: argparse.Namespace) -> int:
    from qyx_analysis.doctor import examine, user_language

    lang = user_language()
    wrong = 0
    for check in examine(arguments.data):
        wrong += not check.ok
        print(f"{'✓' if check.ok else '✗'} {check.text(lang)}")
    print(catalogue.message("doctor_ill" if wrong else "doctor_well", lang, n=wrong))
    return 1 if wrong else 0


_LISTED = {
    "regions": ["code", "name_zh", "name_en", "level", "parent", "groups"],
    "indicators": ["number", "code", "name_zh", "name_en", "domain", "unit", "direction", "nature"],
    "domains": ["domain", "name_en", "order"],
}


def _list_options(add_command: AddCommand) -> None:
    command = add_command("list", _list, "列出目录 / list the catalogue", "qyx list regions", data=True)
    command.add_argument("what", choices=tuple(_LISTED), help="* 表示数据中已有 / * marks what the data holds")


def _list(arguments: argparse.Namespace) -> int:
    table: pd.DataFrame = getattr(catalogue, arguments.what)()[_LISTED[arguments.what]]
    if "direction" in table:
        table = table.astype({"direction": "Int64"}).astype(object).fillna("")
    present = _present(arguments, "region" if arguments.what == "regions" else "indicator")
    if "code" in table and present:
        table = table.assign(data=["*" if code in present else "" for code in table["code"]])
    for row in [tuple(table.columns), *table.itertuples(index=False)]:
        print("\t".join(str(value) for value in row))
    return 0


def _present(arguments: argparse.Namespace, column: str) -> set[str]:
    """What the build holds; none is an error only where ``--data`` asked for one."""
    try:
        return set(loading.load_targets(arguments.data)[column])
    except DataError:
        if arguments.data:
            raise
        return set()


if __name__ == "__main__":
    sys.exit(main())
