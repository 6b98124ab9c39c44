"""How do the other processes hear that the log has grown?

By NOTIFY on a connection of its own, after the commit, never in the append's transaction (it would hold a lock of the
whole cluster over the flush), and at most one per ten milliseconds. Hearing is a hint only: readers poll as well.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from lms.eventlog.head import Head
from lms.eventlog.writer import LOST, let_go

_QUIET_S = 0.01
_PAUSE_S = 0.2

HEAD = "SELECT coalesce(max(position), 0) FROM lms.event WHERE lane = $1"


class Wakeup:
    """Tells other processes how far the log is, and moves this one's head to where others say it is."""

    def __init__(
        self, lane: int, head: Head, connect: "Callable[[], Awaitable[asyncpg.Connection[asyncpg.Record]]]"
    ) -> None:
        self._lane = lane
        self._channel = f"lms_log_{lane}"
        self._head = head
        self._connect = connect
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listening = False

    def start(self) -> None:
        """Listen until closed."""
        self._task = asyncio.create_task(self._run())

    def announce(self) -> None:
        """Tell the others soon that the head has moved."""
        self._news.set()

    async def close(self) -> None:
        """Stop listening."""
        while self._task and not self._task.done():
            # Said again until heard: a wait that ends at the very moment of the cancellation may swallow it.
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1)

    async def _run(self) -> None:
        while True:
            try:
                connection = await self._connect()
            except (*LOST, asyncpg.PostgresError):
                await asyncio.sleep(_PAUSE_S)
                continue
            try:
                await self._serve(connection)
            except LOST:
                await asyncio.sleep(_PAUSE_S)
            finally:
                self.listening = False
                await let_go(connection)

    async def _serve(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        connection.add_termination_listener(lambda _: self._news.set())
        await connection.add_listener(self._channel, self._heard)
        self._head.advance(await connection.fetchval(HEAD, self._lane))
        self.listening = True
        while True:
            await self._news.wait()
            self._news.clear()
            await connection.execute("SELECT pg_notify($1, $2)", self._channel, str(self._head.position))
            await asyncio.sleep(_QUIET_S)

    def _heard(self, *heard: Any) -> None:
        payload = heard[-1]
        if payload.isdigit():
            self._head.advance(int(payload))
