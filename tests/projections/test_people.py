from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lms.domain.base import Forgotten, Sealed
from lms.domain.contributor import Contributor, ContributorKind
from lms.domain.goal_cycle import GoalCycle
from lms.domain.organisation import Organisation
from lms.domain.team import Team
from lms.projections.organisations import Organisations
from lms.projections.people import People
from projections.harness import Story, applied, check_cuts

DAY = date(2026, 3, 2)
MIRA, NOOR, OMAR = UUID(int=1), UUID(int=2), UUID(int=3)
SALES, STORES, UTRECHT, SERVICE = (UUID(int=n) for n in (10, 11, 12, 13))


@pytest.fixture
async def connection(database) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database.app_dsn, server_settings={"role": "lms_application"})
    yield opened
    await opened.close()


def sealed(person, box):
    return Sealed(of=person, box=box, context="where it stood")


def story():
    """Sales > stores > Utrecht, and service. Mira leads stores and is at home there, Noor is in both trees."""
    told = Story()
    for person, kind in ((MIRA, "employee"), (NOOR, "employee"), (OMAR, "customer")):
        name = sealed(person, "bmFtZQ==")
        told.happened(
            person, Contributor.Registered(kind=ContributorKind(kind), name=name, email=name, on=DAY, role_band="band")
        )
    for team_id, name, parent in (
        (SALES, "Sales", None),
        (STORES, "Stores", SALES),
        (UTRECHT, "Utrecht", STORES),
        (SERVICE, "Service", None),
    ):
        told.happened(team_id, Team.Formed(name=name, parent_team_id=parent, on=DAY))
    joined(told, STORES, MIRA)
    joined(told, UTRECHT, NOOR)
    told.happened(SERVICE, Team.MemberJoined(contributor_id=NOOR, on=DAY, home=False))
    told.happened(STORES, Team.LeadAppointed(contributor_id=MIRA, on=DAY), Team.DistanceSet(steps=1, on=DAY))
    return told


def joined(told, team_id, person):
    told.happened(team_id, Team.MemberJoined(contributor_id=person, on=DAY, home=True))
    told.happened(person, Contributor.HomeTeamChanged(team_id=team_id, on=DAY))


async def test_the_edge_learns_what_a_person_leads_and_belongs_to(connection):
    told = story()
    async with applied(connection, People(), told.envelopes) as people:
        mira = await people.relations(connection, told.organisation_id, MIRA)
        assert (mira.leads, mira.member_of, mira.home_team_id) == ({STORES}, {STORES}, STORES)
        noor = await people.relations(connection, told.organisation_id, NOOR)
        assert (noor.leads, noor.member_of, noor.home_team_id) == (set(), {UTRECHT, SERVICE}, UTRECHT)
        omar = await people.relations(connection, told.organisation_id, OMAR)
        assert (omar.kind, omar.home_team_id) == (ContributorKind.CUSTOMER, None)


async def test_another_organisation_sees_nothing(connection):
    told, elsewhere = story(), UUID(int=99)
    async with applied(connection, People(), told.envelopes) as people:
        assert await people.relations(connection, elsewhere, MIRA) is None
        assert await people.contributor(connection, elsewhere, MIRA) is None
        assert await people.contributors(connection, elsewhere, 10) == []
        assert await people.names(connection, elsewhere, [MIRA]) == {}
        assert await people.team(connection, elsewhere, SALES) is None
        assert await people.teams(connection, elsewhere, 10) == []
        assert await people.members(connection, elsewhere, STORES) == []
        assert await people.above(connection, elsewhere, UTRECHT) == []
        assert await people.under(connection, elsewhere, SALES) == set()


async def test_names_stay_sealed_in_the_tables(connection):
    told = story()
    async with applied(connection, People(), told.envelopes) as people:
        assert (await people.names(connection, told.organisation_id, [MIRA]))[MIRA] == sealed(MIRA, "bmFtZQ==")
        row = await people.contributor(connection, told.organisation_id, MIRA)
        assert row.email == sealed(MIRA, "bmFtZQ==")


async def test_the_tree_is_asked_upward_and_downward(connection):
    told = story()
    async with applied(connection, People(), told.envelopes) as people:
        assert await people.above(connection, told.organisation_id, UTRECHT) == [STORES, SALES]
        assert await people.above(connection, told.organisation_id, SALES) == []
        assert await people.under(connection, told.organisation_id, SALES) == {SALES, STORES, UTRECHT}


async def test_a_moved_renamed_and_disbanded_team_is_shown_as_it_is(connection):
    told = story()
    told.happened(UTRECHT, Team.Moved(parent_team_id=SERVICE, on=DAY), Team.Renamed(name="Utrecht Centre", on=DAY))
    told.happened(SERVICE, Team.Disbanded(on=DAY))
    async with applied(connection, People(), told.envelopes) as people:
        team = await people.team(connection, told.organisation_id, UTRECHT)
        assert (team.name, team.parent_team_id, team.version) == ("Utrecht Centre", SERVICE, 4)
        assert SERVICE not in {one.team_id for one in await people.teams(connection, told.organisation_id, 10)}
        assert (await people.team(connection, told.organisation_id, SERVICE)).disbanded_on == DAY
        (found,) = await people.teams_named(connection, told.organisation_id, "UTRECHT centre")
        assert found.team_id == UTRECHT


async def test_teams_come_in_pages_and_by_lead_or_parent(connection):
    told = story()
    async with applied(connection, People(), told.envelopes) as people:

        async def ids(**wanted):
            return [team.team_id for team in await people.teams(connection, told.organisation_id, 2, **wanted)]

        assert await ids() == [SALES, SERVICE]
        assert await ids(after=("Service", SERVICE)) == [STORES, UTRECHT]
        assert await ids(led_by=MIRA) == [STORES]
        assert await ids(parent_team_id=STORES) == [UTRECHT]
        assert [team.name for team in await people.teams_with(connection, [SERVICE, SALES])] == ["Sales", "Service"]


async def test_people_come_in_pages_and_by_team(connection):
    told = story()
    async with applied(connection, People(), told.envelopes) as people:

        async def ids(limit=2, **wanted):
            rows = await people.contributors(connection, told.organisation_id, limit, **wanted)
            return [row.contributor_id for row in rows]

        assert await ids() == [MIRA, NOOR]
        assert await ids(after=NOOR) == [OMAR]
        assert await ids(team_id=SERVICE) == [NOOR]
        assert await people.sizes(connection, [SALES, STORES, SERVICE]) == {STORES: 1, SERVICE: 1}
        assert [row.home for row in await people.members(connection, told.organisation_id, SERVICE)] == [False]


async def test_who_left_is_in_no_team_and_leads_none(connection):
    told = story()
    told.happened(MIRA, Contributor.Deactivated(on=DAY))
    async with applied(connection, People(), told.envelopes) as people:
        assert await people.relations(connection, told.organisation_id, MIRA) is None
        assert await people.members(connection, told.organisation_id, STORES) == []
        assert (await people.team(connection, told.organisation_id, STORES)).lead is None
        row = await people.contributor(connection, told.organisation_id, MIRA)
        assert (row.left_on, row.home_team_id) == (DAY, None)
        assert row not in await people.contributors(connection, told.organisation_id, 10)


async def test_who_is_forgotten_has_no_name(connection):
    told = story()
    told.happened(NOOR, Contributor.Forgotten(on=DAY))
    async with applied(connection, People(), told.envelopes) as people:
        row = await people.contributor(connection, told.organisation_id, NOOR)
        assert (row.name, row.email, row.is_forgotten, row.left_on) == (Forgotten(), None, True, DAY)
        assert await people.members(connection, told.organisation_id, UTRECHT) == []


async def test_a_person_leaves_one_team(connection):
    told = story()
    told.happened(SERVICE, Team.MemberLeft(contributor_id=NOOR, on=DAY))
    async with applied(connection, People(), told.envelopes) as people:
        noor = await people.relations(connection, told.organisation_id, NOOR)
        assert noor.member_of == {UTRECHT}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@example(cuts=[])
@given(cuts=st.lists(st.integers(0, 40), max_size=5))
async def test_the_rows_are_the_same_however_the_log_is_cut(connection, cuts):
    told = story()
    told.happened(SERVICE, Team.MemberLeft(contributor_id=NOOR, on=DAY))
    told.happened(MIRA, Contributor.Deactivated(on=DAY))
    joined(told, SERVICE, NOOR)
    told.happened(NOOR, Contributor.Forgotten(on=DAY))
    await check_cuts(connection, People(), told.envelopes, cuts)


async def test_settings_and_cycles_are_there_the_latest_cycle_first(connection):
    told = Story()
    organisation = told.organisation_id
    told.happened(
        organisation,
        Organisation.Registered(name="Veldkamp", time_zone="Europe/Amsterdam", currency="EUR", language="nl"),
    )
    first, second = UUID(int=20), UUID(int=21)
    told.happened(
        first,
        GoalCycle.Opened(name="Q1", starts_on=date(2026, 1, 1), ends_on=date(2026, 3, 31), check_in_every_days=7),
    )
    told.happened(
        second,
        GoalCycle.Opened(name="Q2", starts_on=date(2026, 4, 1), ends_on=date(2026, 6, 30), check_in_every_days=14),
    )
    told.happened(first, GoalCycle.Closed(on=DAY))
    async with applied(connection, Organisations(), told.envelopes) as organisations:
        row = await organisations.organisation(connection, organisation)
        assert (row.time_zone, row.currency, row.language) == ("Europe/Amsterdam", "EUR", "nl")
        assert await organisations.all(connection) == [row]
        latest, earliest = await organisations.cycles(connection, organisation, 10)
        assert (latest.cycle_id, latest.check_in_every_days, latest.closed_on) == (second, 14, None)
        assert (earliest.cycle_id, earliest.closed_on) == (first, DAY)
        after = (latest.starts_on, latest.cycle_id)
        assert await organisations.cycles(connection, organisation, 10, after) == [earliest]
        assert await organisations.cycle(connection, organisation, first) == earliest
        assert await organisations.cycle(connection, UUID(int=99), first) is None
        assert await organisations.organisation(connection, UUID(int=99)) is None
