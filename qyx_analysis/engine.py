"""The name by which papermill knows our engine.

papermill loads the engines of all packages whenever it is imported. So this one is loaded when it is asked for: other
users of papermill do not wait for it, and it can import papermill itself.
"""

from __future__ import annotations

from typing import Any


class _Engine:
    def __getattr__(self, name: str) -> Any:
        from qyx_analysis.reports.engine import WarmEngine

        return getattr(WarmEngine, name)


qyx_warm = _Engine()
