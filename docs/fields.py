"""Writes the columns of every processed table into docs/data.md, from the catalogue's fields.csv.

Run it after editing fields.csv: ``.venv/bin/python docs/fields.py``. A test fails until that is done.
"""

from pathlib import Path

from qyx_analysis import catalogue
from qyx_analysis.tidy import findings

PAGE = Path(__file__).with_name("data.md")
BEGIN = "<!-- begin: written by docs/fields.py -->"
END = "<!-- end: written by docs/fields.py -->"


def columns(resource: str) -> str:
    """One processed table's columns as a Markdown table."""
    lines = [
        f"#### {resource}.csv",
        "",
        "| column | type | meaning | 含义 | values |",
        "|---|---|---|---|---|",
    ]
    for field in catalogue.fields().query("resource == @resource").itertuples():
        allowed = findings.all_rules() if field.enum == "@rules" else filter(None, str(field.enum).split("|"))
        values = ", ".join(f"`{value}`" for value in allowed)
        lines.append(f"| `{field.name}` | {field.type} | {field.description_en} | {field.description_zh} | {values} |")
    return "\n".join(lines)


def with_columns(page: str) -> str:
    """The page with its generated part made anew."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n\n".join(columns(resource) for resource in catalogue.fields()["resource"].unique())
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_columns(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
