"""What stands behind a link between two things?

The stream's id is the link's: evidence and alternatives are gathered by many, while the link itself
stands in the stream of its process or goal. The edge knows whose link it is.
"""

from typing import assert_never
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.base import Aggregate, Command, NotFound, Others, Personal, Role
from lms.domain.goal import Goal
from lms.domain.process import Process
from lms.domain.support import Alternative, Evidence
from lms.domain.terms import check_text


class Link(Aggregate):
    """The evidence and the alternative explanations of one link."""

    TOPIC = "link"

    class EvidenceAttached(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Something speaks for the link or against it."""

        TOPIC = "link.evidence-attached"
        link_id: UUID
        evidence: Evidence

    class AlternativeRecorded(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Something else could explain the change."""

        TOPIC = "link.alternative-recorded"
        link_id: UUID
        alternative: Alternative

    @event(EvidenceAttached)
    def _evidence_attached(self) -> None:
        """Nothing is decided on what was gathered."""

    @event(AlternativeRecorded)
    def _alternative_recorded(self) -> None:
        """Nothing is decided on what was gathered."""


class AttachEvidence(Command, frozen=True, kw_only=True):
    """Say what speaks for a link or against it. One of process and goal owns the link."""

    link_id: UUID
    process_id: UUID | None = None
    goal_id: UUID | None = None
    evidence: Evidence


class RecordAlternative(Command, frozen=True, kw_only=True):
    """Say what else could explain the change. One of process and goal owns the link."""

    link_id: UUID
    process_id: UUID | None = None
    goal_id: UUID | None = None
    alternative: Alternative


def handle(link: Link | None, command: AttachEvidence | RecordAlternative, others: Others) -> Link:
    """Decide what a command adds behind a link that stands and that the actor may see."""
    _check_link(command, others)
    gathered = link or Link.blank(command.link_id)
    match command:
        case AttachEvidence(evidence=evidence):
            check_reference(evidence.ref)
            gathered.record(Link.EvidenceAttached(link_id=command.link_id, evidence=evidence))
        case RecordAlternative(alternative=alternative):
            check_text(alternative.text, "/text")
            gathered.record(Link.AlternativeRecorded(link_id=command.link_id, alternative=alternative))
        case _:
            assert_never(command)
    return gathered


def check_reference(ref: Personal) -> None:
    """Refuse an empty or over-long reference."""
    check_text(ref if isinstance(ref, str) else None, "/ref", limit=2_000)


def _check_link(command: AttachEvidence | RecordAlternative, others: Others) -> None:
    stands = False
    if command.process_id is not None:
        process = others.find(Process, command.process_id)
        stands = process is not None and command.link_id in process.links and not command.actor.has(Role.GUEST)
    elif command.goal_id is not None:
        goal = others.find(Goal, command.goal_id)
        stands = goal is not None and command.link_id in goal.alignments and goal.is_shown_to(command.actor)
    if not stands:
        raise NotFound(link=command.link_id)
