"""A figure that shows itself in a notebook, with its alternative text."""

from __future__ import annotations

import re
from html import escape, unescape
from io import BytesIO, StringIO
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from qyx_analysis.figures.style import text_width

_DPI = 160  # sharp on a phone and in print
_COLOURS = 64  # flat colours and the greys of smooth edges: looks the same, takes a quarter of the space
_FAMILIES = (
    "'Noto Sans SC', 'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', "
    "sans-serif"
)
_NOISE = re.compile(  # a style would rule the page
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<defs>\s*<style.*?</defs>", re.DOTALL
)
_REPEATED = re.compile(r" font-family: [^;\"]*;| transform=\"rotate\(-?0 [^)]*\)\"")
_TEXT = re.compile(r'(<text style="font-size: ([\d.]+)px[^>]*)>([^<]{2,})</text>')
_HALO = 'style="stroke:#ffffff;stroke-width:2;paint-order:stroke"'


class Picture(Figure):
    """A matplotlib figure outside pyplot: nothing is displayed twice and no global state remembers it."""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What Jupyter shows when the figure is the last value of a cell; ``inline`` is for our own reports."""
        alt = str(self.get_label())
        size = {"alt": alt, "width": int(self.get_figwidth() * 96)}
        forms = {"image/svg+xml": _svg(self), "image/png": _png(self), "text/plain": alt}
        return forms, {"image/svg+xml": size | {"inline": True}, "image/png": size}


def _png(figure: Figure) -> bytes:
    full, small = BytesIO(), BytesIO()
    figure.savefig(full, format="png", dpi=_DPI)
    Image.open(full).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(small, format="png")
    return small.getvalue()


def _svg(figure: Figure) -> str:
    """The figure as lines and real text, a third of the PNG's size.

    The text is set in the reader's own Chinese font, each string in the width that it was laid out with. A halo becomes
    an outline behind the text, which matplotlib would turn into shapes. The alternative text is inside, for exporters
    that keep none beside a picture.
    """
    from matplotlib import rc_context

    drawn = StringIO()
    haloed = [(text, text.get_path_effects()) for text in figure.findobj(Text) if text.get_path_effects()]
    try:
        for text, _ in haloed:
            text.set(path_effects=[], gid="halo")
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "qyx"}):
            figure.savefig(drawn, format="svg")
    finally:
        for text, effects in haloed:
            text.set(path_effects=effects, gid=None)
    svg = _NOISE.sub("", drawn.getvalue()).replace('<g id="halo">', f"<g {_HALO}>")
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    name = escape(str(figure.get_label()))
    root = f'<svg role="img" aria-label="{name}" font-family="{_FAMILIES}" stroke-linejoin="round" '
    svg = svg.replace("<svg ", f'{root} style="white-space:pre" ', 1)
    return re.sub(r">\s+<", "><", re.sub(r"<[^>]*>", _short, _TEXT.sub(_fixed, svg))).strip()


def _fixed(text: re.Match[str]) -> str:
    """A text that keeps its width, whatever font it is shown in."""
    width = text_width(unescape(text[3]), float(text[2])) * 72
    return f'{text[1]} textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{text[3]}</text>'


def _short(tag: re.Match[str]) -> str:
    """A tag whose numbers are as exact as an eye is: a hundredth of a point."""
    needed = _REPEATED.sub("", tag[0])
    short = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{round(float(number[0]), 2):g}", needed)
    short = re.sub(r'(?<= d=")[^"]*', lambda path: re.sub(r"\s*([A-Za-z])\s*", r"\1", path[0]), short)
    return re.sub(r"\s+", " ", short).replace(": ", ":").replace("; ", ";")
