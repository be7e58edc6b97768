"""A site for each module of fault tests, and the seed of the run."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.ordeal import seed_of_run
from tests.faults.site import Site, running


def pytest_report_header() -> str:
    return f"FAULTS_SEED={seed_of_run()} does the same again"


@pytest.fixture
def seed() -> str:
    """Of the run: the header tells it, and so does a test that fails."""
    return seed_of_run()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[Site]:
    """Runs before each test and after it: a test that stops it starts it again."""
    async with running() as site:
        yield site
