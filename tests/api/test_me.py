from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role


async def test_the_administrator_of_a_new_installation_sees_who_he_is(installation):
    me = ok(await installation.administrator.get("/v1/me"))
    assert (me["name"], me["kind"], me["email"], me["teams"]) == ("Ada", "employee", None, [])
    assert me["organisation"] == {
        "id": str(installation.organisation_id),
        "name": "Veldkamp",
        "time_zone": "Europe/Amsterdam",
        "currency": "EUR",
        "language": "en",
    }
    assert "administrator" in me["roles"]


async def test_a_person_sees_his_teams_and_what_he_is_in_them(installation):
    sales, service = await installation.team("Sales"), await installation.team("Service")
    mira = await installation.person("Mira", team=sales, lead=True, email="mira@example.org", role_band="store-staff")
    joined = await installation.administrator.post(
        f"/v1/teams/{service}/members", json={"contributor_id": str(mira.id)}
    )
    me = ok(await mira.get("/v1/me", headers=seen(joined)))
    assert (me["name"], me["email"], me["role_band"]) == ("Mira", "mira@example.org", "store-staff")
    assert sorted(me["teams"], key=lambda team: team["name"]) == [
        {"id": sales, "name": "Sales", "member": True, "home": True, "lead": True},
        {"id": service, "name": "Service", "member": True, "home": False, "lead": False},
    ]


async def test_without_a_token_nothing_is_answered(installation):
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer nonsense"}):
        answer = await installation.stranger(headers).get("/v1/me")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "unauthenticated"


async def test_a_token_for_nobody_is_refused(installation):
    answer = await installation.client(uuid7()).get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "unknown-contributor")


async def test_who_left_is_nobody_here_any_more(installation):
    mira = await installation.person("Mira")
    ok(await installation.administrator.post(f"/v1/contributors/{mira.id}/deactivation", json={}))
    assert (await mira.get("/v1/me")).status_code == 403


async def test_a_person_registered_a_moment_ago_is_no_stranger(installation):
    mira = await installation.person("Mira")
    assert ok(await mira.get("/v1/me"))["name"] == "Mira"


async def test_whoever_comes_from_outside_is_a_guest_whatever_his_token_says(installation):
    client = await installation.person("Omar", Role.EMPLOYEE, kind="customer")
    assert ok(await client.get("/v1/me"))["roles"] == ["guest"]
    assert (await client.get("/v1/contributors")).status_code == 403


async def test_whoever_comes_from_outside_administers_nothing_whatever_his_token_says(installation):
    roles = (Role.ADMINISTRATOR, Role.ANALYST, Role.BUSINESS_OWNER, Role.EMPLOYEE)
    for kind in ("customer", "partner"):
        client = await installation.person("Omar", *roles, kind=kind)
        assert ok(await client.get("/v1/me"))["roles"] == ["guest"]
        assert (await client.post("/v1/contributors", json={"name": "Bob"})).status_code == 403


async def test_a_person_sees_who_looked_at_his_record_the_latest_first(installation):
    mira, noor = await installation.person("Mira"), await installation.person("Noor")
    record = f"/v1/contributors/{mira.id}"
    for _ in range(3):
        ok(await installation.administrator.get(record))
    ok(await noor.get(record))
    ok(await mira.get(record))
    first = ok(await mira.get("/v1/me/access-log?limit=2"))
    assert [(look["reader_name"], look["what"]) for look in first["items"]] == [("Ada", "contributor")] * 2
    second = ok(await mira.get(f"/v1/me/access-log?limit=2&cursor={first['next']}"))
    assert (len(second["items"]), second["next"]) == (1, None)
    assert first["items"][0]["at"] > first["items"][1]["at"] > second["items"][0]["at"]


async def test_nobody_is_forgotten_by_mistake(installation):
    mira = await installation.person("Mira")
    for confirmation in ("", f"?confirm={uuid7()}"):
        answer = await mira.delete(f"/v1/me{confirmation}")
        assert (answer.status_code, answer.json()["code"]) == (409, "confirmation-needed")
    assert ok(await mira.get("/v1/me"))["name"] == "Mira"


async def test_a_person_who_is_forgotten_has_no_name_and_no_way_in(installation):
    sales = await installation.team("Sales")
    mira = await installation.person("Mira", team=sales, email="mira@example.org")
    gone = await mira.delete(f"/v1/me?confirm={mira.id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await mira.get("/v1/me")).status_code == 403
    admin = installation.administrator
    person = ok(await admin.get(f"/v1/contributors/{mira.id}", headers=seen(gone)))
    assert (person["name"], person["email"], person["home_team_id"]) == (None, None, None)
    assert ok(await admin.get(f"/v1/teams/{sales}"))["members"] == []
    again = await admin.post("/v1/contributors", json={"name": "Mira", "email": "mira@example.org"})
    assert again.status_code == 201
    assert again.json()["id"] != str(mira.id)
