"""How far a long work has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(*arguments: Any, **options: Any) -> tqdm[Any]:
    """Give tqdm's bar, without the thread that it starts to watch itself: processes with threads cannot be forked."""
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0

    return Bar(*arguments, **options)
