"""A database that was restored from an older backup: nobody goes on from what is no more; a restart changes nothing."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.faults.checker import Witness, view_is_the_database
from tests.faults.crowd import Crowd
from tests.faults.site import Site

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]


async def epoch(site: Site) -> str:
    return str((await site.query("SELECT epoch FROM workspace"))[0]["epoch"])


def epochs_told(witness: Witness) -> list[str]:
    return [record["epoch"] for record in witness.records if record["what"] == "connected"]


async def test_a_restart_keeps_the_epoch(site: Site) -> None:
    before = await epoch(site)
    await site.stop()
    await site.start()
    assert await epoch(site) == before
    await site.kill()
    await site.start()
    assert await epoch(site) == before


async def test_files_copied_back_have_another_epoch(site: Site) -> None:
    before = await epoch(site)
    await site.stop()
    kept = site.folder / "copy"
    copying = await asyncio.create_subprocess_exec("cp", "-a", site.data_dir, kept)
    assert await copying.wait() == 0
    shutil.rmtree(site.data_dir)
    kept.rename(site.data_dir)
    await site.start()
    assert await epoch(site) != before


async def test_after_a_restored_dump_everybody_sees_what_it_holds(site: Site, seed: str, tmp_path: Path) -> None:
    dump = site.folder / "backup.sql"
    crowd = Crowd(site, tmp_path, seed)
    try:
        await crowd.come([site.base], size=4, pause=0.02)
        await asyncio.sleep(1)
        before = await epoch(site)
        await site.run("database", "pg_dump", f"--file={dump}")
        dumped = await crowd.truth()
        await asyncio.sleep(1)
        await crowd.go_quiet()
        lost = len((await crowd.truth()).rows) - len(dumped.rows)
        assert lost > 20, "the backup must be older than what people have seen"

        await site.stop()
        site.data_dir.rename(site.folder / "lost")
        await site.run("database", "psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}")
        await site.start()
        witnesses = await crowd.finish()
        assert await epoch(site) != before
        truth = await crowd.truth()
        assert len(truth.rows) <= len(dumped.rows)
        for witness in witnesses:
            assert list(view_is_the_database(truth, witness)) == []
            assert epochs_told(witness)[0] != epochs_told(witness)[-1]
    finally:
        await crowd.end()
