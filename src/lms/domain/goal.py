"""When does a goal stand, what is it for, and how may it change?"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from lms.domain.base import Actor, Aggregate, Malformed, NotFound, Others, Personal, Role
from lms.domain.goal_checks import check_alignment, check_key_result, check_report, setting_before
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    Alignment,
    AlreadyAligned,
    FinalValue,
    GoalIsClosed,
    GoalIsNotSet,
    GoalIsSet,
    GoalOrigin,
    How,
    KeyResult,
    Level,
    LinkRunsDownward,
    LinkToItself,
    LinkType,
    Owner,
    Purpose,
    RingOfLinks,
    Setting,
    Status,
)
from lms.domain.terms import Visibility, check_text

_OWN_WORDS = {"my_reason", "narrative", "blockers", "note", "evidence", "expected", "happened", "learned", "next"}


class Goal(Aggregate):
    """One goal of a person, a team or the organisation, made together and adjusted on evidence."""

    TOPIC = "goal"

    class Proposed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Somebody proposed the goal; ``my_reason`` is his alone. ``home_team_id``: see VisibilityChanged."""

        TOPIC = "goal.proposed"
        level: Level
        title: Personal
        purpose: Purpose
        owner: Owner
        proposer: UUID | None = None
        cycle_id: UUID | None = None
        origin: GoalOrigin = GoalOrigin.SELF
        visibility: Visibility
        home_team_id: UUID | None = None
        my_reason: Personal | None = None

    class KeyResultDefined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """How one will see that the goal is reached."""

        TOPIC = "goal.key-result-defined"
        key_result: KeyResult

    class Set(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal stands: set by its owner or agreed in a meeting."""

        TOPIC = "goal.set"
        DATED_BY = "on"
        on: date
        how: How
        participants_n: int | None = None
        contributor_kinds: tuple[str, ...] = ()
        proposal_id: UUID | None = None

    class Aligned(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal is linked to a goal, a key result or an outcome metric."""

        TOPIC = "goal.aligned"
        alignment: Alignment

    class Unaligned(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A link of the goal was taken away."""

        TOPIC = "goal.unaligned"
        link_id: UUID

    class ProgressCheckedIn(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """How a key result stands; ``value`` is absent where measurements feed it; confidence 0 to 10."""

        TOPIC = "goal.progress-checked-in"
        DATED_BY = "observed_on"
        check_in_id: UUID
        key_result_id: UUID
        value: Decimal | None = None
        observed_on: date
        confidence: int | None = None
        narrative: Personal | None = None
        blockers: Personal | None = None

    class CheckInCorrected(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A check-in was wrong; the correction takes its effective time."""

        TOPIC = "goal.check-in-corrected"
        DATED_BY = "observed_on"
        check_in_id: UUID
        key_result_id: UUID
        value: Decimal | None = None
        observed_on: date
        confidence: int | None = None
        narrative: Personal | None = None
        blockers: Personal | None = None

    class Adjusted(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal was changed on what was learned; what stood before is kept."""

        TOPIC = "goal.adjusted"
        DATED_BY = "on"
        field: AdjustedField
        key_result_id: UUID | None = None
        from_: Setting | None = msgspec.field(name="from", default=None)
        to: Setting
        on: date
        how: How
        participants_n: int | None = None
        reason: AdjustmentReason
        evidence: tuple[Personal, ...] = ()
        measured_ratio: Decimal | None = None
        note: Personal | None = None

    class Achieved(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal was reached."""

        TOPIC = "goal.achieved"
        DATED_BY = "on"
        on: date
        final_values: tuple[FinalValue, ...] = ()
        reason: Personal | None = None

    class NotAchieved(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal was not reached."""

        TOPIC = "goal.not-achieved"
        DATED_BY = "on"
        on: date
        final_values: tuple[FinalValue, ...] = ()
        reason: Personal | None = None

    class Abandoned(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal was given up."""

        TOPIC = "goal.abandoned"
        DATED_BY = "on"
        on: date
        final_values: tuple[FinalValue, ...] = ()
        reason: Personal

    class ReflectedOn(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """What was expected, what happened, what was learned, what comes next."""

        TOPIC = "goal.reflected-on"
        expected: Personal | None = None
        happened: Personal | None = None
        learned: Personal
        next: Personal | None = None

    class VisibilityChanged(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The goal is shown to more or fewer people; an individual one to the home team its owner then has."""

        TOPIC = "goal.visibility-changed"
        visibility: Visibility
        home_team_id: UUID | None = None

    def key_owner(self, event: Aggregate.Event, field: str, author: UUID | None) -> UUID | None:  # noqa: ARG002
        """Seal all texts of an individual goal; of other goals only what somebody says for himself."""
        return author if self.level is Level.INDIVIDUAL or field.partition(".")[0] in _OWN_WORDS else None

    def may_decide(self, actor: Actor) -> bool:
        """Tell whether the actor sets, adjusts and closes this goal: its owner, lead or business owner."""
        if self.level is Level.INDIVIDUAL:
            return self.owner.contributor_id is not None and actor.is_contributor(self.owner.contributor_id)
        if self.level is Level.TEAM:
            return self.owner.team_id in actor.leads
        return actor.has(Role.BUSINESS_OWNER)

    def may_shape(self, actor: Actor) -> bool:
        """Tell whether the actor may add key results and links: who decides, and the proposer while it is proposed."""
        proposes = self.proposer is not None and actor.is_contributor(self.proposer)
        return self.may_decide(actor) or (proposes and self.status is Status.PROPOSED)

    def may_report(self, actor: Actor) -> bool:
        """Tell whether the actor may check in: who decides, and the members of the owning team."""
        return self.may_decide(actor) or (self.level is Level.TEAM and self.owner.team_id in actor.member_of)

    def is_shown_to(self, actor: Actor) -> bool:
        """Tell whether the actor may know of this goal; who shapes it always may."""
        if self.visibility is Visibility.PUBLIC or self.may_shape(actor):
            return True
        if self.visibility is Visibility.ORGANISATION:
            return not actor.has(Role.GUEST)
        return self.visibility is Visibility.TEAM and self.shown_to_team in actor.member_of | actor.leads

    @property
    def shown_to_team(self) -> UUID | None:
        """The team that sees the goal when its visibility is ``team``."""
        return self.owner.team_id or self.home_team_id

    def define_key_result(self, key_result: KeyResult, others: Others, pointer: str = "") -> None:
        """Add a key result with unit and target (invariant 2). ``pointer`` is where the body has it."""
        check_key_result(key_result, self.id, others, pointer)
        self.record(Goal.KeyResultDefined(key_result=key_result))

    def align(self, alignment: Alignment, others: Others, actor: Actor, pointer: str = "") -> None:
        """Link the goal sideways or upward; ``contributes-to`` never closes a ring (invariant 6)."""
        check_alignment(alignment, others, pointer)
        if any(alignment.is_same_link(standing) for standing in self.alignments.values()):
            raise AlreadyAligned(goal_id=self.id)
        if alignment.to_goal_id is not None:
            target = self._target_of(alignment.to_goal_id, others, actor)
            alignment = msgspec.structs.replace(alignment, to_level=target.level)
            if alignment.to_key_result_id is not None and alignment.to_key_result_id not in target.key_results:
                raise NotFound(key_result=alignment.to_key_result_id)
            if alignment.link_type is LinkType.CONTRIBUTES_TO and target.level is self.level:
                self._refuse_ring(target.id, others)
        self.record(Goal.Aligned(alignment=alignment))

    def _target_of(self, target_id: UUID, others: Others, actor: Actor) -> "Goal":
        if target_id == self.id:
            raise LinkToItself(goal_id=self.id)
        target = others.get(Goal, target_id)
        if not target.is_shown_to(actor):
            raise NotFound(goal=target_id)
        target.refuse_closed()
        if target.level.height < self.level.height:
            raise LinkRunsDownward(goal_id=self.id, to_goal_id=target_id)
        return target

    def _refuse_ring(self, target_id: UUID, others: Others) -> None:
        """Walk upward over links of the own level: only those can lead back here."""
        seen: set[UUID] = set()
        frontier = {target_id}
        while frontier:
            if self.id in frontier:
                raise RingOfLinks(goal_id=self.id, to_goal_id=target_id)
            seen |= frontier
            above = others.find_all(Goal, sorted(frontier))
            frontier = {up for goal in above if goal for up in goal.contributes_sideways_to()} - seen

    def agree(self, on: date, how: How, participants_n: int | None, contributor_kinds: tuple[str, ...]) -> None:
        """Set the goal: its owner at creation, or a meeting."""
        self.refuse_closed()
        if self.status is not Status.PROPOSED:
            raise GoalIsSet(goal_id=self.id)
        self.record(Goal.Set(on=on, how=how, participants_n=participants_n, contributor_kinds=contributor_kinds))

    def unalign(self, link_id: UUID) -> None:
        """Take a link away."""
        self.refuse_closed()
        if link_id not in self.alignments:
            raise NotFound(link=link_id)
        self.record(Goal.Unaligned(link_id=link_id))

    def check_in(self, report: "Goal.ProgressCheckedIn", today: date) -> None:
        """Report how a key result stands; a fed one takes no value by hand."""
        self.refuse_closed()
        if self.status is Status.PROPOSED:
            raise GoalIsNotSet(goal_id=self.id)
        self._check_report(report, today)
        self.record(report)

    def correct_check_in(self, correction: "Goal.CheckInCorrected", today: date) -> None:
        """Replace all that a check-in said; its key result stays."""
        if self.check_ins.get(correction.check_in_id) != correction.key_result_id:
            raise NotFound(check_in=correction.check_in_id)
        self._check_report(correction, today)
        self.record(correction)

    def _check_report(self, report: "Goal.ProgressCheckedIn | Goal.CheckInCorrected", today: date) -> None:
        key_result = self.key_results.get(report.key_result_id)
        if key_result is None:
            raise NotFound(key_result=report.key_result_id)
        check_report(key_result, report.value, report.confidence, report.observed_on, today)

    def adjust(self, change: "Goal.Adjusted") -> None:
        """Change title, purpose, a target or a due date; what stood before is kept in the event."""
        self.refuse_closed()
        if self.status is Status.PROPOSED:
            raise GoalIsNotSet(goal_id=self.id)
        if change.field in {AdjustedField.TARGET, AdjustedField.DUE_ON}:
            key_result = self.key_results.get(change.key_result_id) if change.key_result_id else None
            if key_result is None:
                raise NotFound(key_result=change.key_result_id)
            before = setting_before(key_result, change.field, change.to, self.id)
        else:
            if change.to.text is None:
                raise Malformed(pointer="/to", detail=f"a {change.field} is a text")
            check_text(str(change.to.text), "/to", limit=300 if change.field is AdjustedField.TITLE else 10_000)
            before = Setting(text=self.title if change.field is AdjustedField.TITLE else self.purpose.statement)
        if before == change.to:
            raise Malformed(pointer="/to", detail="it stands so already")
        self.record(msgspec.structs.replace(change, from_=before))

    def close(self, result: "Goal.Achieved | Goal.NotAchieved | Goal.Abandoned") -> None:
        """End the goal; whoever gives it up says why."""
        self.refuse_closed()
        if self.status is Status.PROPOSED and not isinstance(result, Goal.Abandoned):
            raise GoalIsNotSet(goal_id=self.id)
        self.record(result)

    def refuse_closed(self) -> None:
        """Refuse to go on with a closed goal."""
        if self.closed_on is not None:
            raise GoalIsClosed(goal_id=self.id)

    def contributes_sideways_to(self) -> set[UUID]:
        """The goals of its own level that this one has a ``contributes-to`` link to."""
        links = self.alignments.values()
        sideways = (a for a in links if a.to_level is self.level and a.link_type is LinkType.CONTRIBUTES_TO)
        return {a.to_goal_id for a in sideways if a.to_goal_id}

    @event(Proposed)
    def _proposed(
        self,
        level: Level,
        title: Personal,
        purpose: Purpose,
        owner: Owner,
        proposer: UUID | None,
        cycle_id: UUID | None,
        origin: GoalOrigin,
        visibility: Visibility,
        home_team_id: UUID | None,
    ) -> None:
        self.level, self.title, self.purpose, self.owner = level, title, purpose, owner
        self.proposer, self.cycle_id, self.origin = proposer, cycle_id, origin
        self.visibility, self.home_team_id = visibility, home_team_id
        self.status = Status.PROPOSED
        self.set_on: date | None = None
        self.closed_on: date | None = None
        self.key_results: dict[UUID, KeyResult] = {}
        self.alignments: dict[UUID, Alignment] = {}
        self.check_ins: dict[UUID, UUID] = {}

    @event(KeyResultDefined)
    def _key_result_defined(self, key_result: KeyResult) -> None:
        self.key_results = {**self.key_results, key_result.key_result_id: key_result}

    @event(Set)
    def _set(self, on: date) -> None:
        self.status, self.set_on = Status.ACTIVE, on

    @event(Aligned)
    def _aligned(self, alignment: Alignment) -> None:
        self.alignments = {**self.alignments, alignment.link_id: alignment}

    @event(Unaligned)
    def _unaligned(self, link_id: UUID) -> None:
        self.alignments = {key: link for key, link in self.alignments.items() if key != link_id}

    @event(ProgressCheckedIn)
    def _progress_checked_in(self, check_in_id: UUID, key_result_id: UUID) -> None:
        self.check_ins = {**self.check_ins, check_in_id: key_result_id}

    @event(Adjusted)
    def _adjusted(self, key_result_id: UUID | None, field: AdjustedField, to: Setting) -> None:
        if field is AdjustedField.TITLE and to.text is not None:
            self.title = to.text
        elif field is AdjustedField.PURPOSE:
            self.purpose = msgspec.structs.replace(self.purpose, statement=to.text)
        else:
            self.key_results = {
                key: one.adjusted(to) if key == key_result_id else one for key, one in self.key_results.items()
            }

    @event(Achieved)
    def _achieved(self, on: date) -> None:
        self.status, self.closed_on = Status.ACHIEVED, on

    @event(NotAchieved)
    def _not_achieved(self, on: date) -> None:
        self.status, self.closed_on = Status.NOT_ACHIEVED, on

    @event(Abandoned)
    def _abandoned(self, on: date) -> None:
        self.status, self.closed_on = Status.ABANDONED, on

    @event(VisibilityChanged)
    def _visibility_changed(self, visibility: Visibility, home_team_id: UUID | None) -> None:
        self.visibility, self.home_team_id = visibility, home_team_id
