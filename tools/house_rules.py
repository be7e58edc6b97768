"""Hold the house rules that no ready-made lint knows: sizes, names and first lines of files, clean locks."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

LONGEST_FILE = 400  # lines
CODE = {".py", ".ts", ".svelte", ".css"}
# Of Python files ruff holds it (D100).
FIRST_LINES = {".ts": "/**", ".css": "/*", ".svelte": "<!--"}
# Names that say nothing of the duty, and so gather several.
NAMES_WITHOUT_DUTY = re.compile(r"(^|[_-])(common|helpers?|managers?|misc|utils?)([_-]|$)", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
# A lock that names an address works only where that address answers.
LOCKS = {
    "requirements": re.compile(r"https?://|--(extra-)?index-url|--find-links"),
    "web": re.compile(r'"resolved": "http'),
}


def broken_rules(path: PurePosixPath, text: str) -> Iterator[str]:
    """Yield a sentence for each rule that the file breaks; `path` is relative to the checkout."""
    lines = text.splitlines()
    is_lock = path.name == "package-lock.json" or path.parts[0] == "requirements"
    if is_lock:
        pattern = LOCKS[path.parts[0]]
        yield from (f"line {n} names an address" for n, line in enumerate(lines, 1) if pattern.search(line))
        return

    if any(NAMES_WITHOUT_DUTY.search(PurePosixPath(part).stem) for part in path.parts):
        yield "its name says nothing of its duty"
    if path.suffix in CODE and len(lines) > LONGEST_FILE:
        yield f"{len(lines)} lines long; {LONGEST_FILE} is the limit"
    opening = FIRST_LINES.get(path.suffix)
    if opening and not path.name.endswith(".test.ts") and not text.startswith(opening):
        yield f"its first line does not say its duty (no {opening} comment)"
    if path.name != Path(__file__).name:
        yield from (f"line {n} is unfinished" for n, line in enumerate(lines, 1) if UNFINISHED.search(line))


def files() -> list[PurePosixPath]:
    """Every file of the checkout that git keeps or would keep."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [PurePosixPath(name) for name in listing.split("\0") if name and Path(name).is_file()]


def main() -> int:
    found = 0
    for path in files():
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture
            continue
        for rule in broken_rules(path, text):
            print(f"{path}: {rule}")
            found += 1
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main())
