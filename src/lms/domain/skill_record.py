"""How well can somebody do something, on which evidence, and who says so?"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from lms.domain import skill_rule
from lms.domain.base import Actor, Aggregate, Forbidden, NotFound, Personal, RuleBroken
from lms.domain.skill_rule import Attestation


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    WORK_SAMPLE = "work-sample"
    OBSERVATION = "observation"
    ASSESSMENT = "assessment"
    CERTIFICATE = "certificate"
    CUSTOMER_FEEDBACK = "customer-feedback"
    PRIOR_LEARNING = "prior-learning"
    XAPI_STATEMENT = "xapi-statement"


class RequestStatus(StrEnum):
    """What became of a request for attestation."""

    OPEN = "open"
    ATTESTED = "attested"
    DECLINED = "declined"


class AttestationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the person asked to look at which evidence."""

    request_id: UUID
    of: UUID
    evidence: tuple[UUID, ...]
    status: RequestStatus = RequestStatus.OPEN


class AttesterIsTheSubject(RuleBroken):
    """Nobody attests his own level."""


class AlreadyRequested(RuleBroken):
    """This person is asked already, and about this evidence."""


class RequestIsAnswered(RuleBroken):
    """The request is answered already."""


class AttestationIsSetAside(RuleBroken):
    """The attestation is disputed or withdrawn already."""


class NotAsked(Forbidden):
    """Only whom the person asked may attest; leading him gives no right to."""


class SkillRecord(Aggregate):
    """One person's record in one competency: evidence, claims, attestations, and the level that the rule gives."""

    TOPIC = "skill"

    @staticmethod
    def id_of(person: UUID, competency_id: UUID) -> UUID:
        """The id of somebody's record in a competency: there is one."""
        return uuid5(person, f"skill:{competency_id}")

    class EvidenceSubmitted(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person put a piece of evidence on record; ``ref`` tells where it is or what it shows."""

        TOPIC = "skill.evidence-submitted"
        DATED_BY = "observed_on"
        person: UUID
        competency_id: UUID
        evidence_id: UUID
        kind: EvidenceKind
        ref: Personal
        observed_on: date

    class LevelClaimed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person says of himself how well he can do it: a level is never reached by that."""

        TOPIC = "skill.level-claimed"
        person: UUID
        competency_id: UUID
        rank: int
        note: Personal | None = None

    class AttestationRequested(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person asked another to look, and opened this evidence to him alone."""

        TOPIC = "skill.attestation-requested"
        person: UUID
        competency_id: UUID
        request_id: UUID
        of: UUID
        evidence: tuple[UUID, ...]

    class LevelAttested(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Who was asked says which level the evidence shows; ``confidence`` lies between 0 and 1."""

        TOPIC = "skill.level-attested"
        person: UUID
        competency_id: UUID
        attestation_id: UUID
        request_id: UUID
        attester: UUID
        rank: int
        basis: tuple[UUID, ...]
        confidence: Decimal | None = None

    class AttestationDeclined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Who was asked does not attest. No reason is asked for."""

        TOPIC = "skill.attestation-declined"
        request_id: UUID

    class AttestationDisputed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person does not agree with an attestation of him: it stays on record, and counts no more."""

        TOPIC = "skill.attestation-disputed"
        attestation_id: UUID
        reason: Personal

    class AttestationWithdrawn(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The attester takes his word back: it stays on record, and counts no more."""

        TOPIC = "skill.attestation-withdrawn"
        attestation_id: UUID
        reason: Personal | None = None

    class Learned(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The published rule is complete: the level counts from now on."""

        TOPIC = "skill.learned"
        person: UUID
        competency_id: UUID
        rank: int
        rule: str
        rule_version: int
        attestations: tuple[UUID, ...]

    class Lapsed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The rule does not give the level any more; ``rank`` is what still counts, if anything."""

        TOPIC = "skill.lapsed"
        person: UUID
        competency_id: UUID
        from_rank: int
        rank: int | None = None
        rule: str
        rule_version: int
        last_evidence: date | None = None

    def _opened(self, person: UUID, competency_id: UUID) -> None:
        """Begin the record with the person's first evidence or claim: whichever comes first."""
        if self.version > 0:
            return
        self.person, self.competency_id = person, competency_id
        self.evidence: dict[UUID, date] = {}
        self.requests: dict[UUID, AttestationRequest] = {}
        self.attestations: dict[UUID, Attestation] = {}
        self.level: int | None = None

    def evidence_open_to(self, contributor_id: UUID) -> set[UUID]:
        """The evidence that the person opened to somebody, unless he declined to look at it."""
        return {one for request in self._asked(contributor_id) for one in request.evidence}

    def is_shown_to(self, actor: Actor) -> bool:
        """Tell whether the actor may know of this record: the person himself, and whom he asked."""
        asked = any(actor.is_contributor(request.of) for request in self.requests.values())
        return asked or actor.is_contributor(self.person)

    def request(self, request_id: UUID, of: UUID, evidence: tuple[UUID, ...]) -> None:
        """Ask one person, and open the evidence to him."""
        if of == self.person:
            raise AttesterIsTheSubject(contributor_id=of)
        open_now = [one for one in self.requests.values() if one.of == of and one.status is RequestStatus.OPEN]
        if any(set(evidence) <= set(one.evidence) for one in open_now):
            raise AlreadyRequested(contributor_id=of)
        self.record(
            SkillRecord.AttestationRequested(
                person=self.person, competency_id=self.competency_id, request_id=request_id, of=of, evidence=evidence
            )
        )

    def request_to(self, actor: Actor) -> AttestationRequest:
        """The request under which the actor attests: an open one, else his last. Who attested may look again."""
        if actor.is_contributor(self.person):
            raise AttesterIsTheSubject(contributor_id=self.person)
        mine = self._asked(actor.contributor_id)
        if not mine:
            raise NotAsked
        return next((one for one in mine if one.status is RequestStatus.OPEN), mine[-1])

    def _asked(self, contributor_id: UUID | None) -> list[AttestationRequest]:
        """What somebody is asked, without what he declined."""
        asked = [one for one in self.requests.values() if one.of == contributor_id]
        return [one for one in asked if one.status is not RequestStatus.DECLINED]

    def attest(self, attested: "SkillRecord.LevelAttested") -> None:
        """Put an attestation on record; earlier ones stay (invariant 8)."""
        self.record(attested)
        self._judge()

    def decline(self, request_id: UUID, actor: Actor) -> None:
        """Leave a request unattested."""
        request = self.requests.get(request_id)
        if request is None or not actor.is_contributor(request.of):
            raise NotFound(attestation_request=request_id)
        if request.status is not RequestStatus.OPEN:
            raise RequestIsAnswered(request_id=request_id)
        self.record(SkillRecord.AttestationDeclined(request_id=request_id))

    def dispute(self, attestation_id: UUID, reason: str) -> None:
        """The person sets an attestation aside."""
        attestation = self.attestations.get(attestation_id)
        if attestation is None:
            raise NotFound(attestation=attestation_id)
        self._refuse_set_aside(attestation)
        self.record(SkillRecord.AttestationDisputed(attestation_id=attestation_id, reason=reason))
        self._judge()

    def withdraw(self, attestation_id: UUID, actor: Actor, reason: str | None) -> None:
        """The attester sets his own attestation aside."""
        attestation = self.attestations.get(attestation_id)
        if attestation is None or not actor.is_contributor(attestation.attester):
            raise NotFound(attestation=attestation_id)
        self._refuse_set_aside(attestation)
        self.record(SkillRecord.AttestationWithdrawn(attestation_id=attestation_id, reason=reason))
        self._judge()

    def _refuse_set_aside(self, attestation: Attestation) -> None:
        if not attestation.standing:
            raise AttestationIsSetAside(attestation_id=attestation.attestation_id)

    def _judge(self) -> None:
        """Ask the published rule, and record what it changes, in the command that completed or broke it."""
        rule = skill_rule.CURRENT
        verdict = skill_rule.reached(rule, self.person, self.attestations.values())
        before, now = self.level or 0, verdict.rank if verdict else 0
        if verdict is not None and now > before:
            self.record(
                SkillRecord.Learned(
                    person=self.person,
                    competency_id=self.competency_id,
                    rank=now,
                    rule=rule.name,
                    rule_version=rule.version,
                    attestations=verdict.attestations,
                )
            )
        elif now < before:
            self.record(
                SkillRecord.Lapsed(
                    person=self.person,
                    competency_id=self.competency_id,
                    from_rank=before,
                    rank=verdict.rank if verdict else None,
                    rule=rule.name,
                    rule_version=rule.version,
                    last_evidence=max(self.evidence.values(), default=None),
                )
            )

    @event(EvidenceSubmitted)
    def _evidence_submitted(self, person: UUID, competency_id: UUID, evidence_id: UUID, observed_on: date) -> None:
        self._opened(person, competency_id)
        self.evidence = {**self.evidence, evidence_id: observed_on}

    @event(LevelClaimed)
    def _level_claimed(self, person: UUID, competency_id: UUID) -> None:
        self._opened(person, competency_id)

    @event(AttestationRequested)
    def _attestation_requested(self, request_id: UUID, of: UUID, evidence: tuple[UUID, ...]) -> None:
        request = AttestationRequest(request_id=request_id, of=of, evidence=evidence)
        self.requests = {**self.requests, request_id: request}

    @event(LevelAttested)
    def _level_attested(
        self,
        attestation_id: UUID,
        request_id: UUID,
        attester: UUID,
        rank: int,
        basis: tuple[UUID, ...],
        confidence: Decimal | None,
    ) -> None:
        attestation = Attestation(
            attestation_id=attestation_id,
            request_id=request_id,
            attester=attester,
            rank=rank,
            basis=basis,
            confidence=confidence,
        )
        self.attestations = {**self.attestations, attestation_id: attestation}
        self._answer(request_id, RequestStatus.ATTESTED)

    @event(AttestationDeclined)
    def _attestation_declined(self, request_id: UUID) -> None:
        self._answer(request_id, RequestStatus.DECLINED)

    @event(AttestationDisputed)
    def _attestation_disputed(self, attestation_id: UUID) -> None:
        self._set_aside(attestation_id)

    @event(AttestationWithdrawn)
    def _attestation_withdrawn(self, attestation_id: UUID) -> None:
        self._set_aside(attestation_id)

    @event(Learned)
    def _learned(self, rank: int) -> None:
        self.level = rank

    @event(Lapsed)
    def _lapsed(self, rank: int | None) -> None:
        self.level = rank

    def _answer(self, request_id: UUID, status: RequestStatus) -> None:
        answered = msgspec.structs.replace(self.requests[request_id], status=status)
        self.requests = {**self.requests, request_id: answered}

    def _set_aside(self, attestation_id: UUID) -> None:
        set_aside = msgspec.structs.replace(self.attestations[attestation_id], standing=False)
        self.attestations = {**self.attestations, attestation_id: set_aside}
