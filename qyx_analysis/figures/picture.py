"""A figure that shows itself in a notebook, with its alternative text."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Container
from html import escape, unescape
from io import BytesIO, StringIO
from typing import Any

from matplotlib import rcParams
from matplotlib.backends.backend_svg import RendererSVG
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
_MARKS = "as-text", "as-outlines", "end"  # before a text, before its outlines, and after them
_FORMS = re.compile("(.*?)".join(f'<g id="{mark}" ?/>' for mark in _MARKS), re.DOTALL)
_NEEDLESS = re.compile(r" *<!--.*?-->\n?|<!DOCTYPE[^>]*>\n?", re.DOTALL)  # texts again; an address on the network


class Picture(Figure):
    """A matplotlib figure outside pyplot: nothing is displayed twice and no global state remembers it."""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What Jupyter shows when the figure is the last value of a cell.

        ``inline`` is for our own reports, the form ``OUTLINES`` for the files beside them.
        """
        alt = str(self.get_label())
        size = {"alt": alt, "width": int(self.get_figwidth() * 96)}
        drawn = _drawn(self)
        forms = {"image/svg+xml": _svg(drawn, alt), "image/png": _png(self), OUTLINES: _outlines(drawn)}
        return forms | {"text/plain": alt}, {"image/svg+xml": size | {"inline": True}, "image/png": size}


def _png(figure: Figure) -> bytes:
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="rgba", dpi=_DPI)  # pixels as they are: nothing is encoded only to be decoded
    size = int(figure.get_figwidth() * _DPI), int(figure.get_figheight() * _DPI)
    pixels = Image.frombytes("RGBA", size, drawn.getvalue()).convert("RGB")
    few = pixels.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.putpalette([255 if value > _WHITE else value for value in few.getpalette() or []])
    few.save(small, format="png")
    return small.getvalue()


class _Twofold(RendererSVG):
    """An SVG in which each string stands as text and once more as outlines, between marks that no text can hold."""

    haloed: Container[Text] = ()

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        def draw(form: str, halo: str = "") -> None:
            rcParams["svg.fonttype"] = form
            if halo:
                self.writer.start("g", style=f"stroke:#ffffff;{halo}")
            super(_Twofold, self).draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            if halo:
                self.writer.end("g")

        haloed = mtext in self.haloed
        self.writer.element("g", id=_MARKS[0])
        draw("none", "stroke-width:2;paint-order:stroke" if haloed else "")
        self.writer.element("g", id=_MARKS[1])
        if haloed:  # behind the glyphs, which are drawn in hundredths of their size and outlined in 64ths of these
            draw("path", f"stroke-width:{2 * 100 * 64 / prop.get_size_in_points():.4g}")
        draw("path")
        self.writer.element("g", id=_MARKS[2])


def _drawn(figure: Figure) -> str:
    """The figure as SVG with its texts in both forms: it is drawn once."""
    from matplotlib import rc_context

    drawn, dpi = StringIO(), figure.dpi
    haloed = {text: text.get_path_effects() for text in figure.findobj(Text) if text.get_path_effects()}
    about = {"Date": None, "Creator": None, "Description": visible(str(figure.get_label()))}
    try:
        for text in haloed:  # of which matplotlib would make shapes
            text.set_path_effects([])
        with rc_context({"svg.hashsalt": "qyx"}):
            figure.dpi = 72
            size = figure.get_size_inches() * 72
            renderer = _Twofold(*size, drawn, 72, metadata=about)  # type: ignore[call-arg,misc]  # has no stubs
            renderer.haloed = haloed
            figure.draw(renderer)
            renderer.finalize()
    finally:
        figure.dpi = dpi
        for text, effects in haloed.items():
            text.set_path_effects(effects)
    return drawn.getvalue()


def _svg(drawn: str, name: str) -> str:
    """The figure as lines and real text, a third of the PNG's size.

    The text is set in the reader's own Chinese font, each string in the width that it was laid out with. ``name``, the
    alternative text, is inside for exporters that keep none beside a picture.
    """
    svg = _NOISE.sub("", _FORMS.sub(r"\1", drawn))
    svg = re.sub(r'<g id="[^"]*">', "<g>", re.sub(r'<g id="[^"]*" ?/>', "", svg))
    svg = re.sub(r">\s+<", "><", re.sub(r"<[^>]*>", _short, _TEXT.sub(_fixed, svg))).strip()
    name = escape(name)  # only now: its numbers are not to be shortened
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


def _outlines(drawn: str) -> str:
    """The figure as SVG with the outlines of its glyphs, gzipped, in base64.

    Word and WPS show it as it is, whatever fonts a machine has and whatever of SVG text they leave out.
    """
    svg = _NEEDLESS.sub("", _FORMS.sub(r"\2", drawn))
    return base64.b64encode(gzip.compress(svg.encode("utf-8"), mtime=0)).decode()
