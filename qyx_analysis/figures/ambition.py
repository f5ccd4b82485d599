"""How far the last planned target goes beyond the baseline."""

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
from qyx_analysis.measures.ambition import ambition

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD, FOOT = 0.78, 0.62  # inches around the lines of a part: its heading and directions, its ticks and axis
CLOSURE = Scale(
    *(-0.3, 1.05), {-0.25: "−25%", 0: "0", 0.25: "25%", 0.5: "50%", 0.75: "75%", 1: "100%"},
    decimals=0, percent=True, signed=False, at_least=True,
)  # fmt: skip
CHANGE = Scale(
    *(-1.05, 1.05), {-1: "−100%", -0.5: "−50%", 0: "0", 0.5: "+50%", 1: "+100%"},
    decimals=1, percent=True, signed=True, at_least=True,
)  # fmt: skip


@style.house_style()
def plot_ambition(targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh") -> Figure:
    """Draw how ambitious the last planned target of every indicator is against its baseline.

    ``targets``: the frame of ``load_targets``. ``region`` (code or name): this county in colour, the others grey;
    without it every county has its colour (up to five) or is a dot of a cloud with its median and middle half.
    ``domain``: only this domain, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``. The measure: :func:`qyx_analysis.ambition`.

    How to read it: the upper part shows the share of the remaining gap to the best value that the plan closes; it is
    comparable. The lower part, for indicators without a declared best value, shows the change relative to the
    baseline and only describes. Left of 0 a target is weaker than its baseline; an arrow marks a bound.

    >>> from qyx_analysis.tidy.reading import read_plans
    >>> from qyx_analysis.files import raw_dir
    >>> targets = read_plans([raw_dir()]).targets.query("domain == '病有良医'")
    >>> plot_ambition(targets, region="奉化区", lang="en").get_label()[-83:]
    'Most is closed in Huiminbao enrolment (60%) and least in Premature mortality (13%).'
    """
    targets = in_domain(targets, domain)
    scene = scene_of(targets, region, lang)
    results = ambition(targets)
    table = scene.own if scene.chosen else scene.shared
    note = scene.say("ambition_note") + scene.unknown(table) + ("" if scene.chosen else scene.single())
    table = table[(table["nature"] != "state") & table["direction"].notna()]
    closure, change = (results[results["measure"] == name] for name in ("gap_closure", "relative_change"))
    parts = [
        ("closure", table[table["best"].notna()], closure, CLOSURE),
        ("change", table[table["best"].isna()], change, CHANGE),
    ]
    parts = [part for part in parts if len(part[1])]
    title = scene.say("ambition_title", who=scene.who, last=scene.years[-1])
    if not parts:
        return style.without_picture(title, scene.say("row_words"))
    shown = pd.concat([found[found["indicator"].isin(part.index)] for _, part, found, _ in parts])
    entries = result_entries(scene, shown, CLOSURE)
    subtitle = scene.say("ambition_subtitle", first=scene.years[0], last=scene.years[-1])
    step = row_step(scene)
    heights = [HEAD + rows_height(part, step) + FOOT for _, part, _, _ in parts]
    figure, top = style.page(title, subtitle, entries, sum(heights), note)
    for (name, part, found, scale), height in zip(parts, heights, strict=True):
        style.write(figure, style.MARGIN, top + 0.12, scene.say(f"ambition_{name}"), fontsize=11)
        rows = lay_rows(figure, part, top + HEAD, step, scale, under=printed_by(scene, part))
        _directions(rows, scene, scale, name)
        draw_results(rows, scene, found, scale, grey_counts=False)
        top += height
    figure.set_label(_alt(scene, closure, change[change["indicator"].isin(table.index[table["best"].isna()])]))
    return figure


def _directions(rows: Rows, scene: Scene, scale: Scale, name: str) -> None:
    rows.ax.axvspan(scale.low, 0, color="#f7efe9", linewidth=0, zorder=-1)
    rows.ax.axvline(0, color=style.SOFT, linewidth=1, zorder=1)
    if name == "closure":
        rows.ax.axvline(1, color=style.OTHER, linewidth=1, zorder=0)
        rows.ax.text(1, -0.07, scene.say("best_reached"), ha="right", va="bottom", fontsize=style.SMALL)
    else:
        rows.ax.text(scale.high, -0.07, scene.say("better"), ha="right", va="bottom", fontsize=style.SMALL)
    colour = style.dark(style.VERMILLION)
    rows.ax.text(0, -0.07, scene.say("weaker") + " ", ha="right", va="bottom", fontsize=style.SMALL, color=colour)
    rows.ax.set_xlabel(scene.say(f"ambition_{name}_axis"), fontsize=style.SMALL)


def _alt(scene: Scene, closure: pd.DataFrame, change: pd.DataFrame) -> str:
    who = [scene.chosen] if scene.chosen else scene.counties
    closure, change = (found[found["region"].isin(who)] for found in (closure, change))
    sure = closure[decided(closure)]
    weaker = pd.concat([closure, change])["status"].eq("weaker").sum()
    text = scene.say(
        "ambition_alt", who=scene.who, n=len(sure),
        weaker=int(weaker), others=int(change["value"].notna().sum()),
    )  # fmt: skip
    if len(sure):
        ends = [sure.loc[place] for place in (sure["value"].idxmax(), sure["value"].idxmin())]
        names = [_row_name(scene, end) for end in ends]
        values = [CLOSURE.text(end["value"], scene.lang) for end in ends]
        text += scene.say("ambition_alt_ends", most=names[0], top=values[0], least=names[1], bottom=values[1])
    return text


def _row_name(scene: Scene, row: pd.Series) -> str:
    name = scene.indicators.at[row["indicator"], f"short_{scene.lang}"]
    return name if scene.chosen else f"{scene.name(row['region'])} {name}"
