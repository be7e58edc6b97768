"""Every error a person or program can be told, and every close code of the socket."""

from typing import ClassVar, Final


class Problem(Exception):
    """A refusal with a code for programs and a sentence for people.

    `text` says what happened and what to do. `retry_after` is in seconds; where it is set the client may send the same
    thing again. `field` names the field at fault. The doors turn a Problem into a status or a reply, in one place.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    default_text: ClassVar[str] = "Something went wrong on the server. It has been logged; please try again later."
    default_retry_after: ClassVar[float | None] = None

    def __init__(self, text: str | None = None, *, field: str | None = None, retry_after: float | None = None) -> None:
        self.text = text or self.default_text
        self.field = field
        self.retry_after = self.default_retry_after if retry_after is None else retry_after
        super().__init__(self.text)


class Internal(Problem):
    pass


class Malformed(Problem):
    code, status = "malformed", 400
    default_text = "This is not a JSON object that the server understands."


class MethodNotAllowed(Problem):
    code, status = "method_not_allowed", 405
    default_text = "This address does not take that method."


class UnknownCommand(Problem):
    code, status = "unknown_command", 404
    default_text = "There is no such command."


class Invalid(Problem):
    code, status = "invalid", 422
    default_text = "A field is missing or wrong."


class NotSignedIn(Problem):
    code, status = "not_signed_in", 401
    default_text = "Please sign in."


class Forbidden(Problem):
    code, status = "forbidden", 403
    default_text = "You are not allowed to do this."


class NotFound(Problem):
    code, status = "not_found", 404
    default_text = "There is no such thing, or you may not see it."


class Conflict(Problem):
    code, status = "conflict", 409
    default_text = "Something is in the way."


class NonceConflict(Problem):
    code, status = "nonce_conflict", 409
    default_text = "This nonce was already used for another message."


class Gone(Problem):
    code, status = "gone", 410
    default_text = "This link is no longer valid. Ask for a new one."


class UnsupportedMediaType(Problem):
    code, status = "unsupported_media_type", 415
    default_text = "Send JSON, with Content-Type: application/json."


class WrongHost(Problem):
    code, status = "wrong_host", 421
    default_text = (
        "This server does not answer under that name. Its operator can set PUBLIC_URL to the address that people use."
    )


class RateLimited(Problem):
    code, status = "rate_limited", 429
    default_text = "Too many at once. Please wait a moment."
    default_retry_after = 1.0


class TooManyConnections(Problem):
    code, status = "too_many_connections", 429
    default_text = "Too many connections are open. Close some tabs and try again."
    default_retry_after = 10.0


class Busy(Problem):
    code, status = "busy", 503
    default_text = "The database did not answer in time. Please try again."
    default_retry_after = 1.0


class Restarting(Problem):
    code, status = "restarting", 503
    default_text = "The server is restarting. Please try again in a moment."
    default_retry_after = 2.0


class StorageFull(Problem):
    code, status = "storage_full", 507
    default_text = "The server's disk is full. Nothing is lost; it will work again when its operator has made space."
    default_retry_after = 10.0


# Close codes of the socket: 1000-1015 are RFC 6455's; 4000-4499 may come back, 4500-4999 stay away.
CLOSE_NORMAL: Final = 1000
CLOSE_FAULT: Final = 1011
CLOSE_RESTARTING: Final = 1012
CLOSE_SIGN_IN_AGAIN: Final = 4401
CLOSE_NOT_ALLOWED: Final = 4403
CLOSE_TOO_SLOW: Final = 4408
CLOSE_TOO_MANY: Final = 4429
