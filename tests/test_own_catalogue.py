"""An analyst's own lines: what one line in data/catalogue makes known, and what a bad line says of itself."""

import subprocess
import sys

import pytest
from plans import printed, write

from qyx_analysis.datapackage import loading
from qyx_analysis.names.unknown import INDICATOR_COLUMNS

ALIAS = "alias,code,note_zh,note_en\n"
INDICATOR = ",".join(INDICATOR_COLUMNS) + "\n"


@pytest.fixture
def project(tmp_path):
    """A folder of a project with a plan that prints a name nobody knows."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data" / "catalogue").mkdir(parents=True)
    text = printed("shengsi").replace("每千人口拥有3岁以下婴幼儿托位数", "每千人拥有3岁以下婴幼儿托位数")
    write(tmp_path, "plan.txt", text.replace("高等教育毛入学率", "儿童青少年总体近视率"))
    return tmp_path


def run(project, *arguments):
    """A command in the folder of the project, as of an installed package."""
    code = (
        "import sys; from qyx_analysis import catalogue, cli; from pathlib import Path;"
        "catalogue.project_dir = Path.cwd; sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, encoding="utf-8")


def built(project, name="aliases.csv", content="", encoding="utf-8"):
    (project / "data" / "catalogue" / name).write_bytes(content.encode(encoding))
    return run(project, "build", "plan.txt", "--out", "out")


def indicators_of(project):
    return set(loading.load_targets(project / "out")["indicator"])


def test_names_shows_the_lines_that_make_a_name_known(project):
    assert built(project).returncode == 0
    assert "local:每千人拥有3岁以下婴幼儿托位数" in indicators_of(project)
    said = run(project, "names", "--data", "out").stdout
    line = next(line.strip() for line in said.splitlines() if line.endswith(",nursery_places"))
    assert line == "每千人拥有3岁以下婴幼儿托位数,nursery_places"
    assert "儿童青少年总体近视率,学有优教,%,,level,share,0,100" in said
    assert built(project, content=f"{ALIAS}{line},,\n").returncode == 0
    assert "nursery_places" in indicators_of(project)


def test_an_indicator_of_ones_own_is_compared_like_ours(project):
    line = "myopia,儿童青少年总体近视率,学有优教,%,-1,level,share,0,100\n"
    assert built(project, "indicators.csv", INDICATOR + line).returncode == 0
    assert "myopia" in indicators_of(project)


@pytest.mark.parametrize(
    ("encoding", "separator"), [("utf-8-sig", ","), ("gb18030", ","), ("utf-8", ";"), ("utf-16", "\t")]
)
def test_files_as_spreadsheet_programs_save_them_are_read(project, encoding, separator):
    line = "每千人拥有3岁以下婴幼儿托位数,nursery_places,,"
    content = f"{ALIAS}{line}\n".replace(",", separator).replace("\n", "\r\n")
    assert built(project, content=content, encoding=encoding).returncode == 0
    assert "nursery_places" in indicators_of(project)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("aliases.csv", "alias,note_zh\n", "aliases.csv: line 1: “code”"),
        ("aliases.csv", f"{ALIAS}每千人拥有托位数\n", "aliases.csv: line 2: “每千人拥有托位数”"),
        ("aliases.csv", f"{ALIAS}每千人拥有托位数,no_such_code,,\n", "aliases.csv: “每千人拥有托位数,no_such_code”"),
        ("aliases.csv", f"{ALIAS}人均预期寿命,nursery_places,,\n", "aliases.csv: “人均预期寿命,nursery_places”"),
        ("indicators.csv", f"{INDICATOR}life_expectancy,人均预期寿命,病有良医,%,1,level,share,0,100\n", "line 2"),
        ("indicators.csv", f"{INDICATOR}myopia,近视率,学有优教,%,低,level,share,0,100\n", "indicators.csv"),
    ],
    ids=["column_missing", "line_short", "code_unknown", "name_of_another", "contradicts_ours", "not_a_number"],
)
def test_a_line_that_cannot_be_used_is_one_line_of_error(project, name, content, place):
    done = built(project, name, content)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert place in done.stderr
    assert not (project / "out").exists()
