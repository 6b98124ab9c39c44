"""Who is invited to a goal, and what does he answer?"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from lms import clock
from lms.api.answers import Answer, Receipt, changed, created, found, text
from lms.api.batches import IN_FLIGHT
from lms.api.deps import Connection, Reader, Sender, Who
from lms.api.goal_bodies import CommitmentEnded, CommitmentSent, Invitations
from lms.api.goal_desk import DESK, Desk
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from lms.dispatch import Outcome
from lms.domain.base import NotFound
from lms.domain.commitment import Commit, Commitment, CommitmentStatus, Decline, InviteToGoal, Release
from lms.domain.goal_parts import Level
from lms.domain.terms import Visibility
from lms.projections.commitments import CommitmentRow, Commitments
from lms.projections.goals import Goals
from lms.projections.people import People

_goals = Goals()
_commitments = Commitments()
_people = People()


class InvitedShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who was invited. What they answer is theirs: nothing here tells one answer from another."""

    id: UUID
    goal_id: UUID
    invited: list[UUID]
    next: tuple[str, ...] = ()


class CommitmentShown(msgspec.Struct, frozen=True, kw_only=True):
    """One of the caller's own commitments or invitations. ``title`` is null when the goal is no longer shown to him."""

    id: UUID
    goal_id: UUID
    level: Level | None
    title: str | None
    status: CommitmentStatus
    until: date | None
    visibility: Visibility
    my_reason: str | None
    invited_by: UUID | None
    invited_at: datetime
    next: tuple[str, ...]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A commitment after the person's answer."""

    id: UUID
    goal_id: UUID
    status: CommitmentStatus
    until: date | None
    next: tuple[str, ...]


async def invite(
    sender: Sender, who: Who, goal_id: UUID, people: Sequence[UUID], until: date | None, name: str = ""
) -> list[Outcome[Commitment]]:
    """Invite each of them. ``name`` is the batch item's."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(contributor_id: UUID) -> Outcome[Commitment]:
        commitment_id = commitment_of(goal_id, contributor_id)
        command = InviteToGoal(
            actor=who.actor,
            today=who.today,
            commitment_id=commitment_id,
            goal_id=goal_id,
            contributor_id=contributor_id,
            until=until,
        )
        async with gate:
            return await sender.send(Commitment, commitment_id, command, f"{name}invite:{contributor_id}")

    return list(await asyncio.gather(*(one(contributor_id) for contributor_id in people)))


def commitment_of(goal_id: UUID, contributor_id: UUID) -> UUID:
    """The id of a person's commitment to a goal: one for ever."""
    return clock.derived_id(goal_id, f"commitment:{contributor_id}")


async def colleagues(connection: Connection, who: Who) -> list[UUID]:
    """Those whose home team the caller belongs to or leads."""
    near: set[UUID] = set()
    for team_id in who.actor.member_of | who.actor.leads:
        members = await _people.members(connection, who.organisation_id, team_id)
        near |= {member.contributor_id for member in members if member.home}
    return sorted(near)


@post("/v1/goals/{goal_id:uuid}/invitations", summary="Invite people to commit", tags=["goals"], dependencies=DESK)
async def invite_to_goal(
    goal_id: FromPath[UUID],
    data: JSONBody[Invitations],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    desk: NamedDependency[Desk],
) -> Answer[InvitedShown]:
    """Invite one, several or the team. Whoever sees a goal may invite; to invite oneself is to commit unasked.

    An invitation to who has declined changes nothing, and nothing in the answer tells so.
    """
    goal = await desk.goal(goal_id)
    sender.require_version(goal.version)
    people = await desk.people(data.invite, goal.owner)
    outcomes = await invite(sender, who, goal_id, people, data.until)
    shown = InvitedShown(id=goal_id, goal_id=goal_id, invited=people)
    position = max((one.position or 0 for one in outcomes), default=0)
    token = await sender.receipt(Outcome(goal, goal.version, position or None))
    return created(shown, Receipt(goal.version, token.token), f"/v1/goals/{goal_id}")


@get("/v1/me/commitments", summary="To what did I commit, and to what am I invited?", tags=["me"])
async def my_commitments(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    status: FromQuery[CommitmentStatus | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[CommitmentShown]]:
    """List the caller's own commitments and invitations, the latest first."""
    after = decode_cursor(cursor, int)
    before = after[0] if after else None
    rows = await _commitments.mine(connection, who.organisation_id, who.contributor_id, limit + 1, before, status)
    kept = rows[:limit]
    items = await commitments_shown(kept, who, reader, connection)
    return found(Page(items, encode_cursor((kept[-1].position,)) if len(rows) > limit else None))


async def commitments_shown(
    rows: Sequence[CommitmentRow], who: Who, reader: Reader, connection: Connection
) -> list[CommitmentShown]:
    """The caller's own commitments with the titles of their goals."""
    goals = await _goals.find(connection, who.organisation_id, who.actor, [row.goal_id for row in rows])
    titles = await reader.open({goal_id: goal.title for goal_id, goal in goals.items()})
    return [
        CommitmentShown(
            id=row.commitment_id,
            goal_id=row.goal_id,
            level=goals[row.goal_id].level if row.goal_id in goals else None,
            title=text(titles.get(row.goal_id)),
            status=row.status,
            until=row.until,
            visibility=row.visibility,
            my_reason=text(row.my_reason),
            invited_by=row.invited_by,
            invited_at=row.invited_at,
            next=_next(row.status),
        )
        for row in await reader.open(list(rows))
    ]


class MyCommitment(Controller):
    """One of the caller's own commitments."""

    path = "/v1/me/commitments/{commitment_id:uuid}"
    tags = ["me"]  # noqa: RUF012 - Litestar's way

    @get(summary="How does this commitment of mine stand?")
    async def show(
        self,
        commitment_id: FromPath[UUID],
        who: NamedDependency[Who],
        reader: NamedDependency[Reader],
        connection: NamedDependency[Connection],
    ) -> Answer[CommitmentShown]:
        """Show one of the caller's own commitments or invitations."""
        row = await _commitments.one_of_mine(connection, who.organisation_id, who.contributor_id, commitment_id)
        if row is None:
            raise NotFound(commitment=commitment_id)
        return found((await commitments_shown([row], who, reader, connection))[0], row.version)

    @post("/acceptance", summary="Commit", status_code=200)
    async def accept(
        self,
        commitment_id: FromPath[UUID],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        data: JSONBody[CommitmentSent | None] = None,
    ) -> Answer[Answered]:
        """Make the goal one's own. Nobody else sees it unless ``visibility`` says so."""
        sent = data or CommitmentSent()
        command = Commit(
            actor=who.actor, today=who.today, until=sent.until, visibility=sent.visibility, my_reason=sent.my_reason
        )
        return await _answer(commitment_id, command, sender)

    @post("/refusal", summary="Decline", status_code=200)
    async def refuse(
        self,
        commitment_id: FromPath[UUID],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        data: JSONBody[CommitmentEnded | None] = None,
    ) -> Answer[Answered]:
        """Say no. To others it looks as if nothing was answered."""
        reason = data.my_reason if data else None
        return await _answer(commitment_id, Decline(actor=who.actor, today=who.today, my_reason=reason), sender)

    @post("/release", summary="Commit no longer", status_code=200)
    async def release(
        self,
        commitment_id: FromPath[UUID],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
        data: JSONBody[CommitmentEnded | None] = None,
    ) -> Answer[Answered]:
        """Take the commitment back."""
        reason = data.my_reason if data else None
        return await _answer(commitment_id, Release(actor=who.actor, today=who.today, my_reason=reason), sender)


async def _answer(commitment_id: UUID, command: Commit | Decline | Release, sender: Sender) -> Answer[Answered]:
    outcome = await sender.send(Commitment, commitment_id, command)
    made = outcome.aggregate
    answered = Answered(id=made.id, goal_id=made.goal_id, status=made.status, until=made.until, next=_next(made.status))
    return changed(answered, await sender.receipt(outcome))


def _next(status: CommitmentStatus) -> tuple[str, ...]:
    return ("answer",) if status is CommitmentStatus.INVITED else ()


ROUTES = [invite_to_goal, my_commitments, MyCommitment]
