"""Is what the edge believes about a person's teams ever older than what he has seen?"""

import asyncio

import pytest

from api.installation import ok, seen
from lms.api.standing import FRESH_S, Standings


class Counting:
    """A pool that counts how often it is asked for a connection."""

    def __init__(self, pool):
        self._pool = pool
        self.asked = 0

    def acquire(self):
        self.asked += 1
        return self._pool.acquire()


class Parts:
    """The parts that standings look at."""

    def __init__(self, services):
        self.reads = Counting(services.reads)
        self.log = services.log
        self.subjects = services.subjects
        self.wait_for_position = services.wait_for_position


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def parts(installation):
    return Parts(installation.application.state.services)


async def test_the_database_is_asked_once_while_the_answer_is_fresh(installation, parts):
    clock = Clock()
    standings = Standings(parts, clock)
    who = installation.organisation_id, installation.administrator.id
    assert await standings.of(*who) == await standings.of(*who)
    assert parts.reads.asked == 1
    clock.seconds += FRESH_S
    await standings.of(*who)
    assert parts.reads.asked == 2


async def test_what_a_caller_has_seen_written_is_not_overlooked(installation, parts):
    standings = Standings(parts, Clock())
    mira = await installation.person("Mira")
    who = installation.organisation_id, mira.id
    assert (await standings.of(*who)).relations.leads == frozenset()
    sales = ok(made := await installation.administrator.post("/v1/teams", json={"name": "Sales", "lead": str(mira.id)}))
    assert (await standings.of(*who)).relations.leads == frozenset()
    after = (await standings.of(*who, seen(made)["LMS-After"])).relations
    assert {str(team) for team in after.leads} == {sales["id"]}


async def test_a_change_made_by_this_process_is_not_overlooked(installation, parts):
    standings = Standings(parts, Clock())
    mira = await installation.person("Mira")
    who = installation.organisation_id, mira.id
    await standings.of(*who)
    made = await installation.administrator.post("/v1/teams", json={"name": "Sales", "lead": str(mira.id)})
    standings.moved(installation.organisation_id, await parts.log.position_of(seen(made)["LMS-After"]))
    standings.moved(installation.organisation_id, None)
    standings.moved(installation.organisation_id, 1)
    assert len((await standings.of(*who)).relations.leads) == 1


async def test_a_manager_acts_at_once_on_what_was_made_for_him(installation):
    """No header is needed between the appointment and the first act: the product feels immediate."""
    for n in range(5):
        team = await installation.team(f"Team {n}")
        mira = await installation.person("Mira", team=team, lead=True)
        noor = await installation.person("Noor")
        ok(await mira.post(f"/v1/teams/{team}/members", json={"contributor_id": str(noor.id)}))


async def test_many_callers_at_once_get_their_own_standing(installation):
    people = [await installation.person(f"Person {n}") for n in range(8)]
    answers = await asyncio.gather(*(person.get("/v1/me") for person in people for _ in range(3)))
    assert [ok(answer)["name"] for answer in answers] == [f"Person {n}" for n in range(8) for _ in range(3)]
