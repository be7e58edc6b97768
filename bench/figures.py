"""Percentiles and medians of what was measured, and the error for a run that cannot be believed."""

import math
import statistics
from collections.abc import Sequence

# What one run measured, by name; the unit is in the name: p99_ms, sent_per_s, rss_kb_per_conn.
Figures = dict[str, float]


class Unbelievable(Exception):
    """Something was lost, doubled or refused, or did not start: the figures would not be about what they say."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of them do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[round(share * (len(values) - 1))]


def medians(runs: Sequence[Figures]) -> Figures:
    """Each figure's median over the runs that have it."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: statistics.median(run[name] for run in runs if name in run) for name in names}
