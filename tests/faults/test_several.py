"""Several processes behind one nginx, restarted in turn, killed, frozen, and Redis as well: only time may pass."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
import pytest_asyncio

from tests.faults.checker import check
from tests.faults.crowd import Crowd
from tests.faults.fleet import Fleet, lacking, sailing
from tests.faults.ordeal import KEPT, Survived, account_for

pytestmark = [pytest.mark.faults, pytest.mark.skipif(bool(lacking()), reason=lacking())]

Fault = Callable[[Fleet], Awaitable[None]]


@pytest_asyncio.fixture
async def fleet(database_url: str) -> AsyncIterator[Fleet]:
    async with sailing(database_url) as fleet:
        yield fleet


async def survive(fleet: Fleet, faults: Sequence[Fault], seed: str) -> Survived:
    """Twelve people chat through nginx, whoever serves them, while the faults are done in turn."""
    dice = random.Random(seed)
    folder = fleet.folder / "histories-1"
    folder.mkdir()
    crowd = Crowd(fleet.nodes[0], folder, seed)
    try:
        await crowd.come([fleet.base] * 4, 3)
        spread = [await node.connections() for node in fleet.nodes]
        assert min(spread) >= 2, f"nginx does not send people to every process: {spread}"
        for fault in faults:
            await asyncio.sleep(dice.uniform(0.5, 1.5))
            await fault(fleet)
        await asyncio.sleep(dice.uniform(0.5, 1.5))
        await crowd.go_quiet()
        witnesses = await crowd.finish()
        findings = check(await crowd.truth(), witnesses)
    finally:
        await crowd.end()
    for node in fleet.nodes:
        findings += [
            f"{node.folder.name} logged a fault of ours: {each}" for each in node.log_entries() if "trace" in each
        ]
    assert not findings, "\n".join([kept(fleet, seed), *findings[:20]])
    survived = account_for(witnesses)
    assert survived.acknowledged > 100, f"there was hardly anything to lose: {survived}"
    return survived


def kept(fleet: Fleet, seed: str) -> str:
    place = KEPT / seed
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(fleet.folder, place, ignore=shutil.ignore_patterns("data", "*.sock", "*_temp"))
    return f"FAULTS_SEED={seed} does this again; its histories and logs are kept in {place}"


async def test_nothing_is_lost_when_every_process_is_restarted_in_turn_and_one_is_killed(
    fleet: Fleet, seed: str
) -> None:
    survived = await survive(fleet, [Fleet.deploy, Fleet.one_killed], seed)
    # Somebody was served at every moment.
    assert survived.silence < 3, survived


async def test_nothing_is_lost_when_redis_comes_back_empty_or_stands_still(fleet: Fleet, seed: str) -> None:
    survived = await survive(fleet, [Fleet.redis_restarted_empty, Fleet.redis_frozen], seed)
    assert survived.silence < 3, survived


async def test_nothing_is_lost_when_one_process_stands_still(fleet: Fleet, seed: str) -> None:
    """It may hold a room's lock meanwhile, so that nobody can post there: PostgreSQL ends that after ten seconds."""
    await survive(fleet, [Fleet.one_frozen], seed)
