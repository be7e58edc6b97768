"""The settings file of the embedded server, written anew at every start and included from postgresql.conf."""

from pathlib import Path

from chat.lib.postgres.places import PORT


def settings_text(socket_folder: Path) -> str:
    """The whole file. Sizes suit a machine with other things to do; memory is taken only as it is used."""
    # A list of names to PostgreSQL: the inner quotes keep a comma or a space from separating two.
    quoted_folder = f'"{socket_folder}"'.replace("'", "''")
    return f"""\
# Written by Roomful at every start. Settings of your own go to the end of postgresql.conf.

# Reachable by its own user only, and from no network.
listen_addresses = ''
port = {PORT}
unix_socket_directories = '{quoted_folder}'
unix_socket_permissions = 0700
max_connections = 100

# What is acknowledged is on the disk. Roomful refuses to start when one of these is off.
fsync = on
synchronous_commit = on
full_page_writes = on

shared_buffers = 128MB
max_wal_size = 256MB
jit = off

timezone = 'UTC'
log_timezone = 'UTC'

# A week of logs, a file a day. Terse, since the details of an error quote people's words.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_error_verbosity = terse
"""
