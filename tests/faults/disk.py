"""A disk of its own that can be filled: a tmpfs, for who may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Until not one byte fits; what others give back meanwhile is taken as well."""
        with self._ballast.open("ab") as ballast:
            try:
                while True:
                    ballast.write(bytes(64 * 1024))
                    ballast.flush()
            except OSError:
                pass  # full
            os.posix_fadvise(ballast.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


def why_not() -> str:
    """Why this process cannot mount one; empty where it can."""
    if os.geteuid() != 0:
        return "only root can mount a disk to fill"
    return ""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
