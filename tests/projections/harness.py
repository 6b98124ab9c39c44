"""Given these events, which rows are there? And are they the same however the log is cut into batches?

story = Story()
story.happened(goal_id, Goal.Proposed(..), actor=Actor(contributor_id=mira))
rows = await rows_of(connection, Goals(), story.envelopes)          # {"goals_v1": [{"goal_id": .., ..}]}
async with applied(connection, Goals(), story.envelopes) as goals:  # the tables stand: ask the projection's questions
    assert await goals.one(connection, story.organisation_id, goal_id)
await check_cuts(connection, Goals(), story.envelopes, cuts=[3, 5])
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from lms import clock
from lms.domain.base import Actor, Event
from lms.eventlog.codec import Envelope, effective_at
from lms.projections.base import Projection

P = TypeVar("P", bound=Projection)

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOBODY = Actor()
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class Story:
    """A log told by hand: dense positions, dense versions, a clock that goes on a minute per event."""

    def __init__(self, organisation_id: UUID | None = None, start: datetime = START) -> None:
        self.organisation_id = organisation_id or clock.uuid7()
        self.envelopes: list[Envelope] = []
        self.now = start
        self._versions: Counter[UUID] = Counter()

    def happened(self, stream_id: UUID, *events: Event, actor: Actor = NOBODY, at: datetime | None = None) -> None:
        """Append the events to a stream, recorded at the story's time (moved on to ``at``)."""
        self.now = max(self.now + timedelta(minutes=1), at or self.now)
        command_id = clock.derived_id(stream_id, f"command {self._versions[stream_id]}")
        for event in events:
            self._versions[stream_id] += 1
            self.envelopes.append(
                Envelope(
                    organisation_id=self.organisation_id,
                    stream_id=stream_id,
                    version=self._versions[stream_id],
                    position=len(self.envelopes) + 1,
                    type=event.TOPIC,
                    schema_version=event.SCHEMA_VERSION,
                    effective_at=effective_at(event, AMSTERDAM, self.now) or self.now,
                    recorded_at=self.now,
                    actor=actor,
                    causation_id=None,
                    correlation_id=None,
                    command_id=command_id,
                    digest=None,
                    data=event,
                )
            )


@asynccontextmanager
async def applied(
    connection: asyncpg.Connection, projection: P, envelopes: Sequence[Envelope], cuts: Iterable[int] = ()
) -> AsyncIterator[P]:
    """The projection over fresh tables that hold these events, applied in batches that end at ``cuts`` (indexes)."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        schemas = {schema: f"{schema}_under_test" for schema in projection.SCHEMAS}
        for fresh in schemas.values():
            await connection.execute(f"CREATE SCHEMA {fresh}")
        for schema, fresh in schemas.items():
            others = [other for other in schemas.values() if other != fresh]
            await connection.execute(f"SET LOCAL search_path = {', '.join([fresh, *others])}")
            await connection.execute(projection.ddl(schema))
        await connection.execute(f"SET LOCAL search_path = {', '.join(schemas.values())}")
        await apply(connection, projection, envelopes, cuts)
        yield projection
    finally:
        await transaction.rollback()


async def apply(
    connection: asyncpg.Connection, projection: Projection, envelopes: Sequence[Envelope], cuts: Iterable[int] = ()
) -> None:
    """Apply the events that the projection handles, in batches that end at ``cuts``."""
    ends = sorted({cut % (len(envelopes) + 1) for cut in cuts} | {len(envelopes)})
    start = 0
    for end in ends:
        batch = [envelope for envelope in envelopes[start:end] if envelope.type in projection.topics()]
        if batch:
            await projection.apply(connection, batch)
        start = end


async def tables(connection: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table on the search path, in a fixed order."""
    names = await connection.fetch(
        """SELECT c.oid::regclass::text AS name, c.relname FROM pg_class AS c
           WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text = ANY(current_schemas(false))
           ORDER BY c.relname"""
    )
    return {
        record["relname"]: [
            dict(row) for row in await connection.fetch(f"SELECT * FROM {record['name']} AS t ORDER BY t::text")
        ]
        for record in names
    }


async def rows_of(
    connection: asyncpg.Connection, projection: Projection, envelopes: Sequence[Envelope], cuts: Iterable[int] = ()
) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table of the projection after these events."""
    async with applied(connection, projection, envelopes, cuts):
        return await tables(connection)


async def check_cuts(
    connection: asyncpg.Connection, projection: Projection, envelopes: Sequence[Envelope], cuts: Iterable[int]
) -> None:
    """Assert that the rows are the same in one batch and in those that end at ``cuts``: at every event, if none."""
    whole = await rows_of(connection, projection, envelopes)
    assert await rows_of(connection, projection, envelopes, list(cuts) or range(len(envelopes))) == whole


async def apply_or_park(
    connection: asyncpg.Connection, projection: Projection, envelopes: Sequence[Envelope], cuts: Iterable[int] = ()
) -> list[int]:
    """Apply in batches that end at ``cuts``; what fails parks with later events of its key. The parked positions."""
    parked: set[UUID] = set()
    positions: list[int] = []

    async def batch(events: Sequence[Envelope]) -> None:
        waiting = [one for one in events if projection.parking_key(one) in parked]
        live = [one for one in events if projection.parking_key(one) not in parked]
        try:
            async with connection.transaction():
                await projection.apply(connection, live)
        except Exception:  # noqa: BLE001 - as the engine does
            if len(events) > 1:
                await batch(events[: len(events) // 2])
                await batch(events[len(events) // 2 :])
                return
            parked.add(projection.parking_key(live[0]))
            waiting = live
        positions.extend(one.position for one in waiting)

    start = 0
    for end in sorted({cut % (len(envelopes) + 1) for cut in cuts} | {len(envelopes)}):
        events = [one for one in envelopes[start:end] if one.type in projection.topics()]
        if events:
            await batch(events)
        start = end
    return sorted(positions)
