"""From the template to the briefing, as an office does it; and the page: one sheet of paper, a phone, two languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from browsing import A4, AXE, DESK, PHONE, faults, printed, show
from forms import csv_form
from nbformat.v4 import new_code_cell, new_notebook, new_output
from openpyxl import load_workbook
from synthetic_actuals import fill

from qyx_analysis import catalogue, cli, load_targets
from qyx_analysis.files import raw_dir
from qyx_analysis.notebook import open_desk
from qyx_analysis.problems import DataError
from qyx_analysis.reports import Outcome, explain_reports, make_reports
from qyx_analysis.reports.pages import Provenance, report_html
from qyx_analysis.reports.plan import planned
from qyx_analysis.wings.monitoring.desk import State, briefing_html, briefing_title, open_delivery

BOTH = ("zh", "en")


def qyx(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def sent_back(folder: Path, data: Path, to: Path, periods: tuple[str, ...], seed: int) -> None:
    """Forms as the command writes them for Fenghua, filled in and named so that later ones are read later."""
    asked = [part for period in periods for part in ("--period", period)]
    assert qyx("template", "actuals", "330213", *asked, "--out", folder, "--data", data) == 0
    (form,) = folder.glob("330213-*.xlsx")
    to.mkdir(exist_ok=True)
    (to / f"{periods[-1]}-{form.name}").write_bytes(fill(form.read_bytes(), seed))


def busy(folder: Path, data: Path) -> None:
    """Forms of Cixi in which all happens that can: half turns each way, all is corrected, some is withdrawn or late."""
    targets = load_targets(data, "330282").query("year in [2023, 2024]").dropna(subset="value")
    worse = catalogue.indicators().set_index("code")["direction"].map({1: 0.5, -1: 1.5})
    first, second = [], []
    for row in targets.itertuples():
        met, missed = row.value, round(row.value * worse[row.indicator], 2)
        if row.unit == "" or row.number in (4, 5):
            continue
        line = f"330282,{row.indicator},{row.year},{{}},{row.unit},return,".format
        if row.year == 2023:
            first.append(line(met if row.number % 2 else missed))
            corrected = round(met * 1.01 if row.number % 2 else missed * 0.99, 3)
            second.append(line("/" if row.number in (2, 6) else corrected))
        elif row.number not in (16, 18, 20):
            second.append(line(missed if row.number % 2 else met))
    csv_form(folder, *first, name="2023-cixi.csv")
    csv_form(folder, *second, name="2024-cixi.csv")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four plans, two counties that report, in two rounds, the second with corrections; the briefings of both."""
    root = tmp_path_factory.mktemp("briefing")
    plans, data, actuals, out = (root / name for name in ("plans", "data", "actuals", "reports"))
    assert qyx("build", raw_dir(), "--out", plans) == 0
    sent_back(root / "first", plans, actuals, ("2023",), seed=1)
    sent_back(root / "second", plans, actuals, ("2023", "2024"), seed=2)
    busy(actuals, plans)
    assert qyx("build", raw_dir(), "--actuals", actuals, "--out", data) == 0
    assert qyx("report", "--kind", "briefing", "--data", data, "--out", out, "--lang", "both", "--quiet") == 0
    return SimpleNamespace(plans=plans, data=data, actuals=actuals, out=out)


def text_of(page: Path) -> str:
    """What the body of a page says, without its code and its foot."""
    body = page.read_text(encoding="utf-8").partition("<main")[2].partition("<details")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub(r'aria-label="[^"]*"', "", body))).split())


def page(demo: Any, county: str, lang: str) -> str:
    return text_of(demo.out / f"briefing-{county}.{lang}.html")


# --- what it says -----------------------------------------------------------------------------------------

# Derived by hand from the forms. At first 1, 3, 7, 9, 11, 15, 17, 18, 19 and 21 missed their target of 2023. Then:
# met in 2024 are 2, 5, 6, 7, 10, 14, 17, 18, 19, 20, 21; missed are 1, 3, 8, 9, 11, 12, 13, 16, of these 8 and 11 worse
# than the baseline; 4 and 15 have no value. 18 values of 2023 are corrected (not 5 and 19; 4 comes late), by which 8
# and 16 miss it too and 11 does not any more.
SAID = {
    "zh": [
        "11 达成", "6 滞后", "2 差于基期", "2 未报送", "规划指标 21 项，已评 19 项，到期未报 2 项",
        "新报送 20", "转好 5",
        "转差 4 欠薪化解率 达成→差于基期、惠民保投保率 达成→滞后、万老护理员数 达成→滞后、住房保障覆盖率 达成→滞后",
        "新增问题 10", "销号 9", "更正 18 千人托位数 2023年 3.88→3.99 个",
        "欠薪化解率 自2023年；最新 91.51%（2024年），应达 94.5%，差 2.99 个百分点，合规划进度",
        "到期未报 2 项：学前普及普惠评估（区教育局）、长护险人数（区民政局）",
        "2025年末到期 21 项", "千人托位数 4.37 → 5 个 19 个月",
        "示例数据，非实际", "截至2024年末，与2023年报送后的情况相比",
    ],
    "en": [
        "11 achieved", "6 behind", "2 worse than baseline", "2 not reported", "19 of 21 planned indicators are judged",
        "Newly reported 20", "Better 5", "Worse 4 Arrears resolved achieved → worse than baseline", "Opened 10",
        "Closed 9", "Corrected 18 Nursery places 2023 3.88 → 3.99 places per 1000",
        "Arrears resolved since 2023; 91.51% (2024), asked 94.5%: short by 2.99 percentage points, over 5 years of",
        "Due and not reported, 2: Preschool assessment (区教育局)", "end of 2025",
        "Synthetic, not real", "As of the end of 2024, compared with the state after the reports of 2023",
    ],
}  # fmt: skip


@pytest.mark.parametrize("lang", BOTH)
def test_the_briefing_says_what_the_forms_changed(demo, lang):
    said = page(demo, "330213-fenghua", lang)
    assert [fact for fact in SAID[lang] if fact not in said] == [], said


def test_the_forms_are_those_that_the_facts_were_derived_from(demo):
    values = {}
    for period in ("2023", "2024"):
        book = load_workbook(BytesIO((demo.actuals / f"{period}-330213-fenghua-actuals.xlsx").read_bytes()))
        for row in book.worksheets[0].iter_rows(min_row=2, values_only=True):
            values[period, row[3], row[6]] = row[8]
    read = [values["2023", 8, "2023"], values["2024", 8, "2023"], values["2024", 8, "2024"], values["2024", 15, "2024"]]
    assert read == [94.1, 91.24, 91.51, None]


def test_what_turned_is_marked_where_it_stands_and_older_judgements_carry_their_period(demo):
    said = page(demo, "330213-fenghua", "zh")
    for fact in ("× 欠薪化解率 ↓", "● 物业覆盖率 ↑", "○ 长护险人数 2023年 滞后", "○ 学前普及普惠评估 2023年 合进度"):
        assert fact in said


def test_the_county_where_much_happens_says_all_of_it_and_how_much_more_there_is(demo):
    said = page(demo, "330282-cixi", "zh")
    for kind in ("新报送", "转好", "转差", "新增问题", "销号", "更正", "撤回", "不再评判"):
        assert re.search(rf"{kind} \d", said), kind
    assert re.search(r"更正 1\d .*?，另有\d+项", said)
    assert "另有 2 项未列出。" in said  # of 12 open indicators
    assert "示例数据" not in said  # its forms do not say that they are synthetic


@pytest.mark.parametrize("lang", BOTH)
def test_the_briefing_of_all_counts_by_county_in_the_order_of_codes(demo, lang):
    said = page(demo, "all", lang)
    first, second = {"zh": ("奉化区 11", "慈溪市"), "en": ("Fenghua District 11", "Cixi City")}[lang]
    assert said.index(first) < said.index(second)
    assert ("非名次" if lang == "zh" else "not ranked") in said
    assert ("示例数据" if lang == "zh" else "Synthetic") in said  # one county's values are


def test_no_hole_shows_and_languages_are_not_mixed(demo):
    for county in ("330213-fenghua", "330282-cixi", "all"):
        for lang in BOTH:
            assert not re.search(r"\b(nan|NaN|None|<NA>)\b", page(demo, county, lang))
        english = re.sub(r"[区市县][\u4e00-\u9fff]+局|未通过|通过|全覆盖|七优享", "", page(demo, county, "en"))
        assert not re.search("[\u4e00-\u9fff]", english)  # but for names of offices, and what was printed


# --- which are made ---------------------------------------------------------------------------------------


def test_each_county_with_values_has_one_and_all_together_and_the_index_lists_them(demo):
    assert sorted(path.name for path in demo.out.glob("briefing-*")) == [
        f"briefing-{name}.{lang}.html" for name in ("330213-fenghua", "330282-cixi", "all") for lang in ("en", "zh")
    ]
    index = (demo.out / "index.html").read_text(encoding="utf-8")
    listed = re.findall(r'href="(briefing-[^"]*)"', index.partition('id="briefings"')[2])
    assert listed == [f"briefing-{name}.zh.html" for name in ("all", "330213-fenghua", "330282-cixi")]
    assert (demo.out / "manifest.json").read_text(encoding="utf-8").count('"status": "made"') == 6


def test_unchanged_ones_are_left_and_a_corrected_value_makes_its_county_and_all_again(demo, tmp_path):
    def stale(data: Path) -> dict[str, list[str]]:
        return dict(explain_reports(data=data, lang="both", out=demo.out, kind="briefing"))

    assert [file for file, why in stale(demo.data).items() if why] == []
    table = (demo.data / "actuals.csv").read_text(encoding="utf-8")
    for path in demo.data.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    other = re.sub(r"^(330213,.*?),91\.51,", r"\1,91.52,", table, count=1, flags=re.MULTILINE)
    assert other != table
    (tmp_path / "actuals.csv").write_text(other, encoding="utf-8", newline="\n")
    assert {file: why for file, why in stale(tmp_path).items() if why} == {
        f"briefing-{name}.{lang}.html": ["data"] for name in ("330213-fenghua", "all") for lang in BOTH
    }


def test_at_an_address_too_a_briefing_that_is_there_is_left(demo):
    asked = {"data": demo.data, "out": "memory://briefing", "lang": "zh", "kind": "briefing"}
    assert [outcome.status for outcome in make_reports("330213", **asked, quiet=True)] == ["made"]
    assert explain_reports("330213", **asked) == [("briefing-330213-fenghua.zh.html", [])]


def test_a_build_without_values_is_one_line_that_tells_how_to_get_a_form(demo, tmp_path, capfd):
    assert qyx("report", "--kind", "briefing", "--data", demo.plans, "--out", tmp_path / "none") == 2
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "没有实际值" in said.err and "no actual values" in said.err and said.err.count("qyx template actuals") == 2
    assert not (tmp_path / "none").exists()


def test_a_county_without_values_fails_and_the_others_go_on(demo):
    plan, _, _ = planned(["330213", "诸暨市"], "", demo.data, "zh", {}, None, "briefing")
    assert [item.file for item in plan] == ["briefing-330213-fenghua.zh.html", ""]
    failed = plan[1]
    assert isinstance(failed, Outcome) and not failed.ok
    assert "诸暨市" in failed.reason and "qyx template actuals" in failed.reason and "奉化区, 慈溪市" in failed.reason


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(DataError, match="report, briefing"):
        explain_reports(kind="poster")


# --- the page ---------------------------------------------------------------------------------------------

PAGES = [(county, lang) for county in ("330213-fenghua", "330282-cixi", "all") for lang in BOTH]


@pytest.mark.slow
@pytest.mark.parametrize(("county", "lang"), PAGES)
def test_printed_it_is_one_sheet_and_nothing_is_cut(browser, demo, county, lang):
    paper = printed(browser, demo.out / f"briefing-{county}.{lang}.html")
    assert paper["sizes"] == {A4} and len(paper["texts"]) == 1
    assert (paper["cut_rows"], paper["outside"]) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("lang", BOTH)
def test_of_ninety_counties_it_counts_by_city_and_is_still_one_sheet(browser, demo, tmp_path, lang):
    desk = open_desk(data_dir=demo.data, lang=lang)
    delivery = open_delivery(desk)
    frames = [desk.targets, delivery.monitoring, delivery.open_items, delivery.changes, delivery.due_next]
    busiest = [frame[frame["region"] == "330282"] for frame in frames]
    codes = [*catalogue.regions().query("level == 'county'")["code"], "330200"]
    many = [pd.concat([frame.assign(region=code) for code in codes], ignore_index=True) for frame in busiest]
    many[0]["level"] = many[0]["level"].mask(many[0]["region"] == "330200", "city")  # which is not counted
    html = briefing_html(State(*many, now="2024", before="2023"), "", lang)
    shown = new_output("display_data", data={"text/html": html})
    cells = new_notebook(cells=[new_code_cell("show_briefing(delivery)", outputs=[shown])])
    origin = Provenance("0.1.0", datetime(2026, 1, 2, tzinfo=UTC), [], "0123456789ab")
    path = tmp_path / "briefing.html"
    title, parameters = briefing_title("", lang), {"lang": lang, "as_of": "2024-12-31"}
    path.write_text(report_html(cells, title, lang, origin, parameters), encoding="utf-8", newline="\n")
    assert {"zh": "90 个县（市、区）规划指标共 1890 项", "en": "1890 planned indicators of 90 counties"}[
        lang
    ] in text_of(path)
    assert ("杭州市 78" if lang == "zh" else "Hangzhou 78") in text_of(path)  # 13 counties with 6 indicators achieved
    paper = printed(browser, path)
    assert len(paper["texts"]) == 1 and (paper["cut_rows"], paper["outside"]) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize(("county", "lang"), PAGES)
def test_it_fits_a_phone_and_a_desk(browser, demo, county, lang, size):
    path = demo.out / f"briefing-{county}.{lang}.html"
    assert show(browser, path, size) == [path.as_uri()]
    assert browser.get_log("browser") == []
    needed, there = browser.execute_script("const e = document.documentElement; return [e.scrollWidth, e.clientWidth]")
    assert needed == there


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("county", "lang"), PAGES[:2] + PAGES[4:])
def test_axe_finds_no_serious_fault(browser, demo, county, lang, scheme):
    if not AXE.is_file():
        pytest.skip("not installed: axe-core (npm ci --prefix tests/npm)")
    show(browser, demo.out / f"briefing-{county}.{lang}.html", PHONE, scheme)
    assert faults(browser) == []
