"""One table as printed, however it is laid out; a row of the wrong length is an error at its place."""

import pytest
from plans import STEMS, printed, write

from qyx_analysis.documents import read_document
from qyx_analysis.layouts import read_table
from qyx_analysis.problems import DataError


def table_of(folder, text):
    return read_table(read_document(write(folder, "county.txt", text)))


def problem_of(folder, text):
    with pytest.raises(DataError) as caught:
        table_of(folder, text)
    return caught.value.problems[0]


def noticed(folder, text, last):
    """The problem with a row; one at the very end of a file may be cut off, which is a remark of a table without it."""
    try:
        table = table_of(folder, text)
    except DataError as error:
        return error.problems[0].key
    assert last
    assert ([remark.key for remark in table.remarks], len(table.rows)) == (["table_cut"], 20)
    return "row_length"


@pytest.mark.parametrize(
    ("stem", "layout"),
    [("fenghua", "grid"), ("cixi", "lines"), ("shengsi", "grid"), ("zhuji", "grid")],
)
def test_a_table_is_found_whether_its_cells_are_marked_or_stand_on_lines(tmp_path, stem, layout):
    table = table_of(tmp_path, printed(stem))
    assert table.layout == layout
    assert table.years == (2022, 2023, 2024, 2025, 2026, 2027)
    assert len(table.rows) == 21


def test_a_unit_on_the_next_line_belongs_to_its_indicator(tmp_path):
    row = table_of(tmp_path, printed("cixi")).rows[13]
    assert row.indicator.text == "基本养老保险参保人数(万人)"
    assert row.values[2].text == "≥108.1"


def test_a_merged_domain_is_carried_down(tmp_path):
    for stem in STEMS:
        rows = table_of(tmp_path, printed(stem)).rows
        assert [row.domain for row in rows[:6]] == ["幼有善育"] * 3 + ["学有优教"] * 3


def test_a_header_repeated_on_a_new_page_is_not_a_row(tmp_path):
    text = printed("shengsi")
    header = text.split("\n")[2]
    paged = text.replace("劳有所得\t7", f"{header}\n劳有所得\t7")
    assert [row.number.text for row in table_of(tmp_path, paged).rows] == [str(n) for n in range(1, 22)]
    tabbed = printed("fenghua")
    head = tabbed[tabbed.index("\t领域") : tabbed.index("\t幼有善育")]
    paged = tabbed.replace("\t劳有所得\n", f"{head}\t劳有所得\n")
    assert len(table_of(tmp_path, paged).rows) == 21


def test_the_footnote_is_kept(tmp_path):
    assert "省定核心指标" in table_of(tmp_path, printed("zhuji")).footnotes[0]


@pytest.mark.parametrize(
    ("stem", "cut", "place", "found", "expected"),
    [
        ("fenghua", "\t85\n\t85\n", "line 22", 8, 9),
        ("shengsi", "\t3.8", "line 4", 8, 9),
        ("zhuji", "\t4.3", "line 4", 9, 10),
        ("cixi", "4.6\n\n", "line 21", 8, 9),  # a row with its domain printed
        ("cixi", "62\n\n", "line 39", 7, 8),  # a row below a merged domain
        ("cixi", "86\n\n90\n\n95\n\n96\n\n96\n\n", "line 55", 3, 8),
    ],
)
def test_a_row_that_is_too_short_fails_at_its_place(tmp_path, stem, cut, place, found, expected):
    keep = "\t85\n" if stem == "fenghua" else ""
    problem = problem_of(tmp_path, printed(stem).replace(cut, keep, 1))
    assert problem.key == "row_length"
    assert problem.place == place
    assert problem.values == {"found": found, "expected": expected}


@pytest.mark.parametrize(("stem", "cell"), [("shengsi", "\t3.8"), ("cixi", "62\n\n"), ("fenghua", "\t4.5\n")])
def test_a_row_that_is_too_long_fails(tmp_path, stem, cell):
    problem = problem_of(tmp_path, printed(stem).replace(cell, cell * 2, 1))
    assert problem.key == "row_length"
    assert problem.values["found"] == problem.values["expected"] + 1


def test_every_single_missing_cell_of_every_layout_is_noticed(tmp_path):
    for stem in STEMS:
        text = printed(stem)
        whole = read_table(read_document(write(tmp_path, "whole.txt", text)))
        lines = text.split("\n")
        for row in whole.rows:
            for cell in row.values:
                place = cell.place.split()
                index = int(place[1]) - 1
                cut = list(lines)
                if len(place) == 2:
                    del cut[index]
                else:
                    cells = cut[index].split("\t")
                    del cells[int(place[3]) - 1]
                    cut[index] = "\t".join(cells)
                assert noticed(tmp_path, "\n".join(cut), last=row is whole.rows[-1]) == "row_length", (stem, cell)


def test_a_document_without_a_table_says_what_a_table_needs(tmp_path):
    assert problem_of(tmp_path, "关于印发规划的通知\n一、主要目标\n").key == "table_missing"


def test_two_tables_are_not_chosen_between(tmp_path):
    problem = problem_of(tmp_path, printed("shengsi") + "\n\n附表\n\n" + printed("shengsi"))
    assert problem.key == "table_ambiguous"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "file_empty"),
        (b" \n\t\n", "file_empty"),
        (b"PK\x03\x04....", "file_binary"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file_binary"),
        (b"\xff\xfe\x00", "file_encoding"),
        (b"\x80\xff\xff", "file_encoding"),
    ],
)
def test_files_that_hold_no_text_are_refused(tmp_path, data, key):
    path = tmp_path / "county.txt"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_document(path)
    assert caught.value.problems[0].key == key


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(tmp_path, encoding, end):
    path = tmp_path / "county.txt"
    path.write_bytes(printed("zhuji").replace("\n", end).encode(encoding))
    assert read_table(read_document(path)) == read_table(read_document(write(tmp_path, "lf.txt", printed("zhuji"))))
