"""A figure that shows itself in a notebook, with its alternative text."""

from __future__ import annotations

import base64
import gzip
import re
from html import escape, unescape
from io import BytesIO, StringIO
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from qyx_analysis.figures.style import text_width
from qyx_analysis.problems import visible

OUTLINES = "image/svg+xml-compressed"  # the media type of .svgz files
_DPI = 160  # sharp on a phone and in print
_COLOURS = 64  # flat colours and the greys of smooth edges: looks the same, takes a quarter of the space
_WHITE = 252  # what is whiter is paper
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
_NEEDLESS = re.compile(r" *<!--.*?-->\n?|<!DOCTYPE[^>]*>\n?", re.DOTALL)  # texts again; an address on the network


class Picture(Figure):
    """A matplotlib figure outside pyplot: nothing is displayed twice and no global state remembers it."""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What Jupyter shows when the figure is the last value of a cell.

        ``inline`` is for our own reports, the form ``OUTLINES`` for the files beside them.
        """
        alt = str(self.get_label())
        size = {"alt": alt, "width": int(self.get_figwidth() * 96)}
        forms = {"image/svg+xml": _svg(self), "image/png": _png(self), OUTLINES: _outlines(self), "text/plain": alt}
        return forms, {"image/svg+xml": size | {"inline": True}, "image/png": size}


def _png(figure: Figure) -> bytes:
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="rgba", dpi=_DPI)  # pixels as they are: nothing is encoded only to be decoded
    size = int(figure.get_figwidth() * _DPI), int(figure.get_figheight() * _DPI)
    pixels = Image.frombytes("RGBA", size, drawn.getvalue()).convert("RGB")
    few = pixels.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.putpalette([255 if value > _WHITE else value for value in few.getpalette() or []])
    few.save(small, format="png")
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
    svg = re.sub(r">\s+<", "><", re.sub(r"<[^>]*>", _short, _TEXT.sub(_fixed, svg))).strip()
    name = escape(str(figure.get_label()))  # only now: its numbers are not to be shortened
    root = f'<svg role="img" aria-label="{name}" font-family="{_FAMILIES}" stroke-linejoin="round" '
    return svg.replace("<svg ", f'{root}style="white-space:pre" ', 1)


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


def _outlines(figure: Figure) -> str:
    """The figure as SVG with the outlines of its glyphs, gzipped, in base64.

    Word and WPS show it as it is, whatever fonts a machine has and whatever of SVG text they leave out.
    """
    from matplotlib import rc_context

    drawn = StringIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "qyx"}):
        about = {"Date": None, "Creator": None, "Description": visible(str(figure.get_label()))}
        figure.savefig(drawn, format="svg", metadata=about)
    svg = _NEEDLESS.sub("", drawn.getvalue())
    return base64.b64encode(gzip.compress(svg.encode("utf-8"), mtime=0)).decode()
