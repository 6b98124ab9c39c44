import pytest

from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role


async def test_a_new_installation_has_an_open_quarter_with_weekly_check_ins(installation):
    mira = await installation.person("Mira")
    (cycle,) = ok(await mira.get("/v1/goal-cycles"))["items"]
    assert (cycle["check_in_every_days"], cycle["closed_on"]) == (7, None)
    assert cycle["starts_on"] <= ok(await mira.get("/v1/me"))["today"] <= cycle["ends_on"]


async def test_a_business_owner_opens_and_closes_a_cycle(installation):
    owner = await installation.person("Olga", Role.EMPLOYEE, Role.BUSINESS_OWNER)
    body = {"name": "Long", "starts_on": "2999-01-01", "ends_on": "2999-12-31", "check_in_every_days": 14}
    made = await owner.post("/v1/goal-cycles", json=body)
    assert made.status_code == 201
    shown = await owner.get(made.headers["location"], headers=seen(made))
    assert ok(shown) == {**body, "id": made.json()["id"], "closed_on": None, "next": []}
    closed = await owner.post(f"{made.headers['location']}/closing", json={"on": "2026-01-31"})
    assert ok(closed)["closed_on"] == "2026-01-31"
    first = ok(await owner.get("/v1/goal-cycles?limit=1", headers=seen(closed)))
    assert (first["items"][0]["name"], first["items"][0]["closed_on"]) == ("Long", "2026-01-31")
    rest = ok(await owner.get(f"/v1/goal-cycles?limit=1&cursor={first['next']}"))
    assert (len(rest["items"]), rest["next"]) == (1, None)


async def test_others_open_no_cycles(installation):
    mira = await installation.person("Mira")
    body = {"name": "Mine", "starts_on": "2026-04-01", "ends_on": "2026-06-30"}
    answer = await mira.post("/v1/goal-cycles", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-cycle")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"ends_on": "2026-03-31"}, "/ends_on"),
        ({"check_in_every_days": 0}, "/check_in_every_days"),
        ({"name": ""}, "/name"),
    ],
)
async def test_a_cycle_that_makes_no_sense_is_refused_with_a_pointer(installation, changed, pointer):
    body = {"name": "Q2", "starts_on": "2026-04-01", "ends_on": "2026-06-30"} | changed
    answer = await installation.administrator.post("/v1/goal-cycles", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_cycle_that_is_not_there_is_not_found(installation):
    assert (await installation.administrator.get(f"/v1/goal-cycles/{uuid7()}")).status_code == 404
    closing = await installation.administrator.post(f"/v1/goal-cycles/{uuid7()}/closing", json={})
    assert closing.status_code == 404


async def test_a_cursor_of_another_list_is_refused(installation):
    assert (await installation.administrator.get("/v1/goal-cycles?cursor=eyJ4Ig")).status_code == 400
