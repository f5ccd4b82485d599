"""A wing is taken out by taking it out of the list: the core, and the other wing, work on without it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from forms import csv_form

from qyx_analysis import cli, load_targets
from qyx_analysis.datapackage.building import MEASURES, build
from qyx_analysis.reports.making import make_report
from qyx_analysis.reports.pages import Provenance
from qyx_analysis.reports.plan import Task, planned
from qyx_analysis.tidy.findings import all_rules
from qyx_analysis.wings import WINGS

FENGHUA, RAW = "330213", Path(__file__).parents[1] / "data" / "raw"
CORE = {"targets", "findings", *MEASURES}
TABLES = {
    "sentences": {"prose_targets", "governance", "alignment"},
    "monitoring": {"actuals", "monitoring", "rankings", "open_items"},
}
COMMANDS = {"sentences": "extract", "monitoring": "template"}
RULES = {"sentences": "prose_", "monitoring": "actual_"}
SECTIONS = {"sentences": ("prose", "contradictions", "city"), "monitoring": ("delivery",)}


@pytest.fixture(scope="module", params=[("monitoring",), ("sentences",), tuple(WINGS)], ids="+".join)
def without(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A build of one county with some wings out, which stay out for the tests that use it."""
    root = tmp_path_factory.mktemp("wings")
    shutil.copytree(RAW / "prose", root / "raw" / "prose")
    with pytest.MonkeyPatch.context() as patch:
        for wing in request.param:
            patch.delitem(WINGS, wing)
        form = csv_form(root, f"{FENGHUA},nursery_places,2023,3.9,个,return,")
        given = {"actuals": [form]} if "monitoring" in WINGS else {}
        (root / "data").mkdir()  # an older build with all wings in lies there, and a file of somebody's own
        for name in ("datapackage.json", "notes.csv", *(f"{table}.csv" for table in set().union(*TABLES.values()))):
            (root / "data" / name).write_text("old", encoding="utf-8")
        built = build([root / "raw", RAW / "fenghua.txt"], root / "data", **given)
        yield SimpleNamespace(wings=set(request.param), left=set(WINGS), built=built, data=root / "data")


def test_the_tables_of_the_core_and_of_the_wings_left_are_written_and_no_others(without: Any) -> None:
    expected = CORE.union(*(TABLES[wing] for wing in without.left))
    assert without.built.problems == []
    assert {path.stem for path in without.data.glob("*.csv")} == expected | {"notes"}  # none of an older build
    described = json.loads((without.data / "datapackage.json").read_text(encoding="utf-8"))
    assert {resource["name"] for resource in described["resources"]} == expected
    assert cli.main(["diff", str(without.data), str(without.data)]) == 0
    assert {wing for wing, prefix in RULES.items() if any(rule.startswith(prefix) for rule in all_rules())} == (
        without.left
    )


def test_the_commands_and_options_of_a_wing_go_with_it(without: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for wing, command in COMMANDS.items():
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == (0 if wing in without.left else 2), command
    capsys.readouterr()
    for command, option in (("build", "--actuals"), ("report", "briefing}")):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        assert (option in capsys.readouterr().out) == ("monitoring" in without.left)


def test_without_the_sentences_owners_come_from_the_rows_alone(without: Any, tmp_path: Path) -> None:
    if "monitoring" in without.wings:
        with pytest.raises(TypeError, match="actuals"):
            build([RAW / "fenghua.txt"], tmp_path / "data", actuals=[])
        return
    printed = set(load_targets(without.data)["department"])
    assert set(without.built.tables["monitoring"]["department"]) == printed
    assert cli.main(["template", "actuals", FENGHUA, "--out", str(tmp_path), "--data", str(without.data)]) == 0
    assert [path.suffix for path in tmp_path.iterdir()] == [".xlsx"]


@pytest.mark.slow
def test_the_report_of_a_county_runs_without_the_sections_of_the_wing(without: Any) -> None:
    (task, *others), _, _ = planned([FENGHUA], "", without.data, "zh", {}, None)
    assert isinstance(task, Task) and others == []
    outcome, files = make_report(task, Provenance("0.1.0", datetime(2026, 1, 2, tzinfo=UTC), [], "0123456789ab"))
    assert outcome.reason == ""
    html = files[task.file].decode("utf-8")
    shown = {wing for wing, ids in SECTIONS.items() if any(f'id="{name}"' in html for name in ids)}
    assert shown == without.left
    assert 'id="ambition"' in html
