"""An executed notebook -> one HTML file that asks nothing of the network."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache, partial
from hashlib import sha256
from html import escape, unescape
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qyx_analysis.catalogue import message
from qyx_analysis.problems import visible

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

_TEMPLATE = Path(__file__).with_name("template")
_SCRIPTS = ("tablesort.min.js", "tablesort.number.min.js", "report.js")
_BEST_FIRST = ("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain")
_HEAVY = 450_000  # characters of a drawing that is worth more than its pixels only if it is smaller
_HEADING = re.compile(r"<h([1-3])\b([^>]*)>(.*?)</h\1>", re.DOTALL)
_NAMED = re.compile(r"([\w-]+)-(?:zh|en)")  # the id of a cell that stands in both languages
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_CAPTION = re.compile(r"<caption\b[^>]*>(.*?)</caption>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_COLOUR = re.compile(r"#([0-9a-f]{6})\b")


@dataclass(frozen=True)
class Provenance:
    """Where a page comes from: package version, time, the source documents of ``datapackage.json``, the data's id."""

    version: str
    made: datetime
    sources: list[dict[str, str]]
    data: str = ""


def index_file(lang: str) -> str:
    """The file name of the index in a language; Chinese is the one that a folder opens with.

    >>> index_file("zh"), index_file("en")
    ('index.html', 'index.en.html')
    """
    return "index.html" if lang == "zh" else f"index.{lang}.html"


def report_html(
    notebook: NotebookNode,
    title: str,
    lang: str,
    origin: Provenance,
    parameters: dict[str, Any],
    others: Iterable[tuple[str, str]] = (),
    inputs: Mapping[str, str] | None = None,
) -> str:
    """Give the page of an executed notebook; ``title`` takes the place of its first-level heading.

    ``others`` are the same report in other languages: language and file; ``inputs`` are the checksums of what it is
    made from, which the page keeps for :mod:`~qyx_analysis.reports.record`.
    """
    shown = {name: value for name, value in parameters.items() if name != "data_dir" and value != ""}
    page = page_values(title, lang, origin, others, _SCRIPTS) | {
        "parameters": shown,
        "finished": partial(finished, lang=lang),
        "numbers": count(1),
        "notebook": reproducible(notebook),
        "inputs": " ".join(f"{name}={value}" for name, value in (inputs or {}).items()),
    }
    return rendered("report.html.j2", page, tidy(notebook, lang))


def page_values(
    title: str, lang: str, origin: Provenance, others: Iterable[tuple[str, str]] = (), scripts: Iterable[str] = ()
) -> dict[str, Any]:
    """What every page of ours is made of.

    ``others`` are its twins: language and file. ``scripts`` are files of the template folder; nothing else may run.
    """
    return {
        "title": title,
        "lang": lang,
        "origin": origin,
        "text": partial(message, lang=lang),
        "twins": [(other, file, message("report_language", other)) for other, file in others],
        "index": index_file(lang),
        "scripts": [(_TEMPLATE / name).read_text(encoding="utf-8") for name in scripts],
    }


def rendered(template: str, page: dict[str, Any], notebook: NotebookNode | None = None) -> str:
    """Fill in a page."""
    return visible(_templates().get_template(template).render(page=page, nb=notebook))


@cache
def _templates() -> Environment:
    """Our templates. All text is escaped unless a template says that it is markup."""
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(_TEMPLATE)
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    ours = (_markdown, _data_uri, _inlined, _allowed, _unbroken, _highlighted, _uncoloured)
    environment.filters |= {function.__name__[1:]: function for function in ours}
    return environment


@lru_cache(64)  # reports share nearly all of their code
def _highlighted(source: str) -> str:
    """Code in colours. Whoever has no notebook to convert does not wait for nbconvert's imports."""
    from nbconvert.filters import Highlight2HTML

    return Highlight2HTML()(source)


def _uncoloured(printed: str) -> str:
    """A text without the codes by which terminals colour it."""
    from nbconvert.filters import strip_ansi

    return strip_ansi(printed)


def _markdown(source: str, printed: bool = False, anchor: str = "") -> str:
    """Markdown as HTML; in what a program printed, markup is data and shown as text.

    A cell whose id is ``anchor``, such as ``paths-zh``, gives its first heading the address ``#paths``: the same in
    both languages, and whatever the heading says.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Printed(IPythonRenderer):
        def block_html(self, html: str) -> str:
            return f"<p>{escape(html)}</p>\n"

        def inline_html(self, html: str) -> str:
            return escape(html)

    kind = Printed if printed else IPythonRenderer
    renderer = kind(escape=False, allow_harmful_protocols=not printed, exclude_anchor_links=True)
    html = MarkdownWithMath(renderer).render(source)
    named = _NAMED.fullmatch(anchor)
    return re.sub(r"<h([23])\b[^>]*>", rf'<h\1 data-id="{named[1]}">', html, count=1) if named else html


def _unbroken(title: str) -> str:
    """A title as HTML in which no line ends inside quotation marks, nor in a Chinese word among English ones."""
    return re.sub("“[^”]{1,12}”|(?<= )[\u4e00-\u9fff]{2,6}(?= )", r'<span class="unbroken">\g<0></span>', escape(title))


def _inlined(svg: str, numbers: Iterator[int]) -> str:
    """A picture of ours as a part of the page: its own ids, each style said once, colours that the page may change."""
    own = f"p{next(numbers)}-"
    styles: dict[str, str] = {}

    def tag(match: re.Match[str]) -> str:
        named = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{own}", match[0].replace("xlink:href", "href"))
        return re.sub('style="([^"]*)"', lambda m: f'class="{styles.setdefault(m[1], own + str(len(styles)))}"', named)

    body = re.sub(r"<[^>]*>", tag, re.sub(r"<g>(<[^>]*/>)</g>", r"\1", svg))
    rules = "".join(f".{name}{{{style}}}" for style, name in styles.items())
    coloured = _COLOUR.sub(r"var(--c\1, #\1)", rules)
    return body.replace(">", f"><style>{coloured}</style>", 1)


def _allowed(script: str) -> str:
    """What a content security policy calls a script that may run."""
    return f"'sha256-{base64.b64encode(sha256(script.encode('utf-8')).digest()).decode()}'"


def _data_uri(content: str, mime: str) -> str:
    """A file inside the page. A foreign SVG as well: as an ``img`` it has its own names and runs nothing."""
    is_text = mime.endswith(("xml", "json"))
    encoded = base64.b64encode(content.encode("utf-8")).decode() if is_text else "".join(content.split())
    return f"data:{mime};base64,{encoded}"


# --- the notebook -----------------------------------------------------------------------------------------


def notebook_title(notebook: NotebookNode, lang: str) -> str:
    """The first-level heading of a notebook in ``lang``, or nothing."""
    sources = [cell.source for cell in tidy(notebook, lang).cells if cell.cell_type == "markdown"]
    match = re.search(r"^# +(.+?) *$", "\n".join(sources), re.MULTILINE)
    return match[1] if match else ""


def tidy(notebook: NotebookNode, lang: str) -> NotebookNode:
    """Keep what a reader is to see: cells of ``lang``, the best form of each output, neighbouring code as one.

    A section whose first cell is tagged ``optional`` goes where none of its code has anything to show.
    """
    notebook = copy.deepcopy(notebook)
    shown = []
    for cell in notebook.cells:
        tags = _tags(cell)
        if "hide" in tags or (tags & {"zh", "en"} and lang not in tags) or not cell.source.strip():
            continue
        if cell.cell_type == "code":
            cell.outputs = [best for output in cell.outputs if (best := _readable(output))]
            cell.source = _without_place(cell)
        shown.append(cell)
    cells: list[NotebookNode] = []
    for cell in _without_empty(shown):
        if cell.cell_type == "code" and cells and cells[-1].cell_type == "code":
            before = cells.pop()
            cell.source, cell.outputs = f"{before.source}\n\n{cell.source}", before.outputs + cell.outputs
        cells.append(cell)
    notebook.cells = cells
    return notebook


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _without_empty(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells without the optional sections that show nothing; a section ends at the next heading of a cell."""
    starts = [place for place, cell in enumerate(cells) if cell.cell_type == "markdown" and cell.source[:1] == "#"]
    for first, end in pairwise([*({0} - set(starts)), *starts, len(cells)]):
        section = cells[first:end]
        if not section or "optional" not in _tags(section[0]) or any(cell.get("outputs") for cell in section):
            yield from section


def reproducible(notebook: NotebookNode) -> str:
    """The executed notebook for readers who run it again: what it said, without pictures and places of a machine."""
    import nbformat

    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":
            cell.source = _without_place(cell)
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                for mime in [mime for mime in output.get("data", {}) if mime.startswith("image/")]:
                    del output.data[mime]
                output.get("metadata", {}).clear()
    return nbformat.writes(notebook, indent=None, separators=(",", ":"))


def _without_place(cell: NotebookNode) -> str:
    """The source of a code cell; the folder's place on this machine concerns nobody."""
    if "injected-parameters" not in cell.metadata.get("tags", []):
        return cell.source
    return re.sub(r"^data_dir = .*\n?", "", cell.source, flags=re.MULTILINE).strip()


def _readable(output: NotebookNode) -> NotebookNode | None:
    """An output in its best form alone; warnings and progress on stderr are not for readers."""
    if output.output_type == "stream":
        return output if output.name == "stdout" and output.text.strip() else None
    data = output.get("data", {})
    mime = next((mime for mime in _BEST_FIRST if mime in data), None)
    if mime is None:
        return None
    if mime == "image/svg+xml" and len(data[mime]) > max(_HEAVY, len(data.get("image/png", data[mime]))):
        mime = "image/png"  # a picture of thousands of lines
    output.data, output.metadata = {mime: data[mime]}, output.metadata.get(mime, {})
    return output


# --- the page ---------------------------------------------------------------------------------------------


def finished(body: str, lang: str) -> tuple[str, list[tuple[int, str, str]]]:
    """Give headings their ids and tables room to scroll; also returns the contents: level, id, text.

    The first ``<h1>`` goes: the page has it already.

    >>> finished("<h1>奉化</h1><h2>幼有善育</h2>", "zh")
    ('<h2 id="幼有善育">幼有善育</h2>', [(2, '幼有善育', '幼有善育')])
    """
    contents: list[tuple[int, str, str]] = []
    numbers = count(1)

    def heading(match: re.Match[str]) -> str:
        text, named = _plain(match[3]), re.search(' data-id="([^"]*)"', match[2])
        same = {"content", "provenance", *(used for _, used, _ in contents)}  # the page's own and those given
        slug = named[1] if named else re.sub(r"\W+", "-", text).strip("-").lower() or "section"
        unique = next(name for n in count(1) if (name := f"{slug}-{n}" if n > 1 else slug) not in same)
        contents.append((int(match[1]), unique, text))
        return f'<h{match[1]} id="{unique}">{match[3]}</h{match[1]}>'

    def table(match: re.Match[str]) -> str:
        number, caption = next(numbers), _CAPTION.search(match[0])
        label = message("report_table", lang, number=number) + (f": {_plain(caption[1])}" if caption else "")
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">{match[0]}</div>'

    without_title = re.sub(r"<h1\b[^>]*>.*?</h1>\s*", "", body, count=1, flags=re.DOTALL)
    body = _TABLE.sub(table, _HEADING.sub(heading, without_title))
    return body, contents


def _plain(markup: str) -> str:
    return " ".join(unescape(_TAG.sub("", markup)).split())
