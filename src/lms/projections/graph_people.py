"""Who is where, and what was learned, as the line of sight counts it?"""

from datetime import date
from uuid import UUID

import msgspec

from lms.domain.competency import Competency
from lms.domain.contributor import Contributor
from lms.domain.goal_cycle import GoalCycle
from lms.domain.learning_entry import EntryField, LearningEntry
from lms.domain.organisation import Organisation
from lms.domain.skill_record import SkillRecord
from lms.domain.team import Team
from lms.domain.team_learning import TeamLearning
from lms.projections import graph_rows as rows
from lms.projections.base import Envelope, Projection, Touch, Touches, on


class PeopleAndLearning(Projection):
    """The lower end of the graph: teams, homes, cycles, competencies, learning and attestations."""

    @on(Organisation.Registered)
    def _organisation(self, envelope: Envelope, event: Organisation.Registered) -> Touches:
        yield rows.ORGANISATIONS.put(rows.OrganisationRow(organisation_id=envelope.stream_id, language=event.language))

    @on(Team.Formed)
    def _team_formed(self, envelope: Envelope, event: Team.Formed) -> Touches:
        yield rows.TEAMS.put(
            rows.TeamRow(
                team_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                parent_team_id=event.parent_team_id,
            )
        )

    @on(Team.Moved)
    def _team_moved(self, envelope: Envelope, event: Team.Moved) -> Touches:
        yield rows.TEAMS.change(envelope.stream_id, parent_team_id=event.parent_team_id)

    @on(Team.Renamed)
    def _team_renamed(self, envelope: Envelope, event: Team.Renamed) -> Touches:
        yield rows.TEAMS.change(envelope.stream_id, name=event.name)

    @on(Team.Disbanded)
    def _team_disbanded(self, envelope: Envelope, event: Team.Disbanded) -> Touches:  # noqa: ARG002 - a handler's form
        yield rows.TEAMS.change(envelope.stream_id, disbanded=True)

    @on(Team.MemberJoined)
    def _member_joined(self, envelope: Envelope, event: Team.MemberJoined) -> Touches:
        yield _begun(envelope, event.contributor_id, event.on, is_lead=False)

    @on(Team.MemberLeft)
    def _member_left(self, envelope: Envelope, event: Team.MemberLeft) -> Touches:
        yield _ended(event.on, team_id=envelope.stream_id, contributor_id=event.contributor_id, is_lead=False)

    @on(Team.LeadAppointed)
    def _lead(self, envelope: Envelope, event: Team.LeadAppointed) -> Touches:
        yield _ended(event.on, team_id=envelope.stream_id, is_lead=True)
        if event.contributor_id is not None:
            yield _begun(envelope, event.contributor_id, event.on, is_lead=True)

    @on(Contributor.Registered)
    def _person(self, envelope: Envelope, event: Contributor.Registered) -> Touches:
        yield rows.PEOPLE.put(
            rows.PersonRow(contributor_id=envelope.stream_id, organisation_id=envelope.organisation_id, kind=event.kind)
        )

    @on(Contributor.HomeTeamChanged)
    def _home(self, envelope: Envelope, event: Contributor.HomeTeamChanged) -> Touches:
        yield rows.PEOPLE.change(envelope.stream_id, home_team_id=event.team_id)

    @on(Contributor.Deactivated, Contributor.Forgotten)
    def _person_left(
        self,
        envelope: Envelope,
        event: Contributor.Deactivated | Contributor.Forgotten,  # noqa: ARG002 - a handler's form
    ) -> Touches:
        yield rows.PEOPLE.change(envelope.stream_id, active=False)

    @on(GoalCycle.Opened)
    def _cycle(self, envelope: Envelope, event: GoalCycle.Opened) -> Touches:
        yield rows.CYCLES.put(
            rows.CycleRow(
                cycle_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                starts_on=event.starts_on,
                check_in_every_days=event.check_in_every_days,
            )
        )

    @on(Competency.Defined)
    def _competency(self, envelope: Envelope, event: Competency.Defined) -> Touches:
        yield rows.COMPETENCIES.put(
            rows.CompetencyRow(
                competency_id=envelope.stream_id, organisation_id=envelope.organisation_id, labels=event.labels
            )
        )

    @on(Competency.Relabelled)
    def _competency_relabelled(self, envelope: Envelope, event: Competency.Relabelled) -> Touches:
        def relabel(row: rows.CompetencyRow | None) -> rows.CompetencyRow | None:
            return row and msgspec.structs.replace(row, labels={**row.labels, **event.labels})

        yield rows.COMPETENCIES.touch(envelope.stream_id, relabel)

    @on(LearningEntry.Logged)
    def _learned(self, envelope: Envelope, event: LearningEntry.Logged) -> Touches:
        yield rows.LEARNING.put(
            rows.LearningRow(
                entry_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                learner=event.learner,
                learned_on=event.learned_on,
                kind=event.kind,
                competencies=event.competencies,
                goal_id=event.goal_id,
                need_ids=event.need_ids,
                visibility=event.visibility,
            )
        )

    @on(LearningEntry.Corrected)
    def _learning_corrected(self, envelope: Envelope, event: LearningEntry.Corrected) -> Touches:
        def correct(row: rows.LearningRow | None) -> rows.LearningRow | None:
            if row is None:
                return None
            goal_id = None if EntryField.GOAL_ID in event.cleared else event.goal_id or row.goal_id
            return msgspec.structs.replace(
                row,
                learned_on=event.learned_on,
                kind=event.kind or row.kind,
                competencies=row.competencies if event.competencies is None else event.competencies,
                goal_id=goal_id,
                need_ids=row.need_ids if event.need_ids is None else event.need_ids,
                visibility=event.visibility or row.visibility,
            )

        yield rows.LEARNING.touch(envelope.stream_id, correct)

    @on(LearningEntry.Withdrawn)
    def _learning_withdrawn(self, envelope: Envelope, event: LearningEntry.Withdrawn) -> Touches:  # noqa: ARG002
        yield rows.LEARNING.delete(envelope.stream_id)

    @on(TeamLearning.Held)
    def _team_learned(self, envelope: Envelope, event: TeamLearning.Held) -> Touches:
        yield rows.TEAM_LEARNING.put(
            rows.TeamLearningRow(
                team_learning_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                team_id=event.team_id,
                learned_on=event.on,
                competencies=event.competencies,
                goal_id=event.goal_id,
            )
        )

    @on(SkillRecord.LevelAttested)
    def _attested(self, envelope: Envelope, event: SkillRecord.LevelAttested) -> Touches:
        yield rows.ATTESTATIONS.put(
            rows.AttestationRow(
                attestation_id=event.attestation_id,
                organisation_id=envelope.organisation_id,
                person=event.person,
                competency_id=event.competency_id,
                attested_on=envelope.effective_at.date(),
            )
        )

    @on(SkillRecord.AttestationDisputed, SkillRecord.AttestationWithdrawn)
    def _attestation_gone(
        self,
        envelope: Envelope,  # noqa: ARG002 - a handler's form
        event: SkillRecord.AttestationDisputed | SkillRecord.AttestationWithdrawn,
    ) -> Touches:
        yield rows.ATTESTATIONS.delete(event.attestation_id)


def _begun(envelope: Envelope, contributor_id: UUID, on: date, *, is_lead: bool) -> Touch:
    return rows.STINTS.put(
        rows.StintRow(
            team_id=envelope.stream_id,
            contributor_id=contributor_id,
            is_lead=is_lead,
            since=on,
            organisation_id=envelope.organisation_id,
        )
    )


def _ended(on: date, **whose: object) -> Touch:
    def end(row: rows.StintRow | None) -> rows.StintRow | None:
        return row if row is None or row.until is not None else msgspec.structs.replace(row, until=on)

    return rows.STINTS.each(end, **whose)
