"""How does a test run the real server in a process of its own, kill it, and start it again?"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

START_S = 60


class Served:
    """`lms serve` on a data directory, as a child process."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.announced: dict[str, Any] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *options: str) -> None:
        """Start, and wait until it says that it serves."""
        with (self.data_dir.parent / "serve.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *lms("serve", "--json", "--port", str(self.port), *options, data_dir=self.data_dir),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=clean_environment(),
                start_new_session=True,
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), START_S)
        assert line, (self.data_dir.parent / "serve.log").read_text()[-2000:]
        self.announced |= json.loads(line)

    async def kill(self) -> None:
        """End the server as a power failure would: nothing is closed, nothing is said."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """Ask the server to end, and wait until it has."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(self._process.wait(), START_S) == 0

    def client(self, token: str) -> httpx.AsyncClient:
        """A client that sends this token."""
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


async def run_lms(*arguments: str, data_dir: Path) -> Any:
    """What a command answers in JSON."""
    process = await asyncio.create_subprocess_exec(
        *lms(*arguments, "--json", data_dir=data_dir),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment(),
    )
    out, err = await asyncio.wait_for(process.communicate(), START_S)
    assert process.returncode == 0, err.decode()
    lines = out.decode().splitlines()
    return json.loads(lines[-1]) if lines else None


def lms(*arguments: str, data_dir: Path) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "lms", *arguments, "--data-dir", str(data_dir)]


def clean_environment() -> Mapping[str, str]:
    """The environment without settings of somebody's own installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LMS_")}  # noqa: TID251


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
