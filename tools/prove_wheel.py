"""Prove that the wheel in dist/ needs no checkout: install it alone, elsewhere, and let it serve.

It gets the locked versions of its dependencies, and pip then says whether they are what the wheel asks for.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

CHECKOUT = Path(__file__).resolve().parent.parent
START_SECONDS = 60  # the first start makes a database cluster
STOP_SECONDS = 10  # what operators are promised


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command to its end; its output is ours, and its failure too."""
    print("+", *command, flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, env=environment(), check=True)


def environment() -> dict[str, str]:
    """What a person's shell has, less what would let Python find the checkout or its settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def wait_until_healthy(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        if server.poll() is not None:
            sys.exit(f"roomful serve ended with exit code {server.returncode} instead of serving")
        try:
            fetch(f"{address}/health")
            return
        except (URLError, ConnectionError) as refusal:
            if time.monotonic() > deadline:
                sys.exit(f"{address}/health does not answer after {START_SECONDS} s: {refusal}")
            time.sleep(0.1)


def prove_serving(roomful: Path, folder: Path) -> None:
    """Serve from an empty folder with no setting but the port; then see the page, the client and the end."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([roomful, "serve"], cwd=folder, env={**environment(), "PORT": str(port)})
    try:
        wait_until_healthy(server, address)
        page = fetch(f"{address}/")
        assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        if not assets:
            sys.exit(f"the first page names no file of the browser client:\n{page}")
        for asset in assets:
            print(f"{asset}: {len(fetch(address + asset))} characters")
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        status = server.wait(STOP_SECONDS)
        print(f"stopped in {time.monotonic() - began:.1f} s with exit code {status}")
        if status != 0:
            sys.exit("roomful serve should end with exit code 0 after SIGTERM")
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def main() -> None:
    (wheel,) = (CHECKOUT / "dist").glob("*.whl")
    with tempfile.TemporaryDirectory(prefix="roomful-wheel-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # for root the database belongs to another user, who has to get in
        programs = folder / "venv" / "bin"
        requirements = CHECKOUT / "requirements"
        run(sys.executable, "-m", "venv", folder / "venv")
        pip: list[str | Path] = [
            programs / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
            "--no-deps",
        ]
        run(*pip, "--require-hashes", "-r", requirements / "server.txt", "-r", requirements / "embedded.txt")
        run(*pip, wheel)
        run(programs / "python", "-m", "pip", "check")
        empty = folder / "empty"
        empty.mkdir()
        run(programs / "roomful", "version", cwd=empty)
        run(programs / "roomful", "settings", cwd=empty)
        prove_serving(programs / "roomful", empty)


if __name__ == "__main__":
    main()
