"""Notebooks -> reports: which files appear, what is in them, and what they do in a real browser."""

import json
import re
import shutil
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsing import print_page, show
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from qyx_analysis import catalogue
from qyx_analysis.datapackage.building import build
from qyx_analysis.figures.style import axes_at, canvas, halo, house_style
from qyx_analysis.files import raw_dir
from qyx_analysis.problems import DataError
from qyx_analysis.reports import Outcome, make_reports, making, runner
from qyx_analysis.reports.downloads import data_id, resources
from qyx_analysis.reports.folder import ReportFolder
from qyx_analysis.reports.index import index_html
from qyx_analysis.reports.pages import Provenance, report_html, tidy

PNG = b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d49444154789c6360000000000200015e2ba0b50000000049454e44ae426082"
    )
).decode()
HOSTILE = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>&"
ORIGIN = Provenance("9.9", datetime(2026, 1, 2, 3, 4).astimezone(), [])
PARAMETERS = 'region = "330213"\npeers = ""\nlang = "zh"\ndata_dir = ""'
REGION_CODE = """
import sys
from IPython.display import HTML, Markdown, display
from qyx_analysis.problems import DataError, Problem
if region == "330282":
    raise DataError(Problem("row_absent", "plan.txt", "line 3", "<b>"))
print("printed", region)
print("a warning", file=sys.stderr)
display(HTML("<table><caption>C</caption>" + "<tr>" + "<td>wide wide</td>" * 60 + "</tr></table>"))
display({"image/png": %r}, raw=True, metadata={"image/png": {"alt": "what <it> shows", "width": 960}})
""" % b64decode(PNG)  # noqa: UP031 (an f-string would ask for doubled braces)


TABLE_CODE = """
import pandas as pd
from qyx_analysis import notebook
frame = pd.DataFrame({"row": ["1 a", "2 b", "3 c"], "value": ["−2 [−3, 1]", "—", "≥10"]})
notebook.folded({"all": frame})
"""


def tagged(cell: Any, *tags: str) -> Any:
    cell.metadata["tags"] = list(tags)
    return cell


def write_notebook(path: Path, *cells: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=list(cells)), path)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of two counties whose register holds a hostile title."""
    folder = tmp_path_factory.mktemp("data") / "processed"
    build([raw_dir() / "fenghua.txt", raw_dir() / "cixi.txt"], folder)
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    package["sources"][0]["title"] = HOSTILE
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "notebooks"
    parameters = tagged(new_code_cell(PARAMETERS), "parameters")
    write_notebook(
        folder / "region-report.ipynb",
        new_markdown_cell("# The notebook's own title"),
        parameters,
        tagged(new_markdown_cell("## 中文标题"), "zh"),
        tagged(new_markdown_cell("## English heading"), "en"),
        tagged(new_markdown_cell("for analysts only"), "hide"),
        new_code_cell(REGION_CODE),
    )
    write_notebook(
        folder / "10-across.ipynb",
        tagged(new_markdown_cell("# 比较\n\n## 同名\n\n### 同名"), "zh"),
        tagged(new_code_cell("top = 3"), "parameters"),
        new_code_cell("print('first', top)"),
        new_code_cell(TABLE_CODE),
    )
    write_notebook(folder / "20-stops.ipynb", new_markdown_cell("# Stops"), new_code_cell("raise SystemExit(0)"))
    write_notebook(folder / "draft.ipynb", new_code_cell("1/0"))
    return folder


@pytest.fixture(scope="module")
def run(data: Path, notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Outcome]]:
    """The one run with real kernels that most tests look at."""
    out = tmp_path_factory.mktemp("out") / "reports"
    return out, make_reports(data=data, out=out, parameters={"top": 5}, notebooks=notebooks)


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Give notebooks back as they are instead of running them; lists the parameters they were given."""
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(runner, "write_tables", lambda *arguments: None)
    monkeypatch.setattr(making, "execute", lambda notebook, taken, *_: given.append(taken) or notebook)
    monkeypatch.setattr(making, "_open_before", lambda *_: None)
    monkeypatch.setattr(runner, "in_processes", lambda work, tasks, *_: enumerate(map(work, tasks)))  # but in this one
    return given


def page_of(run: tuple[Path, list[Outcome]], name: str) -> str:
    return (run[0] / name).read_text(encoding="utf-8")


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element of a page with its attributes, as a browser would see them."""
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))  # type: ignore[method-assign]
    parser.feed(page)
    return found


def assert_harmless(page: str) -> None:
    policy = re.search("script-src ([^;]*);", unescape(page))[1]
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy.split() == [f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts] or (
        policy == "'none'" and not scripts
    )
    assert [tag for tag, _ in elements(page)].count("script") == len(scripts) <= 3
    for tag, attributes in elements(page):
        assert tag not in {"iframe", "object", "embed", "base"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            assert not re.match(r"(?i)\s*(https?:|//|javascript:|file:)", attributes.get(name) or "")
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


# --- a run ------------------------------------------------------------------------------------------------


def test_every_county_and_every_numbered_notebook_has_its_file(run: tuple[Path, list[Outcome]]) -> None:
    out, outcomes = run
    assert [(outcome.file, outcome.ok) for outcome in outcomes] == [
        ("330213-fenghua.zh.html", True),
        ("330282-cixi.zh.html", False),
        ("10-across.zh.html", True),
        ("20-stops.zh.html", False),
    ]
    pages = {"330213-fenghua.zh.html", "10-across.zh.html", "index.html"}
    assert {path.name for path in out.iterdir()} == pages | {"data", "figures", "manifest.json"}


def test_a_failure_says_why_in_one_line(run: tuple[Path, list[Outcome]]) -> None:
    reasons = {outcome.name: outcome.reason for outcome in run[1]}
    ours = "plan.txt: line 3: “<b>”: " + " / ".join(catalogue.message("row_absent", lang) for lang in ("zh", "en"))
    assert reasons["330282"] == ours
    assert reasons["20-stops"].startswith("SystemExit: 0")


def test_report_shows_outputs_without_stderr_and_machine_paths(run: tuple[Path, list[Outcome]], data: Path) -> None:
    page = page_of(run, "330213-fenghua.zh.html")
    assert "printed 330213" in page
    assert "a warning" not in re.sub(r"<details class=\"code\">.*?</details>", "", page, flags=re.DOTALL)
    assert 'data_dir = ""' in unescape(re.sub(r"<[^>]*>", "", page))
    assert str(data) not in page
    assert page.count("<h1>") == 1
    assert "The notebook" not in page


def test_report_keeps_alternative_text(run: tuple[Path, list[Outcome]]) -> None:
    images = [attributes for tag, attributes in elements(page_of(run, "330213-fenghua.zh.html")) if tag == "img"]
    assert [image["alt"] for image in images] == ["what <it> shows"]
    assert b64decode(images[0]["src"].removeprefix("data:image/png;base64,")) == b64decode(PNG)


def test_the_notebook_is_inside_without_pictures_and_places(run: tuple[Path, list[Outcome]], data: Path) -> None:
    page = page_of(run, "330213-fenghua.zh.html")
    (link,) = [attributes for tag, attributes in elements(page) if tag == "a" and "download" in attributes]
    assert link["download"] == "奉化区公共服务“七优享”规划目标报告.ipynb"
    source = b64decode(link["href"].removeprefix("data:application/x-ipynb+json;base64,")).decode("utf-8")
    notebook = nbformat.reads(source, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert 'region = "330213"' in "".join(cell.source for cell in notebook.cells)
    assert "printed 330213" in source
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert not [mime for output in outputs for mime in output.get("data", {}) if mime.startswith("image/")]
    assert str(data) not in source
    assert "papermill" not in source
    assert source.count("a warning") == 1  # in the code that printed it


def test_parameters_reach_the_notebooks_that_have_them(run: tuple[Path, list[Outcome]]) -> None:
    assert "first 5" in page_of(run, "10-across.zh.html")
    assert "<code>top = 5</code>" in page_of(run, "10-across.zh.html")
    assert "top" not in page_of(run, "330213-fenghua.zh.html").split("<footer>")[1]


@pytest.mark.parametrize("name", ["330213-fenghua.zh.html", "10-across.zh.html", "index.html"])
def test_page_asks_nothing_of_the_network_and_escapes(run: tuple[Path, list[Outcome]], name: str) -> None:
    page = page_of(run, name)
    assert_harmless(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\r" not in page
    assert page.startswith('<!DOCTYPE html>\n<html lang="zh-CN">')


def test_contents_lead_to_unique_headings(run: tuple[Path, list[Outcome]]) -> None:
    page = page_of(run, "10-across.zh.html")
    ids = [attributes["id"] for _, attributes in elements(page) if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [f"#{name}" for name in ("同名", "同名-2")]
    assert links * 2 == re.findall(r'<li class="level-\d"><a href="([^"]*)"', page)  # the bar and the column


def test_index_links_what_is_there_and_names_what_failed(run: tuple[Path, list[Outcome]], data: Path) -> None:
    page = page_of(run, "index.html")
    links = [attributes["href"] for tag, attributes in elements(page) if tag == "a" and "#" not in attributes["href"]]
    assert links == [
        *("330213-fenghua.zh.html", "figures/330213-fenghua-1.zh.png", "10-across.zh.html"),
        *("data/qyx-tables.zh.xlsx", *(f"data/{name}.csv" for name in sorted(resources(data)))),
    ]
    assert all((run[0] / link).is_file() for link in links)
    assert re.findall(r"<h3>(.*?)</h3>", page) == ["宁波市"]
    assert "90 个县（市、区）中已有 1 份报告，跨县比较 1 份" in page
    missing = page.partition('<details class="missing">')[2].partition("</details>")[0]
    assert "慈溪市" in missing and "奉化区" not in missing
    assert "plan.txt: line 3: “&lt;b&gt;”" in page
    assert json.loads((data / "datapackage.json").read_text(encoding="utf-8"))["sources"][1]["sha256"] in page


# --- what is asked for ------------------------------------------------------------------------------------


def test_reports_of_earlier_runs_stay_in_the_index(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    make_reports(330213, data=data, out=tmp_path, notebooks=notebooks)
    (tmp_path / "10-letter.en.html").write_text("<title>Not ours</title>", encoding="utf-8")
    outcomes = make_reports(["慈溪市", "cixi city"], data=data, out=tmp_path, lang="en", notebooks=notebooks)
    assert [outcome.file for outcome in outcomes] == ["330282-cixi.en.html"]
    page = (tmp_path / "index.en.html").read_text(encoding="utf-8")
    assert re.findall(r'href="([0-9][^"]*)"[^>]*>([^<]*)', page) == [
        ("330213-fenghua.zh.html", "Fenghua District"),
        ("330282-cixi.en.html", "Cixi City"),
    ]
    assert page.count("report in Chinese") == 1
    assert '<a href="index.html" lang="zh-CN"' in page
    assert "奉化区" in (tmp_path / "index.html").read_text(encoding="utf-8")  # the Chinese index is kept up


def test_a_report_from_other_data_than_now_is_marked(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    make_reports(["330213", "330282"], data=data, out=tmp_path, notebooks=notebooks)
    newer = tmp_path / "newer"
    shutil.copytree(data, newer)
    with (newer / "findings.csv").open("a", encoding="utf-8", newline="\n") as table:
        table.write("\n")
    assert "stale" not in re.sub("<style>.*?</style>", "", page_of((tmp_path, []), "index.html"), flags=re.DOTALL)
    make_reports(["330213"], data=newer, out=tmp_path, notebooks=notebooks)
    entries = re.findall(r'<li class="report".*?</li>', page_of((tmp_path, []), "index.html"), flags=re.DOTALL)
    assert [data_id(data) in entry for entry in entries] == [False, True]


def test_only_the_chosen_language(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    make_reports(["330213"], "山区海岛县", data, "en", tmp_path, notebooks=notebooks)
    page = (tmp_path / "330213-fenghua.en.html").read_text(encoding="utf-8")
    assert "English heading" in page
    assert "中文标题" not in page
    assert "for analysts only" not in page
    assert '<html lang="en">' in page
    assert without_kernel == [
        {"region": "330213", "peers": "山区海岛县", "lang": "en", "data_dir": str(data.resolve())}
    ]


def test_both_languages_link_to_each_other_and_to_their_index(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    outcomes = make_reports(["330213", "Atlantis"], data=data, out=tmp_path, lang="both", notebooks=notebooks)
    made = ["330213-fenghua.zh.html", "330213-fenghua.en.html", ""]
    assert [(outcome.file, outcome.lang) for outcome in outcomes] == list(zip(made, ["zh", "en", ""], strict=True))
    assert [given["lang"] for given in without_kernel] == ["zh", "en"]
    leads = {}
    for path in tmp_path.glob("*.html"):
        links = [attributes["href"] or "" for tag, attributes in elements(path.read_text("utf-8")) if tag == "a"]
        leads[path.name] = [link for link in links if not link.startswith(("#", "data:"))]
    assert leads == {
        "330213-fenghua.zh.html": ["index.html", "330213-fenghua.en.html"],
        "330213-fenghua.en.html": ["index.en.html", "330213-fenghua.zh.html"],
        "index.html": ["index.en.html", "330213-fenghua.zh.html"],
        "index.en.html": ["index.html", "330213-fenghua.en.html"],
    }
    for name, lang in (("index.html", "zh-CN"), ("index.en.html", "en")):
        page = page_of((tmp_path, outcomes), name)
        assert f'<html lang="{lang}">' in page
        assert "Atlantis" in page


def test_a_folder_of_english_reports_opens_in_english(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    make_reports(["330213"], data=data, out=tmp_path, lang="en", notebooks=notebooks)
    files = {"330213-fenghua.en.html", "index.html", "index.en.html", "manifest.json"}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert (tmp_path / "index.html").read_bytes() == (tmp_path / "index.en.html").read_bytes()


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("Atlantis", "region_unknown"),
        ("诸暨市", "region_absent"),
        ("宁波市", "report_not_county"),
        (HOSTILE, "region_unknown"),
    ],
)
def test_a_region_without_data_fails_and_the_others_go_on(
    given: str, key: str, data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    failed, made = make_reports([given, "330213"], data=data, out=tmp_path, notebooks=notebooks)
    assert (failed.ok, failed.file, made.ok) == (False, "", True)
    assert catalogue.message(key, "zh", close="", present="").split("（")[0] in failed.reason
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert_harmless(page)
    assert 'id="failures"' in page


@pytest.mark.parametrize("name", ["regoin", "x=1;import os #", "top", "region", "data_dir"])
def test_a_parameter_that_no_notebook_has_is_refused(
    name: str, data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    with pytest.raises(DataError, match=re.escape(f"“{name}”")):
        make_reports(["330213"], data=data, out=tmp_path / "out", parameters={name: 1}, notebooks=notebooks)
    assert without_kernel == []
    assert not (tmp_path / "out").exists()


def test_without_build_or_notebook_nothing_is_written(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="qyx build"):
        make_reports(data=tmp_path, out=tmp_path / "out")
    with pytest.raises(DataError, match="region-report"):
        make_reports(data=data, out=tmp_path / "out", notebooks=tmp_path)
    with pytest.raises(DataError, match="lang"):
        make_reports(data=data, out=tmp_path / "out", lang="fr")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(data: Path, notebooks: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(DataError, match="out: "):
        make_reports(data=data, out=tmp_path / "out", notebooks=notebooks)


def test_an_export_that_fails_leaves_the_earlier_file(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> str:
        raise ValueError("two\nlines")

    (tmp_path / "330213-fenghua.zh.html").write_text("earlier", encoding="utf-8")
    monkeypatch.setattr(making, "report_html", fail)
    outcome, other = make_reports(["330213", "330282"], data=data, out=tmp_path, notebooks=notebooks)
    assert (outcome.ok, outcome.reason) == (False, "ValueError: two lines")
    assert other.file == "330282-cixi.zh.html"
    assert (tmp_path / "330213-fenghua.zh.html").read_text(encoding="utf-8") == "earlier"
    assert {path.name for path in tmp_path.iterdir()} == {"330213-fenghua.zh.html", "index.html", "manifest.json"}


def test_a_broken_notebook_is_a_failed_report(
    data: Path, notebooks: Path, tmp_path: Path, without_kernel: list[dict[str, Any]]
) -> None:
    source = (notebooks / "region-report.ipynb").read_text(encoding="utf-8")
    (tmp_path / "region-report.ipynb").write_text(source, encoding="utf-8")
    (tmp_path / "10-broken.ipynb").write_text("{", encoding="utf-8")
    outcomes = make_reports(data=data, out=tmp_path / "out", notebooks=tmp_path)
    assert [outcome.ok for outcome in outcomes] == [True, True, False]
    assert outcomes[-1].title == "10-broken"
    assert outcomes[-1].reason.startswith("10-broken.ipynb: ")


# --- a page -----------------------------------------------------------------------------------------------


def page_with(*outputs: Any) -> str:
    notebook = new_notebook(cells=[new_code_cell("run()", outputs=list(outputs))])
    return report_html(notebook, HOSTILE, "en", ORIGIN, {"top": HOSTILE})


def displayed(data: dict[str, str], **metadata: Any) -> Any:
    return new_output("display_data", data=data, metadata=metadata)


def test_neighbouring_code_is_folded_as_one() -> None:
    def cell(source: str) -> Any:
        return new_code_cell(source, outputs=[displayed({"text/plain": source})])

    cells = [new_code_cell("a"), cell("b"), cell("c"), new_markdown_cell("so"), cell("d")]
    first, _, last = tidy(new_notebook(cells=cells), "zh").cells
    assert (first.source, last.source) == ("a\n\nb\n\nc", "d")
    assert [output.data["text/plain"] for output in first.outputs] == ["b", "c"]


def test_only_the_best_form_of_an_output_is_shown() -> None:
    page = page_with(displayed({"text/plain": "<repr at 0x1>", "text/html": "<p>table</p>", "image/png": PNG}))
    assert "<p>table</p>" in page
    assert "repr at" not in page
    assert "<img" not in page


def test_an_svg_is_a_picture_with_its_text_in_which_nothing_runs() -> None:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg'><text>规划 {HOSTILE}</text></svg>"
    page = page_with(displayed({"image/svg+xml": svg}, **{"image/svg+xml": {"alt": HOSTILE}}))
    assert_harmless(page)
    (image,) = [attributes for tag, attributes in elements(page) if tag == "img"]
    assert image["alt"] == HOSTILE
    assert b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")).decode("utf-8") == svg


def test_a_picture_of_ours_is_part_of_the_page() -> None:
    with house_style():
        picture = canvas(2.0)
        ax = axes_at(picture, 1, 1, 3, 0.5)
        ax.plot([0, 1], [0, 1], "o")
        ax.text(0.5, 0.5, f"0.12345 #0072b2 font-family: x; {HOSTILE}", path_effects=halo())
    picture.set_label(f"规划 {HOSTILE}")
    data, metadata = picture._repr_mimebundle_()
    data["image/png"] = b64encode(data["image/png"]).decode()  # as it is kept in a notebook
    page = page_with(*(new_output("display_data", data=data, metadata=metadata) for _ in range(2)))
    assert_harmless(page)
    assert [a["aria-label"] for tag, a in elements(page) if tag == "svg"] == [f"规划 {HOSTILE}"] * 2
    ids = [attributes["id"] for _, attributes in elements(page) if "id" in attributes]
    assert len(ids) == len(set(ids)) > 4
    assert {f"#{name}" for name in ids} >= {a["href"] for tag, a in elements(page) if tag == "use"}
    assert f">0.12345 #0072b2 font-family: x; {HOSTILE}<" in unescape(page)  # a text is not drawn and not changed
    assert "<img" not in unescape(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)).replace(HOSTILE, "")


def test_a_drawing_of_thousands_of_lines_is_shown_as_pixels_if_they_are_smaller() -> None:
    svg = f"<svg>{'<path/>' * 90_000}</svg>"
    assert "<img" in page_with(displayed({"image/svg+xml": svg, "image/png": PNG}))
    assert "image/svg+xml" in page_with(displayed({"image/svg+xml": svg, "image/png": PNG * 9999}))
    assert "image/svg+xml" in page_with(displayed({"image/svg+xml": svg}))


def test_markup_in_what_a_program_printed_is_text() -> None:
    markdown = f"- county {HOSTILE} &lt;b&gt; [x](javascript:alert(3))\n\n<div onclick='alert(4)'>\n\n**bold**"
    page = page_with(displayed({"text/markdown": markdown}), new_output("stream", name="stdout", text=HOSTILE))
    assert_harmless(page)
    assert "<strong>bold</strong>" in page
    assert " &lt;b&gt; " in page


def test_index_escapes_names_and_reasons(tmp_path: Path) -> None:
    page = index_html(ReportFolder(tmp_path), [Outcome(HOSTILE, HOSTILE, "", ok=False, reason=HOSTILE)], "en", ORIGIN)
    assert_harmless(page)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_a_cell_in_both_languages_names_its_heading() -> None:
    zh, en = (
        tagged(new_markdown_cell(f"## {text}\n\n### {text}", id=f"paths-{lang}"), lang)
        for lang, text in (("zh", "路径"), ("en", "Paths"))
    )
    other = new_markdown_cell("## Paths", id="plain")
    for lang, ids in (("zh", ["paths", "路径", "paths-2"]), ("en", ["paths", "paths-2", "paths-3"])):
        page = report_html(new_notebook(cells=[zh, en, other]), "t", lang, ORIGIN, {})
        assert re.findall(r'<h[23] id="([^"]*)"', page.partition("<footer>")[0]) == ids


# --- in a browser -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_table_opens_and_is_sorted_by_its_numbers(browser: Any, run: tuple[Path, list[Outcome]]) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    show(browser, run[0] / "10-across.zh.html")
    data = browser.find_element(By.CSS_SELECTOR, "details.data")
    data.find_element(By.TAG_NAME, "summary").click()
    header = data.find_elements(By.CSS_SELECTOR, "thead th")[1]

    def order() -> list[str]:
        return [row.text.split()[0] for row in data.find_elements(By.CSS_SELECTOR, "tbody th")]

    assert order() == ["1", "2", "3"]
    header.click()
    assert (header.get_attribute("aria-sort"), order()) == ("ascending", ["2", "1", "3"])
    header.send_keys(Keys.ENTER)
    assert (header.get_attribute("aria-sort"), order()) == ("descending", ["3", "1", "2"])
    assert browser.get_log("browser") == []


@pytest.mark.slow
def test_a_printed_page_shows_folded_tables_and_numbers_its_pages(
    browser: Any, run: tuple[Path, list[Outcome]]
) -> None:
    from pypdfium2 import PdfDocument

    show(browser, run[0] / "10-across.zh.html")
    with PdfDocument(print_page(browser, {"preferCSSPageSize": True})) as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
        assert "≥10" in "".join(texts)
        assert all(f"{number} / {len(texts)}" in text for number, text in enumerate(texts, start=1))
        assert [round(side) for side in document[0].get_size()] == [595, 842]
