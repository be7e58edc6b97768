"""How a command ends: its exit code, and the error that refuses it with a sentence."""

from typing import Final

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2  # argparse's own
BAD_SETTING: Final = 3
NO_DATABASE: Final = 4
OLD_SCHEMA: Final = 5
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it

EXIT_CODES = """\
exit codes:
  0    done
  1    refused or failed; a sentence on stderr says why
  2    wrong usage
  3    a setting is wrong
  4    the database cannot be reached or started
  5    the database has an old schema: run roomful migrate
  130  interrupted
"""


class Refused(Exception):
    """The command is not carried out; the text says why."""
