"""How many people can log what they learn, each second, over HTTP?"""

import asyncio
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from lms import app, config
from lms.cli.bench_report import CheckerFailed, machine, report

WRK = "wrk"
CONNECTIONS = 32

_BODY = '{\\"note\\": \\"asked two open questions before showing anything\\"}'
_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_TOTAL = re.compile(r"(\d+) requests in")
_ERRORS = re.compile(r"(Non-2xx or 3xx responses: \d+|Socket errors: .*)")
_P99 = re.compile(r"99%\s+([0-9.]+)(us|ms|s)")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

_LUA = """
wrk.method = "POST"
wrk.path = "/v1/me/learning"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.body = "{body}"
local sent = 0
local mine = tostring(math.random(1e15))
function setup(thread) thread:set("seed", os.time() + math.random(1e9)) end
function init(args) math.randomseed(seed) mine = tostring(math.random(1e15)) end
function request()
  sent = sent + 1
  wrk.headers["Idempotency-Key"] = mine .. "-" .. sent
  return wrk.format()
end
"""


class WrkMissing(Exception):  # noqa: N818 - shown to the user as it stands
    """The load generator is not installed."""


async def bench_http(
    *,
    seconds: int = 10,
    runs: int = 3,
    on_run: Callable[[int, float], None] = lambda _run, _rate: None,
) -> dict[str, Any]:
    """Log learning under load from wrk: token checked, body validated, text sealed, appended, idempotent.

    One server process, 32 connections, each request with a key of its own; the figure is the median of the runs in
    requests per second. The checker counts the entries in the log. Raises WrkMissing, CheckerFailed.
    """
    if shutil.which(WRK) is None:
        raise WrkMissing("wrk is needed to make the load: install the package wrk")
    with tempfile.TemporaryDirectory(prefix="lms-bench-") as directory:
        data_dir = Path(directory) / "data"
        rates, latencies, sent = [], [], 0
        async with _served(data_dir) as (url, answer):
            script = Path(directory) / "log.lua"
            script.write_text(_LUA.format(token=answer["administrator"]["token"], body=_BODY), encoding="utf-8")
            await _wrk(url, script, 2)
            before = await _logged(data_dir)
            for run in range(1, runs + 1):
                rate, p99_ms, requests = await _wrk(url, script, seconds)
                rates.append(rate)
                latencies.append(p99_ms)
                sent += requests
                on_run(run, rate)
            about = await _about(data_dir)
            stored = await _logged(data_dir) - before
        # wrk ends each run, the first to warm up too, with up to one request per connection uncounted.
        if not sent <= stored <= sent + (runs + 1) * CONNECTIONS:
            raise CheckerFailed(f"{sent} entries were acknowledged, {stored} are in the log")
    return report(
        "requests_per_s",
        rates,
        about,
        {"p99_ms": sorted(latencies)[len(latencies) // 2]},
        connections=CONNECTIONS,
        workers=1,
        seconds=seconds,
    )


@asynccontextmanager
async def _served(data_dir: Path) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """A server on a fresh data directory, in a process of its own; its URL and what it announced."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lms",
        "serve",
        "--json",
        "--data-dir",
        str(data_dir),
        "--port",
        str(port),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if not line:
            raise CheckerFailed("the server did not start")
        yield f"http://127.0.0.1:{port}", msgspec.json.decode(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _wrk(url: str, script: Path, seconds: int) -> tuple[float, float, int]:
    """Requests per second, the 99th percentile in milliseconds, and how many requests were answered."""
    process = await asyncio.create_subprocess_exec(
        WRK,
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
        "--latency",
        "--script",
        str(script),
        url,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    said = out.decode()
    failed = _ERRORS.search(said)
    rate, total, p99 = _RATE.search(said), _TOTAL.search(said), _P99.search(said)
    if failed or not (rate and total and p99):
        raise CheckerFailed(failed[1] if failed else f"wrk said: {said}")
    return float(rate[1]), float(p99[1]) * _MS[p99[2]], int(total[1])


async def _logged(data_dir: Path) -> int:
    """How many entries the log holds."""
    async with app.core(config.load({}, data_dir=data_dir)) as core:
        after, count = 0, 0
        while page := await core.log.feed(after, 5_000):
            count += sum(event.type == "learning.logged" for event in page)
            after = page[-1].position
    return count


async def _about(data_dir: Path) -> dict[str, Any]:
    async with app.core(config.load({}, data_dir=data_dir)) as core:
        return await machine(core.database.app_url)
