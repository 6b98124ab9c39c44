"""How does the demo company learn, improve and see what came of it?"""

from datetime import date, time, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from lms.cli.demo import story
from lms.cli.demo.company import Company, Person
from lms.cli.demo.figures import Figures, pooled
from lms.cli.demo.script import Script
from lms.cli.demo.tales import METRICS, TALES, Tale, number
from lms.domain.base import Actor, Command
from lms.domain.contribution import (
    AcceptContribution,
    Cause,
    CauseKind,
    Change,
    Contribution,
    Moved,
    OfferAlternative,
    StateContribution,
    SupportContribution,
)
from lms.domain.effect import Design
from lms.domain.improvement import Improvement
from lms.domain.improvement_commands import (
    AdoptImprovement,
    CheckSustainment,
    ConfirmUse,
    NameObstacle,
    OpenImprovement,
    PlanExperiment,
    RecordResult,
    ReviewExperiment,
    RunExperiment,
    SettleObstacle,
)
from lms.domain.improvement_parts import ExperimentOutcome, ObstacleState, Plan, Review, Run, TargetCondition, Window
from lms.domain.learning_entry import LearningEntry, LearningKind, LogLearning
from lms.domain.link import AttachEvidence, Link, RecordAlternative
from lms.domain.proficiency_scale import ProficiencyScale
from lms.domain.skill_commands import AttestLevel, RequestAttestation, SubmitEvidence
from lms.domain.skill_record import EvidenceKind, SkillRecord
from lms.domain.support import Alternative, Evidence, Stance
from lms.domain.team_learning import HoldTeamLearning, TeamLearning
from lms.domain.terms import Origin, Visibility
from lms.inference.effects import compare


class Chains:
    """Tells each tale: what is learned, what is tried, what comes of it."""

    def __init__(self, script: Script, company: Company, chance: Random, figures: Figures) -> None:
        self._script = script
        self._company = company
        self._chance = chance
        self._figures = figures

    def tell(self) -> None:
        """Add the steps of all tales."""
        for tale in TALES:
            if tale.learned:
                self._learn(tale)
            self._improve(tale)
            if tale.metric is not None:
                self._support(tale, tale.metric)

    def _learn(self, tale: Tale) -> None:
        """Members learn what the improvement will use, and some show it to a colleague of their choice."""
        crew, changed = self._company.crews[tale.team], self._figures.changed_on(tale)
        competencies = tuple(story.competency_id(self._script.organisation_id, key) for key in tale.skills)
        for learner in crew.people:
            for lesson in range(self._chance.randint(2, 4)):
                day = changed - timedelta(days=self._chance.randint(20, 130))
                day = max(day, self._figures.first + timedelta(days=8))
                entry_id = self._script.new_id(f"learned:{tale.key}:{learner.id}:{lesson}")
                log = LogLearning(
                    actor=learner.actor,
                    today=day,
                    entry_id=entry_id,
                    learner=learner.id,
                    minutes=self._chance.choice((20, 30, 45, 90)),
                    learned_on=day,
                    competencies=competencies[: self._chance.randint(1, len(competencies))],
                    goal_id=self._id("goal", tale) if lesson % 2 == 0 else None,
                    kind=self._chance.choice((LearningKind.ON_THE_JOB, LearningKind.PEER, LearningKind.COACHING)),
                    note=self._chance.choice(story.NOTES),
                    visibility=self._chance.choice((Visibility.PRIVATE, Visibility.PRIVATE, Visibility.TEAM)),
                )
                self._script.add(day, LearningEntry, entry_id, log, at=time(16, 30))
        self._learn_together(tale, competencies)
        if tale.attested:
            for learner, attester in zip(crew.members, crew.members[1:], strict=False):
                show_skill(self._script, tale.skills[0], learner, attester, changed - timedelta(days=18), rank=3)

    def _learn_together(self, tale: Tale, competencies: tuple[UUID, ...]) -> None:
        """Two hours in which the team learns what its improvement will use: shown by the team itself."""
        crew, changed = self._company.crews[tale.team], self._figures.changed_on(tale)
        for days in (75, 33):
            day = changed - timedelta(days=days)
            learning_id = self._script.new_id(f"learned-together:{tale.key}:{days}")
            hold = HoldTeamLearning(
                actor=crew.lead.actor,
                today=day,
                team_learning_id=learning_id,
                team_id=crew.id,
                on=day,
                what=tale.hypothesis,
                participants_n=len(crew.people),
                goal_id=self._id("goal", tale),
                competencies=competencies,
            )
            self._script.add(
                day, TeamLearning, learning_id, hold, reads=[hold.goal_id] if hold.goal_id else [], at=time(17)
            )

    def _improve(self, tale: Tale) -> None:
        script, crew = self._script, self._company.crews[tale.team]
        changed, improvement_id = self._figures.changed_on(tale), self._id("improvement", tale)
        lead, second = crew.lead.actor, crew.members[0]
        opened = changed - timedelta(days=42)
        process_id, measure_id = self._id("process", tale), self._id("measure", tale)
        competencies = tuple(story.competency_id(script.organisation_id, key) for key in tale.skills)
        open_it = OpenImprovement(
            actor=lead,
            today=opened,
            improvement_id=improvement_id,
            process_id=process_id,
            team_id=crew.id,
            on=opened,
            problem=tale.problem,
            actual_condition=f"{tale.measure}: {tale.before} {tale.unit}",
            target_condition=TargetCondition(
                measure_id=measure_id, value=number(tale.target), by=changed + timedelta(days=90)
            ),
            goal_id=self._id("goal", tale) if tale.learned else None,
            competencies=competencies,
        )
        script.add(opened, Improvement, improvement_id, open_it, reads=[process_id], at=time(13))
        self._try_it(tale, lead, second, opened)
        self._see_result(tale, lead)

    def _try_it(self, tale: Tale, lead: Actor, second: Person, opened: date) -> None:
        """An obstacle, a planned experiment, its run and its review, in which another confirms what was used."""
        improvement_id, changed = self._id("improvement", tale), self._figures.changed_on(tale)
        obstacle_id, experiment_id = self._id("obstacle", tale), self._id("experiment", tale)

        def add(day: date, command: Command) -> None:
            self._script.add(day, Improvement, improvement_id, command, at=time(14))

        add(
            opened, NameObstacle(actor=lead, today=opened, obstacle_id=obstacle_id, text="There was never time for it.")
        )
        planned = opened + timedelta(days=7)
        plan = Plan(
            experiment_id=experiment_id,
            hypothesis=tale.hypothesis,
            measure_id=self._id("measure", tale),
            expected_value=number(tale.target),
            obstacle_id=obstacle_id,
            planned_on=planned,
            review_on=changed + timedelta(days=14),
        )
        add(planned, PlanExperiment(actor=lead, today=planned, plan=plan))
        ran = changed + timedelta(days=7)
        run = RunExperiment(
            actor=second.actor,
            today=ran,
            experiment_id=experiment_id,
            run=Run(on=ran, observed=number(tale.after), n=tale.weekly_n),
        )
        add(ran, run)
        reviewed = changed + timedelta(days=14)
        used = tuple(story.competency_id(self._script.organisation_id, key) for key in tale.skills[:2])
        review = Review(
            experiment_id=experiment_id,
            on=reviewed,
            learned="It takes less time than we thought.",
            outcome=ExperimentOutcome.AS_EXPECTED if tale.attested else ExperimentOutcome.DIFFERENT,
            competencies_used=used if tale.learned else (),
            claimed_by=second.id if used else None,
            confirmed_by=lead.contributor_id if tale.attested else None,
        )
        add(reviewed, ReviewExperiment(actor=second.actor, today=reviewed, review=review))
        if tale.attested:
            add(reviewed, ConfirmUse(actor=lead, today=reviewed, experiment_id=experiment_id))
        settled = SettleObstacle(actor=lead, today=reviewed, obstacle_id=obstacle_id, state=ObstacleState.CLEARED)
        add(reviewed, settled)

    def _see_result(self, tale: Tale, lead: Actor) -> None:
        improvement_id, changed = self._id("improvement", tale), self._figures.changed_on(tale)
        before = self._figures.pooled(tale, changed - timedelta(days=84), changed - timedelta(days=1))
        after = self._figures.pooled(tale, changed + timedelta(days=14), changed + timedelta(days=83))
        told = changed + timedelta(days=85)
        effect = compare(before, after, tale.direction)
        result = RecordResult(
            actor=lead,
            today=told,
            measure_id=self._id("measure", tale),
            before=before,
            after=after,
            before_origin=Origin.SYSTEM,
            after_origin=Origin.SYSTEM,
            took_effect_on=changed,
            effect=effect,
        )
        process_id = self._id("process", tale)
        self._script.add(told, Improvement, improvement_id, result, writes=[process_id], at=time(15))
        if effect.verdict != "better":
            return
        adopted = told + timedelta(days=3)
        adopt = AdoptImprovement(actor=lead, today=adopted, on=adopted, standard_ref="Team wiki, page 12")
        self._script.add(adopted, Improvement, improvement_id, adopt, at=time(15))
        looked = adopted + timedelta(days=37)
        if looked <= self._figures.last:
            later = self._figures.pooled(tale, adopted + timedelta(days=2), adopted + timedelta(days=36))
            check = CheckSustainment(
                actor=lead, today=looked, days_after=30, summary=later, effect=compare(before, later, tale.direction)
            )
            self._script.add(looked, Improvement, improvement_id, check, reads=[process_id], at=time(15))

    def _support(self, tale: Tale, metric: str) -> None:
        """What speaks for and against the belief that the measure moves the metric."""
        link_id, process_id = self._id("link", tale), self._id("process", tale)
        lead, told = self._company.crews[tale.team].lead.actor, self._figures.changed_on(tale) + timedelta(days=100)

        def add(day: date, command: Command) -> None:
            self._script.add(day, Link, link_id, command, reads=[process_id], at=time(16))

        for n, stance in enumerate([Stance.SUPPORTS] * tale.supports + [Stance.WEAKENS] * tale.weakens):
            evidence = Evidence(
                evidence_id=self._id(f"link-evidence:{n}", tale), stance=stance, ref=f"Monthly report, sheet {n + 1}"
            )
            add(told, AttachEvidence(actor=lead, today=told, link_id=link_id, process_id=process_id, evidence=evidence))
        if tale.alternative:
            alternative = Alternative(alternative_id=self._id("alternative", tale), text=tale.alternative)
            command = RecordAlternative(
                actor=lead, today=told, link_id=link_id, process_id=process_id, alternative=alternative
            )
            add(told, command)
        if tale.contribution:
            self._attribute(tale, metric)

    def _attribute(self, tale: Tale, metric: str) -> None:
        """State that the improvement moved the metric; another accepts it, with its alternative on record."""
        contribution_id, changed = self._id("contribution", tale), self._figures.changed_on(tale)
        lead, owner = self._company.crews[tale.team].lead.actor, self._company.owner.actor
        told = changed + timedelta(days=160)
        months = [one for one in self._figures.monthly[metric] if one.end <= told]
        before = pooled([one for one in months if one.end < changed][-5:])
        after = pooled([one for one in months if one.start >= changed + timedelta(days=60)])
        tale_of = next(one for one in METRICS if one.key == metric)
        change = Change(
            before=before,
            after=after,
            before_origin=Origin.SYSTEM,
            after_origin=Origin.SYSTEM,
            design=Design.BEFORE_AFTER,
            effect=compare(before, after, tale_of.direction),
        )
        state = StateContribution(
            actor=lead,
            today=told,
            contribution_id=contribution_id,
            cause=Cause(kind=CauseKind.IMPROVEMENT, id=self._id("improvement", tale)),
            moved=Moved(outcome_metric_id=self._script.new_id(f"metric:{metric}")),
            mechanism=tale.hypothesis,
            window=Window(start=changed, end=told),
            change=change,
        )
        evidence = Evidence(
            evidence_id=self._id("contribution-evidence", tale),
            stance=Stance.SUPPORTS,
            ref="Customer panel, question 4",
        )
        alternative = Alternative(
            alternative_id=self._id("contribution-alternative", tale), text=tale.alternative or ""
        )
        commands = (
            (0, state),
            (1, SupportContribution(actor=lead, today=told, evidence=evidence)),
            (1, OfferAlternative(actor=lead, today=told, alternative=alternative)),
            (6, AcceptContribution(actor=owner, today=told + timedelta(days=6))),
        )
        for days, command in commands:
            self._script.add(told + timedelta(days=days), Contribution, contribution_id, command, at=time(16))

    def _id(self, what: str, tale: Tale) -> UUID:
        return self._script.new_id(f"{what}:{tale.key}")


def show_skill(script: Script, skill: str, learner: Person, attester: Person, day: date, rank: int) -> None:
    """Somebody puts evidence on record, asks a colleague of his choice, and is attested: two calls and an answer."""
    competency_id = story.competency_id(script.organisation_id, skill)
    skill_id = SkillRecord.id_of(learner.id, competency_id)
    evidence_id = script.new_id(f"evidence:{skill_id}")
    request_id = script.new_id(f"request:{skill_id}")
    submit = SubmitEvidence(
        actor=learner.actor,
        today=day,
        skill_id=skill_id,
        competency_id=competency_id,
        evidence_id=evidence_id,
        kind=EvidenceKind.WORK_SAMPLE,
        ref="Notes of three cases",
    )
    script.add(day, SkillRecord, skill_id, submit, reads=[competency_id], at=time(15))
    ask = RequestAttestation(
        actor=learner.actor,
        today=day,
        skill_id=skill_id,
        competency_id=competency_id,
        of=((request_id, attester.id),),
        evidence=(evidence_id,),
    )
    script.add(day, SkillRecord, skill_id, ask, at=time(15, 5))
    later = day + timedelta(days=3)
    attest = AttestLevel(
        actor=attester.actor,
        today=later,
        attestation_id=script.new_id(f"attestation:{skill_id}"),
        rank=rank,
        basis=(evidence_id,),
        confidence=Decimal("0.8"),
        default_scale_id=ProficiencyScale.default_id(script.organisation_id),
    )
    script.add(later, SkillRecord, skill_id, attest, at=time(11))
