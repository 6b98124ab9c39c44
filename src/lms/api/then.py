"""How did a thing stand at a moment, as far as it was known at another?"""

from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar.datastructures import State
from litestar.di import NamedDependency

from lms.api.deps import Connection, Who, services_of
from lms.api.goal_past import AsOf, KnownAt, Moment, moment, stream
from lms.api.services import Services
from lms.projections.base import Envelope, Projection, Table
from lms.projections.past import Past, in_order
from lms.projections.process_performance import MEASUREMENTS, MeasurementRow, ProcessPerformance, ProcessRow

R = TypeVar("R", bound=msgspec.Struct)

_performance = ProcessPerformance()


class Then:
    """Looks at the past: what was true ``as_of`` a moment, by what was recorded by ``known_at``."""

    def __init__(self, services: Services, who: Who, at: Moment) -> None:
        self._services = services
        self._who = who
        self._at = at

    async def row(self, projection: Projection, table: Table[R], key: UUID, *others: UUID) -> R | None:
        """A row as it stood, told by the stream that has its key and ``others``; None when it was not there yet."""
        streams = [await self._seen(one) for one in {key, *others}]
        return Past(projection, in_order(streams)).row(table, key)

    async def latest(self, connection: Connection, process: ProcessRow) -> dict[UUID, MeasurementRow]:
        """The newest measurement of each measure of a process, as it was known."""
        found = {}
        for measure in process.measures:
            newest = await self._newest(connection, measure.measure_id)
            if newest is not None:
                found[measure.measure_id] = newest
        return found

    async def _newest(self, connection: Connection, measure_id: UUID) -> MeasurementRow | None:
        organisation_id, skip = self._who.organisation_id, 0
        until = self._at.as_of.astimezone(self._who.time_zone).date()
        while ids := await _performance.newest(connection, organisation_id, measure_id, until, skip):
            rows = [await self.row(_performance, MEASUREMENTS, one) for one in ids]
            known = [row for row in rows if row is not None]
            if known:
                return max(known, key=lambda row: (row.ends_on, row.measurement_id))
            skip += len(ids)
        return None

    async def _seen(self, stream_id: UUID) -> list[Envelope]:
        envelopes = await stream(self._services, self._who.organisation_id, stream_id)
        return [envelope for envelope in envelopes if self._at.sees(envelope)]


async def provide_then(
    request: HttpRequest[Any, Any, State],
    who: NamedDependency[Who],
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> Then | None:
    """The past that the query asks for; None for the present."""
    if as_of is None and known_at is None:
        return None
    return Then(services_of(request), who, moment(as_of, known_at, who))
