"""A clock that can be set while the server runs: Debian's libfaketime, where it is installed."""

import os
from dataclasses import dataclass
from pathlib import Path

PLACES = (
    *(Path(place) for place in os.environ.get("FAKETIME_LIBRARY", "").split(":") if place),
    *Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
)


def library() -> Path | None:
    return next((place for place in PLACES if place.is_file()), None)


@dataclass(frozen=True)
class FalseClock:
    """`file` says by how much; the monotonic clock, which timers go by, stays right."""

    file: Path

    def environment(self, preload: Path) -> dict[str, str]:
        self.step("+0")
        return {
            "LD_PRELOAD": str(preload),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, by: str) -> None:
        """`+2h`, `-2h`; `+0` is the right time."""
        self.file.write_text(f"{by}\n")
