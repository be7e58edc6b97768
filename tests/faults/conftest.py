"""A site for each module of fault tests, and the seed of the run."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.ordeal import seed_of_run
from tests.faults.site import Site, running


@pytest.fixture
def seed() -> str:
    """FAULTS_SEED, or a new one; each run prints it."""
    return seed_of_run()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[Site]:
    """Runs before each test and after it: a test that stops it starts it again."""
    async with running() as site:
        yield site
