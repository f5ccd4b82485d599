"""One printed cell says one thing, or is unreadable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qyx_analysis.cells import parse_cell


@pytest.mark.parametrize(
    ("text", "kind", "operator", "number", "unit"),
    [
        ("3.52", "point", "=", 3.52, ""),
        ("82%", "point", "=", 82, "%"),
        ("１４０００", "point", "=", 14000, ""),
        ("14,000", "point", "=", 14000, ""),
        ("8.5\u00a0万人", "point", "=", 8.5, "万人"),
        ("<3.5", "upper_bound", "<", 3.5, ""),
        ("＜3.5", "upper_bound", "<", 3.5, ""),
        ("≤5‰", "upper_bound", "<=", 5, "‰"),
        ("≧32", "lower_bound", ">=", 32, ""),
        (">70", "lower_bound", ">", 70, ""),
        ("95%以上", "lower_bound", ">=", 95, "%"),
        ("不低于95", "lower_bound", ">=", 95, ""),
        ("3.5以内", "upper_bound", "<=", 3.5, ""),
        ("不超过3.5", "upper_bound", "<=", 3.5, ""),
        ("30左右", "point", "=", 30, ""),
        ("80以上", "lower_bound", ">=", 80, ""),
        ("≥95%以上", "lower_bound", ">=", 95, "%"),
        ("达到95%以上", "lower_bound", ">=", 95, "%"),
        ("突破100", "lower_bound", ">", 100, ""),
        ("1.5万", "point", "=", 1.5, "万"),
        ("-0.5", "point", "=", -0.5, ""),
        ("82①", "point", "=", 82, ""),
        ("82²", "point", "=", 82, ""),
        ("82[1]", "point", "=", 82, ""),
        ("*82", "point", "=", 82, ""),
        ("60-70", "range", "=", 60, ""),
        ("60%～70%", "range", "=", 60, "%"),
        ("3—5", "range", "=", 3, ""),
    ],
)
def test_a_number_keeps_its_sign_and_unit(text, kind, operator, number, unit):
    read = parse_cell(text)
    assert (read.kind, read.operator, float(read.number), read.unit) == (kind, operator, number, unit)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "missing"),
        ("/", "missing"),
        ("／", "missing"),
        ("—", "missing"),
        ("——", "missing"),
        ("－", "missing"),
        ("全覆盖", "full_coverage"),
        ("通过", "status"),
        ("申报", "status"),
        ("前期准备", "status"),
        ("完成市下达的任务指标", "reference"),
        ("完成上级下达任务", "reference"),
        ("降幅趋缓", "words"),
        ("见附件", "words"),
        ("城镇80、农村60", "several"),
        ("80%；60%", "several"),
        ("12/13", "several"),
    ],
)
def test_words_and_gaps_are_not_numbers(text, kind):
    read = parse_cell(text)
    assert read.kind == kind
    assert read.number is None


@pytest.mark.parametrize(
    "text",
    [
        "3.5.1",
        "5-3",
        "3-",
        "≥≤5",
        "<5以上",
        "5 5人",
        "约",
        "8²2",
        "8①2",
        "½",
        "1,00",
        "=SUM(A1)",
        "9" * 16,
        "5亿人",
    ],
)
def test_what_cannot_be_read_is_never_guessed(text):
    read = parse_cell(text)
    assert (read.kind, read.number) == ("unreadable", None)


SIGNS = {
    "": "=",
    "<": "<",
    "≤": "<=",
    "≦": "<=",
    "＜": "<",
    ">": ">",
    "≥": ">=",
    "≧": ">=",
    "不低于": ">=",
    "不超过": "<=",
}
numbers = st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False, allow_infinity=False)


@given(
    numbers,
    st.sampled_from(sorted(SIGNS)),
    st.sampled_from(["", "%", "％", "‰", "万人", "元"]),
    st.booleans(),
    st.booleans(),
)
def test_any_formatting_of_a_number_reads_back(number, sign, unit, full_width, spaced):
    digits = f"{number:,}" if spaced else str(number)
    text = f"{sign}{digits}{unit}"
    if full_width:
        text = text.translate({ord(c): ord(c) - 0x20 + 0xFF00 for c in "0123456789.,<>"})
    if spaced:
        text = f" \u00a0{text}\u3000"
    read = parse_cell(text)
    assert (read.number, read.operator, read.unit) == (number, SIGNS[sign], unit.replace("％", "%"))


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader_and_only_digits_make_numbers(text):
    read = parse_cell(text)
    assert (read.number is not None) == (read.kind in ("point", "lower_bound", "upper_bound", "range"))
    if read.number is not None:
        assert any(c.isnumeric() for c in text)
