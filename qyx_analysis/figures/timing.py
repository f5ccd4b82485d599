"""When the planned change is planned to come: the front-loading index of every indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from qyx_analysis.figures import style
from qyx_analysis.figures.rows import (
    Rows,
    Scale,
    decided,
    draw_results,
    lay_rows,
    printed_by,
    result_entries,
    row_step,
    rows_height,
)
from qyx_analysis.figures.scene import Domain, Scene, in_domain, scene_of
from qyx_analysis.measures.trajectory import trajectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD, FOOT = 0.37, 0.51  # inches above and below the lines, for the directions and the ticks
SCALE = Scale(
    *(-1.15, 1.15), {-1: "−1", -0.5: "−0.5", 0: "0", 0.5: "+0.5", 1: "+1"},
    decimals=2, percent=False, signed=True, at_least=False, by_sign=True,
)  # fmt: skip


@style.house_style()
def plot_timing(targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw the front-loading index of every indicator: is the change planned for the first or the last years?

    ``targets``: the frame of ``load_targets``. ``region`` (code or name): this county in colour, the others grey;
    without it every county has its colour (up to five) or is a dot of a cloud with its median and middle half.
    ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``. The measure: :func:`qyx_analysis.trajectory`.

    How to read it: 0 is an even pace; right of it more of the planned change comes early, left of it late. The line
    is what rounding and bounds allow: an open dot has no verdict. Lines without a dot say why.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_timing(targets, region="奉化区", lang="en").get_label()[-87:]
    'The earliest is Huiminbao enrolment (+0.08) and the latest Premature mortality (−0.58).'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, region, lang)
    measured = trajectory(targets)
    results = measured[measured["measure"] == "front_loading"]
    tail = measured[measured["measure"].str.fullmatch(r"front_loading_\d+_\d+")]
    table = scene.own if scene.chosen else scene.shared
    table = table[(table["nature"] != "state") & table["code"].isin(results["indicator"])]
    title = scene.say("timing_title", who=scene.who, first=scene.years[0], last=scene.years[-1])
    if table.empty:
        return style.without_picture(title, scene.say("row_words"))
    subtitle = scene.say("timing_subtitle")
    entries = result_entries(scene, results, SCALE)
    if scene.chosen:
        tick = {"marker": "|", "markersize": 9, "markeredgewidth": 1.4, "color": style.BLUE}
        entries.insert(1, (tick, scene.say("key_tail", first=scene.years[1], last=scene.years[-1])))
    note = scene.say("timing_note") + ("" if scene.chosen else scene.single())
    step = row_step(scene)
    figure, top = style.page(title, subtitle, entries, rows_height(table, step) + HEAD + FOOT, note)
    rows = lay_rows(figure, table, top + HEAD, step, SCALE, under=printed_by(scene, table))
    _directions(rows, scene)
    draw_results(rows, scene, results, SCALE)
    if scene.chosen:
        own = tail[(tail["region"] == scene.chosen) & tail["indicator"].isin(list(rows.at))].dropna(subset=["value"])
        xs, ys = SCALE.cut(own["value"]), [rows.at[code] for code in own["indicator"]]
        rows.ax.plot(xs, ys, "|", color=style.BLUE, markersize=9, markeredgewidth=1.4, clip_on=False, zorder=4)
    figure.set_label(_alt(scene, results))
    return figure


def _directions(rows: Rows, scene: Scene) -> None:
    rows.ax.axvline(0, color=style.SOFT, linewidth=1, zorder=1)
    for edge in (-1, 1):
        rows.ax.axvline(edge, color=style.FAINT, linewidth=1, zorder=0)
    for x, side, text in ((-1.15, "left", "later"), (0, "center", "even"), (1.15, "right", "earlier")):
        colour = style.INK if x else style.SOFT
        rows.ax.text(x, -0.07, scene.say(text), ha=side, va="bottom", fontsize=style.SMALL, color=colour)
    rows.ax.set_xlabel(scene.say("timing_axis"), fontsize=style.SMALL)


def _alt(scene: Scene, results: pd.DataFrame) -> str:
    who = [scene.chosen] if scene.chosen else scene.counties
    results = results[results["region"].isin(who)]
    sure = results[decided(results)]
    counts = {
        "early": int((sure["value"] > 0).sum()),
        "late": int((sure["value"] < 0).sum()),
        "none": int(results["value"].isna().sum()),
    }
    text = scene.say(
        "timing_alt", who=scene.who, n=len(results),
        open=int(results["value"].notna().sum()) - len(sure), **counts,
    )  # fmt: skip
    if scene.chosen and len(sure):
        ends = [sure.loc[place] for place in (sure["value"].idxmax(), sure["value"].idxmin())]
        names = [scene.indicators.at[end["indicator"], f"short_{scene.lang}"] for end in ends]
        values = [SCALE.text(end["value"], scene.lang) for end in ends]
        text += scene.say("timing_alt_ends", early=names[0], most=values[0], late=names[1], least=values[1])
    return text
