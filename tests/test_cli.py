"""The command as a user types it: what it prints, and the status it ends with."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plans import fifth_county, printed, write

from qyx_analysis import catalogue, cli
from qyx_analysis.cli import main
from qyx_analysis.datapackage import loading
from qyx_analysis.files import project_dir, raw_dir
from qyx_analysis.wings import Input
from qyx_analysis.wings.monitoring.forms import load_actuals

COMMANDS = ("add", "build", "report", "explain", "list", "template", "names", "extract", "diff", "doctor")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "data"
    assert main(["build", str(raw_dir()), "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def data(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "data"))


def test_build_reads_just_the_files_it_is_given(tmp_path, capsys):
    file = write(tmp_path, "plan.txt", fifth_county())
    assert main(["build", str(file), "--out", str(tmp_path / "out")]) == 0
    assert set(loading.load_targets(tmp_path / "out")["region_name"]) == {"宁海县"}
    assert "126" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("twice.txt", printed("cixi").replace("高等教育毛入学率", "普惠托位占比").encode(), 2),
        ("unknown_region.txt", printed("cixi").replace("慈溪市", "某某市").encode(), 2),
        ("seven_cells.txt", printed("cixi").replace("62\n\n", "", 1).encode(), 2),
        ("empty.txt", b"", 2),
        ("binary.txt", b"\x00\x01\x02", 2),
        ("absent.txt", None, 2),
    ],
)
def test_bad_input_is_one_line_and_leaves_the_data_alone(data, tmp_path, capfd, name, content, status):
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    if content is not None:
        (tmp_path / name).write_bytes(content)
    capfd.readouterr()
    assert main(["build", str(tmp_path / name), "--out", str(data)]) == status
    problem, summary = capfd.readouterr().err.splitlines()
    assert name in problem
    assert " / " in problem
    assert "Traceback" not in problem + summary
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_one_bad_file_among_good_ones_gives_status_1(tmp_path, capfd):
    good, bad = write(tmp_path, "good.txt", fifth_county()), write(tmp_path, "bad.txt", "没有表")
    assert main(["build", str(good), str(bad), "--out", str(tmp_path / "out")]) == 1
    assert capfd.readouterr().err.startswith("qyx: bad.txt")


def test_build_reads_the_forms_of_the_project_with_its_own_plans_and_those_it_is_given(tmp_path, capfd, monkeypatch):
    forms = tmp_path / "actuals"
    forms.mkdir()
    header = "region,indicator,period,value,unit,source\n"
    write(forms, "a.csv", header + "330213,nursery_places,2023,4,个,return\n")
    own = Input(lambda: forms, "")
    monkeypatch.setattr(cli, "_inputs", lambda: {"actuals": own})
    assert main(["build", "--out", str(tmp_path / "out")]) == 0
    assert load_actuals(tmp_path / "out")["raw"].tolist() == ["4"]
    assert "1 个实际值 / actual values" in capfd.readouterr().out
    assert main(["build", str(raw_dir()), "--out", str(tmp_path / "out")]) == 0
    assert load_actuals(tmp_path / "out").empty  # other plans, other values
    bad = write(tmp_path, "bad.csv", header + "330213,nursery_places,2023,four,个,return\n")
    capfd.readouterr()
    assert main(["build", "--actuals", str(bad), "--actuals", str(forms), "--out", str(tmp_path / "out")]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("qyx: bad.csv: line 2: “four”")
    assert len(load_actuals(tmp_path / "out")) == 1


def test_add_then_build_then_explain(tmp_path, capsys):
    folder = tmp_path / "raw"
    assert main(["add", str(write(tmp_path, "plan.txt", fifth_county())), "--raw", str(folder)]) == 0
    assert main(["build", str(folder), "--out", str(tmp_path / "data")]) == 0
    capsys.readouterr()
    assert main(["explain", "宁海县", "1", "2022", "--data", str(tmp_path / "data")]) == 0
    text = capsys.readouterr().out
    assert "plan.txt, line 15: “2.95”" in text


def test_explain_shows_printed_text_place_and_findings(data, capsys):
    capsys.readouterr()
    assert main(["explain", "330213", "17", "2027", "--data", str(data)]) == 0
    text = capsys.readouterr().out
    assert "fenghua.txt, line 180: “0.548”" in text
    assert "0.938" in text  # the finding names what it fell from


@pytest.mark.parametrize(
    "indicator",
    [
        *("rental_housing_cumulative", "保租房累计", "rental homes (cum.)", "保障性租赁住房", "rental_housing"),
        "保障性租赁住房累计建设筹集套数（万套<间>）",
    ],
)
def test_explain_takes_a_code_a_name_or_a_part_of_one(data, capsys, indicator):
    capsys.readouterr()
    assert main(["explain", "330213", indicator, "2027", "--data", str(data)]) == 0
    assert "第 17 行 / row 17" in capsys.readouterr().out


def test_explain_lists_the_rows_that_a_part_of_a_name_may_mean(data, capsys):
    capsys.readouterr()
    assert main(["explain", "330213", "覆盖", "--data", str(data)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert all(name in line for name in ("16 城镇住房保障受益覆盖率", "18 住宅小区", "残疾人之家"))
    assert "普惠托位占比" not in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "999999", "1"],
        ["explain", "330213", "99"],
        ["explain", "330213", "1", "1999"],
        ["explain", "330213", "没有的指标"],
        ["explain", "宁海县", "1"],
    ],
)
def test_explain_refuses_what_is_not_there_in_one_line(data, capsys, arguments):
    capsys.readouterr()
    assert main([*arguments, "--data", str(data)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("what", "count"), [("regions", 102), ("indicators", len(catalogue.indicators())), ("domains", 7)]
)
def test_list_prints_the_catalogue_and_marks_what_the_data_hold(data, capsys, what, count):
    capsys.readouterr()
    assert main(["list", what, "--data", str(data)]) == 0
    _header, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == count
    if what == "regions":
        assert sum(line.endswith("*") for line in lines) == 4


def test_every_command_has_help_with_an_example(capsys):
    for command in ([], *([name] for name in COMMANDS)):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert ended.value.code == 0
        text = capsys.readouterr().out
        assert "example: qyx" in text


def test_every_command_is_in_the_readme():
    readme = (project_dir() / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"qyx {command}" in readme


def test_the_installed_command_works_from_any_folder(tmp_path):
    command = Path(sys.executable).with_name("qyx")
    done = subprocess.run([command, "list", "domains"], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0
    assert "幼有善育" in done.stdout
