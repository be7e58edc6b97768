"""The one error of the embedded PostgreSQL."""


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot do what was asked; the message says what happened and what to do."""
