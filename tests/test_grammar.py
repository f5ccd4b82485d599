"""One grammar reads a table however a county lays it out; what it cannot read it refuses, and never reads wrong."""

import html as markup
import re
from dataclasses import dataclass, field

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from plans import write

from qyx_analysis.layouts import column_of
from qyx_analysis.problems import DataError
from qyx_analysis.tidy.reading import read_plan

TITLE = "洞头区公共服务“七优享”五年目标"
YEARS = (2022, 2023, 2024, 2025, 2026, 2027)
# Domain, name, unit and values of a plan with rows of its own, other numbers than the common ones and a local domain.
ROWS = [
    ("幼有善育", "每千人口拥有3岁以下婴幼儿托位数", "个", ["4.57", "4.6", "4.8", "5.5", "5.55", ">5.55"]),
    ("幼有善育", "婴幼儿“家门口”照护点覆盖行政村比例", "%", ["21", "31", "44", "51", "57", "67"]),
    ("学有优教", "通过国家学前教育普及普惠县省级督导评估率", "%", ["100%", "100%", "100%", "100%", "100%", "100%"]),
    ("学有优教", "成人初高中学历提升人数", "人", ["820", "910", "1,020", "1180", "1417", "1500"]),
    ("劳有所得", "欠薪线索动态化解率", "%", ["93", "94", "95", "96", "97", "98以上"]),
    ("体有强健", "社会体育指导员活跃率", "%", ["92", "/", "93", "93", "94", "94-95"]),
]


@dataclass(frozen=True)
class Shape:
    """How a county prints its table."""

    numbers: str = "running"  # none, restarting, other
    domains: str = "once"  # every, alone, split, spaced
    years: tuple[str, ...] = tuple(f"{year}年" for year in YEARS)
    departments: bool = False
    units: bool = False
    wraps: bool = False
    pages: bool = False
    rows: list = field(default_factory=lambda: ROWS)


def header(shape):
    cells = ["领域"] * (shape.domains != "alone") + ["序号"] * (shape.numbers != "none") + ["指  标"]
    return [*cells, *["单位"] * shape.units, *shape.years, *["责任单位"] * shape.departments]


def printed_rows(shape):
    """The cells of every row; a domain that is not printed is blank, one on a line of its own stands alone."""
    lines, last, count = [], "", 0
    for number, (domain, name, unit, values) in enumerate(shape.rows, 1):
        fresh = domain != last
        count = 1 if fresh else count + 1
        last = domain
        if fresh and shape.domains == "alone":
            lines.append([f"（{'一二三四五六七'[number % 7]}）{domain}"])
        shown = " ".join(domain) if shape.domains == "spaced" else domain
        cell = [shown if fresh or shape.domains == "every" else ""] * (shape.domains != "alone")
        serial = {"running": number, "restarting": count, "other": number + 6, "none": ""}[shape.numbers]
        cell += [str(serial)] * (shape.numbers != "none")
        cell += [name if shape.units else f"{name}（{unit}）"] + [unit] * shape.units
        lines.append([*cell, *values, *["区卫生健康局"] * shape.departments])
    return lines


def in_lines(shape, gap="\n"):
    cells = [*header(shape)]
    for i, row in enumerate(printed_rows(shape)):
        if shape.pages and i == 3:
            cells += ["— 3 —", *header(shape)]
        for j, cell in enumerate(row):
            if shape.domains == "split" and j == 0 and cell:
                cells += [cell[:2], cell[2:]]
            elif shape.wraps and len(cell) > 14 and cell[0] not in "（":
                cells += [cell[:11], cell[11:]]
            elif cell:
                cells.append(cell)
    return f"{TITLE}\n\n" + f"\n{gap}".join(cells) + "\n\n二、重点任务\n（一）推进幼有善育。到2025年，覆盖率达到95%。\n"


def in_tabs(shape):
    rows = [header(shape), *printed_rows(shape)]
    if shape.pages:
        rows[4:4] = [["续表"], header(shape)]
    return f"{TITLE}\n" + "\n".join("\t".join(row) for row in rows) + "\n\n二、重点任务\n"


def in_pipes(shape, shifted=False):
    rows = [header(shape), *printed_rows(shape)]
    if shifted:  # a converter leaves merged cells out, and the row moves to the left
        rows = [[*row[1:], ""] if not row[0] else row for row in rows]
    return f"{TITLE}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def in_page(shape):
    rows = [header(shape), *printed_rows(shape)]
    cells = ("".join(f"<td>{markup.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<html><p>{TITLE}</p><table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table></html>"


LAYOUTS = {"lines": in_lines, "tabs": in_tabs, "pipes": in_pipes, "page": in_page}


def read(folder, text):
    return read_plan(write(folder, "plan.txt", text))


def cells_of(targets):
    """What was read, by name and year; names without the unit in brackets and without spaces."""
    names = targets["name"].str.replace(r"\s|[(（][^()（）]*[)）]$", "", regex=True)
    return dict(zip(zip(names, targets["year"], strict=True), targets["raw"], strict=True))


def expected(shape):
    return {
        (name, year): value
        for _, name, _, values in shape.rows
        for year, value in zip(YEARS, values, strict=True)
    }  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "shape",
    [
        Shape(),
        Shape(numbers="none"),
        Shape(numbers="restarting", domains="every"),
        Shape(numbers="other", domains="spaced"),
        Shape(domains="alone"),
        Shape(departments=True, units=True),
        Shape(pages=True),
        Shape(years=tuple(f"{year}年{'实际值' if year == 2022 else '目标值'}" for year in YEARS)),
    ],
    ids=["plain", "no_numbers", "restarting", "other_numbers", "domain_rows", "columns", "pages", "header_words"],
)
def test_every_layout_and_arrangement_gives_the_same_cells(tmp_path, layout, shape):
    plan = read(tmp_path, LAYOUTS[layout](shape))
    assert cells_of(plan.targets) == expected(shape)
    rows = plan.targets.drop_duplicates("row")
    assert rows["row"].tolist() == [1, 2, 3, 4, 5, 6]
    assert rows["domain"].tolist() == [domain for domain, *_ in ROWS]
    assert rows["published_unit"].tolist() == ["个", "%", "%", "人", "%", "%"]
    assert set(plan.targets.loc[plan.targets["role"] == "baseline", "year"]) == {2022}


@pytest.mark.parametrize("shape", [Shape(wraps=True), Shape(domains="split"), Shape(wraps=True, numbers="none")])
def test_names_and_domains_on_two_lines_are_one(tmp_path, shape):
    plan = read(tmp_path, in_lines(shape))
    assert cells_of(plan.targets) == expected(shape)
    assert plan.targets["domain"].unique().tolist() == ["幼有善育", "学有优教", "劳有所得", "体有强健"]


def test_rows_that_moved_to_the_left_are_put_back(tmp_path):
    assert cells_of(read(tmp_path, in_pipes(Shape(), shifted=True)).targets) == expected(Shape())


def test_a_moved_row_that_lacks_a_value_is_refused(tmp_path):
    text = in_pipes(Shape(), shifted=True).replace("| 31 |", "|  |", 1)
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert caught.value.problems[0].key in ("row_cells", "row_length")


def test_the_number_of_a_row_decides_nothing(tmp_path):
    """The same table numbered as ours, otherwise, anew in every domain or not at all is the same but for the number."""
    frames = [read(tmp_path, in_tabs(Shape(numbers=how))).targets for how in ("running", "other", "restarting", "none")]
    for frame in frames[1:]:
        places = frame["locator"].str.replace(r" cell \d+", "", regex=True)
        assert frame.drop(columns=["number", "locator"]).equals(frames[0].drop(columns=["number", "locator"]))
        assert places.equals(frames[0]["locator"].str.replace(r" cell \d+", "", regex=True))
    assert [frame.drop_duplicates("row")["number"].tolist()[2:4] for frame in frames[:3]] == [[3, 4], [9, 10], [1, 2]]


def test_a_row_that_the_catalogue_does_not_have_is_read_like_any_other(tmp_path):
    rows = read(tmp_path, in_lines(Shape())).targets
    row = rows[rows["name"].str.startswith("成人初高中学历提升人数")]
    assert set(row["indicator"]) == {"local:成人初高中学历提升人数"}
    assert row["value"].tolist() == [820, 910, 1020, 1180, 1417, 1500]
    assert set(row["unit"]) == {"人"}


def test_one_table_a_domain_is_one_table(tmp_path):
    parts = []
    for domain in ("幼有善育", "学有优教"):
        rows = [row for row in ROWS if row[0] == domain]
        part = in_tabs(Shape(rows=rows, domains="alone", numbers="restarting")).split("\n\n")[0]
        parts.append(part.replace(TITLE, f"表 洞头区“{domain}”五年目标"))
    plan = read(tmp_path, "\n\n本领域目标如下，详见各部门年度计划和工作清单，按季度调度。\n\n".join(parts))
    assert plan.targets["domain"].unique().tolist() == ["幼有善育", "学有优教"]
    assert plan.targets["row"].max() == 4


def test_a_table_that_the_file_cuts_off_gives_its_whole_rows_and_says_so(tmp_path):
    text = in_lines(Shape()).split("\n\n二、")[0]
    cut = text[: text.rindex("94")]
    plan = read(tmp_path, cut)
    assert plan.targets["row"].max() == 5
    assert [remark.key for remark in plan.remarks] == ["table_cut"]


def test_the_beginning_of_another_regions_table_is_not_ours(tmp_path):
    other = in_tabs(Shape(rows=ROWS[4:])).replace("洞头区", "瑞安市")
    with pytest.raises(DataError) as caught:
        read(tmp_path, in_tabs(Shape(rows=ROWS[:4])) + other)
    assert caught.value.problems[0].key == "region_conflict"


@pytest.mark.parametrize(
    ("years", "roles"),
    [
        (("现状", "2023年", "2024年", "2025年", "2026年", "2027年"), {2022: "baseline"}),
        (("基期值", "第一年", "第二年", "第三年", "第四年", "第五年"), {2022: "baseline"}),
        (("二〇二二年", "二〇二三年", "二〇二四年", "二〇二五年", "二〇二六年", "二〇二七年"), {2022: "baseline"}),
        (("2022年实绩", "2023年目标", "2024年预期", "2025年计划值", "2026", "2027年底"), {2022: "baseline"}),
    ],
)
def test_years_are_told_however_they_are_headed(tmp_path, years, roles):
    text = in_tabs(Shape(years=years)).replace("五年目标", "五年目标（2023—2027年）")
    targets = read(tmp_path, text).targets
    assert sorted(targets["year"].unique()) == list(YEARS)
    assert dict(zip(targets["year"], targets["role"], strict=True))[2022] == roles[2022]


def test_a_table_without_a_baseline_has_none(tmp_path):
    rows = [(*row[:3], row[3][1:]) for row in ROWS]
    targets = read(tmp_path, in_tabs(Shape(rows=rows, years=tuple(f"{year}年" for year in YEARS[1:])))).targets
    assert set(targets["role"]) == {"target"}


def test_some_years_only_are_read_as_they_are(tmp_path):
    rows = [(*row[:3], [row[3][i] for i in (0, 1, 3, 5)]) for row in ROWS]
    targets = read(tmp_path, in_lines(Shape(rows=rows, years=("2022年", "2023年", "2025年", "2027年")))).targets
    assert sorted(targets["year"].unique()) == [2022, 2023, 2025, 2027]


def test_actual_values_beside_targets_are_no_targets(tmp_path):
    years = ("2022年实际", "2023年目标", "2023年实际", "2024年目标", "2025年目标", "2027年目标")
    plan = read(tmp_path, in_tabs(Shape(years=years)))
    assert sorted(plan.targets["year"].unique()) == [2022, 2023, 2024, 2025, 2027]
    assert plan.targets.query("year == 2024")["raw"].iloc[0] == "5.5"
    assert [remark.key for remark in plan.remarks if remark.key != "domain_own"] == ["column_unread"]


def test_a_plan_of_an_unknown_programme_is_read_from_its_earliest_year(tmp_path):
    years = tuple(f"{year}年" for year in range(2013, 2019))
    text = in_tabs(Shape(years=years)).replace("公共服务“七优享”五年目标", "文化发展主要指标")
    plan = read(tmp_path, text)
    assert set(plan.targets.query("role == 'baseline'")["year"]) == {2013}
    assert "baseline_earliest" in [remark.key for remark in plan.remarks]


def test_a_table_of_one_year_is_a_yearly_plan(tmp_path):
    rows = [(*row[:3], row[3][1:2]) for row in ROWS]
    with pytest.raises(DataError) as caught:
        read(tmp_path, in_tabs(Shape(rows=rows, years=("2025年目标",))))
    assert caught.value.problems[0].key == "table_of_one_year"


@pytest.mark.parametrize("text", ["2024年1-6月完成", "2023年上半年完成"])
def test_a_part_of_a_year_is_an_actual_value(text):
    assert column_of(text).said == "actual"


def test_a_two_row_header_is_one(tmp_path):
    text = in_tabs(Shape()).replace(
        "\t".join(header(Shape())), "领域\t序号\t指标\t基础值\t目标值\n\t\t\t" + "\t".join(Shape().years)
    )
    assert cells_of(read(tmp_path, text).targets) == expected(Shape())


def test_two_halves_side_by_side_are_one_table(tmp_path):
    shape = Shape(numbers="none")
    left, right = printed_rows(shape)[:3], printed_rows(shape)[3:]
    rows = [header(shape) * 2, *(a + b for a, b in zip(left, right, strict=True))]
    text = f"{TITLE}\n\n" + "\n".join("|" + "|".join(row) + "|" for row in rows)
    assert cells_of(read(tmp_path, text).targets) == expected(shape)


def test_cells_set_below_one_another_with_spaces_are_columns(tmp_path):
    shape = Shape(numbers="running")
    rows = [header(shape), *printed_rows(shape)]
    wide = lambda text: len(text) + sum(ord(char) > 0x2E7F or char in "“”（）" for char in text)  # noqa: E731
    widths = [max(wide(row[i]) for row in rows) + 2 for i in range(len(rows[0]))]
    text = "\n".join(
        "".join(cell + " " * (w - wide(cell)) for cell, w in zip(row, widths, strict=True)) for row in rows
    )
    assert cells_of(read(tmp_path, f"{TITLE}\n{text}\n").targets) == expected(shape)


@pytest.mark.parametrize("mark", ["*", "☆", "▲", "①", "[1]"])
def test_marks_at_a_name_are_no_part_of_it(tmp_path, mark):
    text = in_tabs(Shape()).replace("成人初高中学历提升人数", f"成人初高中学历提升人数{mark}")
    row = read(tmp_path, text).targets.query("indicator == 'local:成人初高中学历提升人数'")
    assert row["marker"].unique().tolist() == [mark]
    assert row["name"].unique().tolist() == ["成人初高中学历提升人数（人）"]


@pytest.mark.parametrize("hidden", ["\u200b", "\ufeff", "\u00ad", "\u2060"])
def test_characters_that_nobody_sees_do_not_make_another_name(tmp_path, hidden):
    text = in_tabs(Shape()).replace("欠薪线索", f"欠薪{hidden}线索")
    assert "wage_arrears_resolved" in set(read(tmp_path, text).targets["indicator"])


def test_traditional_characters_are_read(tmp_path):
    from opencc import OpenCC

    targets = read(tmp_path, OpenCC("s2t").convert(in_tabs(Shape()))).targets
    assert set(targets["region"]) == {"330305"}
    assert "wage_arrears_resolved" in set(targets["indicator"])
    assert targets["value"].notna().sum() == 35


QUIRKS = st.builds(
    Shape,
    numbers=st.sampled_from(["running", "none", "restarting", "other"]),
    domains=st.sampled_from(["once", "every", "alone", "spaced"]),
    departments=st.booleans(),
    units=st.booleans(),
    wraps=st.booleans(),
    pages=st.booleans(),
    rows=st.permutations(ROWS).map(lambda rows: sorted(rows, key=lambda row: row[0])),
)


@examples(60)
@given(shape=QUIRKS, layout=st.sampled_from(sorted(LAYOUTS)), lost=st.none() | st.integers(0, 200))
def test_any_arrangement_is_read_right_or_refused(tmp_path_factory, shape, layout, lost):
    """Also with a line or a cell taken out anywhere: never another number than the printed one."""
    text = LAYOUTS[layout](shape)
    if lost is not None:
        parts = re.split(r"(\n+|\t|\s\|\s|</td>)", text)
        at = 2 * (lost % (len(parts) // 2))
        text = "".join(parts[:at] + parts[at + 2 :])
    try:
        read_cells = cells_of(read(tmp_path_factory.mktemp("shape"), text).targets)
    except DataError:
        assert lost is not None, text
        return
    right = expected(shape)
    if lost is None:
        assert read_cells == right
    known = {name for name, _ in right}
    wrong = {key: raw for key, raw in read_cells.items() if key[0] in known and raw and raw != right[key]}
    assert not wrong, (wrong, text)
