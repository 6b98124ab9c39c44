import asyncio

import pytest

from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role


async def test_an_administrator_forms_a_tree_of_teams_and_reads_it_back(installation):
    admin = installation.administrator
    retail = await installation.team("Retail")
    mira = await installation.person("Mira")
    body = {
        "name": "Stores",
        "parent_team_id": retail,
        "lead": "me",
        "distance": 1,
        "members": [{"contributor_id": str(mira.id)}],
        "on": "2025-01-01",
    }
    made = await admin.post("/v1/teams", json=body)
    assert made.status_code == 201
    stores = made.json()["id"]
    assert made.headers["location"] == f"/v1/teams/{stores}"
    shown = await admin.get(f"/v1/teams/{stores}", headers=seen(made))
    assert shown.headers["etag"] == made.headers["etag"]
    assert ok(shown) == {
        "id": stores,
        "name": "Stores",
        "parent_team_id": retail,
        "lead_id": str(admin.id),
        "distance": 1,
        "members_n": 1,
        "formed_on": "2025-01-01",
        "disbanded_on": None,
        "next": [],
        "lead": {"id": str(admin.id), "name": "Ada"},
        "members": [{"id": str(mira.id), "name": "Mira", "home": True, "since": "2025-01-01"}],
        "above": [{"id": retail, "name": "Retail"}],
        "sub_teams": [],
    }
    assert ok(await admin.get(f"/v1/teams/{retail}"))["sub_teams"] == [{"id": stores, "name": "Stores"}]


async def test_a_new_team_says_what_is_missing(installation):
    made = ok(await installation.administrator.post("/v1/teams", json={"name": "Retail"}))
    assert made["next"] == ["lead", "members", "distance"]


async def test_nobody_else_forms_teams(installation):
    mira = await installation.person("Mira", Role.EMPLOYEE, Role.BUSINESS_OWNER)
    answer = await mira.post("/v1/teams", json={"name": "Mine"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-administrator")


async def test_a_manager_sees_the_teams_he_leads(installation):
    sales = await installation.team("Sales")
    await installation.team("Service", parent_team_id=sales)
    mira = await installation.person("Mira", team=sales, lead=True)
    (led,) = ok(await mira.get("/v1/teams?lead=me"))["items"]
    assert (led["id"], led["members_n"]) == (sales, 1)
    assert ok(await mira.get(f"/v1/teams?lead={mira.id}"))["items"] == [led]
    assert [team["name"] for team in ok(await mira.get(f"/v1/teams?parent={sales}"))["items"]] == ["Service"]
    assert len(ok(await mira.get("/v1/teams"))["items"]) == 2
    assert (await mira.get("/v1/teams?lead=somebody")).status_code == 400


async def test_teams_come_in_pages(installation):
    for n in (2, 0, 1):
        await installation.team(f"Team {n}")
    first = ok(await installation.administrator.get("/v1/teams?limit=2"))
    second = ok(await installation.administrator.get(f"/v1/teams?limit=2&cursor={first['next']}"))
    names = [team["name"] for team in first["items"] + second["items"]]
    assert (names, second["next"]) == (["Team 0", "Team 1", "Team 2"], None)


@pytest.mark.parametrize("shape", ["one", "list", "members"])
async def test_members_are_added_one_by_one_or_as_a_list(installation, shape):
    sales = await installation.team("Sales")
    mira, noor = await installation.person("Mira"), await installation.person("Noor")
    both = [{"contributor_id": str(mira.id)}, {"contributor_id": str(noor.id), "home": False}]
    body = {"one": both[0], "list": both, "members": {"members": both, "on": "2026-01-05"}}[shape]
    added = await installation.administrator.post(f"/v1/teams/{sales}/members", json=body)
    assert added.status_code == 200
    shown = ok(await mira.get(f"/v1/teams/{sales}", headers=seen(added)))
    assert {member["name"]: member["home"] for member in shown["members"]} == (
        {"Mira": True} if shape == "one" else {"Mira": True, "Noor": False}
    )


async def test_all_members_are_added_or_none(installation):
    sales = await installation.team("Sales")
    mira = await installation.person("Mira")
    members = [{"contributor_id": str(mira.id)}, {"contributor_id": str(uuid7())}]
    assert (await installation.administrator.post(f"/v1/teams/{sales}/members", json=members)).status_code == 404
    assert ok(await installation.administrator.get(f"/v1/teams/{sales}"))["members"] == []
    one_and_many = {"contributor_id": str(mira.id), "members": [{"contributor_id": str(mira.id)}]}
    assert (await installation.administrator.post(f"/v1/teams/{sales}/members", json=one_and_many)).status_code == 400
    assert (await installation.administrator.post(f"/v1/teams/{sales}/members", json={})).status_code == 400


async def test_a_lead_looks_after_his_team_and_those_under_it_and_no_others(installation):
    sales, service = await installation.team("Sales"), await installation.team("Service")
    stores = await installation.team("Stores", parent_team_id=sales)
    mira = await installation.person("Mira", team=sales, lead=True)
    noor = await installation.person("Noor")
    join = {"contributor_id": str(noor.id)}
    assert (await mira.post(f"/v1/teams/{service}/members", json=join)).json()["code"] == "not-your-team"
    ok(await mira.post(f"/v1/teams/{stores}/members", json=join))
    ok(await mira.post(f"/v1/teams/{stores}/lead", json=join))
    ok(await mira.post(f"/v1/teams/{stores}/distance", json={"steps": 2}))
    ok(await mira.patch(f"/v1/teams/{stores}", json={"name": "Shops"}))
    assert (await mira.post(f"/v1/teams/{stores}/move", json={"parent_team_id": None})).status_code == 403
    assert (await mira.post(f"/v1/teams/{sales}/lead", json=join)).status_code == 403
    removed = await mira.delete(f"/v1/teams/{stores}/members/{noor.id}")
    shown = ok(await mira.get(f"/v1/teams/{stores}", headers=seen(removed)))
    assert (shown["name"], shown["lead"]["name"], shown["distance"], shown["members"]) == ("Shops", "Noor", 2, [])


async def test_the_home_of_a_person_is_moved_by_an_administrator_not_by_a_lead_of_one_side(installation):
    sales, service = await installation.team("Sales"), await installation.team("Service")
    noor = await installation.person("Noor", team=sales)
    mira = await installation.person("Mira", team=service, lead=True)
    take = {"contributor_id": str(noor.id), "home": True}
    assert (await mira.post(f"/v1/teams/{service}/members", json=take)).json()["code"] == "home-is-elsewhere"
    moved = await installation.administrator.post(f"/v1/teams/{service}/members", json=take)
    me = ok(await noor.get("/v1/me", headers=seen(moved)))
    assert [(team["name"], team["home"]) for team in me["teams"]] == [("Service", True)]


async def test_of_many_homes_given_at_once_one_stays(installation):
    teams = [await installation.team(f"Team {n}") for n in range(6)]
    noor = await installation.person("Noor")
    admin = installation.administrator
    homes = [
        admin.post(f"/v1/teams/{team}/members", json={"contributor_id": str(noor.id), "home": True}) for team in teams
    ]
    answers = await asyncio.gather(*homes)
    assert {answer.status_code for answer in answers} == {200}
    latest = max(answers, key=lambda answer: int(answer.headers["lms-position"].rpartition(".")[2]))
    me = ok(await noor.get("/v1/me", headers=seen(latest)))
    assert [team["home"] for team in me["teams"]] == [True]


async def test_moves_at_once_close_no_ring(installation):
    teams = [await installation.team(f"Team {n}") for n in range(4)]
    admin = installation.administrator
    moves = [
        admin.post(f"/v1/teams/{child}/move", json={"parent_team_id": parent})
        for child, parent in zip(teams, [*teams[1:], teams[0]], strict=True)
    ]
    answers = await asyncio.gather(*moves)
    codes = sorted(answer.json().get("code", "") for answer in answers)
    assert codes == ["", "", "", "ring-of-teams"]
    latest = max(
        (answer for answer in answers if answer.is_success),
        key=lambda answer: int(answer.headers["lms-position"].rpartition(".")[2]),
    )
    shown = [ok(await admin.get(f"/v1/teams/{team}", headers=seen(latest))) for team in teams]
    assert sorted(len(team["above"]) for team in shown) == [0, 1, 2, 3]


async def test_a_change_may_be_conditional_and_repeated_safely(installation):
    sales = await installation.team("Sales")
    admin = installation.administrator
    stale = await admin.patch(f"/v1/teams/{sales}", json={"name": "Shops"}, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    keyed = {"If-Match": '"1"', "Idempotency-Key": "k1"}
    first = await admin.patch(f"/v1/teams/{sales}", json={"name": "Shops"}, headers=keyed)
    again = await admin.patch(f"/v1/teams/{sales}", json={"name": "Shops"}, headers=keyed)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.headers["etag"] == again.headers["etag"] == '"2"'


async def test_an_empty_team_is_disbanded(installation):
    sales = await installation.team("Sales")
    stores = await installation.team("Stores", parent_team_id=sales)
    admin = installation.administrator
    assert (await admin.delete(f"/v1/teams/{sales}")).json()["code"] == "team-has-members"
    ok(await admin.delete(f"/v1/teams/{stores}"))
    gone = await admin.delete(f"/v1/teams/{sales}")
    assert gone.status_code == 204
    assert ok(await admin.get("/v1/teams", headers=seen(gone)))["items"] == []
    assert ok(await admin.get(f"/v1/teams/{sales}"))["disbanded_on"] is not None


async def test_a_team_that_is_not_there_is_not_found(installation):
    admin = installation.administrator
    assert (await admin.get(f"/v1/teams/{uuid7()}")).status_code == 404
    assert (await admin.post(f"/v1/teams/{uuid7()}/distance", json={"steps": 1})).status_code == 404


async def test_guests_see_no_teams(installation):
    sales = await installation.team("Sales")
    omar = await installation.person("Omar", Role.GUEST, kind="customer")
    assert (await omar.get("/v1/teams")).status_code == 403
    assert (await omar.get(f"/v1/teams/{sales}")).status_code == 403
