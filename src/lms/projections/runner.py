"""Who keeps the read models up with the log?

A runner takes its share of the builds, keeps each in a task of its own over one common feed, switches those that have
caught up, and lets go of everything when it stops.
"""

import asyncio
from collections.abc import Collection, Mapping
from uuid import UUID

import structlog

from lms import clock
from lms.domain.base import Event
from lms.eventlog.codec import Codec
from lms.eventlog.log import EventLog
from lms.projections.advance import Advance, OwnershipLost
from lms.projections.base import Projection
from lms.projections.checkpoints import Checkpoints
from lms.projections.feed import Feed
from lms.projections.keeper import TRANSIENT, Keeper, Paused, Unready, told
from lms.projections.leases import TICK_S, Lease, Leases
from lms.projections.rebuild import GAP_EVENTS, Switch, drop_past
from lms.projections.registry import Build, Pool, Slot, register

_SWITCH_AGAIN_S = 0.2
_DROP_AGAIN_S = 5.0


class Runner:
    """Keeps projections. ``pool`` is opened with `registry.SERVER_SETTINGS`; ``types`` is the catalogue of events.

    ``slots`` limits it to builds that are live or being built; ``shares=False`` takes all it can get.
    """

    def __init__(
        self,
        log: EventLog,
        codec: Codec,
        pool: Pool,
        projections: Collection[Projection],
        types: Mapping[str, type[Event]],
        checkpoints: Checkpoints,
        *,
        slots: Collection[Slot] = tuple(Slot),
        shares: bool = True,
        owner: UUID | None = None,
    ) -> None:
        self.owner = owner or clock.uuid7()
        self._log = log
        self._pool = pool
        self._projections = {(one.NAME, one.VERSION): one for one in projections}
        wanted = frozenset().union(*(one.topics() for one in projections))
        self._feed = Feed(log, codec, frozenset(types), wanted)
        self._advance = Advance(pool, checkpoints)
        self._leases = Leases(pool, self.owner, projections, tuple(types), slots, shares=shares)
        self._tasks: dict[Build, tuple[int, asyncio.Task[None]]] = {}
        self._stopping = asyncio.Event()
        self._look = asyncio.Event()
        self._logger = structlog.get_logger().bind(projector=str(self.owner))

    async def run(self) -> None:
        """Keep projections until `stop` is called or the task is cancelled; then let go of them."""
        try:
            await self._try_until_done()
            while not self._stopping.is_set():
                await self._tick()
                await self._rest(TICK_S)
        finally:
            await self._let_go()

    def stop(self) -> None:
        """Ask `run` to end after the transactions under way."""
        self._stopping.set()
        self._look.set()

    async def _try_until_done(self) -> None:
        """Register the projections, however long the database takes to answer."""
        while not self._stopping.is_set():
            try:
                await register(self._pool, self._projections.values())
            except TRANSIENT as error:
                self._logger.warning("projector waits for the database", error=told(error))
                await self._rest(TICK_S)
            else:
                return

    async def _tick(self) -> None:
        """Renew, let go of what is too much or lost, take what is free."""
        try:
            held = await self._leases.held()
            for build, (fence, task) in list(self._tasks.items()):
                if held.get(build) != fence:
                    task.cancel()
            for build in held.keys() - self._tasks.keys():
                await self._leases.release(build)
            share = await self._leases.share()
            for build in list(self._tasks)[share:]:
                await self._give_away(build)
            for lease in await self._leases.acquire(share - len(self._tasks)):
                task = asyncio.create_task(self._keep(lease), name=f"projection {lease.build}")
                self._tasks[lease.build] = lease.fence, task
        except TRANSIENT as error:
            self._logger.warning("projector waits for the database", error=told(error))

    async def _give_away(self, build: Build) -> None:
        _, task = self._tasks[build]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._leases.release(build)

    async def _keep(self, lease: Lease) -> None:
        """Keep one build until it is lost, stands still or is switched."""
        keeper = Keeper(
            self._projections[lease.build.name, lease.build.version], lease, self._pool, self._feed, self._advance
        )
        log = self._logger.bind(projection=lease.build.name, slot=lease.build.slot.value)
        try:
            if lease.build.slot is Slot.NEXT:
                await self._build(keeper)
            else:
                await self._serve(keeper)
        except OwnershipLost as lost:
            log.info("projection is kept by another process", reason=str(lost))
        except Paused as paused:
            log.warning("projection stands still", reason=str(paused), position=keeper.position)
            await self._stand_still(lease.build, paused)
        except Exception:
            log.exception("projection failed", position=keeper.position)
        finally:
            if self._tasks.get(lease.build, (None, None))[1] is asyncio.current_task():
                del self._tasks[lease.build]

    async def _stand_still(self, build: Build, paused: Paused) -> None:
        try:
            await self._leases.release(build, str(paused), paused.by_type)
        except TRANSIENT as error:
            # The lease runs out; who takes the build then comes to the same conclusion.
            self._logger.warning("projector could not say why a projection stands still", error=told(error))

    async def _serve(self, keeper: Keeper) -> None:
        """Keep a live build at the head."""
        self._advance.note(keeper.build, keeper.position)
        next_drop = 0.0 if keeper.projection.OWNS_SCHEMAS else float("inf")
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() > next_drop:
                dropped = await drop_past(self._pool, keeper.projection)
                next_drop = float("inf") if dropped else loop.time() + _DROP_AGAIN_S
            await keeper.step()

    async def _build(self, keeper: Keeper) -> None:
        """Bring a new build to the head and switch it."""
        switch = Switch(self._pool, keeper)
        self._logger.info("projection is being built", projection=keeper.build.name, position=keeper.position)
        while True:
            before = keeper.position
            await keeper.step(0)
            try:
                gap = await self._log.head() - keeper.position
                if gap > GAP_EVENTS or (gap and keeper.position == before):
                    continue
                if await switch.attempt():
                    break
                await asyncio.sleep(_SWITCH_AGAIN_S)
            except Unready as error:
                self._logger.debug("projection meets an event it cannot apply", reason=str(error))
            except TRANSIENT as error:
                self._logger.info("projection waits to be switched", projection=keeper.build.name, reason=told(error))
                await asyncio.sleep(_SWITCH_AGAIN_S)
        self._logger.info("projection was built", projection=keeper.build.name, position=keeper.position)
        self._look.set()

    async def _rest(self, seconds: float) -> None:
        """Wait until somebody says that there is something to do, or so long."""
        try:
            await asyncio.wait_for(self._look.wait(), seconds)
        except TimeoutError:
            return
        self._look.clear()

    async def _let_go(self) -> None:
        tasks = {task for _, task in self._tasks.values()}
        while tasks:
            # Said again until heard: a wait that ends at the very moment of the cancellation may swallow it.
            for task in tasks:
                task.cancel()
            _, tasks = await asyncio.wait(tasks, timeout=1)
        await self._advance.close()
        await self._feed.close()
        try:
            await self._leases.leave()
        except TRANSIENT as error:
            self._logger.warning("projector could not say that it leaves", error=told(error))
