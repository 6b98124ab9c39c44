"""What happens at the demo company in an ordinary week, and when is a period closed?"""

from datetime import date, time, timedelta
from random import Random
from uuid import UUID

from lms.cli.demo import story
from lms.cli.demo.chains import show_skill
from lms.cli.demo.company import Company
from lms.cli.demo.script import Script
from lms.domain.base import SYSTEM
from lms.domain.calendar import Calendar, ClosePeriod, PeriodKind, last_day
from lms.domain.competency import Competency, DefineCompetency, ExternalRef, RefSystem
from lms.domain.competency_framework import CompetencyFramework, DefineFramework
from lms.domain.learning_entry import LearningEntry, LearningKind, LogLearning
from lms.domain.team_learning import HoldTeamLearning, TeamLearning
from lms.policies.calendar import calendar_id

LEARNING_PER_WEEK = 0.3
"""The chance that somebody logs something in a week."""


def bring_in_competencies(script: Script, company: Company, day: date) -> None:
    """The competencies of this story: an excerpt of ESCO, and the company's own words."""
    actor = company.administrator
    framework_id = script.new_id("framework:esco")
    define = DefineFramework(
        actor=actor,
        today=day,
        framework_id=framework_id,
        name="ESCO (excerpt)",
        publisher="European Commission",
        acknowledgement=story.ESCO_NOTICE,
    )
    script.add(day, CompetencyFramework, framework_id, define, at=time(9))
    for skill in story.SKILLS:
        competency_id = story.competency_id(script.organisation_id, skill.key)
        refs = (ExternalRef(system=RefSystem.ESCO, uri=story.ESCO + skill.esco),) if skill.esco else ()
        command = DefineCompetency(
            actor=actor,
            today=day,
            competency_id=competency_id,
            framework_id=framework_id if skill.esco else None,
            code=skill.esco,
            labels={"en": skill.english, "nl": skill.dutch},
            refs=refs,
        )
        script.add(day, Competency, competency_id, command, reads=[framework_id], at=time(10))


def learn_week_by_week(script: Script, company: Company, chance: Random, first: date, last: date) -> None:
    """People log what they learn, mostly a note and a competency; teams hold a learning hour now and then."""
    people = list(company.everyone())
    skills = [story.competency_id(script.organisation_id, skill.key) for skill in story.SKILLS]
    monday = first + timedelta(days=7 - first.weekday())
    while monday + timedelta(days=6) <= last:
        for person in people:
            if chance.random() < LEARNING_PER_WEEK:
                day = monday + timedelta(days=chance.randint(0, 5))
                entry_id = script.new_id(f"learning:{person.id}:{day}")
                log = LogLearning(
                    actor=person.actor,
                    today=day,
                    entry_id=entry_id,
                    learner=person.id,
                    learned_on=day,
                    kind=chance.choice(list(LearningKind)),
                    minutes=chance.choice((None, 15, 30, 60, 120)),
                    competencies=tuple(chance.sample(skills, chance.choice((0, 1, 1, 2)))),
                    note=chance.choice(story.NOTES),
                )
                script.add(day, LearningEntry, entry_id, log, at=time(chance.randint(8, 18), chance.randint(0, 59)))
        if monday.day <= 7:
            _hold_hours(script, company, chance, skills, monday + timedelta(days=3))
        monday += timedelta(days=7)


def _hold_hours(script: Script, company: Company, chance: Random, skills: list[UUID], day: date) -> None:
    for crew in chance.sample(list(company.crews.values()), 6):
        learning_id = script.new_id(f"team-learning:{crew.name}:{day}")
        hold = HoldTeamLearning(
            actor=crew.lead.actor,
            today=day,
            team_learning_id=learning_id,
            team_id=crew.id,
            on=day,
            what="What went well this month, and what did we learn from it?",
            participants_n=len(crew.people),
            competencies=(chance.choice(skills),),
        )
        script.add(day, TeamLearning, learning_id, hold, at=time(16))


def show_skills(script: Script, company: Company, chance: Random, first: date, last: date) -> None:
    """Here and there somebody asks a colleague to look at his work."""
    span = (last - first).days - 40
    for crew in company.crews.values():
        for learner, attester in zip(crew.members[::2], crew.members[1::2], strict=False):
            day = first + timedelta(days=30 + chance.randint(0, span))
            show_skill(
                script, chance.choice(("spreadsheets", "privacy", "crm")), learner, attester, day, chance.randint(2, 4)
            )


def close_periods(script: Script, first: date, last: date) -> None:
    """Each week, month and quarter that ended before the last day is closed on the morning after, in this order."""
    day = first
    while day < last:
        for kind in PeriodKind:
            if last_day(kind, day) == day:
                stream_id = calendar_id(script.organisation_id, kind)
                morning = day + timedelta(days=1)
                close = ClosePeriod(actor=SYSTEM, today=morning, calendar_id=stream_id, kind=kind, ends_on=day)
                script.add(morning, Calendar, stream_id, close, at=time(0, 5), closing=True)
        day += timedelta(days=1)


def last_entry(script: Script) -> UUID:
    """The entry that ends the history: who finds it knows that all of it is there."""
    return script.new_id("learning:the-last")


def look_back(script: Script, company: Company, last: date) -> None:
    """End the history with what its business owner learned from it."""
    owner = company.owner
    log = LogLearning(
        actor=owner.actor,
        today=last,
        entry_id=last_entry(script),
        learner=owner.id,
        learned_on=last,
        note="looked back at what moved and what did not",
    )
    script.add(last, LearningEntry, log.entry_id, log, at=time.max, closing=True)
