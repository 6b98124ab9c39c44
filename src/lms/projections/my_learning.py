"""What did I learn?"""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.learning_entry import LearningEntry, LearningKind
from lms.domain.terms import Visibility
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class LearningRow(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that stands; the note stays sealed under the learner's key."""

    entry_id: UUID
    organisation_id: UUID
    learner: UUID
    kind: LearningKind
    minutes: int | None
    learned_on: date
    competencies: tuple[UUID, ...]
    goal_id: UUID | None
    need_ids: tuple[UUID, ...]
    rating: int | None
    activity: str | None
    note: Personal | None
    visibility: Visibility
    logged_at: datetime
    version: int


ENTRIES = Table("learning_entries_v1", LearningRow, key="entry_id")


class MyLearning(Projection):
    """The entries that stand. Every question names the learner: nobody asks for another's."""

    NAME = "my_learning"
    VERSION = 1
    TABLES = (ENTRIES,)

    @on(LearningEntry.Logged)
    def _logged(self, envelope: Envelope, event: LearningEntry.Logged) -> Touches:
        yield ENTRIES.put(
            LearningRow(
                entry_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                learner=event.learner,
                kind=event.kind,
                minutes=event.minutes,
                learned_on=event.learned_on,
                competencies=event.competencies,
                goal_id=event.goal_id,
                need_ids=event.need_ids,
                rating=event.rating,
                activity=event.activity,
                note=event.note,
                visibility=event.visibility,
                logged_at=envelope.recorded_at,
                version=envelope.version,
            )
        )

    @on(LearningEntry.Corrected)
    def _corrected(self, envelope: Envelope, event: LearningEntry.Corrected) -> Touches:
        yield ENTRIES.touch(envelope.stream_id, _correct(event, envelope.version))

    @on(LearningEntry.Withdrawn)
    def _withdrawn(self, envelope: Envelope, event: LearningEntry.Withdrawn) -> Touches:  # noqa: ARG002 - a handler's form
        yield ENTRIES.delete(envelope.stream_id)

    async def entry(
        self, connection: Connection, organisation_id: UUID, learner: UUID, entry_id: UUID
    ) -> LearningRow | None:
        """One entry of the learner."""
        row = await ENTRIES.get(connection, organisation_id, entry_id)
        return row if row is not None and row.learner == learner else None

    async def entries(
        self,
        connection: Connection,
        organisation_id: UUID,
        learner: UUID,
        limit: int,
        after: tuple[date, UUID] | None = None,
        competency_id: UUID | None = None,
        goal_id: UUID | None = None,
    ) -> list[LearningRow]:
        """The learner's entries, the latest first; ``after`` is the day and id of the last one seen."""
        return await ENTRIES.select(
            connection,
            """WHERE organisation_id = $1 AND learner = $2
                   AND ($4::date IS NULL OR (learned_on, entry_id) < ($4, $5::uuid))
                   AND ($6::uuid IS NULL OR $6 = ANY(competencies))
                   AND ($7::uuid IS NULL OR goal_id = $7)
               ORDER BY learned_on DESC, entry_id DESC LIMIT $3""",
            organisation_id,
            learner,
            limit,
            *(after or (None, None)),
            competency_id,
            goal_id,
        )

    async def competencies(self, connection: Connection, organisation_id: UUID, learner: UUID) -> set[UUID]:
        """The competencies that the learner's entries name."""
        rows = await connection.fetch(
            "SELECT DISTINCT unnest(competencies) AS id FROM learning_entries_v1"
            " WHERE organisation_id = $1 AND learner = $2",
            organisation_id,
            learner,
        )
        return {row["id"] for row in rows}


def _correct(event: LearningEntry.Corrected, version: int) -> Callable[[LearningRow | None], LearningRow | None]:
    """What is given replaces what stood, what is named as cleared goes."""
    given = {name: value for name in _CORRECTED if (value := getattr(event, name)) is not None}
    cleared = dict.fromkeys(map(str, event.cleared))

    def correct(row: LearningRow | None) -> LearningRow | None:
        return row and msgspec.structs.replace(row, **(given | cleared), version=version)

    return correct


_CORRECTED = tuple(name for name in LearningEntry.Corrected.__struct_fields__ if name != "cleared")
