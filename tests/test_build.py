"""A build is one folder: it changes as a whole or not at all, and validates as a Frictionless data package."""

import json
from pathlib import Path

import pandas as pd
import pytest
import renderings
from plans import STEMS, fifth_county, four_plans, printed, write

from qyx_analysis import measures
from qyx_analysis.datapackage import building, loading
from qyx_analysis.datapackage.building import MEASURES, build
from qyx_analysis.files import raw_dir
from qyx_analysis.problems import DataError
from qyx_analysis.tidy.reading import add_document

TABLES = ["targets", "prose_targets", "governance", "findings", *MEASURES, "alignment"]
TABLES += ["actuals", "monitoring", "rankings", "open_items"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("build") / "processed"
    return build([raw_dir()], out)


def test_the_package_validates_with_the_frictionless_tool(built):
    from frictionless import Package

    report = Package(str(built.out / "datapackage.json")).validate()
    assert report.valid, report.flatten(["title", "message"])
    assert [
        resource["name"] for resource in json.loads((built.out / "datapackage.json").read_text("utf-8"))["resources"]
    ] == TABLES


def test_what_was_written_loads_as_it_was_computed(built):
    pd.testing.assert_frame_equal(loading.load_targets(built.out), four_plans(), check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_parquet(built.out / "targets.parquet"), four_plans(), check_dtype=False)
    assert len(loading.findings(built.out)) == len(built.tables["findings"])
    pd.testing.assert_frame_equal(loading.load_verdicts(built.out), measures.verdicts(four_plans()))


def test_csv_is_utf8_with_plain_line_ends_and_whole_numbers_without_a_point(built):
    for name in TABLES:
        data = (built.out / f"{name}.csv").read_bytes()
        assert b"\r" not in data
        data.decode("utf-8")
    lines = (built.out / "targets.csv").read_text("utf-8").splitlines()
    assert any(",14000," in line for line in lines)
    assert not any(field.endswith(".0") for line in lines for field in line.split(",")[12:15])


def test_two_builds_of_the_same_documents_are_equal_byte_for_byte(built, tmp_path):
    again = build([raw_dir()], tmp_path / "again")
    assert contents(again.out) == contents(built.out)


def test_a_bad_file_is_named_and_the_rest_is_written(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for stem in STEMS:
        write(folder, f"{stem}.txt", printed(stem))
    write(folder, "cixi.txt", printed("cixi").replace("62\n\n", "", 1))
    result = build([folder], tmp_path / "out")
    assert result.exit_status == 1
    assert [problem.file for problem in result.problems] == ["cixi.txt"]
    assert sorted(loading.load_targets(tmp_path / "out")["document"].unique()) == [
        "fenghua",
        "shengsi",
        "zhuji",
    ]


@pytest.mark.parametrize("bad", ["", "没有表", "\x00\x01", None])
def test_when_nothing_can_be_read_the_old_data_stay(tmp_path, bad):
    build([raw_dir()], tmp_path / "out")
    before = contents(tmp_path / "out")
    path = tmp_path / "bad.txt" if bad is None else write(tmp_path, "bad.txt", bad)
    result = build([path], tmp_path / "out")
    assert result.exit_status == 2
    assert contents(tmp_path / "out") == before


def test_a_folder_that_holds_something_else_is_not_replaced(tmp_path):
    out = tmp_path / "desktop"
    out.mkdir()
    write(out, "thesis.docx", "mine")
    with pytest.raises(DataError):
        build([raw_dir()], out)
    assert contents(out) == {"thesis.docx": b"mine"}


def test_what_an_analyst_put_beside_the_tables_is_kept(tmp_path):
    build([raw_dir()], tmp_path / "out")
    write(tmp_path / "out", "notes.md", "mine")
    build([raw_dir()], tmp_path / "out")
    assert (tmp_path / "out" / "notes.md").read_text("utf-8") == "mine"


@pytest.mark.parametrize("moment", ["write", "rename"])
def test_a_failure_in_the_middle_leaves_the_old_data_whole(tmp_path, monkeypatch, moment):
    out = tmp_path / "out"
    build([raw_dir()], out)
    before = contents(out)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    if moment == "write":
        monkeypatch.setattr(Path, "write_bytes", full)
    else:
        rename = Path.rename
        monkeypatch.setattr(Path, "rename", lambda self, to: full() if self.suffix == ".part" else rename(self, to))
    with pytest.raises(DataError, match="No space left"):
        build([write(tmp_path, "n.txt", fifth_county())], out)
    monkeypatch.undo()
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_every_column_that_is_written_is_described(built):
    described = json.loads((built.out / building.PACKAGE).read_text("utf-8"))
    for resource in described["resources"]:
        header = (built.out / resource["path"]).read_text("utf-8").splitlines()[0].split(",")
        assert header == [field["name"] for field in resource["schema"]["fields"]]
        assert all(field["description"] for field in resource["schema"]["fields"])


def test_a_fifth_county_appears_in_every_table(tmp_path):
    folder = tmp_path / "raw"
    for stem in STEMS:
        add_document(write(tmp_path, f"{stem}.txt", printed(stem)), folder=folder)
    add_document(write(tmp_path, "ninghai.txt", fifth_county()), folder=folder)
    result = build([folder], tmp_path / "out")
    assert result.exit_status == 0
    for name in ("targets", "trajectory", "ambition"):
        assert "330226" in (tmp_path / "out" / f"{name}.csv").read_text("utf-8"), name
    spread = pd.read_csv(tmp_path / "out" / "dispersion.csv").query("indicator == 'nursery_places' and measure == 'sd'")
    assert set(spread["n"]) == {5}


def test_a_city_is_a_benchmark_and_never_one_of_the_counties(tmp_path):
    city = write(tmp_path, "ningbo.txt", fifth_county().replace("宁波市宁海县", "宁波市"))
    build([raw_dir(), city], tmp_path / "out")
    targets = loading.load_targets(tmp_path / "out")
    assert set(targets.query("region == '330200'")["level"]) == {"city"}
    spread = pd.read_csv(tmp_path / "out" / "dispersion.csv")
    assert spread["n"].max() == 4


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The four plans as offices send them, a fifth as text in GB18030, and one file that cannot be read."""
    folder = tmp_path_factory.mktemp("mixed")
    renderings.written(folder, "奉化方案.docx", renderings.word(renderings.as_printed("fenghua")))
    renderings.written(folder, "cixi.xlsx", renderings.workbook(renderings.as_printed("cixi")))
    renderings.written(folder, "shengsi.html", renderings.merged_page(renderings.as_printed("shengsi")).encode("utf-8"))
    renderings.written(folder, "zhuji.docx", renderings.word(renderings.as_printed("zhuji")))
    renderings.written(folder, "ninghai.txt", fifth_county().encode("gb18030"))
    renderings.written(folder, "old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    return folder


def test_a_folder_of_mixed_formats_is_read_and_the_bad_file_named(mixed, tmp_path):
    result = build([mixed], tmp_path / "out")
    assert result.exit_status == 1
    assert [problem.file for problem in result.problems] == ["old.doc"]
    values = loading.load_targets(tmp_path / "out")
    assert len(values) == 630
    expected = four_plans().set_index(["region", "indicator", "year"])["value"]
    found = values.set_index(["region", "indicator", "year"])["value"].reindex(expected.index)
    pd.testing.assert_series_equal(found, expected)


def test_reading_in_several_processes_gives_the_same(mixed, tmp_path):
    build([mixed], tmp_path / "one")
    result = build([mixed], tmp_path / "two", jobs=2)
    assert [problem.file for problem in result.problems] == ["old.doc"]
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_what_the_sentences_promise_beside_the_table_is_data_too(tmp_path):
    sentence = "到2027年，城镇登记失业率控制在3%以内，新增托位累计达到300个以上。"
    result = build(
        [write(tmp_path, "fenghua.txt", printed("fenghua") + "\n二、重点任务\n" + sentence)], tmp_path / "out"
    )
    prose = pd.read_csv(tmp_path / "out" / "prose_targets.csv", dtype={"region": str})
    assert prose[["region", "operator", "value", "unit", "year"]].values.tolist() == [
        ["330213", "<=", 3, "%", 2027],
        ["330213", ">=", 300, "个", 2027],
    ]
    assert prose["linked_indicator"].fillna(0).tolist() == [7, 0]
    found = result.tables["findings"].query("rule == 'prose_value'")
    assert found[["number", "year", "raw"]].values.tolist() == [[7, 2027, "<3.5"]]
