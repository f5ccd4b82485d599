"""Texts that mean harm, as the name of a county, an indicator and a cell, from the document to every file we write."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import lxml.etree
import openpyxl
import pandas as pd
import pytest
from browsing import show
from hostile import RUN, TEXTS
from renderings import as_printed, html_table

import qyx_analysis
from qyx_analysis import catalogue, figures, names
from qyx_analysis.datapackage.loading import load_targets
from qyx_analysis.files import project_dir, raw_dir
from qyx_analysis.problems import visible
from qyx_analysis.texts import shared
from qyx_analysis.texts.html import render_table
from qyx_analysis.texts.shared import table_measure

pytestmark = pytest.mark.slow

COUNTY, CITY = "330213", "330200"
TAGS = """
html head meta title link style script body a header nav main section footer h1 h2 h3 h4 p span div ul ol li dl dt dd
details summary table caption thead tbody tr th td code pre blockquote strong em b i small br time figure figcaption img
svg g path use defs text tspan clippath rect button form input label select option output
"""  # the elements of our pages; those of a form are the index's
SCRIPT = """
import sys
from pathlib import Path
from qyx_analysis import build, reports
root = Path(sys.argv[1])
built = build([root / "raw"], root / "data")
assert not built.problems, [str(problem) for problem in built.problems]
made = reports.make_reports("330213", data=root / "data", lang="both", out=root / "reports")
assert all(outcome.ok for outcome in made), made
"""


def county_page():
    """A county's plan as a web page whose table has a row for every text, which also stands in its cells."""
    plan = as_printed("fenghua")
    width = len(plan.header)
    rows = [plan.header, *([row[0] or "", *row[1:]] for row in plan.rows)]
    for number, text in enumerate(TEXTS, 100):
        cells = [TEXTS[(number + i) % len(TEXTS)] for i in range(width - 3)]
        rows.append(["", str(number), f"{text} 甲{number}", *cells])
    return f"<html><body><p>{plan.title}</p>{html_table(rows)}</body></html>"


@pytest.fixture(scope="session")
def harmed(tmp_path_factory):
    """The project with a catalogue that calls a county and a city by hostile names, run on the hostile plan."""
    root = tmp_path_factory.mktemp("hostile") / "project"
    package = Path(qyx_analysis.__file__).parent
    shutil.copytree(package, root / "qyx_analysis", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(project_dir() / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    regions = catalogue.regions()
    short = [text for text in TEXTS if len(text) < 1000]
    for code, texts in ((COUNTY, short[::2]), (CITY, short[1::2])):
        regions.loc[regions["code"] == code, "name_zh"] = "".join(texts)
        regions.loc[regions["code"] == code, "name_en"] = " ".join(texts)
    with (root / "qyx_analysis" / "catalogue" / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        regions.to_csv(file, index=False, quoting=csv.QUOTE_ALL)
    (root / "raw").mkdir()
    for name, text in (("hostile.html", county_page()), ("cixi.txt", (raw_dir() / "cixi.txt").read_text("utf-8"))):
        (root / "raw" / name).write_text(text, encoding="utf-8", newline="\n")
    sources = pd.DataFrame({"file": ["hostile.html"], "region": [COUNTY], "sha256": ""})
    sources.to_csv(root / "raw" / "sources.csv", index=False, lineterminator="\n")
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", SCRIPT, str(root)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, re.findall(r"reason='[^']{1,200}|\w+Error: .{200}", done.stderr)
    return root


@pytest.fixture(scope="session")
def targets(harmed):
    return load_targets(harmed / "data")


class Tags(HTMLParser):
    """The elements of a page, and the text of it."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


def pages(harmed):
    return sorted((harmed / "reports").glob("*.html"))


def test_nothing_is_written_but_what_is_known(harmed):
    outside = {path.name for path in harmed.parent.iterdir()} | {path.name for path in harmed.iterdir()}
    assert outside == {"project", "qyx_analysis", "notebooks", "raw", "data", "reports"}
    written = [path.relative_to(harmed / "reports").as_posix() for path in (harmed / "reports").rglob("*")]
    assert all(re.fullmatch(r"[a-z0-9/_.-]+", name) for name in written)
    assert max(map(len, written)) < 80
    assert not list(harmed.rglob("pwned*"))


def test_every_text_is_read_as_it_is_printed(targets):
    own = targets[targets["region"] == COUNTY]
    local = own[own["indicator"].str.startswith("local:")]
    assert local["indicator"].nunique() >= 100
    assert len(set(local["raw"])) >= 100


def test_no_page_has_an_element_or_attribute_that_a_text_made(harmed):
    for path in pages(harmed):
        page = path.read_text(encoding="utf-8")
        tags = Tags(page).found
        assert {tag for tag, _ in tags} <= set(TAGS.split())
        assert [sum(tag == name for tag, _ in tags) for name in ("title", "h1", "main")] == [1, 1, 1]
        assert not re.search(r"@import|url\((?!#)", "".join(re.findall(r"<style.*?</style>", page, flags=re.DOTALL)))
        assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
        for _, attributes in tags:
            for name in ("href", "src", "action", "xlink:href"):
                assert re.match(r"(#|data:|figures/|data/|[\w-]+(\.\w\w)?\.html)|$", attributes.get(name) or "")
        policy = next(attributes["content"] for _, attributes in tags if "http-equiv" in attributes)
        assert sum(tag == "script" for tag, _ in tags) == policy.count("sha256-")


def test_texts_are_shown_as_texts_with_marks_for_what_cannot_be_seen(harmed, targets):
    own = targets[targets["region"] == COUNTY]
    (path,) = (harmed / "reports").glob("330213-*.zh.html")
    page = path.read_text(encoding="utf-8")
    assert visible(page) == page
    shown = " ".join("".join(Tags(page).text).split())
    local = own.loc[own["indicator"].str.startswith("local:"), "name"]  # the catalogue's own have short names
    printed = {" ".join(visible(text).split()) for text in {*own["raw"], *local} if text.strip()}
    assert [text for text in printed if text not in shown] == []


def test_nothing_runs_and_nothing_is_fetched_even_without_the_policy(browser, harmed, tmp_path):
    for path in pages(harmed):
        page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
        assert "Content-Security-Policy" not in page
        bare = tmp_path / path.name
        bare.write_text(page, encoding="utf-8", newline="\n")
        assert show(browser, bare) == [bare.as_uri()]
        browser.execute_script("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        assert browser.execute_script("return window.pwned") is None
        messages = [entry["message"] for entry in browser.get_log("performance")]
        assert not [message for message in messages if "requestWillBeSent" in message and '"url":"data:' not in message]
        assert browser.get_log("browser") == []


def test_the_drawn_files_hold_drawings_alone(harmed):
    drawn = sorted((harmed / "reports" / "figures").glob("*.svg"))
    assert len(drawn) >= 8
    for path in drawn:
        root = lxml.etree.fromstring(path.read_bytes())
        tags = {lxml.etree.QName(element).localname for element in root.iter("{http://www.w3.org/2000/svg}*")}
        assert tags <= {"svg", "metadata", "defs", "style", "g", "path", "use", "clipPath", "rect", "image"}
        assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
        assert visible(path.read_text(encoding="utf-8")) == path.read_text(encoding="utf-8")


def test_downloaded_tables_hold_every_text_and_no_formula(harmed, targets):
    path = harmed / "reports" / "data" / "targets.csv"
    with io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["raw"].removeprefix("'") for row in rows] == targets["raw"].tolist()
    assert not [
        row["raw"] for row in rows if re.match(r"[=@\t]|[+-](?![\d.]*$)", row["raw"]) and set(row["raw"]) - set("-")
    ]
    for lang, title in (("zh", "目标值"), ("en", "Targets")):
        sheet = openpyxl.load_workbook(harmed / "reports" / "data" / f"qyx-tables.{lang}.xlsx")[title]
        heads = [cell.value for cell in sheet[1]]
        column = heads.index("印制原文" if lang == "zh" else "Cell as printed") + 1
        cells = [row[0] for row in sheet.iter_rows(min_row=2, min_col=column, max_col=column)]
        assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
        read = [re.sub("_x005F_", "_", cell.value or "") for cell in cells]
        assert read == [visible(text) for text in targets["raw"]]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pictures_and_tables_across_counties_show_them_as_texts_too(harmed, targets, lang, monkeypatch):
    hostile = dict(zip(targets["region"].unique(), ["".join(TEXTS[:60]), "\n".join(TEXTS[60:])], strict=True))
    monkeypatch.setattr(shared, "region_name", lambda code, lang="zh": hostile.get(code, code))
    monkeypatch.setattr(names, "region_name", lambda code, lang="zh": hostile.get(code, code))
    for draw, measure in (
        (figures.plot_dispersion, qyx_analysis.dispersion),
        (figures.plot_ambition, qyx_analysis.ambition),
    ):
        forms, _ = draw(measure(targets), targets, lang=lang)._repr_mimebundle_()
        root = lxml.etree.fromstring(visible(forms["image/svg+xml"]).encode("utf-8"))
        assert {lxml.etree.QName(element).localname for element in root.iter()} <= {
            *("svg", "defs", "g", "path", "use", "clipPath", "rect", "image", "text", "tspan")
        }
        assert len(forms["image/png"]) > 5000
    table = render_table(table_measure(qyx_analysis.trajectory(targets), "front_loading", lang), RUN)
    assert {tag for tag, _ in Tags(table).found} == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
