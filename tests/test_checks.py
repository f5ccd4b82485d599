"""A finding is something to act on or to know: the four plans' are listed here, read by hand."""

import pandas as pd
import pytest
from plans import four_plans, printed, write

from qyx_analysis.tidy import findings, reading
from qyx_analysis.tidy.reading import read_plan

EXPECTED = {
    ("fenghua", 7, "definition_difference", "warning"),
    ("cixi", 7, "definition_difference", "warning"),
    ("shengsi", 7, "definition_difference", "warning"),
    ("zhuji", 7, "definition_difference", "warning"),
    ("zhuji", 19, "definition_difference", "info"),
    ("fenghua", 7, "weaker_than_baseline", "warning"),
    ("cixi", 7, "weaker_than_baseline", "warning"),
    ("shengsi", 7, "weaker_than_baseline", "warning"),
    ("zhuji", 12, "weaker_than_baseline", "warning"),
    ("fenghua", 11, "weaker_than_baseline", "info"),
    ("cixi", 11, "weaker_than_baseline", "warning"),  # 8.4, then 9.1 8.9 8.7 8.5, and 8.3 at last
    ("fenghua", 15, "words_for_numbers", "warning"),
    ("cixi", 15, "words_for_numbers", "warning"),
    ("shengsi", 15, "words_for_numbers", "warning"),
    ("shengsi", 15, "years_missing", "warning"),
    ("fenghua", 17, "cumulative_fall", "error"),
    ("shengsi", 14, "merged_text", "warning"),
    ("shengsi", 14, "unit_difference", "info"),
    ("shengsi", 17, "baseline_missing", "warning"),
    ("zhuji", 7, "baseline_missing", "info"),
    ("zhuji", 15, "baseline_missing", "info"),
    *(("zhuji", n, "baseline_missing", "warning") for n in (6, 16, 17, 18)),
    *(("shengsi", n, "baseline_missing", "warning") for n in (5, 6, 15)),
    *((stem, n, "identical_series", "info") for stem in ("fenghua", "cixi") for n in (3, 7, 8, 12, 19, 20, 21)),
    ("cixi", 1, "identical_series", "info"),  # as 诸暨
    *(("zhuji", n, "identical_series", "info") for n in (1, 8, 18, 20)),
    *(("shengsi", n, "identical_series", "info") for n in (8, 18, 21)),
    ("fenghua", 2, "first_year_jump", "info"),
    *(("cixi", n, "first_year_jump", "info") for n in (17, 18)),
    *(("zhuji", n, "first_year_jump", "info") for n in (3, 21)),
    *(("shengsi", n, "first_year_jump", "info") for n in (10, 12, 18, 21)),
}


def found(targets: pd.DataFrame) -> list[tuple]:
    frame = findings.find_all(targets)
    return list(frame[["document", "number", "rule", "severity"]].itertuples(index=False, name=None))


def changed(tmp_path, stem, *replacements):
    text = printed(stem)
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return reading.typed(read_plan(write(tmp_path, f"{stem}.txt", text)).targets)


def test_the_four_plans_have_exactly_these_findings():
    findings = found(four_plans())
    assert len(findings) == len(set(findings)) == len(EXPECTED)
    assert set(findings) == EXPECTED


def test_the_years_that_are_planned_to_be_weaker_than_the_baseline_are_named():
    frame = findings.find_all(four_plans()).query("number == 11 and rule == 'weaker_than_baseline'")
    named = frame.set_index("document")["message_en"].str.extract(r"baseline ([\d.]+) is .* targets of ([\d, ]+) and")
    assert named.loc["cixi"].tolist() == ["8.4", "2023, 2024, 2025, 2026"]


def test_every_finding_says_what_it_is_in_both_languages():
    frame = findings.find_all(four_plans())
    assert frame["rule"].isin(findings.all_rules()).all()
    assert frame["severity"].isin(["error", "warning", "info"]).all()
    assert frame["message_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert not frame["message_en"].str.contains("nan|None|<NA>").any()
    assert frame["locator"].ne("").all()


@pytest.mark.parametrize(
    ("replacements", "number", "rule", "severity"),
    [
        ([("\t82.6\t", "\t8I.2\t")], 10, "unreadable", "error"),
        ([("\t82.6\t", "\t稳步提高\t")], 10, "words_for_numbers", "info"),
        ([("\t82.6\t", "\t城区82、乡村81\t")], 10, "several_goals", "warning"),
        ([("\t13200\t13600\t", "\t13200\t13200\t")], None, None, None),
        ([("标准(元)", "标准(万元)")], 19, "unit_difference", "warning"),
        ([("标准(元)", "标准")], 19, "unit_difference", "error"),
        ([("寿命(岁)", "寿命")], 10, "unit_difference", "info"),
        ([("寿命(岁)", "寿命(%)")], 10, "unit_difference", "error"),
        ([("\t12420\t13200", "\t/\t13200")], 19, "baseline_missing", "warning"),
        ([("\t14500\t15000", "\t/\t15000")], 19, "years_missing", "warning"),
        ([("\t14500\t15000", "\t全覆盖\t15000")], 19, "words_for_numbers", "warning"),
        ([("\t1.34\t1.56", "\t1.34\t1.33")], 9, "cumulative_fall", "error"),
        ([("\t14500\t15000", "\t14500\t12419")], 19, "weaker_than_baseline", "warning"),
        ([("55\t85\t87.5\t90\t92.5\t95", "80\t83\t84\t86\t88\t90")], 18, "identical_series", "warning"),
    ],
)
def test_one_change_makes_exactly_one_finding_more(tmp_path, replacements, number, rule, severity):
    before = set(found(reading.typed(read_plan(write(tmp_path, "shengsi.txt", printed("shengsi"))).targets)))
    after = set(found(changed(tmp_path, "shengsi", *replacements)))
    extra = {row for row in after - before if row[1] == number}
    assert extra == ({("shengsi", number, rule, severity)} if rule else set())


def test_a_unit_that_cannot_be_converted_keeps_the_print_and_gives_no_value(tmp_path):
    row = changed(tmp_path, "shengsi", ("寿命(岁)", "寿命(%)")).query("number == 10")
    assert row["value"].isna().all()
    assert row["published_value"].tolist() == [81.1, 82.4, 82.45, 82.5, 82.6, 82.7]


def test_a_missing_column_of_years_is_one_finding_of_the_table(tmp_path):
    lines = [line.split("\t") for line in printed("shengsi").rstrip("\n").split("\n")[2:]]
    text = "嵊泗县公共服务目标\n" + "\n".join("\t".join([*cells[:4], *cells[5:]]) for cells in lines)
    frame = findings.find_all(reading.typed(read_plan(write(tmp_path, "s.txt", text)).targets))
    table = frame[frame["rule"].eq("years_missing") & frame["indicator"].eq("")]
    assert table["message_en"].tolist() == ["the header has no column for 2023"]


def test_states_are_not_called_identical():
    frame = findings.find_all(four_plans())
    assert not set(frame.loc[frame["rule"] == "identical_series", "number"]) & {4, 5}


def test_a_bound_or_a_change_within_rounding_is_no_jump(tmp_path):
    for path in ("80\t83\t83\t84\t84\t≥85", "99\t100\t100\t100\t100\t100"):
        frame = findings.find_all(changed(tmp_path, "shengsi", ("55\t85\t87.5\t90\t92.5\t95", path)))
        assert not ((frame["rule"] == "first_year_jump") & (frame["number"] == 18)).any()
