"""How well can I do what, who says so, and by which rule does it count?"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lms.api.answers import Answer, created, found, text
from lms.api.bodies import Body
from lms.api.deps import Connection, Reader, Sender, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain import skill_rule
from lms.domain.base import NotFound
from lms.domain.proficiency_scale import ProficiencyScale
from lms.domain.skill_commands import ClaimLevel, RequestAttestation, SubmitEvidence
from lms.domain.skill_record import EvidenceKind, RequestStatus, SkillRecord
from lms.projections.competencies import Competencies, label_in
from lms.projections.my_skills import Attested, Evidence, Level, MySkills, Range, RequestRow, SkillRow
from lms.projections.people import People

_skills = MySkills()
_competencies = Competencies()
_people = People()


class NewEvidence(Body, frozen=True, kw_only=True):
    """A piece of evidence: where it is, or what it shows. Nobody sees it but me and whom I ask."""

    ref: Annotated[str, msgspec.Meta(examples=["Recording of the call of 2 March, minute 4"])]
    kind: EvidenceKind = EvidenceKind.OBSERVATION
    observed_on: date | None = None


class NewClaim(Body, frozen=True, kw_only=True):
    """How well I say I can do it; a claim alone never counts."""

    rank: Annotated[int, msgspec.Meta(description="A step of the scale", examples=[3])]
    note: str | None = None


class NewRequest(Body, frozen=True, kw_only=True):
    """Whom I ask to look at which evidence of mine."""

    of: tuple[UUID, ...]
    evidence: tuple[UUID, ...]


class EvidenceShown(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence."""

    id: UUID
    kind: EvidenceKind
    ref: str | None
    observed_on: date


class EvidenceSubmitted(EvidenceShown, frozen=True, kw_only=True):
    """A new piece of evidence, in the record it belongs to."""

    skill_id: UUID
    competency_id: UUID
    next: tuple[str, ...]


class AttestationShown(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody attested; ``stands`` is false once it is disputed or withdrawn."""

    id: UUID
    attester_id: UUID
    attester_name: str | None
    rank: int
    basis: tuple[UUID, ...]
    confidence: Decimal | None
    attested_at: datetime
    stands: bool
    disputed_for: str | None
    withdrawn: bool


class RequestMade(msgspec.Struct, frozen=True, kw_only=True):
    """Whom I asked, and what became of it."""

    id: UUID
    of: UUID
    evidence: tuple[UUID, ...]
    status: RequestStatus


class SkillShown(msgspec.Struct, frozen=True, kw_only=True):
    """My record in one competency: the rule's ``level``, the ``raters``' range beside it. ``next``: what is missing."""

    id: UUID
    competency_id: UUID
    label: str
    level: Level | None
    raters: Range | None
    claimed: int | None
    evidence: list[EvidenceShown]
    attestations: list[AttestationShown]
    requests: list[RequestMade]
    next: tuple[str, ...]


class ClaimMade(msgspec.Struct, frozen=True, kw_only=True):
    """What I claimed, and the level that counts."""

    id: UUID
    competency_id: UUID
    claimed: int
    level: int | None
    next: tuple[str, ...]


class RequestsMade(msgspec.Struct, frozen=True, kw_only=True):
    """Whom I asked; each request has its own id."""

    id: UUID
    competency_id: UUID
    requests: list[RequestMade]
    next: tuple[str, ...] = ("attestation",)


class RuleShown(msgspec.Struct, frozen=True, kw_only=True):
    """A published rule by which levels are reached; ``in_use``: by this one they are reached now."""

    id: str
    name: str
    version: int
    statement: str
    attesters_n: int
    evidence_n: int
    in_use: bool


@get("/v1/me/skills", summary="How well can I do what?", tags=["skills"])
async def my_skills(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[SkillShown]]:
    """List my records: the level by the published rule, and the range of the raters beside it."""
    after = decode_cursor(cursor, UUID)
    rows = await _skills.skills(
        connection, who.organisation_id, who.contributor_id, limit + 1, after[0] if after else None
    )
    shown = page(rows, limit, lambda row: (row.competency_id,))
    return found(Page(await _whole(connection, reader, who, shown.items), shown.next))


@get("/v1/me/skills/{competency_id:uuid}", summary="How well can I do this?", tags=["skills"])
async def my_skill(
    competency_id: FromPath[UUID],
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
) -> Answer[SkillShown]:
    """Show my record in one competency."""
    row = await _skills.skill(connection, who.organisation_id, who.contributor_id, competency_id)
    if row is None:
        raise NotFound(skill=competency_id)
    return found((await _whole(connection, reader, who, [row]))[0], row.version)


@post("/v1/me/skills/{competency_id:uuid}/evidence", summary="Show what I can do", tags=["skills"])
async def submit_evidence(
    competency_id: FromPath[UUID],
    data: JSONBody[NewEvidence],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[EvidenceSubmitted]:
    """Put a piece of evidence on my record; it is opened to nobody until I ask somebody to look at it."""
    skill_id = SkillRecord.id_of(who.contributor_id, competency_id)
    observed_on = data.observed_on or who.today
    command = SubmitEvidence(
        actor=who.actor,
        today=who.today,
        skill_id=skill_id,
        competency_id=competency_id,
        evidence_id=sender.new_id("evidence:1"),
        kind=data.kind,
        ref=data.ref,
        observed_on=observed_on,
    )
    outcome = await sender.send(SkillRecord, skill_id, command)
    submitted = EvidenceSubmitted(
        id=command.evidence_id,
        kind=data.kind,
        ref=data.ref,
        observed_on=observed_on,
        skill_id=skill_id,
        competency_id=competency_id,
        next=() if outcome.aggregate.level else ("request",),
    )
    return created(submitted, await sender.receipt(outcome), f"/v1/me/skills/{competency_id}")


@post("/v1/me/skills/{competency_id:uuid}/claims", summary="Say how well I can do it", tags=["skills"])
async def claim_level(
    competency_id: FromPath[UUID],
    data: JSONBody[NewClaim],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[ClaimMade]:
    """Claim a level of myself; it stands beside the level that counts, and never is one."""
    skill_id = SkillRecord.id_of(who.contributor_id, competency_id)
    command = ClaimLevel(
        actor=who.actor,
        today=who.today,
        skill_id=skill_id,
        competency_id=competency_id,
        rank=data.rank,
        note=data.note,
        default_scale_id=ProficiencyScale.default_id(who.organisation_id),
    )
    outcome = await sender.send(SkillRecord, skill_id, command)
    record = outcome.aggregate
    claim = ClaimMade(
        id=skill_id,
        competency_id=competency_id,
        claimed=data.rank,
        level=record.level,
        next=_missing(record.level, record.evidence, record.requests),
    )
    return created(claim, await sender.receipt(outcome), f"/v1/me/skills/{competency_id}")


@post("/v1/me/skills/{competency_id:uuid}/requests", summary="Ask others to attest it", tags=["skills"])
async def request_attestation(
    competency_id: FromPath[UUID],
    data: JSONBody[NewRequest],
    who: NamedDependency[Who],
    sender: NamedDependency[Sender],
) -> Answer[RequestsMade]:
    """Ask people I pick to look at evidence of mine; it is opened to them alone."""
    skill_id = SkillRecord.id_of(who.contributor_id, competency_id)
    asked = tuple((sender.new_id(f"request:{number}"), one) for number, one in enumerate(data.of, 1))
    command = RequestAttestation(
        actor=who.actor,
        today=who.today,
        skill_id=skill_id,
        competency_id=competency_id,
        of=asked,
        evidence=data.evidence,
    )
    outcome = await sender.send(SkillRecord, skill_id, command)
    requests = [
        RequestMade(id=request_id, of=one, evidence=data.evidence, status=RequestStatus.OPEN)
        for request_id, one in asked
    ]
    made = RequestsMade(id=skill_id, competency_id=competency_id, requests=requests)
    return created(made, await sender.receipt(outcome), f"/v1/me/skills/{competency_id}")


@get("/v1/skill-rules", summary="By which rule does a level count?", tags=["skills"])
async def skill_rules(
    who: NamedDependency[Who],  # noqa: ARG001 - whoever is signed in may read the rules
) -> Answer[Page[RuleShown]]:
    """List the published rules, the one in use last."""
    return found(Page([_rule(rule) for rule in skill_rule.RULES], None))


@get("/v1/skill-rules/{rule_id:str}", summary="What does this rule say?", tags=["skills"])
async def one_skill_rule(
    rule_id: FromPath[str],
    who: NamedDependency[Who],  # noqa: ARG001 - whoever is signed in may read the rules
) -> Answer[RuleShown]:
    """Show one published rule."""
    for rule in map(_rule, skill_rule.RULES):
        if rule.id == rule_id:
            return found(rule)
    raise NotFound(skill_rule=rule_id)


def evidence_shown(evidence: Iterable[Evidence]) -> list[EvidenceShown]:
    """Opened evidence as it is shown to whom it is open."""
    return [
        EvidenceShown(id=one.evidence_id, kind=one.kind, ref=text(one.ref), observed_on=one.observed_on)
        for one in evidence
    ]


async def _whole(connection: Connection, reader: Reader, who: Who, rows: list[SkillRow]) -> list[SkillShown]:
    """My records with the names of those whom I asked and of the competencies."""
    requests = await _skills.requests_by(connection, who.organisation_id, [row.skill_id for row in rows])
    competencies = await _competencies.competencies(
        connection, who.organisation_id, [row.competency_id for row in rows]
    )
    attesters = {one.attester for row in rows for one in row.attestations}
    names = await reader.open(await _people.names(connection, who.organisation_id, attesters))
    shown = []
    for row in await reader.open(rows):
        mine = [one for one in requests if one.skill_id == row.skill_id]
        shown.append(
            SkillShown(
                id=row.skill_id,
                competency_id=row.competency_id,
                label=label_in(competencies[row.competency_id].labels, who.language),
                level=row.level,
                raters=row.raters,
                claimed=row.claimed,
                evidence=evidence_shown(row.evidence),
                attestations=[_attestation(one, text(names.get(one.attester))) for one in row.attestations],
                requests=[_request(one) for one in mine],
                next=_missing(row.level, row.evidence, mine),
            )
        )
    return shown


def _attestation(one: Attested, attester_name: str | None) -> AttestationShown:
    return AttestationShown(
        id=one.attestation_id,
        attester_id=one.attester,
        attester_name=attester_name,
        rank=one.rank,
        basis=one.basis,
        confidence=one.confidence,
        attested_at=one.attested_at,
        stands=one.stands,
        disputed_for=text(one.disputed_for),
        withdrawn=one.withdrawn,
    )


def _request(row: RequestRow) -> RequestMade:
    return RequestMade(id=row.request_id, of=row.asked, evidence=row.evidence, status=row.status)


def _missing(level: object, evidence: Collection[object], requests: Collection[object]) -> tuple[str, ...]:
    """The first step that is missing until a level counts."""
    if level is not None:
        return ()
    if not evidence:
        return ("evidence",)
    return ("attestation",) if requests else ("request",)


def _rule(rule: skill_rule.Rule) -> RuleShown:
    return RuleShown(
        id=f"{rule.name}-{rule.version}",
        name=rule.name,
        version=rule.version,
        statement=rule.statement,
        attesters_n=rule.attesters_n,
        evidence_n=rule.evidence_n,
        in_use=rule is skill_rule.CURRENT,
    )


ROUTES = [
    my_skills,
    my_skill,
    submit_evidence,
    claim_level,
    request_attestation,
    skill_rules,
    one_skill_rule,
]
