"""How much memory this process holds, which in the tests is the server's as well."""

import resource
from pathlib import Path


def resident() -> int:
    """Bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
