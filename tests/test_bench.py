"""The bench: it runs through its real command, and what it says of a run follows from the figures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.contenders import Measured
from bench.loads import ROOMFUL, STORES_NOTHING, Goal, Load
from bench.report import Result, table

CHECKOUT = Path(__file__).parent.parent
TOOLS = Path(os.environ.get("BENCH_TOOLS") or CHECKOUT.parent / "shared" / "bench")
NO_TOOLS = "there is no load generator: BENCH_TOOLS names the folder that holds wsload.c"


def result(ours: list[float], theirs: list[float], *goals: Goal) -> Result:
    load = Load(name="some", title="Some load", shown=("sent_per_s",), goals=goals)
    runs = [
        Measured(contender, number, {"sent_per_s": figure})
        for contender, figures in ((ROOMFUL, ours), (STORES_NOTHING, theirs))
        for number, figure in enumerate(figures, start=1)
    ]
    return Result(load, runs)


def outcomes(found: Result) -> list[str]:
    return [verdict.word for verdict in found.verdicts()]


def test_a_goal_against_a_peer_compares_the_medians_of_the_same_run() -> None:
    goal = Goal(figure="sent_per_s", at_least=2, against=STORES_NOTHING)
    found = result([100, 210, 900], [5000, 100, 90], goal)
    assert found.verdicts()[0].value == pytest.approx(2.1)
    assert outcomes(found) == ["met"]


def test_a_missed_goal_is_called_missed_unless_it_is_an_aim() -> None:
    ratio = Goal(figure="sent_per_s", at_least=2, against=STORES_NOTHING)
    aim = Goal(figure="sent_per_s", at_least=2, against=STORES_NOTHING, aim=True)
    most = Goal(figure="sent_per_s", at_most=99)
    assert outcomes(result([100], [51], ratio, aim, most)) == ["missed", "on the way", "missed"]


def test_a_goal_against_a_peer_that_took_no_part_is_not_measured() -> None:
    goal = Goal(figure="sent_per_s", at_least=2, against=STORES_NOTHING)
    assert outcomes(result([100], [], goal)) == ["not measured"]


def test_the_table_says_when_the_generator_was_the_limit() -> None:
    busy = {"server_busy": 0.6, "generator_busy": 0.97, "load_core_busy": 1.0, "others_busy": 0.0}
    load = Load(name="some", title="Some load", shown=("sent_per_s",))
    assert "THE GENERATOR WAS THE LIMIT" in table([Result(load, [Measured(ROOMFUL, 1, {"sent_per_s": 1, **busy})])])


@pytest.mark.slow
@pytest.mark.skipif(not (TOOLS / "wsload.c").is_file(), reason=NO_TOOLS)
def test_one_command_measures_a_load_and_writes_what_it_found(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--rounds", "1", "--only", "roomful", "--loads", "one-room"]
    ran = subprocess.run(
        [*command, "--output", tmp_path / "out"], check=False, cwd=CHECKOUT, capture_output=True, text=True, timeout=100
    )
    assert ran.returncode == 0, ran.stderr
    assert "deliver" in ran.stdout
    (load,) = json.loads((tmp_path / "out" / "bench.json").read_text())["loads"]
    (run,) = load["runs"]
    assert run["figures"]["sent"] > 0
    assert run["figures"]["lost"] == 0
    # A sender is told of its own message twice, in the reply and as the room's event: no more and no less.
    assert run["figures"]["doubled"] == run["figures"]["sent"]
    assert (tmp_path / "out" / "bench.txt").read_text().strip() in ran.stdout
