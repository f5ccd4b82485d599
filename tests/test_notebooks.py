"""The notebooks run as a user runs them: any folder, any county, only results on the page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from forms import csv_form
from plans import fifth_county, write

from qyx_analysis.datapackage import building
from qyx_analysis.engine.execution import execute
from qyx_analysis.files import project_dir, raw_dir
from qyx_analysis.notebook import open_desk
from qyx_analysis.problems import DataError
from qyx_analysis.reports.plan import CROSS_NOTEBOOKS
from qyx_analysis.wings.sentences.desk import open_prose

FOLDER = project_dir() / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """A build of the published plans, a made-up county and city, and made-up actual values of two counties."""
    folder = tmp_path_factory.mktemp("five")
    county = write(folder, "ninghai.txt", fifth_county())
    city = write(folder, "ningbo.txt", fifth_county().replace("宁波市宁海县", "宁波市"))
    shares = (("nursery_places", 4.2), ("affordable_nursery_share", 61))
    values = [f"{code},{row},2023,{value},,synthetic," for code in (330226, 330213) for row, value in shares]
    form = csv_form(folder, *values)
    return building.build([raw_dir(), county, city], folder / "data", actuals=[form]).out


def papermill(tmp_path, name, *parameters):
    """Run one notebook with the papermill command from a folder that has nothing to do with the project."""
    given = [text for key, value in parameters for text in ("-p", key, str(value))]
    command = [sys.executable, "-m", "papermill", FOLDER / f"{name}.ipynb", "out.ipynb", *given]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    path = tmp_path / "out.ipynb"
    return done, nbformat.read(path, as_version=4) if path.is_file() else None


def shown(notebook):
    """Everything a reader sees of the outputs, alternative texts included."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "stream", output.text
            data = output.data
            texts.append(re.sub("<[^>]+>", " ", data.get("text/html", data.get("text/markdown", ""))))
            texts.append(output.metadata.get("image/png", {}).get("alt", ""))
    return "\n".join(texts)


def test_plain_papermill_runs_a_notebook_from_any_folder(tmp_path, five):
    done, notebook = papermill(tmp_path, "region-report", ("data_dir", five), ("region", 330226))
    assert done.returncode == 0, done.stderr
    assert "宁海县" in shown(notebook)


@pytest.mark.parametrize(("name", "lang"), [(name, "zh") for name in NAMES] + [("region-report", "en")])
def test_each_notebook_shows_a_fifth_county_and_no_holes(five, name, lang, forkable):
    parameters = {"data_dir": str(five), "lang": lang} | ({"region": "330226"} if name == "region-report" else {})
    notebook = forkable(execute, nbformat.read(FOLDER / f"{name}.ipynb", as_version=4), parameters)
    text = shown(notebook)
    assert ("宁海县" if lang == "zh" else "Ninghai") in text
    assert not re.search(r"\b(nan|NaN|None|<NA>)\b", text)
    pictures = [o for c in notebook.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
    if name == "00-start":
        pictures.pop()  # the guide ends with a picture of the analyst's own
    assert len(pictures) >= {"40-alignment": 1, "briefing": 0}.get(name, 2)
    assert all(len(picture.metadata["image/png"]["alt"]) > 20 for picture in pictures)


def test_the_guide_is_for_the_desk_and_no_report():
    reports = {path.stem for path in FOLDER.glob(CROSS_NOTEBOOKS)}
    assert {name for name in NAMES if name[:2].isdigit()} - reports == {"00-start"}


def test_a_region_may_be_a_number_a_text_or_a_name(five):
    for given in (330213, "330213", "奉化区", "Fenghua District"):
        assert open_desk(region=given, data_dir=five).region == "330213"


def test_an_unknown_region_is_refused_by_the_first_cell(tmp_path, five):
    done, notebook = papermill(tmp_path, "region-report", ("data_dir", five), ("region", 999999))
    assert done.returncode != 0
    failed = [i for i, c in enumerate(notebook.cells) for o in c.get("outputs", []) if o.output_type == "error"]
    first = next(i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and "open_desk" in c.source)
    assert failed == [first]
    assert "qyx list regions" in done.stderr


@pytest.mark.parametrize(
    ("parameters", "key"),
    [
        ({"region": 999999}, "region_unknown"),
        ({"region": "宁波市鄞州区"}, "region_unknown"),
        ({"region": 330212}, "region_absent"),
        ({"lang": "fr"}, "lang_unknown"),
        ({"peers": "没有这个组"}, "region_unknown"),
        ({"region": 330213, "peers": "杭州市"}, "peers_absent"),
        ({"domain": "军有优抚"}, "domain_unknown"),
        ({"data_dir": "/nowhere"}, "data_missing"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(five, parameters, key):
    with pytest.raises(DataError) as caught:
        open_desk(**({"data_dir": five} | parameters))
    assert caught.value.problems[0].key == key


def test_peers_are_codes_names_groups_or_a_city(five):
    def counties(peers):
        targets = open_desk(region=330922, peers=peers, data_dir=five).targets
        return sorted(targets.loc[targets["level"] == "county", "region"].unique())

    assert counties(330282) == ["330282", "330922"]
    assert counties("慈溪市，诸暨市") == ["330282", "330681", "330922"]
    assert counties("宁波市") == ["330213", "330226", "330282", "330922"]
    assert counties(["330213"]) == ["330213", "330922"]


def test_the_city_is_a_benchmark_and_not_a_county(five):
    desk = open_desk(data_dir=five)
    assert "330200" in set(desk.targets["region"])
    assert desk.dispersion["n"].max() == 5


def test_a_domain_narrows_every_frame(five):
    desk = open_desk(data_dir=five, domain="Childcare")
    assert set(desk.trajectory["number"]) == set(desk.dispersion["number"]) == {1, 2, 3}
    assert set(open_prose(desk).alignment["number"].dropna()) == {
        1,
        2,
        3,
    }  # and what has no number: the same words in both plans


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_the_parameters_are_typed_and_explained(name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert max(cell.source.count("\n") + 1 for cell in code) <= 6
    parameters = next(cell.source for cell in code if "parameters" in cell.metadata.get("tags", []))
    assert all(re.fullmatch(r'\w+: str = ".*"  # .+', line) for line in parameters.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_every_text_cell_stands_in_both_languages(name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    tags = [cell.metadata["tags"][0] for cell in notebook.cells if cell.cell_type == "markdown"]
    assert tags == ["zh", "en"] * (len(tags) // 2)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata["tags"][0] == "en":
            assert not re.search("[\u4e00-\u9fff]", re.sub("全覆盖", "", cell.source))


def test_notebooks_are_json_that_git_can_merge():
    for name in NAMES:
        text = Path(FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n"
