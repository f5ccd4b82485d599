"""Documents become tidy rows that agree with the hand-typed gold; bad input fails as a whole and says why."""

import os
import pickle
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import STEMS, agreeing, fifth_county, four_plans, printed, write

from qyx_analysis.cells import parse_cell
from qyx_analysis.files import SOURCES, csv_bytes, raw_dir, read_sources, write_whole
from qyx_analysis.problems import DataError, Problem
from qyx_analysis.tidy import reading
from qyx_analysis.tidy import rows as tidy_rows
from qyx_analysis.tidy.reading import add_document, read_plan, read_plans


def test_all_504_cells_of_the_published_tables_are_right():
    targets = four_plans()
    assert len(targets) == 504
    assert agreeing(targets) == 504


def test_all_504_cells_are_right_when_the_whole_documents_are_read():
    folder = os.environ.get("QYX_DOCUMENTS")
    if not folder:
        pytest.skip("machine: QYX_DOCUMENTS does not name the folder of the full documents")
    reading = read_plans([Path(folder) / f"{stem}.txt" for stem in STEMS])
    assert reading.problems == []
    assert agreeing(reading.targets) == 504


def test_the_committed_tables_are_lines_of_the_full_documents():
    folder = os.environ.get("QYX_DOCUMENTS")
    if not folder:
        pytest.skip("machine: QYX_DOCUMENTS does not name the folder of the full documents")
    for stem in STEMS:
        assert printed(stem).rstrip("\n") in (Path(folder) / f"{stem}.txt").read_text(encoding="utf-8")


def test_marks_mean_what_the_footnote_says():
    rows = four_plans().drop_duplicates(["document", "number"]).set_index(["document", "number"])
    assert rows.query("core").index.tolist() == [("zhuji", n) for n in (1, 5, 8, 10, 13, 17, 19)]
    assert rows.query("observational").index.tolist() == [("zhuji", 7), ("zhuji", 15)]


def test_a_footnote_that_defines_the_marks_otherwise_is_believed(tmp_path):
    text = printed("zhuji").replace("带\\*号为省定核心指标；带▲为探索", "带▲为省定核心指标；带\\*号为探索")
    rows = read_plan(write(tmp_path, "zhuji.txt", text)).targets.drop_duplicates("number").set_index("number")
    assert rows.index[rows["core"]].tolist() == [7, 15]


def test_a_merged_cell_stands_for_the_years_it_covers():
    row = four_plans().query("document == 'shengsi' and number == 14")
    assert set(row["kind"]) == {"reference"}
    assert set(row["raw"]) == {"完成市下达的任务指标"}


def test_every_value_can_be_found_again_at_its_place():
    for cell in four_plans().itertuples():
        line, *rest = (int(part) for part in cell.locator.split() if part.isdigit())
        text = printed(cell.document).split("\n")[line - 1]
        found = text.split("\t")[rest[0] - 1] if rest else text.strip()
        assert found == cell.raw


@pytest.mark.parametrize(
    ("unit", "value", "published"),
    [("人", "83000", 8.3), ("万人", "8.3", 8.3)],
)
def test_values_are_converted_to_the_canonical_unit(tmp_path, unit, value, published):
    text = printed("zhuji").replace("参保人数(万人)\t83.0", f"参保人数({unit})\t{value}")
    plan = read_plan(write(tmp_path, "zhuji.txt", text))
    cell = plan.targets.query("number == 14 and year == 2022").iloc[0]
    assert (cell["value"], cell["unit"], cell["published_value"]) == (published, "万人", float(value))


def test_a_unit_in_a_column_of_its_own_is_read(tmp_path):
    lines = printed("shengsi").rstrip("\n").split("\n")
    for i, line in enumerate(lines[2:], 2):
        cells = line.split("\t")
        unit = "单位" if i == 2 else ("%" if "(%)" in cells[2] else cells[2][cells[2].rindex("(") + 1 : -1])
        name = cells[2] if i == 2 else cells[2][: cells[2].rindex("(")]
        lines[i] = "\t".join([*cells[:2], name, unit, *cells[3:]])
    plan = read_plan(write(tmp_path, "shengsi.txt", "\n".join(lines)))
    pd.testing.assert_series_equal(
        plan.targets["value"],
        four_plans().query("document == 'shengsi'")["value"].reset_index(drop=True),
        check_dtype=False,
    )


def test_rows_outside_the_catalogue_are_kept_as_local(tmp_path):
    extra = "\t22\t公共图书馆服务人次(万人次)\t1\t2\t3\t4\t5\t6\n\t\t村级文化礼堂数(个)\t1\t2\t3\t4\t5\t6"
    plan = read_plan(write(tmp_path, "s.txt", printed("shengsi").rstrip("\n") + "\n" + extra))
    local = plan.targets[plan.targets["indicator"].str.startswith("local:")]
    assert local["indicator"].unique().tolist() == ["local:公共图书馆服务人次", "local:村级文化礼堂数"]
    assert local["value"].tolist() == [1, 2, 3, 4, 5, 6] * 2


def test_fewer_years_are_read_as_printed(tmp_path):
    lines = [line.split("\t") for line in printed("shengsi").rstrip("\n").split("\n")[2:]]
    text = "嵊泗县公共服务目标\n" + "\n".join("\t".join([*cells[:4], cells[6], cells[8]]) for cells in lines)
    targets = reading.typed(read_plan(write(tmp_path, "s.txt", text)).targets)
    assert targets["year"].unique().tolist() == [2022, 2025, 2027]
    assert targets.query("role == 'baseline'")["year"].unique().tolist() == [2022]


FAULTS = {
    "indicator_twice": ("高等教育毛入学率(%)", "普惠托位占比(%)", "row_twice", "line 9 cell 3"),
    "seven_cells_in_a_row_of_eight": ("\t68.8", "", "row_length", "line 9"),
    "years_of_no_plan": ("2022年\t2023年", "2012年\t2023年", "years_unknown", "line 3"),
    "year_twice": ("2024年\t", "2023年\t", "years_unknown", "line 3"),
    "no_region": ("嵊泗县公共服务", "我县公共服务", "region_missing", "line 3"),
}


@pytest.mark.parametrize(("old", "new", "key", "place"), FAULTS.values(), ids=FAULTS)
def test_bad_input_names_file_place_text_and_fix(tmp_path, old, new, key, place):
    assert old in printed("shengsi")
    path = write(tmp_path, "shengsi.txt", printed("shengsi").replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        read_plan(path)
    problem = caught.value.problems[0]
    assert (problem.key, problem.file, problem.place) == (key, "shengsi.txt", place)
    line = str(problem)
    assert "\n" not in line
    assert line.startswith(f"shengsi.txt: {place}: ")
    assert " / " in line


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    text = printed("shengsi").replace("高等教育毛入学率", "普惠托位占比").replace("残疾人之家”覆盖率", "普惠托位占比")
    with pytest.raises(DataError) as caught:
        read_plan(write(tmp_path, "shengsi.txt", text.replace("“普惠", "普惠")))
    assert [problem.text for problem in caught.value.problems] == ["普惠托位占比(%)", "普惠托位占比(%)"]


def test_a_unit_that_nobody_knows_keeps_the_print_and_gives_no_value(tmp_path):
    text = printed("shengsi").replace("人均预期寿命(岁)", "人均预期寿命(光年)")
    rows = read_plan(write(tmp_path, "shengsi.txt", text)).targets.query("indicator == 'life_expectancy'")
    assert rows["published_value"].tolist() == [81.1, 82.4, 82.45, 82.5, 82.6, 82.7]
    assert set(rows["published_unit"]) == {"光年"}
    assert rows["value"].isna().all()


@given(data=st.data())
def test_one_changed_character_changes_one_cell_or_is_an_error(tmp_path_factory, data):
    stem = data.draw(st.sampled_from(STEMS))
    before = four_plans().query("document == @stem").reset_index(drop=True)
    spot = data.draw(st.integers(0, len(before) - 1))
    cell = before.loc[spot]
    line, *rest = (int(part) for part in cell["locator"].split() if part.isdigit())
    new = cell["raw"][:-1] + data.draw(st.sampled_from("0123456789.%<≥/-x多 全"))
    lines = printed(stem).split("\n")
    if rest:
        cells = lines[line - 1].split("\t")
        cells[rest[0] - 1] = new
        lines[line - 1] = "\t".join(cells)
    else:
        lines[line - 1] = lines[line - 1].replace(cell["raw"], new)
    path = write(tmp_path_factory.mktemp("changed"), f"{stem}.txt", "\n".join(lines))
    try:
        after = reading.typed(read_plan(path).targets)
    except DataError:
        return
    changed = after.index[(after["raw"] != before["raw"])].tolist()
    merged = cell["kind"] == "reference"
    assert merged or changed in ([], [spot])
    if not merged:
        read = parse_cell(new)
        assert after.loc[spot, "kind"] == read.kind
        assert after["value"].drop(spot).equals(before["value"].drop(spot))


def test_the_municipal_plan_is_recognised_as_having_no_table():
    folder = os.environ.get("QYX_DOCUMENTS")
    if not folder:
        pytest.skip("machine: QYX_DOCUMENTS does not name the folder of the full documents")
    reading = read_plans([Path(folder)])
    assert reading.problems == []
    assert [(plan.document.stem, plan.region) for plan in reading.plans if not plan.table] == [("ningbo", "330200")]
    assert len(reading.targets) == 504


PROSE = "到2025年，幼有善育、学有优教、病有良医、住有宜居、弱有众扶各领域达到95%以上。"


def test_a_plan_in_prose_needs_no_table_but_a_countys_says_so(tmp_path):
    city = write(tmp_path, "city.txt", f"绍兴市公共服务规划\n{PROSE}")
    county = write(tmp_path, "county.txt", f"诸暨市公共服务规划\n{PROSE}")
    news = write(tmp_path, "news.txt", "绍兴市今天天气晴")
    reading = read_plans([city, county, news])
    read = [(plan.region, plan.table, len(plan.targets), [r.key for r in plan.remarks]) for plan in reading.plans]
    assert read == [("330600", None, 0, []), ("330681", None, 0, ["table_not_there"])]
    assert [(p.key, p.file) for p in reading.problems] == [("table_missing", "news.txt")]


def test_a_plan_declared_as_prose_is_read_as_such(tmp_path):
    write(tmp_path, "county.txt", f"诸暨市公共服务规划\n{PROSE}")
    write(tmp_path, SOURCES, "file,region,sha256,layout\ncounty.txt,330681,,prose\n")
    assert [plan.table for plan in read_plans([tmp_path]).plans] == [None]


def test_two_documents_of_one_region_are_not_chosen_between(tmp_path):
    for name in ("a.txt", "b.txt"):
        write(tmp_path, name, printed("shengsi"))
    reading = read_plans([tmp_path])
    assert reading.plans == []
    assert [(p.key, p.file) for p in reading.problems] == [("region_twice", "a.txt, b.txt")]


def test_a_document_that_supersedes_another_is_read_in_its_place(tmp_path):
    folder = tmp_path / "raw"
    path, _ = add_document(write(tmp_path, "ninghai.txt", fifth_county()), folder=folder)
    write(folder, "ninghai-2024.txt", fifth_county().replace("\t2.95\n", "\t3.05\n"))
    assert [problem.key for problem in read_plans([folder]).problems] == ["region_twice"]
    sources = read_sources(folder)
    new = sources.iloc[[0]].assign(file="ninghai-2024.txt", sha256="", supersedes=path.name)
    write_whole(folder / SOURCES, csv_bytes(pd.concat([sources, new])))
    reading = read_plans([folder])
    assert reading.problems == []
    assert reading.targets["value"].iloc[0] == 3.05


def test_a_stated_region_must_not_contradict_the_title(tmp_path):
    reading = read_plans([write(tmp_path, "plan.txt", fifth_county())], region="象山县")
    assert [problem.key for problem in reading.problems] == ["region_conflict"]


def test_a_region_cannot_be_stated_for_many_documents_at_once():
    with pytest.raises(DataError) as caught:
        read_plans([raw_dir()], region="象山县")
    assert caught.value.problems[0].key == "region_of_many"


def test_a_file_that_was_changed_after_it_was_registered_is_refused(tmp_path):
    path, _ = add_document(write(tmp_path, "ninghai.txt", fifth_county()), folder=tmp_path / "raw")
    write(path.parent, path.name, path.read_text(encoding="utf-8").replace("81.07", "91.07"))
    assert [p.key for p in read_plans([path.parent]).problems] == ["checksum"]


def test_add_registers_what_the_document_says(tmp_path):
    source = write(tmp_path, "ninghai.txt", "宁政办发〔2023〕9号\n2023年5月4日\n" + fifth_county())
    path, plan = add_document(source, folder=tmp_path / "raw")
    line = read_sources(path.parent).iloc[0]
    assert path.read_bytes() == source.read_bytes()
    assert line[["file", "region", "document_number", "date", "layout"]].tolist() == [
        "ninghai.txt",
        "330226",
        "宁政办发〔2023〕9号",
        "2023-05-04",
        "grid",
    ]
    assert line["sha256"] == plan.document.sha256


@pytest.mark.parametrize("case", ["unreadable", "same_region", "same_name"])
def test_add_writes_nothing_when_something_is_wrong(tmp_path, case):
    folder = tmp_path / "raw"
    add_document(write(tmp_path, "ninghai.txt", fifth_county()), folder=folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = tmp_path / "other"
    other.mkdir()
    source = {
        "unreadable": lambda: write(other, "x.txt", "没有表"),
        "same_region": lambda: write(other, "x.txt", fifth_county()),
        "same_name": lambda: write(other, "ninghai.md", fifth_county("象山县")),
    }[case]()
    with pytest.raises(DataError):
        add_document(source, folder=folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_region_can_be_stated_when_the_document_does_not_tell(tmp_path):
    source = write(tmp_path, "plan.txt", fifth_county().replace("宁波市宁海县", "我县"))
    _, plan = add_document(source, "宁海县", tmp_path / "raw")
    assert plan.region == "330226"


@pytest.fixture
def corrections(monkeypatch):
    """Put rows into corrections.csv for one test."""

    def put(**row):
        table = pd.DataFrame([row], columns=["region", "indicator", "year", "expect", "corrected", "reason", "status"])
        monkeypatch.setattr(tidy_rows.catalogue, "corrections", lambda: table)
        tidy_rows._accepted_corrections.cache_clear()

    yield put
    monkeypatch.undo()
    tidy_rows._accepted_corrections.cache_clear()


def test_an_accepted_correction_replaces_the_value_and_keeps_the_printed_text(tmp_path, corrections):
    where = {"region": "330213", "indicator": "rental_housing_cumulative", "year": "2027"}
    corrections(**where, expect="0.548", corrected="0.968", reason="勘误", status="accepted")
    cell = read_plan(write(tmp_path, "f.txt", printed("fenghua"))).targets.query("number == 17 and year == 2027")
    assert cell[["raw", "value", "correction"]].iloc[0].tolist() == ["0.548", 0.968, "勘误"]


def test_a_correction_whose_printed_text_has_changed_is_an_error(tmp_path, corrections):
    where = {"region": "330213", "indicator": "rental_housing_cumulative", "year": "2027"}
    corrections(**where, expect="0.5", corrected="0.968", reason="勘误", status="accepted")
    with pytest.raises(DataError) as caught:
        read_plan(write(tmp_path, "f.txt", printed("fenghua")))
    assert caught.value.problems[0].key == "correction_stale"


def test_a_proposed_correction_changes_nothing(tmp_path, corrections):
    where = {"region": "330213", "indicator": "rental_housing_cumulative", "year": "2027"}
    corrections(**where, expect="0.548", corrected="0.968", reason="勘误", status="proposed")
    cell = read_plan(write(tmp_path, "f.txt", printed("fenghua"))).targets.query("number == 17 and year == 2027")
    assert cell["value"].item() == 0.548


def test_an_error_keeps_its_problems_on_the_way_from_another_process():
    problems = [Problem("file_empty", "a.txt"), Problem("row_absent", "b.csv", "line 2", "99")]
    assert pickle.loads(pickle.dumps(DataError(problems))).problems == problems
