"""`show`: a frame as an analyst reads it, in words and with its sources, whatever it was filtered to."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from hostile import TEXTS
from lxml import html

import qyx_analysis as qyx
from qyx_analysis import catalogue
from qyx_analysis.datapackage import building
from qyx_analysis.datapackage.loading import load_tables
from qyx_analysis.files import raw_dir
from qyx_analysis.notebook.show import frame_html
from qyx_analysis.problems import DataError, visible

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return load_tables(building.build([raw_dir()], tmp_path_factory.mktemp("frames") / "data").out)


def read(frame: pd.DataFrame, lang: str = "zh") -> tuple[list[str], list[dict[str, html.HtmlElement]]]:
    """The names of the columns, and the cells of each row under them; the last column is ``""``."""
    table = html.fromstring(frame_html(frame, lang))
    names = [head.findtext("code") or "" for head in table.iter("th")]
    return names, [dict(zip(names, row.findall("td"), strict=True)) for row in table.find("tbody").iter("tr")]


def texts(frame: pd.DataFrame, name: str, lang: str = "zh") -> list[str]:
    return [row[name].text_content() for row in read(frame, lang)[1]]


def test_a_value_has_its_bound_its_unit_and_its_source(tables: dict[str, pd.DataFrame]) -> None:
    targets = tables["targets"].query("indicator == 'care_workers' and year == 2027 and region != '330681'")
    assert texts(targets, "value") == ["≥32 人", "≥32 人", "34 人"]
    assert texts(targets, "value", "en") == [f"{text} per 10 000 elderly" for text in ("≥32", "≥32", "34")]
    assert texts(targets, "indicator") == ["万老护理员数"] * 3
    assert texts(targets, "region", "en") == ["Fenghua District", "Cixi City", "Shengsi County"]
    names, (row, *_) = read(targets)
    assert names[-1] == "" and not {"operator", "unit", "number", "region_name", "locator", "correction"} & set(names)
    assert row["raw"].get("title") == row["value"].get("title") == "fenghua，第 140 行: “≥32”"
    opened = row[""].find("details")  # what hovering says, for whoever has no mouse
    assert opened.findtext("summary") == "fenghua，第 140 行"
    assert "operator '>='" in opened.text_content() and "region '330213'" in opened.text_content()


def test_a_result_has_its_interval_and_a_unit_only_where_it_is_in_it(tables: dict[str, pd.DataFrame]) -> None:
    own = tables["ambition"].query("region == '330213'").set_index(["number", "measure"], drop=False)
    rows = own.loc[[(1, "change"), (2, "change"), (2, "gap_closure"), (1, "gap_closure")]].reset_index(drop=True)
    assert texts(rows, "value") == ["1.98 [1.925, 2.035] 个", "15 [14, 16] 个百分点", "0.6 [0.5714, 0.6275]", ""]
    assert texts(rows, "status", "en")[-1] == "no declared best value"
    (meaning,) = catalogue.statuses().query("status == 'no_limit'")["meaning_en"]
    row = read(rows, "en")[1][-1]
    assert row["status"].get("title") == meaning and meaning in row[""].text_content()
    year = tables["trajectory"].query("measure == 'mean_delivery_year'").head(1)
    assert texts(year, "value") == ["2024.62 [2024.45, 2024.78]"]


def test_a_measure_is_named_and_resting_on_it_says_how_it_is_read(tables: dict[str, pd.DataFrame]) -> None:
    rows = tables["trajectory"].query("region == '330213' and number == 1")
    assert {"前置指数", "前置指数（2023—2027 年）", "至 2025 年的变化比例"} <= set(texts(rows, "measure"))
    assert {"front-loading index", "share of the change by 2025"} <= set(texts(rows, "measure", "en"))
    assert read(rows, "en")[1][0]["measure"].get("title").startswith("0 is the same every year")
    assert texts(pd.DataFrame({"measure": ["mine_2024", None]}), "measure") == ["mine_2024", ""]


def test_every_measure_has_a_name_and_every_name_is_that_of_a_measure(tables: dict[str, pd.DataFrame]) -> None:
    weighed = qyx.dispersion(tables["targets"].assign(population=1e5))
    used = {code for frame in (*tables.values(), weighed) if "measure" in frame for code in frame["measure"]}
    used.add("gini_mean_difference_ratio")  # for numbers that are not above zero, of which the plans have none
    assert {re.sub(r"\d{4}", "*", code) for code in used} == set(catalogue.measures()["measure"])
    assert (catalogue.measures() != "").all(axis=None)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_table_of_a_build_is_shown_with_words_for_headings(tables: dict[str, pd.DataFrame], lang: str) -> None:
    for frame in tables.values():
        rows = read(frame, lang)[1]
        assert len(rows) == min(len(frame), pd.get_option("display.max_rows"))
        cells = [cell.text_content() for row in rows for name, cell in row.items() if name]
        assert not [text for text in cells if text in ("nan", "NaN", "None", "<NA>", "True", "False")]
        heads = [head.text or "" for head in html.fromstring(frame_html(frame, lang)).iter("th")]
        assert lang == "zh" or all(re.search("[A-Za-z]{3}", head) for head in heads)
        quoted = "累计|每年|年均" if lang == "en" else "$"  # words of the plans
        assert all(bool(CHINESE.search(re.sub(quoted, "", head))) is (lang == "zh") for head in heads)


def test_any_filtered_or_summed_up_frame_is_shown(tables: dict[str, pd.DataFrame]) -> None:
    targets = tables["targets"]
    assert texts(targets["raw"].head(2), "raw") == ["3.52", "4"]
    assert read(targets.groupby("domain")["value"].agg(["mean", "max"]))[0] == ["domain", "mean", "max", ""]
    wide = targets.pivot_table(index="indicator", columns=["region", "year"], values="value")
    assert read(wide)[0][:2] == ["indicator", "330213 2022"]
    assert read(targets.iloc[:0])[1] == [] == read(pd.DataFrame())[1]
    result = tables["ambition"].query("measure == 'change'").head(1)
    joined = result.merge(targets.query("year == 2027")[["region", "indicator", "raw", "document", "locator"]])
    (row,) = read(joined)[1]
    assert (row["value"].text, row["raw"].get("title")) == ("1.98 [1.925, 2.035] 个", "fenghua，第 20 行: “5.5”")
    assert {"结果", "印制原文"} <= {head.text for head in html.fromstring(frame_html(joined)).iter("th")}
    twice = pd.concat([targets["raw"], targets["raw"]], axis=1).head(1)
    assert read(twice)[0] == ["raw", "raw (2)", ""]
    own = pd.DataFrame({"mine": [[1, 2], {"a": 1}], "value": [np.inf, -np.inf], "region": ["330213", "no code"]})
    assert texts(own, "mine") == ["[1, 2]", "{'a': 1}"] and texts(own, "value") == ["∞", "−∞"]
    assert texts(own, "region") == ["奉化区", "no code"]


def test_a_long_frame_is_cut_where_pandas_cuts_and_says_so(tables: dict[str, pd.DataFrame]) -> None:
    with pd.option_context("display.max_rows", 3):
        assert len(read(tables["targets"])[1]) == 3
        assert "前 3 行，共 504 行" in frame_html(tables["targets"])
    with pd.option_context("display.max_rows", None):
        assert len(read(tables["targets"])[1]) == 504


def test_hostile_texts_are_texts(tables: dict[str, pd.DataFrame]) -> None:
    some = tables["targets"].head(1)
    for text in TEXTS:
        frame = some.assign(raw=text, document=text, unit=text, name=text, **{"status": text}).rename(
            columns={"core": text}
        )
        page = frame_html(frame)
        tags = {tag.tag for tag in html.fromstring(page).iter() if isinstance(tag.tag, str)}
        assert tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "br"}
        assert {name for tag in html.fromstring(page).iter() for name in tag.attrib} <= {"title", "style"}
        assert visible(text).split("\n")[0].strip() in unescape(page)


def test_another_language_is_refused() -> None:
    with pytest.raises(DataError, match="fr"):
        qyx.show(pd.DataFrame(), lang="fr")
