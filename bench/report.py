"""What the runs come to: medians, ratios against the peers of the same run, goals met or missed; as table and JSON."""

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.contenders import Measured
from bench.figures import Figures, medians
from bench.loads import ROOMFUL, Goal, Load

# From here on a program that has one core, or a part of one, is what limits.
BUSY = 0.95
# With so much of a core taken before the load begins, the figure tells of others as well.
DISTURBED = 0.2


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what became of it; `value` is None where the peer did not take part."""

    goal: Goal
    value: float | None

    @property
    def word(self) -> str:
        if self.value is None:
            return "not measured"
        least, most = self.goal.at_least, self.goal.at_most
        if (least is None or self.value >= least) and (most is None or self.value <= most):
            return "met"
        return "on the way" if self.goal.aim else "missed"

    @property
    def sentence(self) -> str:
        if self.value is None:
            return f"goal: {self.goal.text}: {self.word}"
        unit = " ×" if self.goal.against else ""
        return f"goal: {self.goal.text}: {_number(self.value)}{unit}, {self.word}"

    def value_needed(self, found: dict[str, Figures]) -> float | None:
        """What Roomful's figure would have to be, by the medians of the peers."""
        limit = self.goal.at_least if self.goal.at_least is not None else self.goal.at_most
        if self.value is None or limit is None:
            return None
        return limit * found[self.goal.against][self.goal.figure] if self.goal.against else limit


@dataclass(frozen=True, slots=True)
class Result:
    """All runs of one load."""

    load: Load
    runs: Sequence[Measured]

    @property
    def contenders(self) -> list[str]:
        return list(dict.fromkeys(run.contender for run in self.runs))

    def of(self, contender: str) -> list[Figures]:
        return [run.figures for run in self.runs if run.contender == contender]

    def medians(self) -> dict[str, Figures]:
        return {contender: medians(self.of(contender)) for contender in self.contenders}

    def verdicts(self) -> list[Verdict]:
        found = self.medians()
        return [Verdict(goal, _value(goal, found)) for goal in self.load.goals]


def _value(goal: Goal, found: dict[str, Figures]) -> float | None:
    ours, theirs = found.get(ROOMFUL), found.get(goal.against or ROOMFUL)
    if ours is None or theirs is None or not theirs[goal.figure]:
        return None
    return ours[goal.figure] / theirs[goal.figure] if goal.against else ours[goal.figure]


def table(results: Sequence[Result]) -> str:
    """A paragraph for each load."""
    return "\n".join(line for result in results for line in (*_lines(result), ""))


def _lines(result: Result) -> Iterator[str]:
    yield f"{result.load.title} ({result.load.name})"
    found = result.medians()
    shown = [name for name in result.load.shown if any(name in figures for figures in found.values())]
    yield f"  {'median of ' + _rounds(result):<28}" + "".join(f"{name:>{_width(name)}}" for name in shown)
    for contender, figures in found.items():
        cells = (f"{_number(figures.get(name)):>{_width(name)}}" for name in shown)
        yield f"  {contender:<28}{''.join(cells)}  {_note(figures)}".rstrip()
        if len(runs := result.of(contender)) > 1:
            spread = (f"{_spread(runs, name):>{_width(name)}}" for name in shown)
            yield f"  {'':<28}{''.join(spread)}"
    for verdict in result.verdicts():
        yield f"  {verdict.sentence}"


def _rounds(result: Result) -> str:
    count = max(run.round for run in result.runs)
    return f"{count} rounds" if count > 1 else "one round"


def _width(name: str) -> int:
    return max(len(name), 13) + 2


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _spread(runs: Sequence[Figures], name: str) -> str:
    """The least and the greatest, where there are several."""
    values = [run[name] for run in runs if name in run]
    return f"{_number(min(values))}…{_number(max(values))}" if values else ""


def _note(figures: Figures) -> str:
    """What was busy, and so may be what the figure shows rather than the server."""
    if "server_busy" not in figures:
        return ""
    each = figures.get("server_us_per_message")
    note = f"server {figures['server_busy']:.0%} busy" + (f" ({_number(each)} µs a message)" if each else "")
    note += f", generator {figures['generator_busy']:.0%}"
    note += f", its core {figures['load_core_busy']:.0%}"
    if figures["generator_busy"] >= BUSY:
        return f"{note}: THE GENERATOR WAS THE LIMIT"
    if figures["others_busy"] >= DISTURBED:
        return f"{note}; BEFORE THE LOAD BEGAN A CORE WAS {figures['others_busy']:.0%} BUSY WITH OTHER THINGS"
    if figures["load_core_busy"] >= BUSY and figures["server_busy"] < BUSY:
        return f"{note}: the core of generator and PostgreSQL was the limit"
    return note


def document(results: Sequence[Result], *, machine: dict[str, object], revision: str, quick: bool) -> str:
    """Everything, as JSON for programs."""
    return json.dumps(
        {
            "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "revision": revision,
            "quick": quick,
            "machine": machine,
            "loads": [
                {
                    **asdict(result.load),
                    "medians": result.medians(),
                    "goals": [
                        {"goal": verdict.goal.text, "value": verdict.value, "outcome": verdict.word}
                        for verdict in result.verdicts()
                    ],
                    "runs": [asdict(run) for run in result.runs],
                }
                for result in results
            ],
        },
        indent=1,
    )


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text + "\n", encoding="utf-8")
    return path
