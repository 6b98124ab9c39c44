"""How well can I do what, and who asked me to attest it of him?"""

from collections.abc import Callable, Collection
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.skill_record import EvidenceKind, RequestStatus, SkillRecord
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """The level that counts, by which rule, since when and on which attestations."""

    rank: int
    rule: str
    rule_version: int
    since: date
    attestations: tuple[UUID, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence; its reference stays sealed under the person's key."""

    evidence_id: UUID
    kind: EvidenceKind
    ref: Personal
    observed_on: date


class Attested(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person attested; disputed or withdrawn it stays, and says so."""

    attestation_id: UUID
    attester: UUID
    rank: int
    basis: tuple[UUID, ...]
    confidence: Decimal | None = None
    attested_at: datetime
    disputed_for: Personal | None = None
    withdrawn: bool = False

    @property
    def stands(self) -> bool:
        """Tell whether it is neither disputed nor withdrawn."""
        return self.disputed_for is None and not self.withdrawn


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """How far apart the raters are: the latest standing attestation of each."""

    low: int
    high: int
    n: int


class SkillRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person's record in one competency."""

    skill_id: UUID
    organisation_id: UUID
    person: UUID
    competency_id: UUID
    level: Level | None
    claimed: int | None
    evidence: tuple[Evidence, ...]
    attestations: tuple[Attested, ...]
    version: int

    @property
    def raters(self) -> Range | None:
        """The range of the raters, None without one (invariant 8: it stands beside the rule's choice)."""
        latest = {one.attester: one.rank for one in self.attestations if one.stands}
        return Range(low=min(latest.values()), high=max(latest.values()), n=len(latest)) if latest else None

    def evidence_with(self, ids: Collection[UUID]) -> tuple[Evidence, ...]:
        """These pieces of evidence."""
        return tuple(one for one in self.evidence if one.evidence_id in ids)


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person asked another, and opened this evidence to him."""

    request_id: UUID
    organisation_id: UUID
    skill_id: UUID
    person: UUID
    competency_id: UUID
    asked: UUID
    evidence: tuple[UUID, ...]
    status: RequestStatus
    requested_at: datetime


SKILLS = Table("skills_v1", SkillRow, key="skill_id")
REQUESTS = Table("attestation_requests_v1", RequestRow, key="request_id")

Change = Callable[[SkillRow | None], SkillRow | None]


class MySkills(Projection):
    """Skill records and requests for attestation. Every question names who asks."""

    NAME = "my_skills"
    VERSION = 1
    TABLES = (SKILLS, REQUESTS)

    @on(SkillRecord.EvidenceSubmitted)
    def _submitted(self, envelope: Envelope, event: SkillRecord.EvidenceSubmitted) -> Touches:
        evidence = Evidence(
            evidence_id=event.evidence_id, kind=event.kind, ref=event.ref, observed_on=event.observed_on
        )

        def submit(row: SkillRow | None) -> SkillRow:
            row = row or _begun(envelope, event)
            return msgspec.structs.replace(row, evidence=(*row.evidence, evidence), version=envelope.version)

        yield SKILLS.touch(envelope.stream_id, submit)

    @on(SkillRecord.LevelClaimed)
    def _claimed(self, envelope: Envelope, event: SkillRecord.LevelClaimed) -> Touches:
        def claim(row: SkillRow | None) -> SkillRow:
            return msgspec.structs.replace(row or _begun(envelope, event), claimed=event.rank, version=envelope.version)

        yield SKILLS.touch(envelope.stream_id, claim)

    @on(SkillRecord.AttestationRequested)
    def _requested(self, envelope: Envelope, event: SkillRecord.AttestationRequested) -> Touches:
        yield SKILLS.change(envelope.stream_id, version=envelope.version)
        yield REQUESTS.put(
            RequestRow(
                request_id=event.request_id,
                organisation_id=envelope.organisation_id,
                skill_id=envelope.stream_id,
                person=event.person,
                competency_id=event.competency_id,
                asked=event.of,
                evidence=event.evidence,
                status=RequestStatus.OPEN,
                requested_at=envelope.recorded_at,
            )
        )

    @on(SkillRecord.LevelAttested)
    def _attested(self, envelope: Envelope, event: SkillRecord.LevelAttested) -> Touches:
        attested = Attested(
            attestation_id=event.attestation_id,
            attester=event.attester,
            rank=event.rank,
            basis=event.basis,
            confidence=event.confidence,
            attested_at=envelope.effective_at,
        )

        def attest(row: SkillRow | None) -> SkillRow | None:
            return row and msgspec.structs.replace(
                row, attestations=(*row.attestations, attested), version=envelope.version
            )

        yield SKILLS.touch(envelope.stream_id, attest)
        yield REQUESTS.change(event.request_id, status=RequestStatus.ATTESTED)

    @on(SkillRecord.AttestationDeclined)
    def _declined(self, envelope: Envelope, event: SkillRecord.AttestationDeclined) -> Touches:
        yield SKILLS.change(envelope.stream_id, version=envelope.version)
        yield REQUESTS.change(event.request_id, status=RequestStatus.DECLINED)

    @on(SkillRecord.AttestationDisputed)
    def _disputed(self, envelope: Envelope, event: SkillRecord.AttestationDisputed) -> Touches:
        yield SKILLS.touch(envelope.stream_id, _set_aside(envelope, event.attestation_id, disputed_for=event.reason))

    @on(SkillRecord.AttestationWithdrawn)
    def _withdrawn(self, envelope: Envelope, event: SkillRecord.AttestationWithdrawn) -> Touches:
        yield SKILLS.touch(envelope.stream_id, _set_aside(envelope, event.attestation_id, withdrawn=True))

    @on(SkillRecord.Learned)
    def _learned(self, envelope: Envelope, event: SkillRecord.Learned) -> Touches:
        level = Level(
            rank=event.rank,
            rule=event.rule,
            rule_version=event.rule_version,
            since=envelope.effective_at.date(),
            attestations=event.attestations,
        )
        yield SKILLS.change(envelope.stream_id, level=level, version=envelope.version)

    @on(SkillRecord.Lapsed)
    def _lapsed(self, envelope: Envelope, event: SkillRecord.Lapsed) -> Touches:
        level = None
        if event.rank is not None:
            since = envelope.effective_at.date()
            level = Level(rank=event.rank, rule=event.rule, rule_version=event.rule_version, since=since)
        yield SKILLS.change(envelope.stream_id, level=level, version=envelope.version)

    async def skill(
        self, connection: Connection, organisation_id: UUID, person: UUID, competency_id: UUID
    ) -> SkillRow | None:
        """The person's own record in one competency."""
        found = await SKILLS.select(
            connection,
            "WHERE organisation_id = $1 AND person = $2 AND competency_id = $3",
            organisation_id,
            person,
            competency_id,
        )
        return found[0] if found else None

    async def skills(
        self, connection: Connection, organisation_id: UUID, person: UUID, limit: int, after: UUID | None = None
    ) -> list[SkillRow]:
        """The person's own records, by competency."""
        return await SKILLS.select(
            connection,
            """WHERE organisation_id = $1 AND person = $2 AND ($4::uuid IS NULL OR competency_id > $4)
               ORDER BY competency_id LIMIT $3""",
            organisation_id,
            person,
            limit,
            after,
        )

    async def competencies(self, connection: Connection, organisation_id: UUID, person: UUID) -> set[UUID]:
        """The competencies in which the person has a record."""
        rows = await connection.fetch(
            "SELECT competency_id FROM skills_v1 WHERE organisation_id = $1 AND person = $2", organisation_id, person
        )
        return {row["competency_id"] for row in rows}

    async def requests_by(
        self, connection: Connection, organisation_id: UUID, skill_ids: Collection[UUID]
    ) -> list[RequestRow]:
        """Whom the person of these records asked, in the order he did."""
        return await REQUESTS.select(
            connection,
            "WHERE organisation_id = $1 AND skill_id = ANY($2::uuid[]) ORDER BY requested_at, request_id",
            organisation_id,
            list(skill_ids),
        )

    async def request(
        self, connection: Connection, organisation_id: UUID, asked: UUID, request_id: UUID
    ) -> RequestRow | None:
        """One request to the person who asks."""
        row = await REQUESTS.get(connection, organisation_id, request_id)
        return row if row is not None and row.asked == asked else None

    async def requests_to(
        self,
        connection: Connection,
        organisation_id: UUID,
        asked: UUID,
        limit: int,
        after: tuple[datetime, UUID] | None = None,
        status: RequestStatus | None = None,
    ) -> list[RequestRow]:
        """Requests to the person who asks, the latest first; ``after`` is the time and id of the last one seen."""
        return await REQUESTS.select(
            connection,
            """WHERE organisation_id = $1 AND asked = $2
                   AND ($4::timestamptz IS NULL OR (requested_at, request_id) < ($4, $5::uuid))
                   AND ($6::text IS NULL OR status = $6)
               ORDER BY requested_at DESC, request_id DESC LIMIT $3""",
            organisation_id,
            asked,
            limit,
            *(after or (None, None)),
            None if status is None else str(status),
        )

    async def unanswered(
        self,
        connection: Connection,
        organisation_id: UUID,
        asked: UUID,
        time_zone: str,
        limit: int,
        after: tuple[date, UUID] | None = None,
    ) -> list[RequestRow]:
        """Open requests to the person who asks, the oldest first by day and id, beyond ``after``."""
        return await REQUESTS.select(
            connection,
            """WHERE organisation_id = $1 AND asked = $2 AND status = 'open'
                   AND ($5::date IS NULL OR ((requested_at AT TIME ZONE $3)::date, request_id) > ($5, $6::uuid))
               ORDER BY (requested_at AT TIME ZONE $3)::date, request_id LIMIT $4""",
            organisation_id,
            asked,
            time_zone,
            limit,
            *(after or (None, None)),
        )

    async def opened(
        self, connection: Connection, organisation_id: UUID, requests: Collection[RequestRow]
    ) -> dict[UUID, tuple[Evidence, ...]]:
        """The evidence that each request opened, by the request's id."""
        rows = await SKILLS.load(connection, list({one.skill_id for one in requests}))
        return {
            one.request_id: row.evidence_with(one.evidence)
            for one in requests
            if (row := rows.get(one.skill_id)) is not None and row.organisation_id == organisation_id
        }


def _begun(envelope: Envelope, event: SkillRecord.EvidenceSubmitted | SkillRecord.LevelClaimed) -> SkillRow:
    return SkillRow(
        skill_id=envelope.stream_id,
        organisation_id=envelope.organisation_id,
        person=event.person,
        competency_id=event.competency_id,
        level=None,
        claimed=None,
        evidence=(),
        attestations=(),
        version=envelope.version,
    )


def _set_aside(envelope: Envelope, attestation_id: UUID, **changes: object) -> Change:
    def set_aside(row: SkillRow | None) -> SkillRow | None:
        if row is None:
            return None
        attestations = tuple(
            msgspec.structs.replace(one, **changes) if one.attestation_id == attestation_id else one
            for one in row.attestations
        )
        return msgspec.structs.replace(row, attestations=attestations, version=envelope.version)

    return set_aside
