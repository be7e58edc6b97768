"""The plot: for each load the medians side by side with a dot for every round, and the goals as lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # needs no screen

from matplotlib import pyplot

from bench.loads import INSERTS, ROOMFUL, SEVERAL, STORES_NOTHING
from bench.report import Result

# Distinct without colour too: dark, middle, light.
COLOURS = {ROOMFUL: "#1d4f91", INSERTS: "#d98e04", STORES_NOTHING: "#b9c7d6"} | dict.fromkeys(SEVERAL, "#6f93c4")
GOAL = "#b3261e"
QUIET = "#555555"
COLUMNS = 2
MOST_BARS = 4
AXIS = {
    "delivered_per_s": "deliveries a second",
    "sent_per_s": "messages a second",
    "p50_ms": "median latency, ms",
    "p99_ms": "99th percentile of latency, ms",
    "rss_kb_per_conn": "memory of the server for each connection, KB",
    "all_resumed_s": "seconds until the last one had resumed",
    "return_bytes": "bytes that each member got",
}


def draw(results: Sequence[Result], path: Path, *, caption: str) -> None:
    """Writes a PNG; `caption` says on what machine and of which revision it is."""
    rows = -(-len(results) // COLUMNS)
    size = (13, 0.6 + 2.8 * rows)
    figure, places = pyplot.subplots(rows, COLUMNS, figsize=size, layout="constrained", squeeze=False, dpi=110)
    figure.get_layout_engine().set(h_pad=0.12, w_pad=0.12)
    for place, result in zip(places.flat, results, strict=False):
        if any(run.points for run in result.runs):
            _curves(place, result)
        else:
            _bars(place, result)
        _heading(place, result)
        place.tick_params(labelsize=8)
        place.spines[["top", "right"]].set_visible(False)
    for place in list(places.flat)[len(results) :]:
        place.axis("off")
    figure.supxlabel(caption, fontsize=8, color=QUIET)
    figure.savefig(path)
    pyplot.close(figure)


def _heading(place: Any, result: Result) -> None:
    goals = [verdict.sentence for verdict in result.verdicts()]
    place.set_title(result.load.title, fontsize=10, loc="left", pad=6 + 11 * len(goals))
    place.annotate(
        "\n".join(goals),
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        fontsize=7.5,
        color=GOAL,
    )


def _bars(place: Any, result: Result) -> None:
    name = result.load.shown[0]
    found = {who: figures for who, figures in result.medians().items() if name in figures}
    longest = 0.0
    for height, (who, figures) in enumerate(found.items()):
        each = [run[name] for run in result.of(who)]
        longest = max(longest, *each)
        place.barh(height, figures[name], color=COLOURS[who], height=0.6)
        place.plot(each, [height] * len(each), "o", color="black", markersize=3, alpha=0.6)
        number = f"{figures[name]:,.0f}" if figures[name] >= 1000 else f"{figures[name]:.3g}"
        place.annotate(number, (max(each), height), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8)
    for verdict in result.verdicts():
        where = verdict.value_needed(found)
        if verdict.goal.figure == name and where is not None and where < 4 * longest:
            longest = max(longest, where)
            place.axvline(where, color=GOAL, linestyle=":" if verdict.goal.aim else "--", linewidth=1)
    place.set_yticks(range(len(found)), found)
    place.set_ylim(MOST_BARS - 0.5, -0.5)  # the first one on top, and bars equally thick in all plots
    place.set_xlim(0, longest * 1.15)
    place.set_xlabel(AXIS.get(name, name), fontsize=8)
    place.xaxis.set_major_formatter(lambda value, position: f"{value:,.0f}" if value >= 1000 else f"{value:g}")


def _curves(place: Any, result: Result) -> None:
    for run in result.runs:
        for shade, (name, points) in enumerate(run.points.items()):
            label = name.replace("_", " ") if run is result.runs[0] else None
            place.plot(*zip(*points, strict=True), "o-", color=f"C{shade}", label=label, markersize=4, linewidth=1)
    place.set_xscale("log")
    place.set_ylim(bottom=0)
    place.set_xlabel("messages in the database", fontsize=8)
    place.set_ylabel("median, ms", fontsize=8)
    place.legend(fontsize=7)
