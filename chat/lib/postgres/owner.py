"""Which system user the server belongs to: PostgreSQL refuses to run as root, so root picks another."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from chat.lib.postgres.errors import PostgresError

USUAL_NAME = "postgres"  # made by the distributions' packages
OWN_NAME = "roomful"  # made by us when there is no other
NOBODY = 65534  # stands for any unprivileged user as long as ours is not made


@dataclass(frozen=True)
class Owner:
    """A system user; `other` when it is not the user of this process, so that programs must change to it."""

    name: str
    uid: int
    gid: int
    other: bool

    def can_enter(self, folder: Path) -> bool:
        """Whether this user, who is not ours, may go through `folder` and everything above it (as root only)."""
        change_folder = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$1"', "sh", folder],
            check=False,
            cwd="/",
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            capture_output=True,
        )
        return change_folder.returncode == 0


def find_owner(run_as: str | None, cluster: Path) -> Owner | None:
    """The user for the server; None when this is root and a user must be made first (`create_owner`).

    A cluster that exists stays with the user it belongs to. `run_as` names the user wanted for a new one, and
    counts only for root.
    """
    here = os.geteuid()
    if cluster.exists():
        return _owner_of(cluster, here, run_as)
    if here != 0:
        return Owner(_name_of(here), here, os.getegid(), other=False)
    if run_as is None:
        return _owner_named(USUAL_NAME) or _owner_named(OWN_NAME)
    owner = _owner_named(run_as)
    if owner is None or owner.uid == 0:
        raise PostgresError(f"The user {run_as} cannot run PostgreSQL: it must exist on this system and not be root.")
    return owner


def _owner_of(cluster: Path, here: int, run_as: str | None) -> Owner:
    status = cluster.stat()
    owner = Owner(_name_of(status.st_uid), status.st_uid, status.st_gid, other=status.st_uid != here)
    if owner.uid == 0:
        raise PostgresError(
            f"The database in {cluster} belongs to root, and PostgreSQL refuses to run as root. "
            f"Give it back to its user, for example: chown -R {run_as or USUAL_NAME} '{cluster}'"
        )
    if here != 0 and owner.other:
        raise PostgresError(
            f"The database in {cluster} belongs to the user {owner.name}. Start Roomful as {owner.name}, "
            "or choose another data folder with DATA_DIR."
        )
    if here == 0 and run_as not in (None, owner.name):
        raise PostgresError(
            f"The database in {cluster} belongs to the user {owner.name}, but {run_as} was chosen to run it. "
            f"Choose {owner.name}, or hand the folder over: chown -R {run_as} '{cluster}'"
        )
    return owner


def create_owner() -> Owner:
    """Make a system user without password, shell or home for the server (as root only)."""
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    explanation = (
        "PostgreSQL refuses to run as root and there is no user to hand it to. Start Roomful as an ordinary "
        "user, or make a system user and name it in ROOMFUL_PG_USER."
    )
    if useradd is None:
        raise PostgresError(explanation)
    options = "--system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin"
    added = subprocess.run([useradd, *options.split(), OWN_NAME], check=False, cwd="/", capture_output=True, text=True)
    owner = _owner_named(OWN_NAME)  # also there when another process was a moment faster
    if owner is None:
        raise PostgresError(f"{explanation} (useradd said: {added.stderr.strip()})")
    return owner


def stand_in_owner() -> Owner:
    """Somebody without any rights, to try what a user that is not made yet would be able to reach."""
    return Owner("nobody", NOBODY, NOBODY, other=True)


def _owner_named(name: str) -> Owner | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Owner(name, entry.pw_uid, entry.pw_gid, other=True)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"number {uid}"
