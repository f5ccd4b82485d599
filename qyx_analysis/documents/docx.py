"""A Word file -> its lines and grids.

Read from the XML itself: python-docx passes over what stands in content controls, text boxes and tracked insertions,
and refuses files with macros.
"""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

from lxml import etree

from qyx_analysis.documents import RAISED, STRUCK, Content, guarded
from qyx_analysis.documents.flow import Flow

# Properties, what tracked changes removed, field codes, and the second copy of a text box for old readers.
_NOT_PRINTED = frozenset(
    ["rPr", "pPr", "tblPr", "tblGrid", "trPr", "tcPr", "sectPr", "del", "moveFrom", "instrText", "Fallback"]
)
_TEXT = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "den": "/"}  # den: below the line of a fraction
_SYMBOLS = {"F0B3": "≥", "F0A3": "≤", "F03C": "<", "F03E": ">", "F025": "%"}  # code points of the font Symbol
_UNKNOWN = "\ufffd"


def read(data: bytes, name: str) -> Content:
    """Read the body as Word shows it, headers and footers left out; merged cells are spread.

    Raises :class:`~qyx_analysis.problems.DataError` when the file is damaged.
    """
    flow = Flow(name)
    with guarded(name, ".docx"):
        walk = etree.iterwalk(_body(data), events=("start", "end"))
        for event, element in walk:
            tag = etree.QName(element).localname
            printed = tag not in _NOT_PRINTED and not (tag in ("r", "tr") and _removed(element))
            if event == "start" and not printed:
                walk.skip_subtree()
            elif event == "start":
                _start(flow, element, tag)
            elif printed:
                _end(flow, element, tag)
    return flow.content()


def _body(data: bytes) -> etree._Element:
    """The main part, which the package's relationships name."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    with ZipFile(BytesIO(data)) as archive:
        relations = etree.fromstring(archive.read("_rels/.rels"), parser)
        (part,) = [one.get("Target") for one in relations if one.get("Type", "").endswith("/officeDocument")]
        return etree.fromstring(archive.read(part.lstrip("/")), parser)


def _start(flow: Flow, element: etree._Element, tag: str) -> None:
    if tag == "tbl":
        flow.open_table()
    elif tag == "tr":
        flow.open_row()
        _blanks(flow, element, "gridBefore")
    elif tag == "tc":
        merged = element.find("{*}tcPr/{*}vMerge")
        goes_on = merged is not None and _value(merged, "continue") == "continue"
        flow.open_cell(_count(element, "{*}tcPr/{*}gridSpan", 1), goes_on=goes_on)
    elif tag == "t":
        flow.text(element.text or "")
    elif tag == "sym":
        flow.text(_SYMBOLS.get(_value(element, "", "char").upper(), _UNKNOWN))
    elif tag in _TEXT:
        flow.text(_TEXT[tag])
    elif signs := _apart(element, tag):
        flow.text(signs[0])


def _end(flow: Flow, element: etree._Element, tag: str) -> None:
    if tag == "tbl":
        flow.close_table()
    elif tag == "tr":
        _blanks(flow, element, "gridAfter")
    elif tag == "tc":
        flow.close_cell()
    elif tag == "p":
        flow.text("\n")
    elif signs := _apart(element, tag):
        flow.text(signs[1])


def _blanks(flow: Flow, row: etree._Element, where: str) -> None:
    for _ in range(min(_count(row, "{*}trPr/{*}" + where, 0), 100)):
        flow.open_cell()
        flow.close_cell()


def _removed(element: etree._Element) -> bool:
    """A hidden run, or a row that a tracked change took out."""
    return _on(element, "vanish") or element.find("{*}trPr/{*}del") is not None


def _apart(element: etree._Element, tag: str) -> str:
    """The signs that set raised or struck text apart: 82 with a raised 1 is not 821, nor a struck 85 before 90 8590."""
    if tag != "r":
        return RAISED if tag == "sup" else ""  # of a formula
    if _on(element, "strike") or _on(element, "dstrike"):
        return STRUCK
    raised = element.find("{*}rPr/{*}vertAlign")
    return RAISED if raised is not None and _value(raised) in ("superscript", "subscript") else ""


def _on(run: etree._Element, name: str) -> bool:
    found = run.find("{*}rPr/{*}" + name)
    return found is not None and _value(found, "true") not in ("0", "false", "off")


def _count(element: etree._Element, path: str, default: int) -> int:
    found = element.find(path)
    return default if found is None else int(_value(found, str(default)))


def _value(element: etree._Element, default: str = "", name: str = "val") -> str:
    """An attribute in either of the two namespaces that Word files use."""
    return next((v for k, v in element.attrib.items() if etree.QName(k).localname == name), default)
