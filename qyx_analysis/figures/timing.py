"""When the planned change is planned to come: the front-loading index of every indicator."""

from __future__ import annotations

import pandas as pd

from qyx_analysis.figures import rows, style
from qyx_analysis.figures.scene import Domain, Scene, scene_of

SCALE = rows.Scale(
    -1.15, 1.15, {-1: "−1", -0.5: "−0.5", 0: "0", 0.5: "+0.5", 1: "+1"}, decimals=2, signed=True, by_zone=True
)
TAIL: style.Options = {"marker": "|", "markersize": 9, "markeredgewidth": 1.4, "color": style.BLUE}


@style.house_style()
def plot_timing(
    trajectory: pd.DataFrame, targets: pd.DataFrame, region: object = None, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw the front-loading index of every indicator: is the change planned for the first or the last years?

    ``trajectory``: as :func:`qyx_analysis.trajectory` gives it for the ``targets`` of ``load_targets``. ``region``
    (code or name): this county in colour, the others grey; without it every county has its colour (up to five) or is
    a dot of a cloud with its median and middle half. ``domain``: only this one, by its Chinese or English name.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    region or domain that is unknown or not in ``targets``.

    How to read it: 0 is an even pace; right of it more of the planned change comes early, left of it late. The line
    is what rounding and bounds allow: an open dot has no verdict. Lines without a dot say why.

    >>> from qyx_analysis import load_targets, trajectory
    >>> targets = load_targets().query("domain == '住有宜居'")
    >>> plot_timing(trajectory(targets), targets, region="奉化区", lang="en").get_label()[-58:]
    '1 back-loaded, 1 without a verdict and 1 without a result.'
    """
    scene = scene_of(targets, region, lang, domain)
    measured = scene.results(trajectory, "trajectory()", "front_loading")
    whole = measured["measure"] == "front_loading"
    results, tail = measured[whole], measured[~whole]  # from the baseline, and from the first target on
    table = scene.table[(scene.table["nature"] != "state") & scene.table.index.isin(results["indicator"])]
    title = scene.say("timing_title")
    if table.empty:
        return style.without_picture(title, scene.say("row_words"))
    entries = rows.result_entries(scene, results, SCALE)
    if scene.chosen:
        entries.insert(1, (TAIL, scene.say("key_tail", first=scene.years[1])))
    note = scene.say("timing_note") + ("" if scene.chosen else scene.single())
    step = rows.row_step(scene)
    body = rows.HEAD + rows.rows_height(table, step) + rows.FOOT
    figure, top = style.page(title, scene.say("timing_subtitle"), entries, body, note)
    lines = rows.lay_rows(figure, scene, table, top + rows.HEAD, step, SCALE)
    for edge in (-1, 1):
        lines.ax.axvline(edge, color=style.FAINT, linewidth=1, zorder=0)
    words = (scene.say(key) for key in ("later", "even", "earlier", "timing_axis"))
    rows.write_directions(lines, *words)
    rows.draw_results(lines, results)
    own = tail[(tail["region"] == scene.chosen) & tail["indicator"].isin(list(lines.at))].dropna(subset=["value"])
    ys = [lines.at[code] for code in own["indicator"]]
    lines.ax.plot(SCALE.cut(own["value"]), ys, linestyle="none", clip_on=False, zorder=4, **TAIL)
    figure.set_label(_alt(scene, results))
    return figure


def _alt(scene: Scene, results: pd.DataFrame) -> str:
    results = results[results["region"].isin([scene.chosen] if scene.chosen else scene.counties)]
    sure = results[rows.decided(results)]
    early, late = (int(rows.flagged(sure, zone).sum()) for zone in ("early", "late"))
    none = int(results["value"].isna().sum())
    unclear = len(results) - none - len(sure)
    counts = {"early": early, "even": len(sure) - early - late, "late": late, "open": unclear, "none": none}
    text = scene.say("timing_alt", n=len(results), **counts)
    if scene.chosen and early and late:
        first, most, last, least = rows.said_ends(scene, sure, SCALE)
        text += scene.say("timing_alt_ends", early=first, most=most, late=last, least=least)
    return text
