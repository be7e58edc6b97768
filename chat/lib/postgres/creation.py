"""Make a new cluster: all of it or nothing, in the only locale that searches and sorts alike everywhere."""

import logging
import os
import pwd
import secrets
import shutil
import tempfile
from pathlib import Path

from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.locks import exclusive_lock
from chat.lib.postgres.owner import Owner
from chat.lib.postgres.places import Places, write_file
from chat.lib.postgres.processes import run_program
from chat.lib.postgres.programs import Programs

SUPERUSER = "postgres"
INITDB_SECONDS = 600
UNFINISHED_PREFIX = "new-cluster-"
# C.UTF-8 is missing on older macOS. With "C", trigram search finds nothing outside ASCII.
CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "C")
FIRST_MAJOR_WITH_BUILTIN_LOCALES = 17

log = logging.getLogger(__name__)


async def create_cluster(places: Places, owner: Owner, programs: Programs) -> None:
    """Run initdb beside the place and move the result there when it is whole: half of one is never trusted.

    initdb inherits the server's lock: after kill -9 of this process the next start waits for what still runs.
    """
    _require_known_user(owner)
    async with exclusive_lock(places.server_lock, INITDB_SECONDS) as lock:
        for unfinished in places.folder.glob(f"{UNFINISHED_PREFIX}*"):
            shutil.rmtree(unfinished)
        secret = secrets.token_urlsafe(24)
        write_file(places.password, secret, 0o600)
        work = Path(tempfile.mkdtemp(prefix=UNFINISHED_PREFIX, dir=places.folder))
        password_file, cluster = work / "password", work / "cluster"
        try:
            write_file(password_file, secret, 0o600)
            for path in (password_file, work):
                os.chown(path, owner.uid, owner.gid)
            await _initdb(cluster, password_file, owner, programs, lock)
            _include(f"../{places.settings.name}", cluster / "postgresql.conf")
            cluster.rename(places.cluster)
        finally:
            shutil.rmtree(work, ignore_errors=True)  # what a killed initdb still writes goes at the next start


def _include(settings: str, configuration: Path) -> None:
    """Append our settings to initdb's; what an administrator writes after them counts more."""
    descriptor = os.open(configuration, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)  # not ours any more
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(f"\ninclude '{settings}'\n")


async def _initdb(folder: Path, password_file: Path, owner: Owner, programs: Programs, lock: int) -> None:
    provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    for character_type in CHARACTER_TYPES:
        try:
            await run_program(
                programs.folder / "initdb",
                f"--pgdata={folder}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--data-checksums",
                "--encoding=UTF8",
                *(provider if programs.major >= FIRST_MAJOR_WITH_BUILTIN_LOCALES else []),
                "--locale=C",
                f"--lc-ctype={character_type}",
                owner=owner,
                seconds=INITDB_SECONDS,
                inherited=(lock,),
            )
        except PostgresError as error:
            if "locale" not in str(error) or character_type == CHARACTER_TYPES[-1]:
                raise
        else:
            if character_type == CHARACTER_TYPES[-1]:
                log.warning("The system has no UTF-8 locale: searching for parts of words finds only ASCII letters.")
            return


def _require_known_user(owner: Owner) -> None:
    try:
        pwd.getpwuid(owner.uid)
    except KeyError:
        raise PostgresError(
            f"The user {owner.name} has no entry in the system's list of users, without which PostgreSQL "
            "cannot make a database. Start Roomful as one that has (in a container, add it to /etc/passwd)."
        ) from None
