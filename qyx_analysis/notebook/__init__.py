"""What a notebook opens and shows: the desk with the frames of one question, tables, sentences, pictures."""

from qyx_analysis.notebook.desk import (
    LANGUAGES,
    Desk,
    folded,
    glance,
    open_desk,
    peer_codes,
    pictures,
    say,
    table,
    title,
)
from qyx_analysis.notebook.show import frame_html, show

__all__ = [
    "LANGUAGES",
    "Desk",
    "folded",
    "frame_html",
    "glance",
    "open_desk",
    "peer_codes",
    "pictures",
    "say",
    "show",
    "table",
    "title",
]
