"""Notebooks -> reports: one self-contained HTML file each, and the index of the folder."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Loaded when first used: papermill looks for its engine in this package and needs no more of it.
_HOME = {"Outcome": "index", "index_file": "pages", "make_reports": "runner", "explain_reports": "runner"}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
