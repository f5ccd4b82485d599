"""The real reports in a real browser: quiet, on a phone, in the dark, read aloud, searched and printed."""

import re
import shutil

import nbformat
import pytest
from browsing import A4, AXE, DESK, PHONE, faults, printed, show
from nbformat.v4 import new_markdown_cell, new_notebook
from plans import four_plans
from synthetic_actuals import fill

from qyx_analysis.datapackage import building
from qyx_analysis.files import project_dir, raw_dir
from qyx_analysis.reports import make_reports
from qyx_analysis.wings.monitoring.forms import actuals_form

pytestmark = pytest.mark.slow

COUNTY, ANALYSIS, MONITORING = "330213-fenghua", "10-trajectories", "50-monitoring"
PAGES = [
    "index.html",
    "index.en.html",
    *(f"{stem}.{lang}.html" for stem in (COUNTY, ANALYSIS) for lang in ("zh", "en")),
    f"{MONITORING}.zh.html",
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The reports of one county, one comparison and the monitoring in both languages, in an index of four counties.

    The county has reported values, which are synthetic.
    """
    root = tmp_path_factory.mktemp("browser")
    form = root / "form.xlsx"
    form.write_bytes(fill(actuals_form(four_plans(), "330213", ["2023", "2024", "2025Q2"]), seed=1))
    data = building.build([raw_dir()], root / "data", actuals=[form]).out
    notebooks, ours = root / "notebooks", project_dir() / "notebooks"
    notebooks.mkdir()
    nbformat.write(new_notebook(cells=[new_markdown_cell("# -")]), notebooks / "region-report.ipynb")
    for name in (ANALYSIS, MONITORING):
        shutil.copy(ours / f"{name}.ipynb", notebooks)
    made = make_reports(data=data, lang="both", out=root / "reports", notebooks=notebooks)
    made += make_reports("330213", data=data, lang="both", out=root / "reports", notebooks=ours)
    assert [outcome.reason for outcome in made if not outcome.ok] == []
    return root / "reports"


# --- looked at --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nobody_complains_of_nothing_fits_and_has_no_serious_fault(browser, folder, name, scheme):
    for size in (DESK, PHONE):
        assert show(browser, folder / name, size, scheme) == [(folder / name).as_uri()]
        assert browser.get_log("browser") == []
        script = "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]"
        needed, there = browser.execute_script(script)
        assert size[0] - 20 <= needed == there <= size[0]  # but for the scroll bar of a desk
        ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    if AXE.is_file():
        assert faults(browser) == []


def test_axe_looks_for_what_keeps_a_reader_out():
    if not AXE.is_file():
        pytest.skip("not installed: axe-core (npm ci --prefix tests/npm)")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_figure_says_what_it_shows(browser, folder, lang):
    for stem, least in ((COUNTY, 5), (ANALYSIS, 2), (MONITORING, 3)):
        show(browser, folder / f"{stem}.{lang}.html")
        said = browser.execute_script(
            "return [...document.querySelectorAll('figure :is(img, svg)')]"
            ".map((picture) => picture.alt || picture.getAttribute('aria-label') || '')"
        )
        assert len(said) >= least
        assert all(len(text) > 20 for text in said)
        assert all(bool(re.search("[\u4e00-\u9fff]{4}", text)) is (lang == "zh") for text in said)


# --- searched ---------------------------------------------------------------------------------------------


def reports_shown(browser):
    links = browser.execute_script(
        "return [...document.querySelectorAll('.report .open')].map((a) => [a.checkVisibility(), a.textContent])"
    )
    return [text for visible, text in links if visible]


def type_into(browser, name, text):
    browser.execute_script(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('input', {bubbles: true}))",
        name,
        text,
    )


def test_the_index_is_searched_by_name_code_city_and_group(browser, folder):
    show(browser, folder / "index.html")
    expected = {"奉化": 1, "fenghua": 1, "330282": 1, "宁波": 2, "NINGBO cixi": 1, "山区海岛县": 1}
    expected |= {"１０-trajectories": 1, "Atlantis": 0, "<script>": 0, "": 6}
    for text, found in expected.items():
        type_into(browser, "find", text)
        assert len(reports_shown(browser)) == found, text
        headings = browser.execute_script(
            "return [...document.querySelectorAll('main h3')].filter((h) => h.checkVisibility()).length"
        )
        assert bool(headings) is (found > 0 and "traj" not in text), text  # no city without a report
        said = browser.execute_script("return document.querySelector('output').textContent")
        assert said == ("" if not text else f"显示 {found} 份，共 6 份" if found else "没有符合的报告")


def test_the_index_is_narrowed_to_a_city_or_group(browser, folder):
    show(browser, folder / "index.en.html")
    offered = browser.execute_script("return [...document.getElementById('group').options].map((o) => o.text)")
    assert offered == ["All", "Ningbo", "Shaoxing", "Zhoushan", "山区海岛县", "海岛县"]
    type_into(browser, "group", "Ningbo")
    assert reports_shown(browser) == ["Fenghua District", "Cixi City"]
    type_into(browser, "find", "cixi")
    assert reports_shown(browser) == ["Cixi City"]
    assert browser.get_log("browser") == []


def test_without_scripts_the_index_shows_everything(browser, folder):
    show(browser, folder / "index.html", scripts=False)
    page = browser.execute_cdp_cmd("DOMSnapshot.captureSnapshot", {"computedStyles": ["display"]})
    shown = {page["strings"][i] for i in page["documents"][0]["layout"]["text"] if i >= 0}
    assert {"奉化区", "慈溪市", "诸暨市", "嵊泗县", "下载"} <= shown
    assert not any(text.startswith("查找") for text in shown)  # no field that does nothing


def test_links_lead_to_files_beside_the_page(browser, folder):
    for name in PAGES:
        show(browser, folder / name)
        links = browser.execute_script("return [...document.links].map((link) => link.getAttribute('href'))")
        there = {link.partition("#")[0] for link in links if not link.startswith(("#", "data:"))}
        assert there and all((folder / link).is_file() for link in there)


# --- printed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_printed_no_row_or_figure_is_cut_and_nothing_leaves_the_paper(browser, folder, name):
    paper = printed(browser, folder / name)
    assert paper["sizes"] == {A4}
    assert min(map(len, paper["texts"])) > 40  # no page is left empty
    assert (paper["cut_rows"], paper["cut_drawings"], paper["outside"]) == ([], [], [])


def test_what_is_cut_in_print_is_found(browser, tmp_path):
    row = "<tr><td>" + "<br>".join(f"line {n}" for n in range(90)) + "</td></tr>"
    beyond = "<style>@page { margin: 0 } * { margin: 0 }</style><p>beyond the edge</p>"
    path = tmp_path / "cut.html"
    path.write_text(f"<!DOCTYPE html>{beyond}<table>{row}</table>", encoding="utf-8", newline="\n")
    paper = printed(browser, path)
    assert len(paper["cut_rows"]) == 1
    assert paper["outside"]
