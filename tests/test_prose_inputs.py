"""The facts of the prose as inputs: a clone without the documents has them, and a document at hand goes before them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from plans import STEMS, fifth_county, four_plans, printed, write

from qyx_analysis.cli import main
from qyx_analysis.datapackage import loading
from qyx_analysis.datapackage.building import Built, build
from qyx_analysis.files import SOURCES, raw_dir, read_sources, write_sources
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.tidy.reading import add_document
from qyx_analysis.wings.sentences.desk import load_governance, load_prose
from qyx_analysis.wings.sentences.facts import COLUMNS, Said, extract, read_kept

KEPT = raw_dir() / "prose"
CITY = """绍兴市公共服务规划
一、“幼有善育”
到2025年，每千人口托位数达到4.6个。（牵头单位：市卫生健康委）
二、“学有优教”、“病有良医”、“住有宜居”、“弱有众扶”
三、组织实施
按季度通报。"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build([raw_dir()], tmp_path_factory.mktemp("kept") / "processed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the committed inputs, to be spoilt."""
    return Path(shutil.copytree(raw_dir(), tmp_path / "raw"))


def sources(out: Path) -> list[dict[str, object]]:
    return json.loads((out / "datapackage.json").read_text(encoding="utf-8"))["sources"]


# --- a clean clone ----------------------------------------------------------------------------------------


def test_a_clone_without_documents_has_every_target_of_the_five(built: Built) -> None:
    prose = load_prose(built.out)
    assert prose.groupby("document").size().to_dict() == {
        **{"cixi": 84, "fenghua": 50, "ningbo": 50, "shengsi": 62, "zhuji": 63},
    }
    assert prose.groupby("region")["document"].unique().str[0].to_dict() == {
        **{"330200": "ningbo", "330213": "fenghua", "330282": "cixi", "330681": "zhuji", "330922": "shengsi"},
    }
    assert (built.exit_status, built.problems) == (0, [])


def test_its_findings_name_what_contradicts_the_tables(built: Built) -> None:
    found = loading.findings(built.out).query("rule.str.startswith('prose')")
    assert found["rule"].value_counts().to_dict() == {"prose_bound": 10, "prose_start": 1, "prose_value": 1}
    value = found.query("rule == 'prose_value'").iloc[0]
    assert value[["document", "number", "year", "raw"]].tolist() == ["shengsi", 11, 2027, "8.50"]


def test_the_package_says_where_every_table_is_from(built: Built) -> None:
    by_path = {source["path"]: source for source in sources(built.out)}
    assert set(by_path) == {f"{stem}.txt" for stem in STEMS} | {f"prose/{stem}.csv" for stem in (*STEMS, "ningbo")}
    assert by_path["zhuji.txt"]["tables"] == ["governance", "targets"]
    assert by_path["cixi.txt"]["tables"] == ["targets"]
    assert by_path["prose/cixi.csv"]["tables"] == ["governance", "prose_targets"]
    for path, source in by_path.items():
        assert source["sha256"] == hashlib.sha256((raw_dir() / path).read_bytes()).hexdigest()
    assert len(loading.explain("奉化区", 13, 2027, built.out)) == 1  # its table, not what is kept of its prose


def test_what_is_kept_holds_no_sentence() -> None:
    for path in KEPT.glob("*.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        texts = (
            frame.drop(columns=["sha256", "targets_sha256", "governance_sha256"], errors="ignore").to_numpy().ravel()
        )
        assert not [text for text in texts if "。" in text or len(text) > 60], path.name


def test_what_is_kept_is_what_the_documents_say(tmp_path: Path) -> None:
    if not os.environ.get("QYX_DOCUMENTS"):
        pytest.skip("machine: QYX_DOCUMENTS is not set")
    for stem in (*STEMS, "ningbo"):
        extract(Path(os.environ["QYX_DOCUMENTS"]) / f"{stem}.txt", folder=tmp_path)
    again = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "prose").iterdir()}
    committed = {path.name: path.read_text(encoding="utf-8") for path in KEPT.iterdir()}
    assert set(again) == set(committed)
    told = [name for name in COLUMNS if name not in ("issuer", "title", "note")]  # the others are written by people
    pd.testing.assert_frame_equal(read_sources(tmp_path / "prose")[told], read_sources(KEPT)[told])
    assert {name for name in again if name != SOURCES and again[name] != committed[name]} == set()


# --- a document at hand -----------------------------------------------------------------------------------


def test_a_whole_document_of_the_region_goes_before_what_is_kept(tmp_path: Path) -> None:
    sentence = "\n二、重点任务\n到2027年，新增托位300个。\n"
    path = write(tmp_path, "whole.txt", printed("fenghua") + sentence)
    result = build([raw_dir(), path], tmp_path / "out")
    assert (result.exit_status, result.problems) == (0, [])
    prose = load_prose(result.out)
    assert prose.query("region == '330213'")[["document", "metric", "value"]].values.tolist() == [
        ["whole", "新增托位", 300]
    ]
    assert prose["document"].nunique() == 5
    (source,) = [source for source in sources(result.out) if source["region"] == "330213"]
    assert (source["path"], source["tables"]) == ("whole.txt", ["governance", "prose_targets", "targets"])


def test_a_table_alone_is_completed_by_what_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "table.txt", printed("fenghua"))
    assert len(load_prose(build([raw_dir(), path], tmp_path / "out").out).query("region == '330213'")) == 50
    assert len(load_prose(build([path], tmp_path / "alone").out)) == 0


def test_a_plan_in_prose_alone_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(write(tmp_path, "city.txt", CITY)), "--out", str(tmp_path / "out")]) == 0
    assert "city.txt" in capfd.readouterr().err
    assert load_prose(tmp_path / "out")[["region", "value", "linked_indicator"]].values.tolist() == [["330600", 4.6, 1]]
    assert load_governance(tmp_path / "out")["department"].tolist() == ["市卫生健康委", ""]
    for name in ("targets", "findings", "trajectory", "ambition", "dispersion"):
        assert len((tmp_path / "out" / f"{name}.csv").read_text(encoding="utf-8").splitlines()) == 1
    assert len(loading.load_targets(tmp_path / "out")) == 0


def test_facts_alone_are_a_build(tmp_path: Path) -> None:
    extract(write(tmp_path, "city.txt", CITY), folder=tmp_path / "raw")
    result = build([tmp_path / "raw"], tmp_path / "out")
    assert (result.exit_status, len(load_prose(result.out))) == (0, 1)


# --- extract ----------------------------------------------------------------------------------------------


def plan(*sentences: str) -> str:
    return fifth_county() + "\n二、重点任务\n" + "\n".join(sentences)


def test_extract_then_build_gives_what_the_document_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = plan(
        "（一）“幼有善育”（牵头单位：县卫生健康局）", "每千人口托位数达到5个，培育重点学科1-2家，力争\n0.5‰以内。"
    )
    path, table = write(tmp_path, "ninghai.txt", text), write(tmp_path, "table.txt", fifth_county())
    add_document(table, folder=tmp_path / "kept")
    assert main(["extract", str(path), "--raw", str(tmp_path / "kept")]) == 0
    assert "330226 宁海县" in capsys.readouterr().out
    whole, pieces = build([path], tmp_path / "one").out, build([tmp_path / "kept"], tmp_path / "two").out
    for name in ("prose_targets", "governance"):
        assert (whole / f"{name}.csv").read_bytes() == (pieces / f"{name}.csv").read_bytes()


@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='到2027年入园率达到95.3%、，“”"个以上约全覆盖新增1-2家\u00a0 （牵头单位：局）', max_size=60))
def test_what_is_read_survives_being_kept(tmp_path: Path, text: str) -> None:
    shutil.rmtree(tmp_path / "prose", ignore_errors=True)
    said = extract(write(tmp_path, "ninghai.txt", plan("建成1所学校。", text)), folder=tmp_path)
    (kept,) = (each for each in read_kept(tmp_path) if isinstance(each, Said))
    pd.testing.assert_frame_equal(kept.targets, said.targets)
    pd.testing.assert_frame_equal(kept.governance, said.governance)


def test_extract_again_keeps_what_people_wrote(tmp_path: Path) -> None:
    path = write(tmp_path, "ninghai.txt", plan("建成1所学校。"))
    extract(path, folder=tmp_path)
    line = read_sources(tmp_path / "prose").assign(issuer="宁海县人民政府办公室", title="方案")
    write_sources(tmp_path / "prose", line)
    extract(write(tmp_path, "ninghai.txt", plan("建成2所学校。")), folder=tmp_path)
    again = read_sources(tmp_path / "prose").iloc[0]
    assert (again["issuer"], again["title"]) == ("宁海县人民政府办公室", "方案")
    assert again["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tmp_path / "prose" / "ninghai.csv").read_text(encoding="utf-8").count("学校") == 1


def test_extract_refuses_what_it_cannot_keep(tmp_path: Path) -> None:
    extract(write(tmp_path, "ninghai.txt", plan("建成1所学校。")), folder=tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "prose").iterdir()}
    same_region = write(tmp_path, "other.txt", plan("建成1所学校。"))
    same_name = write(tmp_path, "ninghai.md", plan("建成1所学校。").replace("宁海县", "象山县"))
    silent = write(tmp_path, "table.txt", fifth_county("象山县"))
    for path, key in ((same_region, "said_twice"), (same_name, "said_twice"), (silent, "said_nothing")):
        with pytest.raises(DataError) as error:
            extract(path, folder=tmp_path)
        assert [problem.key for problem in error.value.problems] == [key]
    assert {path.name: path.read_bytes() for path in (tmp_path / "prose").iterdir()} == before


# --- facts that cannot be used ----------------------------------------------------------------------------


def edited(folder: Path, name: str, old: str, new: str, registered: bool = True) -> None:
    """Change a file of facts, and its checksum in the register with it."""
    path, register = folder / "prose" / name, folder / "prose" / SOURCES
    before = path.read_bytes()
    assert old.encode() in before
    path.write_bytes(before.replace(old.encode(), new.encode(), 1))
    if registered:
        text = register.read_text(encoding="utf-8")
        sums = [hashlib.sha256(data).hexdigest() for data in (before, path.read_bytes())]
        register.write_text(text.replace(*sums), encoding="utf-8", newline="\n")


FAULTS = {  # file, old and new text -> the problem and how its line begins
    "number": ("cixi.csv", ",=,5.5,", ",=,5.5个,", "said_value", "prose/cixi.csv: line 4: “5.5个”"),
    "enum": ("cixi.csv", "point", "dot", "said_value", "prose/cixi.csv: line 4: “dot”"),
    "required": ("cixi.csv", ",point,=,5.5", ",point,,5.5", "said_value", "prose/cixi.csv: line 4"),
    "column": ("cixi.csv", "hedge", "tone", "said_columns", "prose/cixi.csv: line 1: “hedge, tone”"),
    "bytes": ("cixi.csv", "section", '"section', "sources_unreadable", "prose/cixi.csv"),
    "governance": ("cixi.governance.csv", "weekly", "rarely", "said_value", "prose/cixi.governance.csv: line 9"),
    "region": (SOURCES, ",330282,", ",990282,", "region_unknown", "prose/sources.csv: “990282”"),
    "twice": (SOURCES, ",330282,", ",奉化区,", "said_twice", "prose/sources.csv: “奉化区”"),
    "checksum": (SOURCES, "06617239", "XX", "said_checksum", "prose/sources.csv: cixi.txt: “XX"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_facts_are_one_line_and_the_others_are_read(folder: Path, fault: str) -> None:
    name, old, new, key, shown = FAULTS[fault]
    edited(folder, name, old, new)
    found = list(read_kept(folder))
    (problem,) = (each for each in found if isinstance(each, Problem))
    assert (problem.key, len(found)) == (key, 5)
    assert str(problem).startswith(shown) and "\n" not in str(problem)


def test_facts_that_were_edited_or_are_gone_are_named_and_the_rest_is_written(folder: Path, tmp_path: Path) -> None:
    edited(folder, "cixi.csv", "5.5", "5.6", registered=False)
    (folder / "prose" / "zhuji.csv").unlink()
    result = build([folder], tmp_path / "out")
    assert [(problem.key, problem.file) for problem in result.problems] == [
        ("said_changed", "prose/cixi.csv"),
        ("file_unreadable", "prose/zhuji.csv"),
    ]
    assert (result.exit_status, len(loading.load_targets(result.out))) == (1, len(four_plans()))
    assert set(load_prose(result.out)["document"]) == {"fenghua", "ningbo", "shengsi"}


def test_a_register_without_its_columns_is_one_line(folder: Path, tmp_path: Path) -> None:
    edited(folder, SOURCES, "targets_sha256", "sum")
    result = build([folder], tmp_path / "out")
    assert [str(problem).split(" / ")[0] for problem in result.problems] == [
        "prose/sources.csv: line 1: “targets_sha256”: 缺少必需的列"
    ]
    assert (result.exit_status, len(load_prose(result.out))) == (1, 0)


def test_a_folder_that_may_not_be_written_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prose").write_text("", encoding="utf-8", newline="\n")
    path = write(tmp_path, "ninghai.txt", plan("建成1所学校。"))
    assert main(["extract", str(path), "--raw", str(tmp_path)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("qyx: ") and " / " in line
