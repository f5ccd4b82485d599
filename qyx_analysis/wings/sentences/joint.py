"""What this wing adds to the core: the tables of sentences, their findings and ``qyx extract``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qyx_analysis.catalogue.wording import region_name
from qyx_analysis.datapackage.building import joined
from qyx_analysis.export.difference import Compared
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.wings import Wing
from qyx_analysis.wings.sentences.alignment import alignment
from qyx_analysis.wings.sentences.facts import Said, extract, read_departments, read_kept, read_said
from qyx_analysis.wings.sentences.targets import compare_with_table, link_targets, prose_targets

if TYPE_CHECKING:
    from qyx_analysis.datapackage.building import Draft
    from qyx_analysis.tidy.reading import Plan


def _read_tables(draft: Draft) -> None:
    said = _said(draft)
    for each in said:
        _add_source(draft, each)
    for plan in draft.plans:
        if plan.targets["department"].any():
            _give(draft, (plan.region, plan.document.name), "governance")
    targets = draft.tables["targets"]
    prose = link_targets(joined("prose_targets", [each.targets for each in said]), targets)
    governed = [each.governance for each in said] + [read_departments(plan) for plan in draft.plans]
    draft.tables |= {"prose_targets": prose, "governance": joined("governance", governed)}
    draft.findings += compare_with_table(prose, targets).to_dict(orient="records")
    draft.counts.append(f"{sum(len(each.targets) for each in said)} 个正文目标 / targets in sentences")


def _said(draft: Draft) -> list[Said]:
    """The sentences of every region: those of its document, or the facts kept of it where that is a table alone."""
    said: dict[str, Said] = {}
    for folder in filter(Path.is_dir, draft.paths):
        try:
            kept = list(read_kept(folder))
        except DataError as error:
            kept = list(error.problems)
        draft.problems += [each for each in kept if isinstance(each, Problem)]
        said |= {each.region: each for each in kept if isinstance(each, Said)}
    said |= {each.region: each for each in map(read_said, draft.plans) if each}
    return [said[region] for region in sorted(said)]


def _add_source(draft: Draft, said: Said) -> None:
    """Name the document, or the file of facts kept of one, among the sources."""
    entry = {"title": said.title, "path": said.path, "region": said.region, "sha256": said.sha256}
    entry |= {"document": said.document, "document_sha256": said.document_sha256}  # the facts kept of which
    draft.sources.setdefault((said.region, said.path), entry | {"tables": []})
    _give(draft, (said.region, said.path), "prose_targets", "governance")


def _give(draft: Draft, source: tuple[str, str], *tables: str) -> None:
    draft.sources[source]["tables"] = sorted({*draft.sources[source]["tables"], *tables})


def _derive_tables(draft: Draft) -> None:
    draft.tables["alignment"] = alignment(draft.tables["targets"], draft.tables["prose_targets"])


def _read_plan(plan: Plan) -> dict[str, pd.DataFrame]:
    return {"prose_targets": prose_targets(plan.document, plan.region, plan.table)}


def _add_commands(add_command: Any) -> None:
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


WING = Wing(
    derived=("alignment",),
    rules=("prose_value", "prose_bound", "prose_start", "prose_unit", "prose_year"),
    read_tables=_read_tables,
    derive_tables=_derive_tables,
    read_plan=_read_plan,
    compared={
        "prose_targets": Compared(
            ["region", "section", "metric", "year", "turn"], "year", "metric", "text_value",
            ["kind", "operator", "value", "value_low", "value_high", "unit", "cumulative", "annual", "hedge"],
            ["linked_indicator"],
            ["document", "section"],
        )
    },
    add_commands=_add_commands,
)  # fmt: skip
