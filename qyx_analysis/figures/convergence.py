"""Whether the plans of the counties bring them together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from qyx_analysis.figures import rows, style
from qyx_analysis.figures.scene import Domain, Scene, number, scene_of
from qyx_analysis.problems import require

STEP = 0.4  # inches
RATIOS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SCALE = rows.Scale(-3.4, 3.4, {float(np.log2(ratio)): f"{ratio:g}" for ratio in RATIOS}, decimals=2)
FIRST, SECOND = "sd_ratio", ("logit_sd_ratio", "log_sd_ratio", "gini_mean_difference_ratio")
DOT: style.Options = style.POINT | {"color": style.BLUE}
SQUARE: style.Options = {"marker": "s", "markersize": 5, "color": style.INK} | style.HOLLOW
NEITHER = ("too_few", "state", "absolute_count")  # statuses of what has no spread to compare


@style.house_style()
def plot_convergence(
    dispersion: pd.DataFrame, verdicts: pd.DataFrame, targets: pd.DataFrame, domain: Domain = None, lang: str = "zh"
) -> style.Figure:
    """Draw for every indicator whether the planned spread narrows, on two scales.

    ``dispersion``, ``verdicts``: as :func:`qyx_analysis.dispersion` and :func:`qyx_analysis.verdicts` give them for the
    ``targets`` of ``load_targets``; the second says how many specifications agree. ``domain``: only this one, by its
    Chinese or English name. There is no ``region``: a spread is that of all counties.

    Returns a matplotlib Figure whose label is its alternative text. Raises DataError for an unknown language and a
    domain that is unknown or not in ``targets``.

    How to read it: a ratio below 1 (left) is a planned narrowing between the baseline and the last target, for the
    counties that print both. Where the dot and the square lie on different sides of 1 the verdict depends on the
    scale. The lines are what rounding and bounds allow.

    >>> from qyx_analysis import dispersion, load_targets, verdicts
    >>> targets = load_targets().query("domain == '病有良医'")
    >>> plot_convergence(dispersion(targets), verdicts(targets), targets, lang="en").get_label()[:39]
    'Dot plot of the ratio of planned spread'
    """
    scene = scene_of(targets, None, lang, domain)
    require(verdicts, ("kind", "indicator", "specifications", "agreeing"), "verdicts()")
    results = scene.results(dispersion, "dispersion()", FIRST, *SECOND, "convergence")
    firm = verdicts[verdicts["kind"] == "convergence"].set_index("indicator")
    judged = results[(results["measure"] == "convergence") & ~results["status"].isin(NEITHER)].set_index("indicator")
    table = scene.shared[scene.shared.index.isin(judged.index)]
    title = scene.say("convergence_title")
    if results.loc[results["measure"] == FIRST, "value"].isna().all():
        return style.without_picture(title, scene.say("too_few", n=3))
    note = scene.say("convergence_note") + scene.left_out(scene.shared.drop(table.index), 3) + scene.single()
    entries = [
        (DOT, scene.say("key_sd_ratio")),
        (SQUARE, scene.say("key_second_ratio")),
        (style.stroke(style.BLUE, 1.4), scene.say("key_interval")),
    ]
    body = rows.HEAD + rows.rows_height(table, STEP) + rows.FOOT
    figure, top = style.page(title, scene.say("convergence_subtitle"), entries, body, note)
    lines = rows.lay_rows(figure, scene, table, top + rows.HEAD, STEP, SCALE)
    words = (scene.say(key) for key in ("narrower", "unchanged", "wider", "convergence_axis"))
    rows.write_directions(lines, *words)
    for code, y in lines.at.items():
        found = results[results["indicator"] == code].drop_duplicates("measure", keep="last").set_index("measure")
        _write_verdict(lines, y, found.loc["convergence"], _draw_ratios(lines, y, found), firm.loc[code])
    figure.set_label(_alt(scene, judged.loc[table.index]))
    return figure


def _draw_ratios(lines: rows.Rows, y: float, found: pd.DataFrame) -> list[str]:
    """The ratio of the standard deviations and the one on a second scale; gives both as texts."""
    second = [(name, 0.06, SQUARE) for name in SECOND if name in found.index]
    texts = []
    for name, shift, mark in [(FIRST, -0.06, DOT), *second[:1]]:
        if name not in found.index or np.isnan(found.at[name, "value"]):
            continue
        ratio = found.loc[[name], ["value", "lo", "hi"]].astype(float)
        with np.errstate(divide="ignore"):
            result = np.log2(ratio).assign(decided=True, least=False).iloc[0]
        rows.draw_dot(lines, result, y + shift, mark)
        texts.append(number(ratio["value"].iloc[0], 2, lines.scene.lang))
    return texts


def _write_verdict(lines: rows.Rows, y: float, verdict: pd.Series, texts: list[str], firm: pd.Series) -> None:
    """What the measure says, the two ratios, how many specifications agree, and what stands against it."""
    scene = lines.scene
    flags = [flag for flag in ("identical_targets", "leave_one_out_flips") if flag in verdict["flags"].split(";")]
    first = scene.reason(verdict["status"]) + (f"  {scene.say('dot').join(texts)}" if texts else "")
    first += f"  n = {verdict['n']}" if verdict["n"] < len(scene.counties) and texts else ""
    notes = [scene.say("agreeing", share=f"{firm['agreeing']}/{firm['specifications']}")] if texts else []
    notes += [scene.say(f"flag_{flag}") for flag in flags]
    below = style.wrap(scene.say("semicolon").join(notes), style.SMALL, rows.SIDE - 0.2) if notes else []
    marked = verdict["status"] in ("diverging", "scale_dependent")
    colour = style.dark(style.VERMILLION) if marked else style.INK if texts else style.SOFT
    rows.write_beside(lines.ax, y, first, 6.5 * len(below), color=colour)
    for line, text in enumerate(below):
        rows.write_beside(lines.ax, y, text, 6.5 * len(below) - 13 * (line + 1))


def _alt(scene: Scene, judged: pd.DataFrame) -> str:
    counts = judged["status"].value_counts()
    said = {"narrower": "converging", "wider": "diverging", "scale": "scale_dependent"}
    values = {key: int(counts.get(status, 0)) for key, status in said.items()}
    return scene.say("convergence_alt", n=len(judged), none=len(judged) - sum(values.values()), **values)
