"""What one person's client was told, as JSON lines: written as it happens, so that a killed client's is whole too."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

Record = dict[str, Any]


class History:
    """`what` of a record is one of

    - `connected` (epoch, connection, rooms: id → seq), `closed` (code)
    - `invoke`, then at most one `ok`, `fail` (code): an operation, `op`, with its number `n` and its fields
    - `retry` (n, code): the operation was not answered, or refused for now, and is sent again
    - `told`: an event as it came
    - `forgot` (room): the client learned that it is no longer in the room
    - `view`: at the end, all that the person sees.

    An operation with neither `ok` nor `fail` is of unknown outcome.
    """

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)

    def write(self, what: str, **values: Any) -> None:
        line = json.dumps({"what": what, "time": round(time.monotonic(), 6), **values}, separators=(",", ":"))
        self._file.write(line + "\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
