"""Who works together, led by whom, how far from the customer, and under which team?"""

from datetime import date
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from lms.domain.base import Aggregate, Forbidden, Malformed, Others, RuleBroken
from lms.domain.terms import check_text

FARTHEST = 20
"""The most hand-overs between a team and the customer that make sense."""


class TeamIsDisbanded(RuleBroken):
    """The team is disbanded."""


class TeamHasMembers(RuleBroken):
    """The team still has members or sub-teams: move them first."""


class RingOfTeams(RuleBroken):
    """The team would stand under itself."""


class NotAMember(RuleBroken):
    """This contributor is not a member of the team."""


class HomeIsElsewhere(RuleBroken):
    """The person's home is another team: an administrator, or who leads both teams, moves it."""


class NotYourTeam(Forbidden):
    """Only the lead of this team, of a team above it, or an administrator may do this."""


class Team(Aggregate):
    """One team in the tree of teams. A person may be in several teams and counts in one, his home."""

    TOPIC = "team"

    class Formed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The team exists, at the top or under another."""

        TOPIC = "team.formed"
        DATED_BY = "on"
        name: str
        parent_team_id: UUID | None = None
        on: date

    class Moved(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The team stands under another team, or at the top."""

        TOPIC = "team.moved"
        DATED_BY = "on"
        parent_team_id: UUID | None = None
        on: date

    class Renamed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The team has another name."""

        TOPIC = "team.renamed"
        DATED_BY = "on"
        name: str
        on: date

    class Disbanded(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The team is no more."""

        TOPIC = "team.disbanded"
        DATED_BY = "on"
        on: date

    class MemberJoined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A person is a member; said again when it becomes his home, or stops being it."""

        TOPIC = "team.member-joined"
        DATED_BY = "on"
        contributor_id: UUID
        on: date
        home: bool

    class MemberLeft(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A person is no longer a member."""

        TOPIC = "team.member-left"
        DATED_BY = "on"
        contributor_id: UUID
        on: date

    class LeadAppointed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A person leads the team, in the place of who did; none: the team leads itself."""

        TOPIC = "team.lead-appointed"
        DATED_BY = "on"
        contributor_id: UUID | None = None
        on: date

    class DistanceSet(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """How many hand-overs lie between the team and the customer; 0 meets him."""

        TOPIC = "team.distance-set"
        DATED_BY = "on"
        steps: int
        on: date

    def refuse_disbanded(self) -> None:
        """Refuse to go on with a team that is no more."""
        if self.disbanded_on is not None:
            raise TeamIsDisbanded(team_id=self.id)

    def admit(self, contributor_id: UUID, on: date, *, home: bool) -> None:
        """Make somebody a member, or change whether this is his home."""
        if self.members.get(contributor_id) is not home:
            self.record(Team.MemberJoined(contributor_id=contributor_id, on=on, home=home))

    def release(self, contributor_id: UUID, on: date) -> None:
        """Let a member go."""
        if contributor_id not in self.members:
            raise NotAMember(team_id=self.id, contributor_id=contributor_id)
        self.record(Team.MemberLeft(contributor_id=contributor_id, on=on))

    def place_under(self, parent_team_id: UUID | None, others: Others) -> None:
        """Refuse a place that closes a ring.

        What is read on the way up becomes a condition of the append, so that two moves at once close none either.
        """
        above = parent_team_id
        while above is not None:
            if above == self.id:
                raise RingOfTeams(team_id=self.id, parent_team_id=parent_team_id)
            team = others.get(Team, above)
            if above == parent_team_id:
                team.refuse_disbanded()
            above = team.parent_team_id

    def move(self, parent_team_id: UUID | None, on: date, others: Others) -> None:
        """Stand under another team, or at the top."""
        self.place_under(parent_team_id, others)
        if parent_team_id != self.parent_team_id:
            self.record(Team.Moved(parent_team_id=parent_team_id, on=on))

    def rename(self, name: str, on: date) -> None:
        """Carry another name."""
        check_text(name, "/name", limit=200)
        if name.strip() != self.name:
            self.record(Team.Renamed(name=name.strip(), on=on))

    def appoint(self, contributor_id: UUID | None, on: date) -> None:
        """Be led by somebody, or by nobody."""
        if contributor_id != self.lead:
            self.record(Team.LeadAppointed(contributor_id=contributor_id, on=on))

    def set_distance(self, steps: int, on: date) -> None:
        """Stand so many hand-overs from the customer."""
        if not 0 <= steps <= FARTHEST:
            raise Malformed(pointer="/steps", detail=f"from 0 (meets the customer) to {FARTHEST}")
        if steps != self.distance:
            self.record(Team.DistanceSet(steps=steps, on=on))

    @event(Formed)
    def _formed(self, name: str, parent_team_id: UUID | None, on: date) -> None:
        self.name, self.parent_team_id, self.formed_on = name, parent_team_id, on
        self.lead: UUID | None = None
        self.distance: int | None = None
        self.members: dict[UUID, bool] = {}
        self.disbanded_on: date | None = None

    @event(Moved)
    def _moved(self, parent_team_id: UUID | None) -> None:
        self.parent_team_id = parent_team_id

    @event(Renamed)
    def _renamed(self, name: str) -> None:
        self.name = name

    @event(Disbanded)
    def _disbanded(self, on: date) -> None:
        self.disbanded_on = on

    @event(MemberJoined)
    def _member_joined(self, contributor_id: UUID, home: bool) -> None:
        self.members = {**self.members, contributor_id: home}

    @event(MemberLeft)
    def _member_left(self, contributor_id: UUID) -> None:
        self.members = {member: home for member, home in self.members.items() if member != contributor_id}

    @event(LeadAppointed)
    def _lead_appointed(self, contributor_id: UUID | None) -> None:
        self.lead = contributor_id

    @event(DistanceSet)
    def _distance_set(self, steps: int) -> None:
        self.distance = steps


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """Who joins, and whether this is his home; unsaid: it is when he has none yet."""

    contributor_id: UUID
    home: bool | None = None
