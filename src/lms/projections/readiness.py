"""May this process be asked? Once what stood in the log at its start can be read, and while nothing stalls."""

from collections.abc import Awaitable, Callable, Collection, Sequence

import asyncpg

from lms import clock
from lms.projections.base import Projection
from lms.projections.calendar import Calendars
from lms.projections.registry import Pool
from lms.projections.status import ProjectionStatus, State, projection_status

Check = Callable[[], Awaitable[str | None]]
"""What else must hold: None, or what is still missing."""


class Readiness:
    """What a process waits for before it answers. ``head``: the log's last position at its start.

    ``pool`` has the live read schema as its search_path; ``checks`` are what the composition adds, such as the demo.
    """

    def __init__(
        self, pool: Pool, projections: Collection[Projection], head: int, lane: int = 0, checks: Sequence[Check] = ()
    ) -> None:
        self._pool = pool
        self._versions = {one.NAME: one.VERSION for one in projections}
        self._head = head
        self._lane = lane
        self._checks = checks
        self._calendars = Calendars()

    async def missing(self) -> list[str]:
        """What this process waits for, in words; empty when it is ready."""
        try:
            async with self._pool.acquire() as connection:
                builds = await projection_status(connection, self._lane)
                missing = [*self._behind(builds), *self._stalled(builds)]
                if not missing:
                    due = await self._calendars.with_due_periods(connection, clock.now())
                    missing += [f"{len(periods)} periods are due to be closed" for _, periods in due]
        except asyncpg.UndefinedTableError:
            return ["migrations are not done"]
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return [f"the database does not answer: {error}"]
        for check in self._checks:
            still = await check()
            if still is not None:
                missing.append(still)
        return missing

    def _behind(self, builds: Sequence[ProjectionStatus]) -> list[str]:
        """Who has not reached the head of the start."""
        live = {build.name: build for build in builds if build.slot == "live"}
        missing = []
        for name, version in self._versions.items():
            build = live.get(name)
            if build is None or build.version != version:
                missing.append(f"{name} is being built")
            elif build.position < self._head:
                missing.append(f"{name} is at {build.position} of {self._head}")
        return missing

    def _stalled(self, builds: Sequence[ProjectionStatus]) -> list[str]:
        """Whose checkpoint stands still while the log moves."""
        return [
            f"{build.name} stands still at {build.position} of {build.head}: {build.reason or build.state}"
            for build in builds
            if self._versions.get(build.name) == build.version
            and build.slot == "live"
            and build.state in {State.PAUSED, State.STALLED}
        ]
