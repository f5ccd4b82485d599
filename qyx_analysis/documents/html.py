"""A web page -> its lines and grids."""

from __future__ import annotations

import re
from dataclasses import replace

from lxml import etree

from qyx_analysis.documents import RAISED, STRUCK, Content, guarded, too_complex
from qyx_analysis.documents.flow import Flow
from qyx_analysis.documents.text import decode
from qyx_analysis.problems import DataError, Problem

MAX_TAGS = 300_000  # a long page has some 10,000
_SPACE = re.compile(r"[ \t\r\n\f]+")
# fmt: off
_NOT_PRINTED = frozenset((
    "head", "script", "style", "template", "noscript", "object", "select", "textarea", "button", "svg", "math",
    "iframe",
))
_LINES = frozenset((  # what starts and ends a line; a browser lets any unknown tag stand within one
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend",
    "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "ul",
))
# fmt: on
_RAISED = frozenset(["sup", "sub", "small"])  # 82 with a raised 1 is not 821
_STRUCK = frozenset(["del", "s", "strike"])  # nor is a struck 85 before 90 the number 8590
_RAISED_STYLE = re.compile(r"vertical-align\s*:\s*(super|sub)")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])"
    r"|(left|top|text-indent)\s*:\s*-\d{3,}|clip(-path)?\s*:|(?<![-\w])width\s*:\s*0(?![.\d])"
)
_HIDDEN_CLASS = re.compile(r"\.([\w-]{1,80})\s{0,9}\{([^{}]{0,2000})\}")
_MEDIA = re.compile(
    r"@media[^{}]{0,400}\{(?:[^{}]{0,2000}\{[^{}]{0,2000}\}){0,200}[^{}]{0,2000}\}", re.IGNORECASE
)  # what other screens hide
_CLOSED = re.compile(r"</(?:html|body)\s*>", re.IGNORECASE)  # what a sloppy page prints after it counts too


def read(data: bytes, name: str) -> Content:
    """Read a page as a browser shows it: what is hidden is left out, merged cells are spread.

    The bytes tell the encoding; what the page declares is often wrong. Raises
    :class:`~qyx_analysis.problems.DataError` when they are in no known one or the page is too large or too deep.
    """
    text = decode(data, name)
    if text.count("<") > MAX_TAGS:
        raise too_complex(name, MAX_TAGS)
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    unseen = {found[1] for found in _HIDDEN_CLASS.finditer(_MEDIA.sub("", text)) if _HIDDEN.search(found[2].lower())}
    with guarded(name, "HTML"):
        root = etree.fromstring(_CLOSED.sub("", text).encode("utf-8"), parser)
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):  # the rest was left out
        raise DataError(Problem("file_damaged", name, values={"kind": "HTML", "reason": "nesting"}))
    flow = Flow(name)
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        hidden = _hidden(element, unseen)
        if event == "start" and hidden:
            walk.skip_subtree()
        elif event == "start":
            _start(flow, element)
            _text(flow, element, element.text)
        elif not hidden:
            _end(flow, element)
        if event == "end":
            _text(flow, element.getparent(), element.tail)
    lines, grids, _ = flow.content()
    title = " ".join((root.findtext(".//title") or "").split()) if root is not None else ""
    if "公共服务" in title and title not in lines:  # some pages say only there whose plan they print
        lines = (title, *lines)
    cut = text.lower().rfind("<td") > text.lower().rfind("</table")
    return Content(lines, (*grids[:-1], replace(grids[-1], is_open=True)) if grids and cut else grids)


def _hidden(element: etree._Element, unseen: set[str]) -> bool:
    style = element.get("style", "").lower()
    by_class = not unseen.isdisjoint(element.get("class", "").split())
    return element.tag in _NOT_PRINTED or "hidden" in element.attrib or by_class or bool(_HIDDEN.search(style))


def _apart(element: etree._Element) -> str:
    """The signs that set raised, lowered and struck text, or a link to a footnote, apart from a number."""
    style = element.get("style", "").lower()
    if element.tag in _STRUCK or "line-through" in style:
        return STRUCK
    link = element.tag == "a" and element.get("href", "").startswith("#") and (element.text or "").strip().isdigit()
    return RAISED if element.tag in _RAISED or link or _RAISED_STYLE.search(style) else ""


def _start(flow: Flow, element: etree._Element) -> None:
    tag = element.tag
    if tag == "table":
        flow.open_table()
    elif tag == "tr":
        flow.open_row()
    elif tag in ("td", "th"):
        rows = _number(element, "rowspan")
        flow.open_cell(_number(element, "colspan") or 1, rows if rows != 0 else 65534)  # 0: all the rows that follow
    elif signs := _apart(element):
        flow.text(signs[0])
    elif tag in _LINES:
        flow.text("\n")


def _end(flow: Flow, element: etree._Element) -> None:
    tag = element.tag
    if tag == "table":
        flow.close_table()
    elif tag in ("td", "th"):
        flow.close_cell()
    elif signs := _apart(element):
        flow.text(signs[1])
    elif tag in _LINES:
        flow.text("\n")


def _text(flow: Flow, parent: etree._Element, text: str | None) -> None:
    if text:
        flow.text(text if parent.tag == "pre" else _SPACE.sub(" ", text))


def _number(element: etree._Element, name: str) -> int:
    found = re.match(r"\s*(\d{1,5})", element.get(name, "1"))
    return int(found[1]) if found else 1
