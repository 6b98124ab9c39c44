"""Who works at the demo company, in which team, and who leads?"""

from collections.abc import Iterator
from datetime import date, time
from random import Random
from uuid import UUID

import msgspec

from lms.cli.demo import story
from lms.cli.demo.script import Script
from lms.domain.base import Actor, Role
from lms.domain.contributor import Contributor, RegisterContributor
from lms.domain.founding import Founding, found_organisation, quarter_of
from lms.domain.goal_cycle import GoalCycle, OpenGoalCycle
from lms.domain.team import NewMember, Team
from lms.domain.team_commands import AddMembers, AppointLead, FormTeam, SetDistance

ADMINISTRATOR = "Alex de Beheer"
ADMINISTRATOR_ROLES = (Role.EMPLOYEE, Role.ADMINISTRATOR)


class Person(msgspec.Struct, frozen=True):
    """Somebody at the company; ``actor`` is who he is when he sends a command."""

    id: UUID
    name: str
    team: str
    actor: Actor


class Crew(msgspec.Struct, frozen=True):
    """A team with its people; the first leads."""

    id: UUID
    name: str
    department: str
    people: tuple[Person, ...]

    @property
    def lead(self) -> Person:
        """Who leads the team."""
        return self.people[0]

    @property
    def members(self) -> tuple[Person, ...]:
        """Everybody but the lead."""
        return self.people[1:]


class Company(msgspec.Struct, frozen=True):
    """The company on its first day. ``heads`` lead the departments; the first of them is also a business owner."""

    organisation_id: UUID
    administrator: Actor
    heads: dict[str, Person]
    crews: dict[str, Crew]

    @property
    def owner(self) -> Person:
        """The head of the stores, who owns the business model's goals and metrics."""
        return self.heads["Stores"]

    def names(self) -> Iterator[tuple[str, UUID]]:
        """Everybody's name and id, the administrator's too."""
        if self.administrator.contributor_id is not None:
            yield ADMINISTRATOR, self.administrator.contributor_id
        yield from ((person.name, person.id) for person in self.everyone())

    def everyone(self) -> Iterator[Person]:
        """All people but the administrator."""
        yield from self.heads.values()
        for crew in self.crews.values():
            yield from crew.people


def hire(script: Script, people: int, chance: Random) -> Company:
    """Spread the people over departments and teams; the relations of each are those from the first week on."""
    names = _names(chance)
    administrator = Actor(contributor_id=_founding(script).administrator_id, roles=ADMINISTRATOR_ROLES)
    teams = {team: department for department, teams in story.DEPARTMENTS.items() for team in teams}
    heads = {}
    for number, department in enumerate(story.DEPARTMENTS):
        led = {
            script.new_id(f"team:{department}"),
            *(script.new_id(f"team:{t}") for t in story.DEPARTMENTS[department]),
        }
        roles = (Role.EMPLOYEE, Role.BUSINESS_OWNER) if number == 0 else (Role.EMPLOYEE,)
        home = script.new_id(f"team:{department}")
        heads[department] = _person(script, next(names), department, roles, frozenset(led), frozenset({home}))
    crews = {}
    left = max(people - len(heads), 2 * len(teams))
    for number, (team, department) in enumerate(teams.items()):
        size = left // len(teams) + (number < left % len(teams))
        team_id = script.new_id(f"team:{team}")
        crew = []
        for place in range(size):
            leads = frozenset({team_id}) if place == 0 else frozenset()
            crew.append(_person(script, next(names), team, (Role.EMPLOYEE,), leads, frozenset({team_id})))
        crews[team] = Crew(team_id, team, department, tuple(crew))
    return Company(script.organisation_id, administrator, heads, crews)


def found(script: Script, company: Company, first: date, last: date) -> None:
    """Tell how the company came to the system: organisation, people, teams, quarters."""
    for step in found_organisation(_founding(script), first):
        script.add(first, step.kind, step.stream_id, step.command, at=time(7), closing=True)  # nobody is there before
    actor = company.administrator
    for person in company.everyone():
        band = story.ROLE_BANDS[_department(person.team)]
        register = RegisterContributor(
            actor=actor,
            today=first,
            contributor_id=person.id,
            role_band=band,
            name=person.name,
            email=address_of(person.name),
        )
        script.add(first, Contributor, person.id, register, at=time(8))
    for department, head in company.heads.items():
        _form(script, company, department, None, (head,), first)
    for crew in company.crews.values():
        _form(script, company, crew.name, crew.department, crew.people, first)
    _open_quarters(script, company, first, last)


def _form(
    script: Script, company: Company, name: str, parent: str | None, people: tuple[Person, ...], on: date
) -> None:
    actor, team_id = company.administrator, script.new_id(f"team:{name}")
    parent_id = script.new_id(f"team:{parent}") if parent else None
    ids = [person.id for person in people]
    at = time(8, 30)
    form = FormTeam(actor=actor, today=on, team_id=team_id, name=name, parent_team_id=parent_id)
    script.add(on, Team, team_id, form, reads=[parent_id] if parent_id else [], at=at)
    members = tuple(NewMember(contributor_id=person_id, home=True) for person_id in ids)
    script.add(on, Team, team_id, AddMembers(actor=actor, today=on, members=members), writes=ids, at=at)
    lead = AppointLead(actor=actor, today=on, contributor_id=ids[0])
    script.add(on, Team, team_id, lead, reads=ids[:1], at=at)
    steps = story.DISTANCE[parent or name]
    script.add(on, Team, team_id, SetDistance(actor=actor, today=on, steps=steps), at=at)


def _open_quarters(script: Script, company: Company, first: date, last: date) -> None:
    """The founding opened the first quarter; each later one is opened on its first day."""
    _, _, end = quarter_of(first)
    while end < last:
        name, start, end = quarter_of(date.fromordinal(end.toordinal() + 1))
        cycle_id = cycle_of(script, start)
        command = OpenGoalCycle(
            actor=company.owner.actor,
            today=start,
            cycle_id=cycle_id,
            name=name,
            starts_on=start,
            ends_on=end,
        )
        script.add(start, GoalCycle, cycle_id, command, at=time(8))


def cycle_of(script: Script, day: date) -> UUID:
    """The goal cycle of the quarter around a day."""
    first_cycle = next(s for s in script.steps if s.kind is GoalCycle)
    name, start, _ = quarter_of(day)
    if isinstance(first_cycle.command, OpenGoalCycle) and first_cycle.command.name == name:
        return first_cycle.stream_id
    return script.new_id(f"cycle:{start}")


def _founding(script: Script) -> Founding:
    return Founding(
        organisation_id=script.organisation_id,
        name=story.COMPANY,
        time_zone=story.TIME_ZONE,
        currency=story.CURRENCY,
        language=story.LANGUAGE,
        administrator_name=ADMINISTRATOR,
        administrator_email=address_of(ADMINISTRATOR),
    )


def _person(
    script: Script, name: str, team: str, roles: tuple[Role, ...], leads: frozenset[UUID], member_of: frozenset[UUID]
) -> Person:
    person_id = script.new_id(f"person:{name}")
    actor = Actor(contributor_id=person_id, roles=roles, leads=leads, member_of=member_of)
    return Person(person_id, name, team, actor)


def _names(chance: Random) -> Iterator[str]:
    """Every first name with every last name, shuffled; then again with a number."""
    pairs = [f"{first} {last}" for first in story.FIRST_NAMES for last in story.LAST_NAMES]
    chance.shuffle(pairs)
    yield from pairs
    number = 2
    while True:
        yield from (f"{pair} {number}" for pair in pairs)
        number += 1


def address_of(name: str) -> str:
    """A person's e-mail address."""
    return f"{name.lower().replace(' ', '.')}@vanderveld.example"


def _department(team: str) -> str:
    return next((d for d, teams in story.DEPARTMENTS.items() if team in teams), team)
