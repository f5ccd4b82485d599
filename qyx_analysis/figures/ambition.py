"""How far the last planned target goes beyond the baseline."""

from __future__ import annotations

import pandas as pd

from qyx_analysis.figures import rows, style
from qyx_analysis.figures.scene import Domain, Scene, scene_of

HEAD, FOOT = 0.78, 0.62  # inches around the lines of a part: its heading and directions, its ticks and axis
CLOSURE = rows.Scale(
    -0.3, 1.05, {-0.25: "−25%", 0: "0", 0.25: "25%", 0.5: "50%", 0.75: "75%", 1: "100%"}, percent=True, at_least=True
)
CHANGE = rows.Scale(
    *(-1.05, 1.05), {-1: "−100%", -0.5: "−50%", 0: "0", 0.5: "+50%", 1: "+100%"},
    decimals=1, percent=True, signed=True, at_least=True,
)  # fmt: skip


@style.house_style()
def plot_ambition(
    ambition: pd.DataFrame, targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw how ambitious the last planned target of every indicator is against its baseline.

    ``ambition``: as :func:`qyx_analysis.ambition` gives it for the ``targets`` of ``load_targets``. ``region`` (code
    or name): this county in colour, the others grey; without it every county has its colour (up to five) or is a dot
    of a cloud with its median and middle half. ``domain``: only this one, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``.

    How to read it: the upper part shows the share of the remaining gap to the best value that the plan closes; it is
    comparable. The lower part, for indicators without a declared best value, shows the change relative to the
    baseline and only describes. Left of 0 a target is weaker than its baseline; an arrow marks a bound.

    >>> from qyx_analysis import ambition, load_targets
    >>> targets = load_targets().query("domain == '病有良医'")
    >>> plot_ambition(ambition(targets), targets, region="奉化区", lang="en").get_label()[-83:]
    'Most is closed in Huiminbao enrolment (60%) and least in Premature mortality (13%).'
    """
    scene = scene_of(targets, region, lang, domain)
    results = scene.results(ambition, "ambition()", "gap_closure", "relative_change")
    table = scene.table
    note = scene.say("ambition_note") + scene.unknown(table) + ("" if scene.chosen else scene.single())
    table = table[(table["nature"] != "state") & table["direction"].notna()]
    title = scene.say("ambition_title")
    if table.empty:
        return style.without_picture(title, scene.say("row_words"))
    parts = []
    for name, measure, scale in (("closure", "gap_closure", CLOSURE), ("change", "relative_change", CHANGE)):
        part = table[table["best"].notna() == (name == "closure")]
        found = results[(results["measure"] == measure) & results["indicator"].isin(part.index)]
        parts += [(name, scale, part, found)] if len(part) else []
    entries = rows.result_entries(scene, pd.concat([found for *_, found in parts]), CLOSURE)
    step = rows.row_step(scene)
    heights = [HEAD + rows.rows_height(part, step) + FOOT for _, _, part, _ in parts]
    figure, top = style.page(title, scene.say("ambition_subtitle"), entries, sum(heights), note)
    for (name, scale, part, found), height in zip(parts, heights, strict=True):
        style.write(figure, style.MARGIN, top + 0.12, scene.say(f"ambition_{name}"), fontsize=11)
        lines = rows.lay_rows(figure, scene, part, top + HEAD, step, scale)
        _write_directions(lines, name)
        rows.draw_results(lines, found, grey_counts=False)
        top += height
    figure.set_label(_alt(scene, pd.concat([found for *_, found in parts])))
    return figure


def _write_directions(lines: rows.Rows, name: str) -> None:
    ax, scene = lines.ax, lines.scene
    ax.axvspan(lines.scale.low, 0, color="#f7efe9", linewidth=0, zorder=-1)
    ax.axvline(0, color=style.SOFT, linewidth=1, zorder=1)
    end, text = (1.0, "best_reached") if name == "closure" else (lines.scale.high, "better")
    if name == "closure":
        ax.axvline(end, color=style.OTHER, linewidth=1, zorder=0)
    style.small(ax, end, -0.07, scene.say(text), ha="right", va="bottom", color=style.INK)
    colour = style.dark(style.VERMILLION)
    style.small(ax, 0, -0.07, scene.say("weaker") + " ", ha="right", va="bottom", color=colour)
    ax.set_xlabel(scene.say(f"ambition_{name}_axis"), fontsize=style.SMALL)


def _alt(scene: Scene, found: pd.DataFrame) -> str:
    found = found[found["region"].isin([scene.chosen] if scene.chosen else scene.counties)]
    closure = found["measure"] == "gap_closure"
    sure = found[closure & rows.decided(found)]
    weaker, others = found["status"].eq("weaker").sum(), found.loc[~closure, "value"].notna().sum()
    text = scene.say("ambition_alt", n=len(sure), weaker=int(weaker), others=int(others))
    if len(sure):
        most, high, least, low = rows.said_ends(scene, sure, CLOSURE)
        text += scene.say("ambition_alt_ends", most=most, top=high, least=least, bottom=low)
    return text
