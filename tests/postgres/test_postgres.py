"""The embedded PostgreSQL: made, shared, killed, and found again with every row."""

import asyncio
import os
import signal
import stat
from pathlib import Path

import asyncpg
import pytest

from chat.lib.postgres import EmbeddedPostgres, PostgresError
from tests.postgres.embedded import (
    another_process,
    is_stopped,
    leave,
    postmaster_pid,
    query,
    running,
    start_and_stop,
    wait_until_ready,
)


async def test_the_first_start_makes_a_database_whose_rows_survive_a_restart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    data_dir = folder / "not" / "there" / "yet"
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        await query(postgres, "CREATE TABLE rooms AS SELECT 'Küche'::text AS name")
    assert is_stopped(data_dir)
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        assert await query(postgres, "SELECT name FROM rooms") == ["Küche"]


async def test_it_is_durable_private_and_finds_words_in_every_script(data_dir: Path) -> None:
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        settings = (
            "SELECT current_setting(name) FROM unnest(ARRAY['fsync', 'synchronous_commit', 'full_page_writes', "
            "'listen_addresses', 'unix_socket_permissions', 'timezone', 'jit']) AS name"
        )
        assert await query(postgres, settings) == ["on", "on", "on", "", "0700", "UTC", "off"]
        assert await query(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [False]
        for extension in ("pg_trgm", "unaccent", "citext"):
            await query(postgres, f"CREATE EXTENSION {extension}")
        assert await query(postgres, "SELECT cardinality(show_trgm('Éà При')) > 0") == [True]
        assert await query(postgres, "SELECT lower('ÉПРИ')") == ["éпри"]
        assert postgres.version.split(".")[0] == await server_major(postgres)
        assert stat.S_IMODE(postgres.socket_dir.stat().st_mode) == 0o700


async def server_major(postgres: EmbeddedPostgres) -> str:
    [number] = await query(postgres, "SHOW server_version_num")
    return str(int(str(number)) // 10000)


async def test_the_role_cannot_log_in_with_another_password(made_data_dir: Path) -> None:
    async with running(EmbeddedPostgres(made_data_dir)) as postgres:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url, password="guessed")


async def test_two_processes_share_one_server_and_the_last_one_stops_it(made_data_dir: Path) -> None:
    with another_process(made_data_dir) as other:
        wait_until_ready(other)
        first_pid = postmaster_pid(made_data_dir)
        async with running(EmbeddedPostgres(made_data_dir)) as postgres:
            assert postmaster_pid(made_data_dir) == first_pid
            leave(other)
            assert await query(postgres, "SELECT 1") == [1]
    assert is_stopped(made_data_dir)


async def test_one_that_leaves_does_not_stop_the_server_of_another(made_data_dir: Path) -> None:
    async with running(EmbeddedPostgres(made_data_dir)) as postgres:
        await start_and_stop(EmbeddedPostgres(made_data_dir))
        assert await query(postgres, "SELECT 1") == [1]
    assert is_stopped(made_data_dir)


async def test_four_processes_that_start_at_once_make_one_database(folder: Path) -> None:
    with (
        another_process(folder / "data") as first,
        another_process(folder / "data") as second,
        another_process(folder / "data") as third,
        another_process(folder / "data") as fourth,
    ):
        for process in (first, second, third, fourth):
            wait_until_ready(process)
        pid = postmaster_pid(folder / "data")
        for process in (first, second, third):
            leave(process)
        assert postmaster_pid(folder / "data") == pid
        leave(fourth)
    assert is_stopped(folder / "data")


@pytest.mark.faults
async def test_a_killed_process_leaves_the_server_to_the_next(made_data_dir: Path) -> None:
    with another_process(made_data_dir) as other:
        wait_until_ready(other)
        pid = postmaster_pid(made_data_dir)
        other.kill()
        other.wait()
        async with running(EmbeddedPostgres(made_data_dir)):
            assert postmaster_pid(made_data_dir) == pid
    assert is_stopped(made_data_dir)


@pytest.mark.faults
async def test_rows_survive_when_process_and_server_are_killed_together(data_dir: Path) -> None:
    with another_process(data_dir) as other:
        wait_until_ready(other)
        async with running(EmbeddedPostgres(data_dir)) as postgres:
            await query(postgres, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
            other.kill()
            os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        assert await query(postgres, "SELECT count(*) FROM kept") == [1000]


@pytest.mark.faults
@pytest.mark.logs("PostgreSQL was gone")
async def test_a_killed_server_is_started_again_while_it_is_in_use(data_dir: Path) -> None:
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        await query(postgres, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        assert await postgres.ensure_running() is False
        os.kill(postmaster_pid(data_dir), signal.SIGKILL)
        assert await postgres.ensure_running() is True
        assert await query(postgres, "SELECT count(*) FROM kept") == [1000]
        assert await postgres.ensure_running() is False
    assert is_stopped(data_dir)


@pytest.mark.faults
@pytest.mark.logs("PostgreSQL was gone")
async def test_only_one_of_two_users_restarts_a_killed_server(made_data_dir: Path) -> None:
    async with running(EmbeddedPostgres(made_data_dir)) as one, running(EmbeddedPostgres(made_data_dir)) as other:
        os.kill(postmaster_pid(made_data_dir), signal.SIGKILL)
        restarted = await asyncio.gather(one.ensure_running(), other.ensure_running())
        assert sorted(restarted) == [False, True]


@pytest.mark.faults
async def test_a_killed_server_is_no_hindrance_to_leaving(made_data_dir: Path) -> None:
    postgres = EmbeddedPostgres(made_data_dir)
    await postgres.start()
    os.kill(postmaster_pid(made_data_dir), signal.SIGKILL)
    await postgres.stop()
    await start_and_stop(EmbeddedPostgres(made_data_dir))


@pytest.mark.faults
@pytest.mark.parametrize("sign", ["cluster/postgresql.conf", "cluster/base/5", "cluster/base/4/PG_VERSION"])
async def test_a_start_killed_while_making_the_database_is_made_good(folder: Path, sign: str) -> None:
    data_dir = folder / "data"
    with another_process(data_dir) as other:
        while not list(data_dir.glob(f"postgres/new-cluster-*/{sign}")):
            assert other.poll() is None
            await asyncio.sleep(0.002)
        other.kill()
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        assert await query(postgres, "SELECT 1") == [1]
    assert list(data_dir.glob("postgres/new-*")) == []


@pytest.mark.faults
@pytest.mark.parametrize(
    "content", ["", "12", f"{os.getpid()}\n/elsewhere\n", f"{os.getppid()}\n"], ids=["empty", "cut", "our", "parent"]
)
async def test_a_pid_file_that_is_cut_short_or_names_another_process_is_no_hindrance(
    made_data_dir: Path, content: str
) -> None:
    cluster = made_data_dir / "postgres" / "cluster"
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (cluster / name).write_text(content)
    async with running(EmbeddedPostgres(made_data_dir)) as postgres:
        assert await query(postgres, "SELECT 1") == [1]


async def test_data_of_another_major_version_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres" / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 12.*ROOMFUL_PG_BIN"):
        await EmbeddedPostgres(data_dir).start()


async def test_a_folder_without_programs_is_refused(folder: Path) -> None:
    with pytest.raises(PostgresError, match=r"has no initdb and no pg_ctl and no postgres"):
        await EmbeddedPostgres(folder / "data", programs=folder).start()


async def test_a_database_that_could_lose_commits_is_refused_and_stopped(data_dir: Path) -> None:
    with (data_dir / "postgres" / "cluster" / "postgresql.auto.conf").open("a") as file:
        file.write("fsync = off\n")
    with pytest.raises(PostgresError, match="fsync is off"):
        await EmbeddedPostgres(data_dir).start()
    assert is_stopped(data_dir)


async def test_a_server_that_cannot_start_says_what_its_log_says(data_dir: Path) -> None:
    with (data_dir / "postgres" / "cluster" / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = '900TB'\n")
    with pytest.raises(PostgresError, match="shared_buffers"):
        await EmbeddedPostgres(data_dir).start()


async def test_a_password_file_of_another_database_is_refused(data_dir: Path) -> None:
    (data_dir / "postgres" / "password").write_text("of another")
    with pytest.raises(PostgresError, match="Restore the file"):
        await EmbeddedPostgres(data_dir).start()


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="the stand-in for pg_ctl needs bash")
async def test_a_server_that_does_not_hold_its_lock_is_refused_and_stopped(data_dir: Path) -> None:
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        real = postgres.programs
    forgetful = data_dir / "programs"
    forgetful.mkdir()
    for name in ("initdb", "postgres"):
        (forgetful / name).symlink_to(real / name)
    # Closes what it inherits, as a file system without such locks would forget it.
    (forgetful / "pg_ctl").write_text(f"""#!/bin/bash
for number in {{3..99}}; do eval "exec $number>&-"; done
exec '{real}/pg_ctl' "$@"
""")
    (forgetful / "pg_ctl").chmod(0o755)
    with pytest.raises(PostgresError, match="does not keep locks"):
        await EmbeddedPostgres(data_dir, programs=forgetful).start()
    assert is_stopped(data_dir)


async def test_databases_are_copied_from_a_template_and_dropped_while_in_use(data_dir: Path) -> None:
    async with running(EmbeddedPostgres(data_dir)) as postgres:
        await postgres.create_database("template one")
        connection = await asyncpg.connect(postgres.url_of("template one"))
        await connection.execute("CREATE TABLE rooms AS SELECT 'general' AS name")
        await connection.close()
        await postgres.create_database('copy "1"', template="template one")
        connection = await asyncpg.connect(postgres.url_of('copy "1"'))
        assert await connection.fetchval("SELECT name FROM rooms") == "general"
        await postgres.drop_database('copy "1"')
        await postgres.drop_database('copy "1"')
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await asyncpg.connect(postgres.url_of('copy "1"'))
        await connection.close()


async def test_a_cancelled_stop_stops_the_server_before_it_ends(made_data_dir: Path) -> None:
    postgres = EmbeddedPostgres(made_data_dir)
    await postgres.start()
    stopping = asyncio.create_task(postgres.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert is_stopped(made_data_dir)


async def test_a_cancelled_start_leaves_no_server(folder: Path) -> None:
    data_dir = folder / "data"
    starting = asyncio.create_task(EmbeddedPostgres(data_dir).start())
    while not (data_dir / "postgres" / "cluster" / "postmaster.pid").exists():
        assert not starting.done()
        await asyncio.sleep(0.002)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert is_stopped(data_dir)
