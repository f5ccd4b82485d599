"""A figure that shows itself in a notebook, with its alternative text."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

_DPI = 160  # sharp on a phone and in print
_COLOURS = 64  # flat colours and the greys of smooth edges: looks the same, takes a quarter of the space


class Picture(Figure):
    """A matplotlib figure outside pyplot: nothing is displayed twice and no global state remembers it."""

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """What Jupyter shows when the figure is the last value of a cell."""
        alt = str(self.get_label())
        size = {"alt": alt, "width": int(self.get_figwidth() * 96)}
        return {"image/png": _png(self), "text/plain": alt}, {"image/png": size}


def _png(figure: Figure) -> bytes:
    full, small = BytesIO(), BytesIO()
    figure.savefig(full, format="png", dpi=_DPI)
    Image.open(full).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(small, format="png")
    return small.getvalue()
