"""To what could an entry be linked, going by its words, and to which outcomes does it lead?"""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from lms.api.answers import text
from lms.api.deps import Connection, Reader, Who
from lms.domain.goal_parts import Status
from lms.domain.learning_entry import LearningEntry
from lms.projections import graph_rows
from lms.projections.commitments import Commitments
from lms.projections.competencies import Competencies, label_in
from lms.projections.goals import Goals
from lms.projections.line_of_sight import Asker, LeadsTo, LineOfSight
from lms.projections.my_learning import LearningRow
from lms.projections.wording import speaks_of, stems

MOST_SUGGESTED = 5
MOST_GOALS = 200
"""Own and committed goals that are looked through, the latest first."""

_competencies = Competencies()
_goals = Goals()
_commitments = Commitments()
_sight = LineOfSight()


class Via(msgspec.Struct, frozen=True, kw_only=True):
    """Through what learning leads to an outcome: an improvement or a goal; ``label`` is null once forgotten."""

    kind: str
    id: UUID
    label: str | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that learning is linked to, with the sentence that the evidence allows."""

    outcome_metric_id: UUID
    label: str
    via: Via
    may_say: str


class SuggestedCompetency(msgspec.Struct, frozen=True):
    """A competency that the note speaks of."""

    id: UUID
    label: str


class SuggestedGoal(msgspec.Struct, frozen=True):
    """One of my goals that the note speaks of."""

    id: UUID
    title: str


class Suggested(msgspec.Struct, frozen=True, kw_only=True):
    """What the entry could be linked to, and where that would lead; ``PATCH`` the entry to take it up."""

    competencies: list[SuggestedCompetency]
    goals: list[SuggestedGoal]
    leads_to: list[Outcome]


async def outcomes_of(
    connection: Connection, reader: Reader, who: Who, entry_id: UUID, entry: LearningEntry | LearningRow
) -> list[Outcome]:
    """The outcomes that an entry of the person who asks is linked to."""
    if not (entry.competencies or entry.goal_id or entry.need_ids):
        return []
    return await _lead(connection, reader, who, _facts(who, entry_id, entry))


async def suggestions_for(
    connection: Connection, reader: Reader, who: Who, entry_id: UUID, entry: LearningEntry, note: str
) -> Suggested:
    """What the note speaks of and the entry is not linked to yet. Guests see no catalogue, so none is suggested."""
    competencies: list[SuggestedCompetency] = []
    goals: list[SuggestedGoal] = []
    if stems(note):
        if not who.is_guest:
            competencies = await _competencies_in(connection, who, note, entry.competencies)
        if entry.goal_id is None:
            goals = await _goals_in(connection, reader, who, note)
    leads_to: list[Outcome] = []
    if competencies or goals:
        facts = msgspec.structs.replace(
            _facts(who, entry_id, entry),
            competencies=(*entry.competencies, *(one.id for one in competencies)),
            goal_id=entry.goal_id or next((one.id for one in goals), None),
        )
        leads_to = await _lead(connection, reader, who, facts)
    return Suggested(competencies=competencies, goals=goals, leads_to=leads_to)


async def _competencies_in(
    connection: Connection, who: Who, note: str, linked: Iterable[UUID]
) -> list[SuggestedCompetency]:
    known = set(linked)
    rows = await _competencies.suggested(connection, who.organisation_id, note, MOST_SUGGESTED + len(known))
    fresh = [row for row in rows if row.competency_id not in known][:MOST_SUGGESTED]
    return [SuggestedCompetency(row.competency_id, label_in(row.labels, who.language)) for row in fresh]


async def _goals_in(connection: Connection, reader: Reader, who: Who, note: str) -> list[SuggestedGoal]:
    committed = await _commitments.committed_goals(connection, who.organisation_id, who.contributor_id)
    mine = await _goals.mine(connection, who.organisation_id, who.contributor_id, committed, MOST_GOALS)
    standing = [row for row in mine if row.status in {Status.PROPOSED, Status.ACTIVE}]
    words = frozenset(stems(note))
    found = [
        SuggestedGoal(row.goal_id, title)
        for row in await reader.open(standing)
        if (title := text(row.title)) is not None and speaks_of(words, title)
    ]
    return found[:MOST_SUGGESTED]


async def _lead(connection: Connection, reader: Reader, who: Who, facts: graph_rows.LearningRow) -> list[Outcome]:
    asker = Asker(
        organisation_id=who.organisation_id,
        asked_on=who.today,
        contributor_id=who.contributor_id,
        teams=who.actor.member_of | who.actor.leads,
    )
    return [_shown(one) for one in await reader.open(await _sight.leads_to(connection, asker, facts))]


def _facts(who: Who, entry_id: UUID, entry: LearningEntry | LearningRow) -> graph_rows.LearningRow:
    return graph_rows.LearningRow(
        entry_id=entry_id,
        organisation_id=who.organisation_id,
        learner=entry.learner,
        learned_on=entry.learned_on,
        kind=entry.kind,
        competencies=entry.competencies,
        goal_id=entry.goal_id,
        need_ids=entry.need_ids,
        visibility=entry.visibility,
    )


def _shown(one: LeadsTo) -> Outcome:
    via = Via(kind=one.via.kind, id=one.via.id, label=None if one.via.label is None else text(one.via.label))
    return Outcome(outcome_metric_id=one.outcome_metric_id, label=one.label, via=via, may_say=one.may_say)
