"""How do many who load a stream each share a query?

As with appends: while a query is in flight the next one gathers, and there is no timer. What is asked for now is never
answered by a query that was sent before, so that everybody reads what was acknowledged to him.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from lms.eventlog.log import StoredEvent

Streams = dict[UUID, list[StoredEvent]]

_AT_ONCE = 2
_MOST = 500


class Batch:
    """Streams to be read by one query, and the answer to come."""

    def __init__(self) -> None:
        self.stream_ids: set[UUID] = set()
        self.found: asyncio.Future[Streams] = asyncio.get_running_loop().create_future()
        self.found.add_done_callback(lambda found: found.cancelled() or found.exception())  # all may have left


class SharedReads:
    """Loads streams; ``fetch`` reads many with one query, each in version order, and gives a list for every id."""

    def __init__(self, fetch: Callable[[list[UUID]], Awaitable[Streams]]) -> None:
        self._fetch = fetch
        self._gathering: list[Batch] = []
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, stream_ids: Sequence[UUID]) -> Streams:
        """All events of each stream, as of some moment after this call."""
        batch = self._batch(len(stream_ids))
        batch.stream_ids.update(stream_ids)
        if len(self._running) < _AT_ONCE:
            task = asyncio.create_task(self._run())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        found = await asyncio.shield(batch.found)
        return {stream_id: found[stream_id] for stream_id in stream_ids}

    def _batch(self, more: int) -> Batch:
        if not self._gathering or len(self._gathering[-1].stream_ids) + more > _MOST:
            self._gathering.append(Batch())
        return self._gathering[-1]

    async def _run(self) -> None:
        while self._gathering:
            batch = self._gathering.pop(0)
            try:
                batch.found.set_result(await self._fetch(list(batch.stream_ids)))
            except Exception as error:  # noqa: BLE001 - each who asked gets it
                batch.found.set_exception(error)
