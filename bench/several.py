"""Several processes of Roomful as docs/operations.md has them: one database, one Redis, nginx before them."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.contenders import Target
from bench.database import Databases
from bench.figures import Unbelievable
from bench.loads import SEVERAL, Load
from bench.machine import Cores
from bench.processes import beside, free_port, is_open
from bench.roomful import filled, serving, target_at

# Debian has nginx where only root's PATH leads.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
REDIS = shutil.which("redis-server")

CONFIGURATION = """
daemon off; worker_processes 1; pid nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    upstream roomful {{ {servers} }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://roomful;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_read_timeout 120s;
        }}
    }}
}}
"""


class Several:
    """nginx gives each new connection to the next process. All processes share one core: what is measured is what it
    costs them to be several; the other core has PostgreSQL, Redis, nginx and the load."""

    def __init__(self, databases: Databases, cores: Cores, count: int) -> None:
        self.name = SEVERAL[count - 1]
        self._databases = databases
        self._cores = cores
        self._count = count

    @asynccontextmanager
    async def running(self, load: Load, folder: Path) -> AsyncIterator[Target]:
        if NGINX is None or REDIS is None:
            raise Unbelievable("it needs nginx and redis-server. Install them, or name other loads: --loads")
        async with filled(self._databases, load, folder) as environment, AsyncExitStack() as stack:
            port, redis = free_port(), folder / "redis.sock"
            command = [REDIS, "--port", "0", "--unixsocket", str(redis), "--save", ""]
            await stack.enter_async_context(beside(command, folder=folder, is_up=redis.exists))
            environment |= {
                "REDIS_URL": f"unix://{redis}",
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
                "TRUSTED_PROXIES": "127.0.0.1",
            }
            pids, ports = [], []
            for number in range(self._count):
                place = folder / f"process-{number}"
                place.mkdir()
                ports.append(free_port())
                own = environment | {"PORT": str(ports[-1])}
                pids.append((await stack.enter_async_context(serving(self._cores, place, own))).pid)
            nginx = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "nginx.log")]
            _configure(folder, port, ports)
            await stack.enter_async_context(beside(nginx, folder=folder, is_up=lambda: is_open(port)))
            yield target_at(pids[0], port, folder, environment, alone=self._count == 1)


def _configure(folder: Path, port: int, upstreams: Sequence[int]) -> None:
    servers = " ".join(f"server 127.0.0.1:{each};" for each in upstreams)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, servers=servers))
