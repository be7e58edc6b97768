"""The peers: a chat server on Socket.IO with its fastest settings, storing nothing or inserting before it emits."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.contenders import Target
from bench.database import Databases
from bench.figures import Unbelievable
from bench.loads import INSERTS, STORES_NOTHING, Load
from bench.machine import Cores
from bench.processes import free_port, server

CHECKOUT = Path(__file__).parent.parent
JOIN = '42["join",{"userId":"%I","username":"user%I","room":"r%R"}]'
SAY = '42["sendMessage",{"content":"%M","messageType":"text"}]'
# Engine.IO over a WebSocket: connect to the namespace, wait until that is confirmed, then join.
CONNECT = ("-u", "/socket.io/?EIO=4&transport=websocket", "-e", "-H", "40", "-W", "40{")
OPTIONS = (*CONNECT, "-H", JOIN, "-R", "recentMessages", "-m", SAY)


def tools() -> Path:
    """The folder with the load generator and the peers' sources."""
    folder = Path(os.environ.get("BENCH_TOOLS") or CHECKOUT.parent / "shared" / "bench").absolute()
    if not (folder / "wsload.c").is_file():
        raise Unbelievable(f"There is no wsload.c in {folder}. Set BENCH_TOOLS to the folder that holds it.")
    return folder


def install_socketio(folder: Path) -> Path:
    """A copy of the peer's sources in `folder`, with what it needs from npm: the path of its server.js."""
    place = folder / "socketio"
    shutil.copytree(tools() / "socketio", place, copy_function=shutil.copyfile)
    place.chmod(0o755)
    try:
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unbelievable("The peers need Node and npm. Install them, or name only Roomful: --only roomful") from None
    except subprocess.CalledProcessError as error:
        raise Unbelievable(f"npm could not install the peers:\n{error.stderr}") from None
    return place / "server.js"


class SocketIO:
    """With `databases` it stores each message in a PostgreSQL table, with a full-text index, before it is sent."""

    def __init__(self, script: Path, cores: Cores, databases: Databases | None = None) -> None:
        self.name = STORES_NOTHING if databases is None else INSERTS
        self._script = script
        self._cores = cores
        self._databases = databases

    @asynccontextmanager
    async def running(self, load: Load, folder: Path) -> AsyncIterator[Target]:
        if self._databases is None:
            async with self._serving(folder, {}) as target:
                yield target
        else:
            async with (
                self._databases.one(migrated=False) as url,
                self._serving(folder, {"DATABASE_URL": url}) as target,
            ):
                yield target

    @asynccontextmanager
    async def _serving(self, folder: Path, environment: dict[str, str]) -> AsyncIterator[Target]:
        port = free_port()
        async with server(
            ["node", self._script, str(port)], cores=self._cores, folder=folder, environment=environment, ready="up"
        ) as started:
            yield Target(pid=started.pid, port=port, options=OPTIONS)
