"""How do checkpoints move when the events concern nobody? Many at once, in one statement."""

import asyncio

import msgspec

from lms.projections.checkpoints import Checkpoints
from lms.projections.registry import Build, Pool, Slot

_MOVE = """
    UPDATE lms.projection AS p SET position = m.position, moved_at = clock_timestamp()
    FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
        AS m (name, version, slot, before, fence, position)
    WHERE (p.name, p.version, p.slot, p.position, p.fence) = (m.name, m.version, m.slot, m.before, m.fence)
    RETURNING p.name, p.version, p.slot
"""


class OwnershipLost(Exception):  # noqa: N818 - another process keeps the build now
    """The checkpoint is not where this process left it: nothing was written."""


class Move(msgspec.Struct, frozen=True):
    """A checkpoint's way from one position to another, without any rows."""

    build: Build
    before: int
    position: int
    fence: int


class Advance:
    """Collects moves while a statement is under way, and sends them with the next."""

    def __init__(self, pool: Pool, checkpoints: Checkpoints) -> None:
        self._pool = pool
        self._checkpoints = checkpoints
        self._waiting: list[tuple[Move, asyncio.Future[bool]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def move(self, move: Move) -> None:
        """Move a checkpoint. Raises OwnershipLost, and whatever keeps the database from answering."""
        moved: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((move, moved))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        if not await moved:
            raise OwnershipLost(f"{move.build}: not at {move.before} under fence {move.fence}")

    def note(self, build: Build, position: int) -> None:
        """Tell this process's readers that a build was committed."""
        if build.slot is Slot.LIVE:
            self._checkpoints.note(build.name, position)

    async def close(self) -> None:
        """Give up what was not sent."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send(self) -> None:
        # Whoever else is about to move at this very moment comes along.
        await asyncio.sleep(0)
        while self._waiting:
            sent, self._waiting = self._waiting, []
            try:
                moved = await self._write([move for move, _ in sent])
            except Exception as error:  # noqa: BLE001 - each who waits for it judges it
                for _, waiting in sent:
                    if not waiting.done():
                        waiting.set_exception(error)
            else:
                for move, waiting in sent:
                    if not waiting.done():
                        waiting.set_result(move.build in moved)

    async def _write(self, moves: list[Move]) -> set[Build]:
        records = await self._pool.fetch(
            _MOVE,
            [move.build.name for move in moves],
            [move.build.version for move in moves],
            [move.build.slot.value for move in moves],
            [move.before for move in moves],
            [move.fence for move in moves],
            [move.position for move in moves],
        )
        return {Build(record["name"], record["version"], Slot(record["slot"])) for record in records}
