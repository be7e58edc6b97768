"""Where the embedded PostgreSQL keeps what below the data folder, and which data folder it can use."""

import hashlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.owner import Owner, create_owner, find_owner, stand_in_owner

PORT = 5432  # only a part of the socket's name: nothing listens on a network
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 103  # bytes in a socket's address on macOS; Linux has four more
SHORT_FOLDER = "/tmp"  # noqa: S108 - the socket gets a folder of its own in it, closed to others
FALLBACK_ROOT = Path("/var/lib/roomful")
# pg_ctl puts the path between double quotes and hands it to a shell, where these would be read as commands.
FORBIDDEN_CHARACTERS = '"$`\\\n'


@dataclass(frozen=True)
class Places:
    """The paths of one server. Only `cluster` belongs to the server's user, the rest to whoever starts it."""

    data_dir: Path

    @property
    def folder(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def cluster(self) -> Path:
        """What PostgreSQL calls its data directory."""
        return self.folder / "cluster"

    @property
    def settings(self) -> Path:
        return self.folder / "roomful.conf"

    @property
    def password(self) -> Path:
        return self.folder / "password"

    @property
    def socket_record(self) -> Path:
        """Names the folder of the socket, when the socket could not lie in the cluster."""
        return self.folder / "socket-folder"

    @property
    def start_lock(self) -> Path:
        """Held while starting or stopping."""
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server; who has it alone is the last."""
        return self.folder / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Inherited by the server and all its children: free only when the last of them is gone."""
        return self.folder / "server.lock"


def prepare_folder(places: Places, run_as: str | None) -> Owner:
    """Make the folders and return the server's user (as root: make that one too when there is none)."""
    _refuse_difficult_path(places.data_dir)
    owner = find_owner(run_as, places.cluster) or create_owner()
    if not owner.other:
        _make_folders(places.folder, 0o700)
        return owner
    if not owner.can_enter(_nearest_existing(places.data_dir.parent)):
        raise PostgresError(
            f"The data folder {places.data_dir} cannot be reached by the user {owner.name}, who runs PostgreSQL "
            "because it refuses to run as root. Set DATA_DIR to a folder outside private ones (for example "
            f"{FALLBACK_ROOT}), or start Roomful as an ordinary user."
        )
    _make_folders(places.folder, 0o711)
    for folder in (places.data_dir, places.folder):  # what is ours; what lies above is never touched
        if not owner.can_enter(folder):
            folder.chmod(folder.stat().st_mode & 0o7777 | 0o011)
    return owner


def choose_data_dir(
    wanted: Path, *, run_as: str | None = None, fallback_root: Path = FALLBACK_ROOT
) -> tuple[Path, str | None]:
    """The data folder to use when nobody has chosen one, and a sentence to print when it is not `wanted`.

    Root may keep a checkout in a private home, where the server's user cannot go. Then the data goes to a
    folder below `fallback_root` that depends on `wanted` alone, so that every later start finds it again; and
    it stays there even when the home is opened later. PostgresError when no user can be found for the server.
    """
    wanted = wanted.absolute()
    if os.geteuid() != 0:
        return wanted, None
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted.parent.name) or "root"
    fallback = Places(fallback_root / f"{name}-{digest}")
    has_moved = fallback.cluster.exists() and not Places(wanted).cluster.exists()
    owner = find_owner(run_as, Places(wanted).cluster) or stand_in_owner()
    if not has_moved and owner.can_enter(_nearest_existing(wanted.parent)):
        return wanted, None
    return fallback.data_dir, (
        f"The data is kept in {fallback.data_dir}: PostgreSQL does not run as root, and the user it runs as "
        f"cannot reach {wanted}. Set DATA_DIR to choose another folder."
    )


def socket_folder(places: Places) -> Path:
    """Where the server that runs now has its socket; see `prepare_socket_folder`."""
    return Path(places.socket_record.read_text()) if places.socket_record.exists() else places.cluster


def prepare_socket_folder(places: Places, owner: Owner) -> Path:
    """The folder for the socket of a server to be started; nobody but its owner can enter it.

    The cluster's own, unless its path is too long for a socket, or has a comma, which separates hosts in a URL.
    Then it is one below /tmp, and a record says which.
    """
    in_cluster = os.fsencode(places.cluster / SOCKET_NAME)
    if len(in_cluster) <= SOCKET_PATH_LIMIT and b"," not in in_cluster:
        places.socket_record.unlink(missing_ok=True)
        return places.cluster
    recorded = socket_folder(places)
    if recorded != places.cluster and _is_closed_folder_of(owner, recorded):
        return recorded
    folder = Path(tempfile.mkdtemp(prefix="roomful-", dir=SHORT_FOLDER))  # open to its maker alone
    os.chown(folder, owner.uid, owner.gid)
    write_file(places.socket_record, str(folder), 0o644)
    return folder


def _is_closed_folder_of(owner: Owner, folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner.uid and not status.st_mode & 0o077


def write_file(path: Path, text: str, mode: int) -> None:
    """Put a whole file in place, durably, or leave what was there. Never writes through a link."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def _refuse_difficult_path(data_dir: Path) -> None:
    found = sorted({character for character in str(data_dir) if character in FORBIDDEN_CHARACTERS})
    if found:
        raise PostgresError(
            f"The data folder {str(data_dir)!r} has {' and '.join(map(repr, found))} in its path, which "
            "PostgreSQL's own programs cannot handle. Rename the folder, or set DATA_DIR to another one."
        )
    try:
        str(data_dir).encode()
    except UnicodeEncodeError:
        raise PostgresError(
            f"The data folder {os.fsencode(data_dir)!r} has a path that is not UTF-8. Rename the folder, "
            "or set DATA_DIR to another one."
        ) from None


def _make_folders(folder: Path, mode: int) -> None:
    """`mkdir -p`, but with this mode whatever the umask: a closed parent would lock the server's user out."""
    if folder.is_dir():
        return
    _make_folders(folder.parent, mode)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)


def _nearest_existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
