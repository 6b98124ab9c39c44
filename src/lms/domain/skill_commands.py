"""What can be asked of a skill record, and of whom?"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from lms.domain.base import Command, Malformed, NotFound, Others
from lms.domain.competency import Competency, CompetencyIsRetired
from lms.domain.contributor import Contributor
from lms.domain.proficiency_scale import FOUR_STEPS, ProficiencyScale
from lms.domain.skill_record import EvidenceKind, NotAsked, SkillRecord
from lms.domain.terms import check_not_in_future, check_text

MOST_ASKED = 20
"""People who can be asked in one request."""


class OwnRecord(Command, frozen=True, kw_only=True):
    """Base of what a person does with his own record; evidence or a claim begins it."""

    skill_id: UUID
    competency_id: UUID


class SubmitEvidence(OwnRecord, frozen=True, kw_only=True):
    """Put a piece of evidence on the own record."""

    evidence_id: UUID
    kind: EvidenceKind
    ref: str
    observed_on: date | None = None


class ClaimLevel(OwnRecord, frozen=True, kw_only=True):
    """Say of oneself how well one can do it. ``default_scale_id`` counts where the competency names no scale."""

    rank: int
    note: str | None = None
    default_scale_id: UUID


class RequestAttestation(OwnRecord, frozen=True, kw_only=True):
    """Ask others to look at evidence; ``of`` pairs each request's id with whom it asks."""

    of: tuple[tuple[UUID, UUID], ...]
    evidence: tuple[UUID, ...]


class AttestLevel(Command, frozen=True, kw_only=True):
    """Say which level the evidence shows that was opened to the actor."""

    attestation_id: UUID
    rank: int
    basis: tuple[UUID, ...]
    confidence: Decimal | None = None
    default_scale_id: UUID


class DeclineAttestation(Command, frozen=True, kw_only=True):
    """Leave a request unattested."""

    request_id: UUID


class DisputeAttestation(Command, frozen=True, kw_only=True):
    """Set an attestation of oneself aside."""

    attestation_id: UUID
    reason: str


class WithdrawAttestation(Command, frozen=True, kw_only=True):
    """Take the own attestation of another back."""

    attestation_id: UUID
    reason: str | None = None


SkillCommand = (
    SubmitEvidence
    | ClaimLevel
    | RequestAttestation
    | AttestLevel
    | DeclineAttestation
    | DisputeAttestation
    | WithdrawAttestation
)


def handle(skill: SkillRecord | None, command: SkillCommand, others: Others) -> SkillRecord:
    """Decide what a command does to a skill record."""
    match command:
        case SubmitEvidence() | ClaimLevel():
            return _put_on_record(skill, command, others)
        case RequestAttestation():
            return _request(skill, command, others)
        case AttestLevel():
            return _attest(skill, command, others)
        case DeclineAttestation(request_id=request_id, actor=actor):
            shown = _shown(skill, command)
            shown.decline(request_id, actor)
        case DisputeAttestation(attestation_id=attestation_id, reason=reason):
            shown = _shown(skill, command)
            if not command.actor.is_contributor(shown.person):
                raise NotFound(attestation=attestation_id)
            check_text(reason, "/reason")
            shown.dispute(attestation_id, reason)
        case WithdrawAttestation(attestation_id=attestation_id, reason=reason, actor=actor):
            shown = _shown(skill, command)
            check_text(reason, "/reason")
            shown.withdraw(attestation_id, actor, reason)
        case _:
            assert_never(command)
    return shown


def _shown(skill: SkillRecord | None, command: Command) -> SkillRecord:
    if skill is None or not skill.is_shown_to(command.actor):
        raise NotFound(skill=skill.id if skill else None)
    return skill


def _own(skill: SkillRecord | None, command: OwnRecord) -> UUID:
    if command.actor.contributor_id is None:
        raise Malformed(pointer="", detail="a skill is somebody's")
    if skill is not None and not command.actor.is_contributor(skill.person):
        raise NotFound(skill=skill.id)
    return command.actor.contributor_id


def _put_on_record(skill: SkillRecord | None, command: SubmitEvidence | ClaimLevel, others: Others) -> SkillRecord:
    person = _own(skill, command)
    competency = others.get(Competency, command.competency_id)
    if competency.is_retired:
        raise CompetencyIsRetired(competency_id=competency.id)
    record = skill if skill is not None else SkillRecord.blank(command.skill_id)
    match command:
        case SubmitEvidence():
            check_text(command.ref, "/ref")
            observed_on = command.observed_on or command.today
            check_not_in_future(observed_on, command.today, "/observed_on")
            record.record(
                SkillRecord.EvidenceSubmitted(
                    person=person,
                    competency_id=command.competency_id,
                    evidence_id=command.evidence_id,
                    kind=command.kind,
                    ref=command.ref,
                    observed_on=observed_on,
                )
            )
        case ClaimLevel():
            check_text(command.note, "/note")
            _check_rank(command.rank, competency, command.default_scale_id, others)
            record.record(
                SkillRecord.LevelClaimed(
                    person=person, competency_id=command.competency_id, rank=command.rank, note=command.note
                )
            )
        case _:
            assert_never(command)
    return record


def _request(skill: SkillRecord | None, command: RequestAttestation, others: Others) -> SkillRecord:
    _own(skill, command)
    if not 1 <= len(command.of) <= MOST_ASKED:
        raise Malformed(pointer="/of", detail=f"ask 1 to {MOST_ASKED} people")
    if len({contributor_id for _, contributor_id in command.of}) < len(command.of):
        raise Malformed(pointer="/of", detail="the same person twice")
    if skill is None:
        raise Malformed(pointer="/evidence", detail="put evidence on record first")
    _check_evidence(command.evidence, skill.evidence, "/evidence", "you put no such evidence on record")
    asked = others.find_all(Contributor, [contributor_id for _, contributor_id in command.of])
    for index, ((request_id, contributor_id), contributor) in enumerate(zip(command.of, asked, strict=True)):
        if contributor is None or not contributor.is_active:
            raise Malformed(pointer=f"/of/{index}", detail="nobody of this id takes part")
        skill.request(request_id, contributor_id, command.evidence)
    return skill


def _attest(skill: SkillRecord | None, command: AttestLevel, others: Others) -> SkillRecord:
    if skill is None:
        raise NotAsked  # as for a record one was not asked about: nobody finds out who has which record
    request = skill.request_to(command.actor)
    opened = skill.evidence_open_to(request.of)
    _check_evidence(command.basis, opened, "/basis", "this evidence was not opened to you")
    if command.confidence is not None and not 0 <= command.confidence <= 1:
        raise Malformed(pointer="/confidence", detail="between 0 and 1")
    competency = others.get(Competency, skill.competency_id)
    _check_rank(command.rank, competency, command.default_scale_id, others)
    skill.attest(
        SkillRecord.LevelAttested(
            person=skill.person,
            competency_id=skill.competency_id,
            attestation_id=command.attestation_id,
            request_id=request.request_id,
            attester=request.of,
            rank=command.rank,
            basis=command.basis,
            confidence=command.confidence,
        )
    )
    return skill


def _check_evidence(named: tuple[UUID, ...], known: Collection[UUID], pointer: str, unknown: str) -> None:
    if not named:
        raise Malformed(pointer=pointer, detail="name at least one piece of evidence")
    for index, evidence_id in enumerate(named):
        if evidence_id not in known:
            raise Malformed(pointer=f"{pointer}/{index}", detail=unknown)
        if evidence_id in named[:index]:
            raise Malformed(pointer=f"{pointer}/{index}", detail="named twice")


def _check_rank(rank: int, competency: Competency, default_scale_id: UUID, others: Others) -> None:
    scale = others.find(ProficiencyScale, competency.scale_id or default_scale_id)
    ranks = [step.rank for step in (scale.levels if scale else FOUR_STEPS)]
    if rank not in ranks:
        raise Malformed(pointer="/rank", detail=f"one of {', '.join(map(str, ranks))}")
