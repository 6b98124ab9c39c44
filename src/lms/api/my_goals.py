"""What do I pursue, and what waits for my answer?"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias, cast
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency

from lms.api.answers import Answer, found, text
from lms.api.commitments import commitments_shown
from lms.api.deps import Connection, Reader, Who
from lms.api.goal_views import GoalShown
from lms.api.goals import list_of
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.projections.commitments import CommitmentRow, Commitments
from lms.projections.goals import Goals
from lms.projections.improvements import Improvements
from lms.projections.my_skills import MySkills

_goals = Goals()
_commitments = Commitments()
_improvements = Improvements()
_skills = MySkills()

After: TypeAlias = tuple[date, UUID] | None
"""The day and id of the last thing in the inbox that was seen."""


class Waiting(StrEnum):
    """What somebody's answer is awaited to."""

    INVITATION = "invitation"
    ATTESTATION_REQUEST = "attestation-request"
    CHECK_IN = "check-in"
    CONFIRMATION = "confirmation"


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits. ``id``: the commitment, the request, the key result to check in, the experiment.

    ``since``: the day of the invitation or request, or on which the check-in was due. ``goal_id`` and ``title`` of the
    goal; ``person`` and ``competency_id`` of a request for attestation. A ``confirmation`` is whether ``person`` used
    ``competencies`` in ``improvement_id``, whose problem is the ``title``.
    """

    id: UUID
    kind: Waiting
    since: date
    goal_id: UUID | None = None
    title: str | None = None
    person: UUID | None = None
    competency_id: UUID | None = None
    improvement_id: UUID | None = None
    competencies: tuple[UUID, ...] = ()


@get("/v1/me/goals", summary="What do I pursue?", tags=["me"])
async def my_goals(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[GoalShown]]:
    """List the caller's own goals and those he committed to, the latest first."""
    after = decode_cursor(cursor, int)
    committed = await _commitments.committed_goals(connection, who.organisation_id, who.contributor_id)
    visible = await _goals.find(connection, who.organisation_id, who.actor, committed)
    rows = await _goals.mine(
        connection, who.organisation_id, who.contributor_id, visible, limit + 1, after[0] if after else None
    )
    return found(await list_of(rows, limit, who, reader, connection))


@get("/v1/me/inbox", summary="What waits for my answer?", tags=["me"])
async def my_inbox(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[InboxItem]]:
    """List invitations, requests for attestation or confirmation, and check-ins due; what waits longest first."""
    after = cast("After", decode_cursor(cursor, date, UUID))
    waiting = [
        *await _invitations(who, reader, connection, limit + 1, after),
        *await _requests(who, connection, limit + 1, after),
        *await _confirmations(who, connection, limit + 1, after),
        *await _due(who, reader, connection, limit + 1, after),
    ]
    return found(page(sorted(waiting, key=_place), limit, _place))


def _place(item: InboxItem) -> tuple[date, UUID]:
    return item.since, item.id


async def _invitations(who: Who, reader: Reader, connection: Connection, limit: int, after: After) -> list[InboxItem]:
    """Those to goals that are open and shown to him; others are read over."""
    asked: list[CommitmentRow] = []
    while len(asked) < limit:
        rows = await _commitments.unanswered(
            connection, who.organisation_id, who.contributor_id, who.time_zone.key, limit, after
        )
        goals = await _goals.find(connection, who.organisation_id, who.actor, [row.goal_id for row in rows])
        asked += [row for row in rows if row.goal_id in goals and goals[row.goal_id].closed_on is None]
        if len(rows) < limit:
            break
        after = _day(rows[-1].invited_at, who), rows[-1].commitment_id
    return [
        InboxItem(
            id=one.id,
            kind=Waiting.INVITATION,
            since=_day(one.invited_at, who),
            goal_id=one.goal_id,
            title=one.title,
            person=one.invited_by,
        )
        for one in await commitments_shown(asked[:limit], who, reader, connection)
    ]


async def _requests(who: Who, connection: Connection, limit: int, after: After) -> list[InboxItem]:
    rows = await _skills.unanswered(
        connection, who.organisation_id, who.contributor_id, who.time_zone.key, limit, after
    )
    return [
        InboxItem(
            id=row.request_id,
            kind=Waiting.ATTESTATION_REQUEST,
            since=_day(row.requested_at, who),
            person=row.person,
            competency_id=row.competency_id,
        )
        for row in rows
    ]


async def _confirmations(who: Who, connection: Connection, limit: int, after: After) -> list[InboxItem]:
    rows = await _improvements.to_confirm(
        connection, who.organisation_id, who.contributor_id, who.time_zone.key, limit, after
    )
    return [
        InboxItem(
            id=row.experiment_id,
            kind=Waiting.CONFIRMATION,
            since=_day(row.asked_at, who),
            title=problem,
            person=row.claimed_by,
            improvement_id=row.improvement_id,
            competencies=row.competencies,
        )
        for row, problem in rows
    ]


async def _due(who: Who, reader: Reader, connection: Connection, limit: int, after: After) -> list[InboxItem]:
    rows = await _goals.due(connection, who.organisation_id, who.actor, who.today, limit, after)
    return [
        InboxItem(
            id=row.key_result_id,
            kind=Waiting.CHECK_IN,
            since=row.due_on,
            goal_id=row.goal_id,
            title=text(row.goal_title),
        )
        for row in await reader.open(rows)
    ]


def _day(moment: datetime, who: Who) -> date:
    return moment.astimezone(who.time_zone).date()


ROUTES: list[Any] = [my_goals, my_inbox]
