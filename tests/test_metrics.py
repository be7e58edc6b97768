"""What the server counts: told by plain methods, read as Prometheus's text, with labels of ours alone."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chat.lib.loop import REMEMBERED, LoopLag
from chat.lib.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """(name, label values sorted by label) → value."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found[sample.name, *(sample.labels[label] for label in sorted(sample.labels))] = sample.value
    return found


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    metrics.request("GET", "Room", 200, 0.004)
    metrics.request("GET", "Room", 200, 0.2)
    metrics.request("GET", "Room", 404, 0.001)
    found = samples(metrics)
    assert found["roomful_requests_total", "GET", "Room", "200"] == 2
    assert found["roomful_requests_total", "GET", "Room", "404"] == 1
    assert found["roomful_request_seconds_count", "Room"] == 3
    assert found["roomful_request_seconds_sum", "Room"] == pytest.approx(0.205)
    assert found["roomful_request_seconds_bucket", "0.005", "Room"] == 2


def test_a_method_that_a_client_made_up_makes_no_new_series() -> None:
    metrics = Metrics()
    for number in range(50):
        metrics.request(f"MADEUP{number}", "Room", 405, 0.001)
    assert samples(metrics)["roomful_requests_total", "other", "Room", "405"] == 50


def test_commands_commits_and_the_rest_are_counted() -> None:
    metrics = Metrics()
    metrics.command("message.post", "ok", 0.003)
    metrics.command("message.post", "rate_limited", 0.0001)
    metrics.commit(7, 0.002)
    metrics.closed(4408)
    metrics.sign_in("wrong")
    metrics.loop_lag(0.03)
    found = samples(metrics)
    assert found["roomful_commands_total", "ok", "message.post"] == 1
    assert found["roomful_commands_total", "rate_limited", "message.post"] == 1
    assert found["roomful_command_seconds_count", "message.post"] == 2
    assert found["roomful_posts_total",] == 7
    assert found["roomful_journal_batch_posts_bucket", "5.0"] == 0
    assert found["roomful_journal_batch_posts_bucket", "10.0"] == 1
    assert found["roomful_journal_commit_seconds_count",] == 1
    assert found["roomful_connections_closed_total", "4408"] == 1
    assert found["roomful_sign_ins_total", "wrong"] == 1
    assert found["roomful_loop_lag_seconds_count",] == 1
    assert found["process_resident_memory_bytes",] > 1_000_000


def test_a_watched_number_is_read_when_the_metrics_are() -> None:
    metrics, open_now = Metrics(), [1]
    metrics.watch("connections", "Open connections.", lambda: len(open_now))
    metrics.watch_count("events_told", "Events told.", lambda: 10 * len(open_now))
    open_now.append(2)
    found = samples(metrics)
    assert found["roomful_connections",] == 2
    assert found["roomful_events_told_total",] == 20


def test_two_servers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.sign_in("ok")
    assert ("roomful_sign_ins_total", "ok") not in samples(other)


def lag_of(times: Iterator[float], told: list[float], looks: int) -> LoopLag:
    """A monitor that has looked `looks` times at a loop whose clock shows `times`."""
    done = 0

    async def sleep(seconds: float) -> None:
        nonlocal done
        done += 1
        if done > looks:
            raise asyncio.CancelledError

    return LoopLag(told.append, interval=0.5, clock=lambda: next(times), sleep=sleep)


async def test_the_lag_is_how_much_later_than_due_it_looked() -> None:
    told: list[float] = []
    lag = lag_of(iter([10.0, 10.5, 10.5, 11.25, 11.25]), told, looks=2)
    with pytest.raises(asyncio.CancelledError):
        await lag.watch()
    assert told == [0.0, 0.25]


async def test_one_slow_moment_is_no_sustained_lag() -> None:
    told: list[float] = []
    lag = lag_of(iter([0.0, 3.5, 3.5, 4.0, 4.0, 6.5, 6.5, 9.0, 9.0, 11.5, 11.5]), told, looks=5)
    with pytest.raises(asyncio.CancelledError):
        await lag.watch()
    assert told == [3.0, 0.0, 2.0, 2.0, 2.0]
    assert lag.sustained == min(told[-REMEMBERED:]) == 2.0


async def test_the_monitor_stops_cleanly() -> None:
    lag = LoopLag(interval=0.001)
    before = asyncio.all_tasks()
    lag.start()
    await lag.stop()
    assert asyncio.all_tasks() == before
