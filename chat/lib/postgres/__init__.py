"""A private PostgreSQL in the data folder: made at the first start, shared, stopped by its last user.

It listens on a unix socket that only its own user can reach, and on no network. Linux and macOS.
"""

from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.places import choose_data_dir
from chat.lib.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresError", "choose_data_dir"]
