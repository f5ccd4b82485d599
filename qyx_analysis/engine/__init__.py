"""Many notebooks at once, whatever they are about: warm kernels, processes, the workers of a Dask cluster."""

from __future__ import annotations

from typing import Any


class _Engine:
    """papermill's engine ``qyx-warm``, loaded when it is used: papermill loads the engines of all packages at once."""

    def __getattr__(self, name: str) -> Any:
        from qyx_analysis.engine.warm import WarmEngine

        return getattr(WarmEngine, name)


qyx_warm = _Engine()
