"""Who asked me to attest what he can do, and what do I answer?"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request as HttpRequest
from litestar import delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api import access_log
from lms.api.access_log import What
from lms.api.answers import Answer, created, done, found, text
from lms.api.bodies import Body
from lms.api.deps import WAIT_S, Connection, Reader, Sender, Who, services_of
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.skills import EvidenceShown, evidence_shown
from lms.domain.base import NotFound
from lms.domain.proficiency_scale import ProficiencyScale
from lms.domain.skill_commands import AttestLevel, DeclineAttestation, DisputeAttestation, WithdrawAttestation
from lms.domain.skill_record import RequestStatus, SkillRecord
from lms.projections.competencies import Competencies, label_in
from lms.projections.my_skills import MySkills, RequestRow
from lms.projections.people import People

_skills = MySkills()
_competencies = Competencies()
_people = People()


class NewAttestation(Body, frozen=True, kw_only=True):
    """Which level the evidence shows that was opened to me; ``confidence`` from 0 to 1."""

    rank: Annotated[int, msgspec.Meta(description="A step of the scale", examples=[3])]
    basis: tuple[UUID, ...]
    confidence: Annotated[Decimal | None, msgspec.Meta(examples=[0.8])] = None


class NewDispute(Body, frozen=True, kw_only=True):
    """Which attestation of me I do not agree with, and why."""

    attestation_id: UUID
    reason: Annotated[str, msgspec.Meta(examples=["The call was somebody else's"])]


class RequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request to me. Its evidence is opened to me alone, unless I declined."""

    id: UUID
    skill_id: UUID
    person_id: UUID
    person_name: str | None
    competency_id: UUID
    competency_label: str
    evidence: list[EvidenceShown]
    status: RequestStatus
    requested_at: datetime
    next: tuple[str, ...]


class Attesting(msgspec.Struct, frozen=True, kw_only=True):
    """What I attested; the level that follows is shown to the person himself."""

    id: UUID
    skill_id: UUID
    rank: int
    basis: tuple[UUID, ...]
    confidence: Decimal | None
    next: tuple[str, ...] = ()


class Disputed(msgspec.Struct, frozen=True, kw_only=True):
    """The attestation I disputed, and the level that counts without it."""

    id: UUID
    skill_id: UUID
    reason: str
    level: int | None
    next: tuple[str, ...] = ()


@get("/v1/attestation-requests", summary="Who asked me to attest?", tags=["skills"])
async def attestation_requests(
    request: HttpRequest[Any, Any, State],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    status: FromQuery[RequestStatus | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[RequestShown]]:
    """List requests to me, the latest first, with the evidence opened to me; who asked sees that I looked."""
    after = decode_cursor(cursor, datetime, UUID)
    rows = await _skills.requests_to(connection, who.organisation_id, who.contributor_id, limit + 1, after, status)
    shown = page(rows, limit, lambda row: (row.requested_at, row.request_id))
    await _note(request, who, shown.items)
    return found(Page(await _whole(connection, reader, who, shown.items), shown.next))


@get("/v1/attestation-requests/{request_id:uuid}", summary="What am I asked?", tags=["skills"])
async def attestation_request(
    request: HttpRequest[Any, Any, State],
    request_id: FromPath[UUID],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
) -> Answer[RequestShown]:
    """Show one request to me; who asked sees that I looked."""
    row = await _skills.request(connection, who.organisation_id, who.contributor_id, request_id)
    if row is None:
        raise NotFound(attestation_request=request_id)
    await _note(request, who, [row])
    return found((await _whole(connection, reader, who, [row]))[0])


@post(
    "/v1/attestation-requests/{request_id:uuid}/refusal",
    summary="Leave it to others",
    tags=["skills"],
    status_code=204,
)
async def decline_attestation(
    request: HttpRequest[Any, Any, State],
    request_id: FromPath[UUID],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    connection: NamedDependency[Connection],
) -> Answer[None]:
    """Decline a request; no reason is asked for, and the evidence is closed to me again."""
    row = await _asked(request, connection, who, request_id)
    command = DeclineAttestation(actor=who.actor, today=who.today, request_id=request_id)
    return done(await sender.receipt(await sender.send(SkillRecord, row.skill_id, command)))


@post("/v1/skills/{skill_id:uuid}/attestations", summary="Attest what somebody can do", tags=["skills"])
async def attest(
    skill_id: FromPath[UUID],
    data: JSONBody[NewAttestation],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[Attesting]:
    """Attest a level of who asked me, on evidence he opened to me. Leading him gives no right to."""
    attestation_id = sender.new_id("attestation:1")
    command = AttestLevel(
        actor=who.actor,
        today=who.today,
        attestation_id=attestation_id,
        rank=data.rank,
        basis=data.basis,
        confidence=data.confidence,
        default_scale_id=ProficiencyScale.default_id(who.organisation_id),
    )
    outcome = await sender.send(SkillRecord, skill_id, command)
    attested = Attesting(
        id=attestation_id, skill_id=skill_id, rank=data.rank, basis=data.basis, confidence=data.confidence
    )
    request_id = outcome.aggregate.attestations[attestation_id].request_id
    return created(attested, await sender.receipt(outcome), f"/v1/attestation-requests/{request_id}")


@delete(
    "/v1/skills/{skill_id:uuid}/attestations/{attestation_id:uuid}",
    summary="Take my word back",
    tags=["skills"],
    status_code=204,
)
async def withdraw_attestation(
    skill_id: FromPath[UUID],
    attestation_id: FromPath[UUID],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
    reason: FromQuery[str | None] = None,
) -> Answer[None]:
    """Withdraw an attestation of mine; it stays on record, and counts no more."""
    command = WithdrawAttestation(actor=who.actor, today=who.today, attestation_id=attestation_id, reason=reason)
    return done(await sender.receipt(await sender.send(SkillRecord, skill_id, command)))


@post("/v1/skills/{skill_id:uuid}/disputes", summary="Dispute an attestation of me", tags=["skills"])
async def dispute(
    skill_id: FromPath[UUID],
    data: JSONBody[NewDispute],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[Disputed]:
    """Say that I do not agree with an attestation of me; it stays on record, and counts no more."""
    command = DisputeAttestation(
        actor=who.actor, today=who.today, attestation_id=data.attestation_id, reason=data.reason
    )
    outcome = await sender.send(SkillRecord, skill_id, command)
    record = outcome.aggregate
    disputed = Disputed(id=data.attestation_id, skill_id=skill_id, reason=data.reason, level=record.level)
    return created(disputed, await sender.receipt(outcome), f"/v1/me/skills/{record.competency_id}")


async def _asked(
    request: HttpRequest[Any, Any, State], connection: Connection, who: Who, request_id: UUID
) -> RequestRow:
    """The request to me; one that the read models do not know yet is waited for."""
    services = services_of(request)
    row = await _skills.request(connection, who.organisation_id, who.contributor_id, request_id)
    if row is None and await services.wait_for_position(await services.log.head(), WAIT_S):
        row = await _skills.request(connection, who.organisation_id, who.contributor_id, request_id)
    if row is None:
        raise NotFound(attestation_request=request_id)
    return row


async def _note(request: HttpRequest[Any, Any, State], who: Who, rows: list[RequestRow]) -> None:
    """Write down for each person that I looked at his evidence."""
    pool = services_of(request).reads
    for person in {row.person for row in rows if row.status is not RequestStatus.DECLINED}:
        await access_log.note(pool, who.organisation_id, person, who.contributor_id, What.EVIDENCE)


async def _whole(connection: Connection, reader: Reader, who: Who, rows: list[RequestRow]) -> list[RequestShown]:
    """Requests to me with names and opened evidence."""
    looked_at = [row for row in rows if row.status is not RequestStatus.DECLINED]
    evidence = await reader.open(await _skills.opened(connection, who.organisation_id, looked_at))
    names = await reader.open(await _people.names(connection, who.organisation_id, {row.person for row in rows}))
    competencies = await _competencies.competencies(
        connection, who.organisation_id, {row.competency_id for row in rows}
    )
    return [
        RequestShown(
            id=row.request_id,
            skill_id=row.skill_id,
            person_id=row.person,
            person_name=text(names.get(row.person)),
            competency_id=row.competency_id,
            competency_label=label_in(competencies[row.competency_id].labels, who.language),
            evidence=evidence_shown(evidence.get(row.request_id, ())),
            status=row.status,
            requested_at=row.requested_at,
            next=("attestation",) if row.status is RequestStatus.OPEN else (),
        )
        for row in rows
    ]


ROUTES = [
    attestation_requests,
    attestation_request,
    decline_attestation,
    attest,
    withdraw_attestation,
    dispute,
]
