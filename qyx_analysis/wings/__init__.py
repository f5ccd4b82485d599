"""The wings: subjects of their own beside the core, each whole in one folder and joined to the core by this list.

The core asks every wing of ``WINGS`` what it adds and imports none of them. To take a wing out, take its line out:
the rest works on without its tables, findings, notebooks, sections and commands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

# Each wing with its public names: name -> module of the wing.
WINGS: dict[str, dict[str, str]] = {
    "sentences": {
        "load_prose": "desk",
        "load_governance": "desk",
        "alignment": "alignment",
        "plot_alignment": "figures",
    },
    "monitoring": {
        "load_actuals": "forms",
        "monitoring": "judging",
        "rankings": "judging",
        "open_items": "judging",
        "changes": "changes",
        "known_before": "changes",
        "due_next": "changes",
        "actuals_form": "forms",
        "plot_progress": "figures",
        "plot_statuses": "figures",
        "plot_rankings": "figures",
    },
}


@dataclass(frozen=True)
class Wing:
    """What a wing adds to the core; whatever it does not add stays at its default.

    ``read_tables`` and ``derive_tables`` put tables, findings and problems into the
    :class:`~qyx_analysis.datapackage.building.Draft` of a build: those read from documents before the measures are
    computed, and those that follow from others after it. ``read_plan`` gives the tables that one document has, and
    ``compared`` says how ``qyx diff`` compares them. ``own_tables`` are those of which a county's report shows its own
    rows only, but for the columns of ``shared_columns``, which it shows of all. ``warm_desk`` computes what many
    reports of one run share, given the desk, the name of the notebook and its parameters. ``kinds`` are further kinds
    of pages.
    """

    derived: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    read_tables: Callable[[Any], None] | None = None
    derive_tables: Callable[[Any], None] | None = None
    read_plan: Callable[[Any], dict[str, Any]] | None = None
    compared: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    own_tables: frozenset[str] = frozenset()
    shared_columns: Mapping[str, list[str]] = field(default_factory=dict)
    warm_desk: Callable[[Any, str, Mapping[str, Any]], None] | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    add_commands: Callable[[Callable[..., Any]], None] | None = None


@dataclass(frozen=True)
class Input:
    """Files that a build reads besides plans: where they are by default, and what ``qyx build --help`` says of them."""

    folder: Callable[[], Path]
    help: str


@dataclass(frozen=True)
class Kind:
    """A kind of pages besides the reports: what is planned, and what the index calls and lists.

    ``plan`` takes chosen counties, targets, the ``notebook``, languages and parameters. The files of a kind begin with
    ``prefix``; ``stem`` gives the rest for a county, or with an empty code for all.
    """

    plan: Callable[..., list[Any]]
    notebook: str
    prefix: str
    stem: Callable[[str], str]


@cache
def _wing(name: str) -> Wing:
    return import_module(f"{__name__}.{name}.joint").WING


def wings() -> list[Wing]:
    """The wings of the list, in its order.

    >>> all(wing.rules for wing in wings())
    True
    """
    return [_wing(name) for name in WINGS]
