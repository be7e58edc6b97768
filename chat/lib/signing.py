"""Signatures: junk among cookies and links is refused before anybody asks the database, and links cannot be made up."""

import contextlib
import hashlib
import logging
import os
import secrets
import uuid
from pathlib import Path

import itsdangerous

from chat.config import secret_keys

KEY_FILE = "secret.key"
log = logging.getLogger(__name__)


class Signer:
    """Signs with the first of `keys`, accepts all of them: to rotate, put a new one in front and later drop the old.

    A signature only says that we made a token. Whether the session, invitation or first start behind it is still
    there is asked of the database. Each purpose has its own salt, so that no token passes for another kind.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ValueError("a signer needs a key")
        self._session = _signer(keys, "session")
        self._invitation = _signer(keys, "invitation")
        self._start = _signer(keys, "start")

    def session_cookie(self, token: str) -> str:
        return self._session.sign(token).decode()

    def session_token(self, cookie: str) -> str | None:
        return _unsigned(self._session, cookie)

    def invitation_token(self, invitation: int, created_at: float) -> str:
        """The last part of `/join/…`. It is made anew whenever it is shown: nothing secret is stored.

        `created_at` (Unix time) is in it because a database restored from a backup gives out the same ids again.
        """
        return self._invitation.sign(f"{invitation}-{int(created_at)}").decode()

    def invitation(self, token: str) -> tuple[int, int] | None:
        """(id, created_at in whole seconds) of the invitation that the token names."""
        value = _unsigned(self._invitation, token)
        if value is None:
            return None
        invitation, _, created_at = value.partition("-")
        return int(invitation), int(created_at)

    def start_token(self, epoch: uuid.UUID) -> str:
        """The last part of `/start/…`, by which whoever started this workspace becomes its owner."""
        return self._start.get_signature(epoch.hex).decode()

    def is_start_token(self, token: str, epoch: uuid.UUID) -> bool:
        return token.isascii() and self._start.verify_signature(epoch.hex, token)


def _signer(keys: tuple[str, ...], purpose: str) -> itsdangerous.Signer:
    return itsdangerous.Signer(
        list(reversed(keys)),  # itsdangerous wants the newest last
        salt=f"roomful.{purpose}",
        digest_method=hashlib.sha256,
        key_derivation="hmac",
    )


def _unsigned(signer: itsdangerous.Signer, text: str) -> str | None:
    if not text.isascii() or len(text) > 200:
        return None
    try:
        return signer.unsign(text).decode()
    except itsdangerous.BadSignature:
        return None


def load_or_make_keys(data_dir: Path) -> tuple[str, ...]:
    """The keys in `data_dir`/secret.key, one a line, newest first; made when there is no such file.

    The file is readable by its owner alone from its first moment; one that others may read is closed to them, with
    a warning. Several processes that start at once end up with the same key. Raises ValueError where it is damaged.
    """
    path = data_dir / KEY_FILE
    with contextlib.suppress(FileExistsError):
        if not path.exists():
            _make(path)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
        log.warning("%s could be read by others; it is closed to them now. Replace the key if they may have.", path)
    try:
        keys = secret_keys(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} {error}.") from None
    if not keys:
        raise ValueError(f"{path} is empty. Delete it to have a new key made; everybody will have to sign in again.")
    return keys


def _make(path: Path) -> None:
    """Writes the file under another name and links it to its own, which fails where somebody was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
