"""On how many examples a property is tried: on a quarter in `make test`, on all in `make soak`."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=25)  # a busy machine is not a fault of the code
settings.register_profile("thorough", deadline=None, max_examples=100)


def examples(count: int, **options: Any) -> settings:
    """The decorator of a property that wants fewer examples than others, for each of them takes long."""
    thorough = settings.get_current_profile_name() == "thorough"
    return settings(max_examples=count if thorough else max(3, count // 4), **options)
