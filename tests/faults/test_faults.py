"""Whatever is killed, frozen or cut: an acknowledged message is kept, shown once, and everybody sees the same."""

import pytest

from tests.faults.nemesis import Nemesis
from tests.faults.ordeal import survive
from tests.faults.site import Site

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]


async def test_nothing_is_lost_when_the_server_is_killed(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.server_killed] * 2, seed)


async def test_nothing_is_lost_in_a_clean_restart(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.server_restarted], seed)


async def test_nothing_is_lost_when_postgres_is_killed(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.postgres_killed], seed)


async def test_nothing_is_lost_when_one_backend_is_killed(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.backend_killed, Nemesis.backend_ended], seed)


async def test_nothing_is_lost_while_the_server_is_frozen(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.server_frozen], seed)


async def test_nothing_is_lost_when_sockets_are_reset(site: Site, seed: str) -> None:
    await survive(site, [Nemesis.sockets_reset] * 4, seed)
