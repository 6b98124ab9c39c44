"""Have the read models got as far as I need? In this process by a call, across processes by looking now and then."""

import asyncio
import heapq
from collections.abc import Collection, Mapping
from itertools import count

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
        self._waiting: dict[frozenset[str], list[tuple[int, int, asyncio.Future[None]]]] = {}
        self._turns = count()
        self._looking: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()

    def note(self, name: str, position: int) -> None:
        """A live build was committed at this position: wake who waited for no more than that."""
        if position <= self._positions.get(name, -1):
            return
        self._positions[name] = position
        for names, heap in self._waiting.items():
            if name in names:
                reached = self._reached(names)
                while heap and heap[0][0] <= reached:
                    future = heapq.heappop(heap)[2]
                    if not future.done():
                        future.set_result(None)

    def have(self, names: Collection[str], position: int) -> bool:
        """Tell whether all of them are known to have reached the position."""
        return self._reached(names) >= position

    async def wait(self, names: Collection[str], position: int, seconds: float) -> bool:
        """Wait until all of them have reached the position; False when the time ran out."""
        if not self.have(names, position):
            future = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting.setdefault(frozenset(names), []), (position, next(self._turns), future))
            self._asked.set()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            try:
                await asyncio.wait((future,), timeout=seconds)
            finally:
                future.cancel()
        return self.have(names, position)

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _reached(self, names: Collection[str]) -> int:
        return min((self._positions.get(name, -1) for name in names), default=0)

    def _anybody_waits(self) -> bool:
        """Tell whether somebody still waits, and forget who has gone."""
        for names, heap in list(self._waiting.items()):
            kept = [entry for entry in heap if not entry[2].done()]
            heapq.heapify(kept)
            if kept:
                self._waiting[names] = kept
            else:
                del self._waiting[names]
        return bool(self._waiting)

    async def _look(self) -> None:
        """Ask the registry while somebody waits, less often the longer nothing moves."""
        pause = _SOONEST_S
        while self._anybody_waits():
            before = dict(self._positions)
            try:
                for record in await self._pool.fetch(_POSITIONS):
                    if self._versions.get(record["name"]) == record["version"]:
                        self.note(record["name"], record["position"])
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                # Who waits is told by the clock; the database may be back before that.
                await asyncio.sleep(_LATEST_S)
            pause = _SOONEST_S if self._positions != before or self._asked.is_set() else min(pause * 2, _LATEST_S)
            self._asked.clear()
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Rest so long, or a moment when somebody new asks."""
        try:
            await asyncio.wait_for(self._asked.wait(), seconds)
        except TimeoutError:
            return
        await asyncio.sleep(_SOONEST_S)
