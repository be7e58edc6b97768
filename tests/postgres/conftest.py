"""Data folders for the tests of the embedded PostgreSQL."""

import asyncio
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.lib.postgres import EmbeddedPostgres
from tests.postgres.embedded import start_and_stop


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every user may enter: pytest's own are closed to the server's user when this is root."""
    with tempfile.TemporaryDirectory(prefix="roomful-test-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture(scope="session")
def made_data_dir() -> Iterator[Path]:
    """A data folder after its first start, stopped. Tests leave it as they found it, or use a copy: `data_dir`."""
    with tempfile.TemporaryDirectory(prefix="roomful-test-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        asyncio.run(start_and_stop(EmbeddedPostgres(Path(name) / "made")))
        yield Path(name) / "made"


@pytest.fixture
def data_dir(made_data_dir: Path, folder: Path) -> Path:
    """A copy of `made_data_dir`, with its owners and modes, to do anything with."""
    subprocess.run(["cp", "-a", made_data_dir, folder / "data"], check=True)
    return folder / "data"
