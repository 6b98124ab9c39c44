"""How does an empty installation get the demo company, once?"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from lms.cli.demo import story
from lms.cli.demo.chains import Chains
from lms.cli.demo.company import ADMINISTRATOR, Company, Person, address_of, found, hire
from lms.cli.demo.figures import Figures
from lms.cli.demo.goals import Goals
from lms.cli.demo.life import (
    bring_in_competencies,
    close_periods,
    last_entry,
    learn_week_by_week,
    look_back,
    show_skills,
)
from lms.cli.demo.script import Script
from lms.dispatch import Dispatch
from lms.domain.base import Role

NAMESPACE = UUID("6f1f7f2e-6f0c-5c52-8a34-5d4b0c8f6f11")
LEAST_MONTHS = 12
LEAST_PEOPLE = 60


ClaimAddress = Callable[[UUID, str, UUID], Awaitable[object]]
"""Books an e-mail address of an organisation for a person."""


class CastMember(msgspec.Struct, frozen=True):
    """One of the four who show the product, with the roles of his token."""

    id: UUID
    name: str
    roles: tuple[Role, ...]


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Whose eyes the demo can be seen with, and how many commands were new."""

    organisation: UUID
    manager: CastMember
    employee: CastMember
    analyst: CastMember
    administrator: CastMember
    commands_n: int


class DemoTooSmall(Exception):  # noqa: N818 - shown to the user as it stands
    """The story needs more people or a longer time."""


async def load_demo(
    dispatch: Dispatch,
    *,
    people: int = 200,
    months: int = 18,
    seed: int = 1,
    now: datetime,
    claim: ClaimAddress | None = None,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> Cast:
    """Tell the company's history up to now; a second call tells nothing, one after a break goes on where it ended.

    ``claim`` books each person's address, so that nobody registers a second time under it. Raises DemoTooSmall.
    """
    if people < LEAST_PEOPLE or months < LEAST_MONTHS:
        raise DemoTooSmall(f"the demo needs at least {LEAST_PEOPLE} people and {LEAST_MONTHS} months")
    zone, chance = ZoneInfo(story.TIME_ZONE), Random(seed)  # noqa: S311 - a story, not a secret
    script = Script(uuid5(NAMESPACE, f"{seed}|{people}|{months}"), now)
    company = hire(script, people, chance)
    streams = await dispatch.log.streams([script.organisation_id, last_entry(script)])
    if streams[last_entry(script)]:
        return _cast(company, 0)
    begun = streams[script.organisation_id]
    # Told again days after a break, the history keeps its days: all ids and figures follow from them.
    last = (dispatch.codec.decode(begun[0]).effective_at + _span(months) if begun else now).astimezone(zone).date()
    _tell(script, company, chance, last - _span(months), last)
    if claim is not None:
        for name, person_id in company.names():
            await claim(script.organisation_id, address_of(name), person_id)
    told_n = await script.tell(dispatch, zone, told)
    return _cast(company, told_n)


def _tell(script: Script, company: Company, chance: Random, first: date, last: date) -> None:
    found(script, company, first, last)
    bring_in_competencies(script, company, first)
    figures = Figures(script, company, chance, first, last)
    figures.tell()
    Chains(script, company, chance, figures).tell()
    Goals(script, company, chance, first, last).tell()
    learn_week_by_week(script, company, chance, first, last)
    show_skills(script, company, chance, first, last)
    close_periods(script, first, last)
    look_back(script, company, last)


def _span(months: int) -> timedelta:
    return timedelta(days=round(months * 365.25 / 12))


def _cast(company: Company, commands_n: int) -> Cast:
    def member(person: Person, *roles: Role) -> CastMember:
        return CastMember(person.id, person.name, roles or person.actor.roles)

    crew = company.crews["Store Utrecht"]
    administrator = company.administrator
    if administrator.contributor_id is None:
        raise ValueError("the administrator is a person")
    return Cast(
        organisation=company.organisation_id,
        manager=member(company.owner),
        employee=member(crew.members[0]),
        analyst=member(company.crews["Web data"].members[0], Role.EMPLOYEE, Role.ANALYST),
        administrator=CastMember(administrator.contributor_id, ADMINISTRATOR, administrator.roles),
        commands_n=commands_n,
    )
