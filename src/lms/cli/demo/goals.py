"""Which goals do the demo's people make together, and how do they run?"""

from datetime import date, time, timedelta
from random import Random
from uuid import UUID

from lms import clock
from lms.cli.demo.company import Company, Crew, Person, cycle_of
from lms.cli.demo.script import Script
from lms.cli.demo.tales import METRICS, PLAIN_GOALS, TALES, MetricTale, Tale, number
from lms.domain.commitment import Commit, Commitment, Decline, InviteToGoal
from lms.domain.goal import Goal
from lms.domain.goal_commands import (
    AdjustGoal,
    AgreeOnGoal,
    ChangeVisibility,
    CheckIn,
    CloseGoal,
    ProposeGoal,
    ReflectOnGoal,
)
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    Alignment,
    How,
    KeyResult,
    Level,
    LinkType,
    Owner,
    Purpose,
    Setting,
    Status,
)
from lms.domain.terms import Direction, Summary, Visibility

GOAL_DAYS = 170


class Goals:
    """Tells of goals: those behind the improvements, those checked in by hand, those of single people."""

    def __init__(self, script: Script, company: Company, chance: Random, first: date, last: date) -> None:
        self._script = script
        self._company = company
        self._chance = chance
        self._first = first
        self._last = last

    def tell(self) -> None:
        """Add the steps of all goals."""
        for metric in METRICS:
            self._business_goal(metric)
        for tale in TALES:
            if tale.learned:
                self._improving_goal(tale)
        for place, crew in enumerate(self._company.crews.values()):
            self._plain_goal(place, crew)
        for place, person in enumerate(self._company.everyone()):
            if place % 2 == 0:
                self._own_goal(person)

    def _business_goal(self, metric: MetricTale) -> None:
        goal_id, metric_id = self._script.new_id(f"goal:{metric.key}"), self._script.new_id(f"metric:{metric.key}")
        day, owner = self._first + timedelta(days=2), self._company.owner.actor
        baseline = Summary(
            value=number(metric.before), n=metric.monthly_n, start=day - timedelta(days=31), end=day - timedelta(days=1)
        )
        key_result = KeyResult(
            key_result_id=self._script.new_id(f"key-result:{metric.key}"),
            title=metric.name,
            metric_id=metric_id,
            unit=metric.unit,
            direction=metric.direction,
            baseline=baseline,
            target=number(metric.after),
            due_on=self._last,
        )
        propose = ProposeGoal(
            actor=owner,
            today=day,
            goal_id=goal_id,
            level=Level.BUSINESS_MODEL,
            title=metric.goal,
            owner=Owner(),
            purpose=Purpose(statement=metric.title, outcome_metric_id=metric_id),
            key_results=(key_result,),
            cycle_id=cycle_of(self._script, day),
        )
        self._propose(day, propose, [metric_id], time(9))
        agreed = day + timedelta(days=5)
        agree = AgreeOnGoal(actor=owner, today=agreed, on=agreed, how=How.MEETING, participants_n=9)
        self._script.add(agreed, Goal, goal_id, agree, at=time(9))

    def _improving_goal(self, tale: Tale) -> None:
        """A team's goal with its process in the purpose, aligned to the business goal it means to move."""
        crew, goal_id = self._company.crews[tale.team], self._script.new_id(f"goal:{tale.key}")
        day = self._first + timedelta(days=9)
        process_id, measure_id = self._script.new_id(f"process:{tale.key}"), self._script.new_id(f"measure:{tale.key}")
        baseline = Summary(
            value=number(tale.before), n=tale.weekly_n, start=day - timedelta(days=30), end=day - timedelta(days=1)
        )
        key_result = KeyResult(
            key_result_id=self._script.new_id(f"key-result:{tale.key}"),
            title=tale.measure,
            measure_id=measure_id,
            unit=tale.unit,
            direction=tale.direction,
            baseline=baseline,
            target=number(tale.target),
            due_on=self._last,
        )
        align: tuple[Alignment, ...] = ()
        if tale.metric is not None:
            align = (self._link(f"goal-link:{tale.key}", self._script.new_id(f"goal:{tale.metric}"), tale.hypothesis),)
        propose = ProposeGoal(
            actor=crew.lead.actor,
            today=day,
            goal_id=goal_id,
            level=Level.TEAM,
            title=tale.goal,
            owner=Owner(team_id=crew.id),
            purpose=Purpose(statement=tale.problem, process_id=process_id),
            key_results=(key_result,),
            align=align,
            cycle_id=cycle_of(self._script, day),
        )
        reads = [process_id] if tale.metric is None else [process_id, self._script.new_id(f"goal:{tale.metric}")]
        self._propose(day, propose, reads, time(9, 30))
        self._agree_and_invite(crew, goal_id, day + timedelta(days=4))
        self._check_in(crew, goal_id, key_result, day + timedelta(days=14), self._last, fed=True)

    def _plain_goal(self, place: int, crew: Crew) -> None:
        """A goal checked in by hand; every third falls behind and is adjusted, some serve no outcome yet."""
        title, measured, unit, before, after = PLAIN_GOALS[place % len(PLAIN_GOALS)]
        start = self._first + timedelta(days=20 + 7 * (place % 8))
        for turn in range(3):
            day = start + timedelta(days=turn * GOAL_DAYS)
            end = min(day + timedelta(days=GOAL_DAYS - 10), self._last)
            if (end - day).days >= 60:
                self._plain_turn(place, turn, crew, day, end, (title, measured, unit, before, after))

    def _plain_turn(
        self, place: int, turn: int, crew: Crew, day: date, end: date, facts: tuple[str, str, str, float, float]
    ) -> None:
        title, measured, unit, before, after = facts
        goal_id = self._script.new_id(f"plain:{crew.name}:{turn}")
        baseline = Summary(value=number(before), n=12, start=day - timedelta(days=28), end=day - timedelta(days=1))
        key_result = KeyResult(
            key_result_id=self._script.new_id(f"plain-key-result:{crew.name}:{turn}"),
            title=measured,
            unit=unit,
            direction=Direction.INCREASE if after > before else Direction.DECREASE,
            baseline=baseline,
            target=number(after),
            due_on=end,
        )
        serves = ("repeat", "complaints", "on-time", None, None)[(place + turn) % 5]
        align: tuple[Alignment, ...] = ()
        reads: list[UUID] = []
        if serves is not None:
            reads = [self._script.new_id(f"goal:{serves}")]
            align = (self._link(f"plain-link:{crew.name}:{turn}", reads[0], "Customers notice the difference."),)
        propose = ProposeGoal(
            actor=crew.lead.actor,
            today=day,
            goal_id=goal_id,
            level=Level.TEAM,
            title=title,
            owner=Owner(team_id=crew.id),
            purpose=Purpose(statement=f"{crew.name} wants this to be normal."),
            key_results=(key_result,),
            align=align,
            cycle_id=cycle_of(self._script, day),
        )
        self._propose(day, propose, reads, time(9, 30))
        if (place + turn) % 11 == 7:
            return
        self._agree_and_invite(crew, goal_id, day + timedelta(days=5))
        behind = (place + turn) % 3 == 1
        self._check_in(crew, goal_id, key_result, day + timedelta(days=12), end, pace=0.45 if behind else 1.05)
        if behind:
            self._adjust(crew, goal_id, key_result, day + timedelta(days=75), before, after)
        if end < self._last:
            self._close(crew, goal_id, end, achieved=not behind)

    def _agree_and_invite(self, crew: Crew, goal_id: UUID, day: date) -> None:
        agree = AgreeOnGoal(actor=crew.lead.actor, today=day, on=day, how=How.MEETING, participants_n=len(crew.people))
        self._script.add(day, Goal, goal_id, agree, at=time(10))
        for member in crew.members:
            commitment_id = commitment_id_of(goal_id, member.id)
            invite = InviteToGoal(
                actor=crew.lead.actor, today=day, commitment_id=commitment_id, goal_id=goal_id, contributor_id=member.id
            )
            self._script.add(day, Commitment, commitment_id, invite, reads=[goal_id], at=time(11))
            chance, later = self._chance.random(), day + timedelta(days=self._chance.randint(1, 9))
            if chance < 0.7:
                commit = Commit(actor=member.actor, today=later, visibility=self._chance.choice(list(Visibility)[:3]))
                self._script.add(later, Commitment, commitment_id, commit, reads=[goal_id], at=time(12))
            elif chance < 0.8:
                self._script.add(
                    later, Commitment, commitment_id, Decline(actor=member.actor, today=later), at=time(12)
                )

    def _check_in(
        self,
        crew: Crew,
        goal_id: UUID,
        key_result: KeyResult,
        day: date,
        end: date,
        *,
        pace: float = 1,
        fed: bool = False,
    ) -> None:
        """A check-in every other week; where measurements feed the key result, it says only how sure the team is."""
        baseline, target = float(key_result.baseline.value if key_result.baseline else 0), float(key_result.target)
        started, length = day, max((end - day).days, 1)
        while day < end:
            share = min((day - started).days / length * pace, 1) + self._chance.gauss(0, 0.03)
            reporter = self._chance.choice(crew.people)
            check_in = CheckIn(
                actor=reporter.actor,
                today=day,
                check_in_id=self._script.new_id(f"check-in:{goal_id}:{day}"),
                key_result_id=key_result.key_result_id,
                observed_on=day,
                value=None if fed else number(baseline + (target - baseline) * share, 3),
                confidence=max(0, min(10, round(4 + 5 * share + self._chance.gauss(0, 1)))),
                narrative=self._chance.choice(("Slower than hoped.", "On its way.", "A good fortnight.", None)),
            )
            self._script.add(day, Goal, goal_id, check_in, at=time(15))
            day += timedelta(days=14)

    def _adjust(self, crew: Crew, goal_id: UUID, key_result: KeyResult, day: date, before: float, after: float) -> None:
        adjust = AdjustGoal(
            actor=crew.lead.actor,
            today=day,
            field=AdjustedField.TARGET,
            key_result_id=key_result.key_result_id,
            to=Setting(number=number(before + (after - before) * 0.6)),
            on=day,
            how=How.MEETING,
            participants_n=len(crew.people),
            reason=self._chance.choice((AdjustmentReason.CAPACITY, AdjustmentReason.LEARNED)),
            evidence=("Check-ins of the last ten weeks",),
            measured_ratio=number(0.3, 2),
        )
        self._script.add(day, Goal, goal_id, adjust, at=time(16))

    def _close(self, crew: Crew, goal_id: UUID, day: date, *, achieved: bool) -> None:
        result = Status.ACHIEVED if achieved else Status.NOT_ACHIEVED
        self._script.add(
            day, Goal, goal_id, CloseGoal(actor=crew.lead.actor, today=day, result=result, on=day), at=time(17)
        )
        learned = "Small steps each week carried us." if achieved else "We planned for people we did not have."
        self._script.add(
            day, Goal, goal_id, ReflectOnGoal(actor=crew.lead.actor, today=day, learned=learned), at=time(17, 30)
        )

    def _own_goal(self, person: Person) -> None:
        """A goal of one person's own, aligned to his team's where there is one; some show it to the team."""
        day = self._first + timedelta(days=self._chance.randint(25, 90))
        goal_id = self._script.new_id(f"own:{person.id}")
        key_result = KeyResult(
            key_result_id=self._script.new_id(f"own-key-result:{person.id}"),
            unit="count",
            target=number(6),
            baseline=Summary(value=number(0), start=day, end=day),
            due_on=day + timedelta(days=120),
        )
        align: tuple[Alignment, ...] = ()
        reads: list[UUID] = []
        if (tale := next((one for one in TALES if one.team == person.team and one.learned), None)) is not None:
            reads = [self._script.new_id(f"goal:{tale.key}")]
            align = (self._link(f"own-link:{person.id}", reads[0], "I practise what my team needs."),)
        propose = ProposeGoal(
            actor=person.actor,
            today=day,
            goal_id=goal_id,
            level=Level.INDIVIDUAL,
            title="Practise it six times and ask back",
            owner=Owner(contributor_id=person.id),
            purpose=Purpose(statement="I want to do my work with more ease."),
            key_results=(key_result,),
            align=align,
            cycle_id=cycle_of(self._script, day),
            home_team_id=self._script.new_id(f"team:{person.team}"),
        )
        self._propose(day, propose, reads, time(13))
        if self._chance.random() < 0.3:
            show = ChangeVisibility(
                actor=person.actor, today=day, visibility=Visibility.TEAM, home_team_id=propose.home_team_id
            )
            self._script.add(day, Goal, goal_id, show, at=time(13, 30))

    def _propose(self, day: date, propose: ProposeGoal, reads: list[UUID], at: time) -> None:
        """Propose a goal of the quarter around the day."""
        cycle = [propose.cycle_id] if propose.cycle_id else []
        self._script.add(day, Goal, propose.goal_id, propose, reads=[*reads, *cycle], at=at)

    def _link(self, name: str, to_goal_id: UUID, hypothesis: str) -> Alignment:
        return Alignment(
            link_id=self._script.new_id(name),
            to_goal_id=to_goal_id,
            link_type=LinkType.CONTRIBUTES_TO,
            hypothesis=hypothesis,
            expected_lag_days=90,
        )


def commitment_id_of(goal_id: UUID, contributor_id: UUID) -> UUID:
    """The stream of one person's commitment to one goal."""
    return clock.derived_id(goal_id, f"commitment:{contributor_id}")
