"""The long form, `make faults`: twenty kills at random moments, every fault for as long as it takes, and all mixed."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import asyncpg
import pytest
import pytest_asyncio

from tests.faults.clock import FalseClock, library
from tests.faults.disk import Disk, small_disk, why_not
from tests.faults.nemesis import Nemesis
from tests.faults.ordeal import survive
from tests.faults.site import Site, open_folder, running

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]

KILLS = 20
MIXED = 25

Fault = Callable[[Nemesis], Awaitable[None]]


def lasting(fault: Callable[..., Awaitable[None]], seconds: float) -> Fault:
    return partial(fault, seconds=seconds)


def cut(seconds: float, *, up: bool, down: bool) -> Fault:
    return partial(Nemesis.network_cut, seconds=seconds, up=up, down=down)


async def test_the_server_is_killed_twenty_times(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.server_killed] * KILLS, seed, clients=4)


async def test_postgres_is_killed_ten_times(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.postgres_killed, Nemesis.backend_killed] * 5, seed, clients=4)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([Nemesis.server_restarted] * 5, id="five clean restarts"),
        pytest.param([lasting(Nemesis.server_frozen, 5), lasting(Nemesis.server_frozen, 60)], id="server frozen"),
        pytest.param([lasting(Nemesis.postgres_frozen, 30)], id="PostgreSQL frozen"),
        pytest.param([Nemesis.backend_ended] * 10, id="backends ended"),
        pytest.param([Nemesis.sockets_reset] * 20, id="sockets reset"),
        pytest.param([cut(60, up=True, down=True)], id="network cut both ways"),
        pytest.param([cut(20, up=True, down=False), cut(20, up=False, down=True)], id="network cut one way"),
        pytest.param([lasting(Nemesis.link_slow, 30)], id="slow link"),
    ],
)
async def test_nothing_is_lost(site: Site, seed: str, faults: list[Fault]) -> None:
    await survive(site, faults, seed)


async def test_everything_mixed(site: Site, seed: str) -> None:
    dice = random.Random(f"{seed} mixed")
    kinds: list[Fault] = [
        Nemesis.server_killed,
        Nemesis.server_restarted,
        Nemesis.server_frozen,
        Nemesis.postgres_killed,
        Nemesis.backend_killed,
        Nemesis.backend_ended,
        Nemesis.postgres_frozen,
        Nemesis.sockets_reset,
        Nemesis.network_cut,
        Nemesis.way_out_cut,
        Nemesis.way_back_cut,
        Nemesis.link_slow,
    ]
    await survive(site, [dice.choice(kinds) for _ in range(MIXED)], seed, clients=4)


@pytest_asyncio.fixture(loop_scope="module")
async def site_on_a_small_disk() -> AsyncIterator[tuple[Site, Disk]]:
    if reason := why_not():
        pytest.skip(reason)
    with open_folder() as folder:
        (folder / "data").mkdir()
        with small_disk(folder / "data", megabytes=160) as disk:
            async with running(folder) as site:
                yield site, disk


async def test_nothing_is_lost_when_the_disk_is_full(site_on_a_small_disk: tuple[Site, Disk], seed: str) -> None:
    site, disk = site_on_a_small_disk

    async def disk_full(nemesis: Nemesis) -> None:
        try:
            for _ in range(10):  # PostgreSQL gives back what it no longer needs
                disk.fill()
                await asyncio.sleep(1)
            assert await site.get("/health") == 200
        finally:
            disk.free()
        await until_it_stores(site)

    await survive(site, [disk_full, disk_full], seed)


async def test_nothing_is_lost_when_the_log_of_changes_has_no_space(
    site_on_a_small_disk: tuple[Site, Disk], seed: str
) -> None:
    """PostgreSQL gives up then, and cannot be started again until there is space."""
    site, disk = site_on_a_small_disk

    async def no_space(nemesis: Nemesis) -> None:
        disk.fill()
        try:
            async with asyncio.timeout(60):
                while await stores(site, megabytes=5):
                    disk.fill()
            await asyncio.sleep(8)
            assert await site.get("/health") == 200
        finally:
            disk.free()
        await until_it_stores(site)

    await survive(site, [no_space], seed)


async def stores(site: Site, megabytes: int = 1) -> bool:
    """Whether PostgreSQL takes so much into its log of changes. (/ready wants more space than this disk has.)"""
    try:
        for _ in range(megabytes):
            await site.query("SELECT pg_logical_emit_message(true, 'ballast', repeat('x', 1000000))")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


async def until_it_stores(site: Site) -> None:
    async with asyncio.timeout(60):
        while not await stores(site):  # noqa: ASYNC110 - PostgreSQL says nothing when it can again
            await asyncio.sleep(0.2)


async def test_nothing_is_lost_when_the_clock_is_set(seed: str) -> None:
    preload = library()
    if preload is None:
        pytest.skip("needs Debian's libfaketime, or its path in FAKETIME_LIBRARY")
    with open_folder() as folder:
        clock = FalseClock(folder / "clock")
        async with running(folder, **clock.environment(preload)) as site:

            def set_to(by: str) -> Fault:
                async def fault(nemesis: Nemesis) -> None:
                    clock.step(by)
                    await asyncio.sleep(3)
                    await nemesis.sockets_reset()  # who comes back now is greeted by the wrong clock

                return fault

            await survive(site, [set_to("+2h"), set_to("-2h"), set_to("+0"), set_to("-2h")], seed)
