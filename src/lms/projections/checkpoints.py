"""Have the read models got as far as I need? In this process by a call, across processes by looking now and then."""

import asyncio
from collections.abc import Collection, Mapping

import asyncpg

from lms.projections.registry import Pool

_SOONEST_S = 0.004
_LATEST_S = 0.05
_POSITIONS = "SELECT name, version, position FROM lms.projection WHERE slot = 'live'"


class Checkpoints:
    """The last known positions of the live builds; they only grow. ``versions``: the version asked for, by name."""

    def __init__(self, pool: Pool, versions: Mapping[str, int]) -> None:
        self._pool = pool
        self._versions = dict(versions)
        self._positions: dict[str, int] = {}
        self._moved = asyncio.Event()
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None

    def note(self, name: str, position: int) -> None:
        """A live build was committed at this position."""
        if position > self._positions.get(name, -1):
            self._positions[name] = position
            self._moved.set()
            self._moved = asyncio.Event()

    def have(self, names: Collection[str], position: int) -> bool:
        """Tell whether all of them are known to have reached the position."""
        return all(self._positions.get(name, -1) >= position for name in names)

    async def wait(self, names: Collection[str], position: int, seconds: float) -> bool:
        """Wait until all of them have reached the position; False when the time ran out."""
        if self.have(names, position):
            return True
        deadline = asyncio.get_running_loop().time() + seconds
        self._waiting += 1
        try:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            while not self.have(names, position):
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    return False
                try:
                    await asyncio.wait_for(self._moved.wait(), left)
                except TimeoutError:
                    return self.have(names, position)
        finally:
            self._waiting -= 1
        return True

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        """Ask the registry while somebody waits, less often the longer nothing moves."""
        pause = _SOONEST_S
        while self._waiting:
            before = dict(self._positions)
            try:
                for record in await self._pool.fetch(
                    "SELECT name, version, position FROM lms.projection WHERE slot = 'live'"
                ):
                    if self._versions.get(record["name"]) == record["version"]:
                        self.note(record["name"], record["position"])
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                # Who waits is told by the clock; the database may be back before that.
                pause = _LATEST_S
            pause = _SOONEST_S if self._positions != before else min(pause * 2, _LATEST_S)
            await asyncio.sleep(pause)
