"""The command ``qyx``: arguments in, the library's functions called, problems printed one per line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from qyx_analysis import __version__, catalogue, names, processed
from qyx_analysis.files import actuals_dir, is_address, project_dir, raw_dir, without_password, write_whole
from qyx_analysis.problems import DataError, Problem, shown


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


_FEW = 3  # of the absent indicators are named


def _complain(problems: Iterable[object]) -> None:
    for problem in problems:
        print(f"qyx: {problem}", file=sys.stderr)


# --- commands ---------------------------------------------------------------------------------------------


def _add(arguments: argparse.Namespace) -> int:
    target, plan = processed.add_document(arguments.file, arguments.region, arguments.raw)
    name = f"{plan.region} {names.region_name(plan.region)} {names.region_name(plan.region, 'en')}"
    print(f"{target}: {name}, {plan.targets['indicator'].nunique()} 行 / rows")
    return 0


def _extract(arguments: argparse.Namespace) -> int:
    said = processed.extract(arguments.file, arguments.region, arguments.raw)
    name = f"{said.region} {names.region_name(said.region)} {names.region_name(said.region, 'en')}"
    counts = f"{len(said.targets)} 个目标 / targets, {len(said.governance)} 条治理信息 / rows of governance"
    print(f"{said.document}: {name}, {counts}")
    return 0


def _build(arguments: argparse.Namespace) -> int:
    from qyx_analysis.datapackage import build

    out = arguments.out or project_dir() / "data" / "processed"
    paths = arguments.path or [raw_dir()]
    own = actuals_dir()
    forms = arguments.actuals or ([own] if own.is_dir() and not arguments.path else [])
    built = build(paths, out, arguments.region, jobs=os.cpu_count() or 1, progress=True, actuals=forms)
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
    counts = built.findings["severity"].value_counts()
    levels = ", ".join(f"{counts.get(level, 0)} {level}" for level in ("error", "warning", "info"))
    cells, beside = sum(len(plan.targets) for plan in built.plans), sum(len(said.targets) for said in built.said)
    tables = sum(1 for plan in built.plans if plan.table)
    actuals = f"{built.actuals} 个实际值 / actual values, " if forms else ""
    print(
        f"{without_password(built.out)}: {tables} 份目标表 / tables, {cells} 个数值 / values, "
        f"{beside} 个正文目标 / targets in sentences, {actuals}提示 / findings: {levels}"
    )
    return built.exit_status


def _report(arguments: argparse.Namespace) -> int:
    from qyx_analysis.reports import explain_reports, index_file, make_reports

    if not arguments.data and not _has_data():
        _build(_parser().parse_args(["build"]))  # `qyx report` alone is enough on a fresh machine
    out = arguments.out or project_dir() / "reports"
    asked = {
        "regions": arguments.region,
        "peers": arguments.peers,
        "data": arguments.data,
        "lang": arguments.lang,
        "out": out,
        "parameters": dict(arguments.parameter),
        "kind": arguments.kind,
    }
    if arguments.explain:
        for file, reasons in explain_reports(**asked):
            texts = [
                " / ".join(catalogue.message(f"stale_{reason}", lang) for lang in ("zh", "en")) for reason in reasons
            ]
            print(f"{file}: {', '.join(texts) or '未变 / unchanged'}")
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
        return bool(processed.data_dir())
    except DataError:
        return False


def _explain(arguments: argparse.Namespace) -> int:
    rows = processed.explain(arguments.region, arguments.indicator, arguments.year, arguments.data)
    first = rows.iloc[0]
    place = " / ".join(catalogue.message("place_row", lang, n=first["row"]) for lang in ("zh", "en"))
    print(f"{first['region']} {first['region_name']} · {first['name']} · {first['domain']} · {place}")
    print(f"{first['indicator']} · {first['file']} · sha256 {first['sha256'][:12]}")
    for cell in rows.itertuples():
        number = "" if pd.isna(cell.value) else f"{cell.operator} {cell.value:.12g} {cell.unit}"
        if cell.kind == "range":
            number = f"{cell.value_low:.12g}–{cell.value_high:.12g} {cell.unit}"
        correction = f"  更正 / corrected: {cell.correction}" if cell.correction else ""
        print(f"{cell.year}  {cell.kind:<13} {number:<20} {cell.file}, {cell.locator}: “{shown(cell.raw)}”{correction}")
    warned = processed.findings(arguments.data).query("region == @first.region and indicator == @first.indicator")
    for finding in warned.itertuples():
        when = "" if pd.isna(finding.year) else f" {finding.year}"
        print(f"{finding.severity}{when}: {finding.message_zh} / {finding.message_en}")
    return 0


def _names(arguments: argparse.Namespace) -> int:
    unknown = names.unknown_names(processed.load_targets(arguments.data))
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


def _both(key: str, **values: object) -> str:
    return " / ".join(catalogue.message(key, lang, **values) for lang in ("zh", "en"))


def _template(arguments: argparse.Namespace) -> int:
    from qyx_analysis.exchange import actuals_form, form_file

    targets = processed.load_targets(arguments.data, arguments.region or None)
    governance = processed.load_governance(arguments.data)
    years = sorted(targets.loc[targets["role"] == "target", "year"].unique())
    periods = arguments.period or [year for year in years if year < date.today().year] or years[:1]
    for region in targets["region"].unique():
        target = arguments.out / form_file(region)
        write_whole(target, actuals_form(targets, region, periods, governance))
        print(target)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from qyx_analysis.exchange import export

    for path in export(arguments.format, arguments.out, arguments.data, arguments.bom, arguments.lang):
        print(path)
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from qyx_analysis.exchange import compare

    changes = compare(arguments.old, arguments.new)
    for row in changes.itertuples():
        region = f"{row.region} {names.region_name(row.region)}"
        said = " → ".join(
            f"“{shown(text)}” ({place})"
            for text, place in ((row.old, row.old_place), (row.new, row.new_place))
            if place
        )
        what = "/".join(catalogue.message(f"diff_{row.change}", lang) for lang in ("zh", "en"))
        print(
            f"{row.table}: {' · '.join(filter(None, (region, shown(row.item), row.when, row.field)))}: {what}: {said}"
        )
    counts = {change: int((changes["change"] == change).sum()) for change in ("added", "removed", "changed")}
    key = "diff_count" if len(changes) else "diff_same"
    print(" / ".join(catalogue.message(key, lang, **counts) for lang in ("zh", "en")))
    return 1 if len(changes) else 0


def _doctor(arguments: argparse.Namespace) -> int:
    from qyx_analysis.doctor import examine, user_language

    lang = user_language()
    wrong = 0
    for check in examine(arguments.data):
        wrong += not check.ok
        print(f"{'✓' if check.ok else '✗'} {check.text(lang)}")
    print(catalogue.message("doctor_ill" if wrong else "doctor_well", lang, n=wrong))
    return 1 if wrong else 0


def _list(arguments: argparse.Namespace) -> int:
    table: pd.DataFrame = getattr(catalogue, arguments.what)()
    present = _present(arguments, "region" if arguments.what == "regions" else "indicator")
    if arguments.what == "regions":
        table = table[["code", "name_zh", "name_en", "level", "parent", "groups"]]
    elif arguments.what == "indicators":
        table = table[["number", "code", "name_zh", "name_en", "domain", "unit", "direction", "nature"]]
        table = table.astype({"direction": "Int64"}).astype(object).fillna("")
    if "code" in table and present:
        table = table.assign(data=["*" if code in present else "" for code in table["code"]])
    for row in [tuple(table.columns), *table.itertuples(index=False)]:
        print("\t".join(str(value) for value in row))
    return 0


def _present(arguments: argparse.Namespace, column: str) -> set[str]:
    """What the build holds; none is an error only where ``--data`` asked for one."""
    try:
        return set(processed.load_targets(arguments.data)[column])
    except DataError:
        if arguments.data:
            raise
        return set()


# --- arguments --------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qyx",
        description="县级公共服务“七优享”规划：目标表、测度与报告 / tidy data, measures and reports from county plans",
        epilog="example: qyx build && qyx report",
    )
    parser.add_argument("--version", action="version", version=f"qyx {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add = _command(
        commands,
        "add",
        _add,
        "登记一份规划 / put a document into data/raw",
        "qyx add ninghai.txt --region 330226",
    )
    add.add_argument("file", type=Path, metavar="FILE", help="规划文本 / the document")
    add.add_argument(
        "--region",
        metavar="CODE",
        help="地区代码或名称（标题已写明时可省略）/ code or name, if the title does not tell",
    )
    add.add_argument(
        "--raw", type=Path, metavar="DIR", help="原始资料文件夹 / folder of the documents (default: data/raw)"
    )

    extract = _command(
        commands, "extract", _extract, "只保留规划正文的事实 / keep the facts of a plan's sentences, not the sentences",
        "qyx extract ningbo.txt",
    )  # fmt: skip
    extract.add_argument("file", type=Path, metavar="FILE", help="规划全文 / the whole document")
    extract.add_argument("--region", metavar="CODE", help="地区代码或名称 / code or name, if the title does not tell")
    extract.add_argument(
        "--raw", type=Path, metavar="DIR", help="原始资料文件夹 / folder of the documents (default: data/raw)"
    )

    build = _command(
        commands, "build", _build, "读取规划、写出数据 / read the plans, write the data",
        "qyx build  |  qyx build county.txt --out /tmp/county",
    )  # fmt: skip
    build.add_argument(
        "path",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="文件或文件夹 / files or folders (default: data/raw)",
    )
    build.add_argument(
        "--region", metavar="CODE", help="单个文件的地区 / region of a single document that does not tell"
    )
    build.add_argument(
        "--out", type=_folder, metavar="DIR", help="输出文件夹 / folder to write (default: data/processed)"
    )
    build.add_argument(
        "--actuals", type=Path, action="append", metavar="PATH",
        help="实际值文件或文件夹 / forms of actual values (default: data/actuals, with the plans of data/raw)",
    )  # fmt: skip
    build.epilog = (
        f"{build.epilog}. Exit status: 0 everything read; 1 some files failed and are named; 2 nothing written."
    )

    report = _command(
        commands, "report", _report, "生成 HTML 报告 / write the HTML reports",
        "qyx report  |  qyx report 330213 慈溪市 --peers 宁波市 --lang en  |  qyx report --kind briefing",
    )  # fmt: skip
    report.add_argument("region", nargs="*", metavar="REGION", help="地区代码或名称 / codes or names (default: all)")
    report.add_argument(
        "--kind", choices=("report", "briefing"), default="report",
        help="报告，或有实际值的县的一页会议简报 / reports, or one-page briefings where there are actual values",
    )  # fmt: skip
    report.add_argument(
        "--peers",
        default="",
        metavar="CODES|GROUP",
        help="比较对象 / whom to compare with: codes, a group or a city",
    )
    _data_option(report)
    report.add_argument("--lang", choices=("zh", "en", "both"), default="zh", help="语言 / language (default: zh)")
    report.add_argument("--out", type=_folder, metavar="DIR", help="输出文件夹 / folder to write (default: reports)")
    report.add_argument(
        "-p", dest="parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="笔记本的其他参数 / another parameter of the notebooks",
    )  # fmt: skip

    where = report.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=_positive(int), metavar="N", help="同时生成的份数 / reports at a time (default: one per core)"
    )
    where.add_argument(
        "--scheduler", default="", metavar="ADDRESS",
        help="在 Dask 集群上生成 / make them on a Dask cluster: tcp://host:8786",
    )  # fmt: skip
    report.add_argument("--force", action="store_true", help="未变的也重新生成 / also those that have not changed")
    report.add_argument("--explain", action="store_true", help="只说明各份为何重新生成 / only say what has changed")
    report.add_argument(
        "--timeout", type=_positive(float), default=600.0, metavar="S", help="每份限时（秒）/ seconds for one report"
    )
    report.add_argument("--quiet", action="store_true", help="不显示进度 / show no progress")

    explain = _command(
        commands,
        "explain",
        _explain,
        "追溯一个数值 / trace a value to its source",
        "qyx explain 330213 保障性租赁住房 2027",
    )
    explain.add_argument("region", metavar="REGION", help="地区代码或名称 / code or name")
    explain.add_argument(
        "indicator", metavar="INDICATOR",
        help="指标代码、名称或名称的一部分，或表中的行次 / code, name or part of one, or the row's place in the table",
    )  # fmt: skip
    explain.add_argument("year", type=int, nargs="?", metavar="YEAR", help="年份 / year")
    _data_option(explain)

    unknown = _command(
        commands,
        "names",
        _names,
        "目录之外的指标名称，及登记所需的一行 / names outside the catalogue, with the line that makes them known",
        "qyx names",
    )
    _data_option(unknown)

    template = _command(
        commands, "template", _template,
        "生成实际值填报表，每县一份 / write the forms of actual values, one per county",
        "qyx template actuals 330213 --period 2025 --out forms",
    )  # fmt: skip
    template.add_argument("what", choices=("actuals",), help="实际值 / actual values")
    template.add_argument("region", nargs="*", metavar="REGION", help="地区代码或名称 / codes or names (default: all)")
    template.add_argument(
        "--period", action="append", metavar="PERIOD",
        help="2024、2024Q2 或 2024-06，可重复；默认为已结束的目标年 / repeatable (default: target years that are over)",
    )  # fmt: skip
    template.add_argument("--out", type=Path, required=True, metavar="DIR", help="输出文件夹 / folder to write")
    _data_option(template)

    export = _command(
        commands, "export", _export, "以其他格式输出数据 / write the data in another format",
        "qyx export --format xlsx --out qyx.xlsx",
    )  # fmt: skip
    export.add_argument(
        "--format", required=True, choices=("xlsx", "csv", "parquet", "datapackage"), help="格式 / format"
    )
    export.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="文件（csv、parquet 为文件夹）/ file; a folder for csv, parquet",
    )
    export.add_argument("--bom", action="store_true", help="csv 供 Excel 打开 / csv for Excel: BOM, no formulas")
    export.add_argument("--lang", choices=("zh", "en"), default="zh", help="工作簿的语言 / language of the workbook")
    _data_option(export)

    diff = _command(
        commands, "diff", _diff,
        "逐格比较两次数据或两版规划 / compare two builds or two versions of a plan, cell by cell",
        "qyx diff old/processed data/processed  |  qyx diff plan-2023.docx plan-2024.docx",
    )  # fmt: skip
    diff.add_argument("old", type=Path, metavar="OLD", help="数据文件夹或规划文件 / folder of a build, or a document")
    diff.add_argument("new", type=Path, metavar="NEW", help="与之比较的另一份 / the other one")
    diff.epilog = f"{diff.epilog}. Exit status: 0 the same; 1 different; 2 one of them cannot be read."

    doctor = _command(
        commands, "doctor", _doctor, "检查本机环境 / check what this machine has", "qyx doctor",
    )  # fmt: skip
    _data_option(doctor)

    listing = _command(commands, "list", _list, "列出目录 / list the catalogue", "qyx list regions")
    listing.add_argument(
        "what",
        choices=("regions", "indicators", "domains"),
        help="* 表示数据中已有 / * marks what the data holds",
    )
    _data_option(listing)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, text: str, example: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}")
    command.set_defaults(run=run)
    return command


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


def _data_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data",
        type=_folder,
        metavar="DIR",
        help="数据文件夹 / folder of a build (default: QYX_DATA, else data/processed)",
    )


if __name__ == "__main__":
    sys.exit(main())
