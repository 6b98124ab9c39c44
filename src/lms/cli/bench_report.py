"""What does every bench say beside its figure: which machine, which settings, and whether the figure may stand?"""

import os
import platform
import statistics
from collections.abc import Sequence
from typing import Any

import asyncpg


class CheckerFailed(Exception):  # noqa: N818 - voids the figure
    """What was acknowledged is not what the log holds."""


async def machine(dsn: str) -> dict[str, Any]:
    """The machine, the versions, and the settings that decide what a commit costs."""
    connection = await asyncpg.connect(dsn)
    try:
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")}
        server = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    return {
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": server,
        **settings,
    }


def report(
    name: str, rates: Sequence[float], about: dict[str, Any], figures: dict[str, Any] | None = None, **facts: Any
) -> dict[str, Any]:
    """The result of runs that passed their checker: their median under ``name``, and the facts it rests on."""
    return {
        "ours": {
            name: round(statistics.median(rates)),
            "runs": [round(rate) for rate in rates],
            **(figures or {}),
        },
        "peers": {},
        "ratios": {},
        "checker": "passed",
        **facts,
        "machine": about,
    }
