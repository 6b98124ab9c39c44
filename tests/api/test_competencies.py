from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role
from lms.domain.competency import Competency

LISTENING = {"labels": {"en": "listen actively", "nl": "actief luisteren"}, "alt_labels": {"en": ["hear people out"]}}


async def test_a_competency_is_defined_and_found_in_any_language(installation):
    mira = await installation.person("Mira")
    response = await mira.post("/v1/competencies", json=LISTENING)
    made = ok(response)
    assert (response.status_code, made["label"]) == (201, "listen actively")
    assert response.headers["Location"] == f"/v1/competencies/{made['id']}"
    for words in ("LUISTER", "hear people", "listen"):
        (found,) = ok(await mira.get("/v1/competencies", params={"q": words}, headers=seen(response)))["items"]
        assert found == made
    assert ok(await mira.get("/v1/competencies?q=nothing"))["items"] == []
    assert ok(await mira.get(response.headers["Location"])) == made


async def test_one_label_is_short_for_the_organisations_language(installation):
    made = ok(await installation.administrator.post("/v1/competencies", json={"label": "asking"}))
    assert made["labels"] == {"en": "asking"}
    both = await installation.administrator.post("/v1/competencies", json=LISTENING | {"label": "x"})
    assert both.json()["errors"][0]["pointer"] == "/label"
    none = await installation.administrator.post("/v1/competencies", json={})
    assert none.json()["errors"][0]["pointer"] == "/labels"


async def test_mine_are_those_i_learned_or_have_a_record_of(installation):
    mira = await installation.person("Mira")
    ids = [ok(await mira.post("/v1/competencies", json={"label": label}))["id"] for label in ("ask", "bake", "count")]
    await mira.post("/v1/me/learning", json={"competencies": [ids[0]]})
    response = await mira.post(f"/v1/me/skills/{ids[2]}/claims", json={"rank": 1})
    mine = ok(await mira.get("/v1/competencies?mine=true", headers=seen(response)))["items"]
    assert [one["id"] for one in mine] == [ids[0], ids[2]]
    assert [one["label"] for one in ok(await mira.get("/v1/competencies?mine=true&q=ask"))["items"]] == ["ask"]


async def test_a_published_competency_has_one_id_whoever_brings_it_in(installation):
    body = LISTENING | {"refs": [{"system": "esco", "uri": "http://data.europa.eu/esco/skill/1"}]}
    made = ok(await installation.administrator.post("/v1/competencies", json=body))
    expected = Competency.id_of(installation.organisation_id, "http://data.europa.eu/esco/skill/1")
    assert made["id"] == str(expected)
    again = await installation.administrator.post("/v1/competencies", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "competency-exists")


async def test_a_lead_renames_and_retires_what_an_employee_may_not(installation):
    team = await installation.team("Service")
    lead = await installation.person("Leo", team=team, lead=True)
    mira = await installation.person("Mira", team=team)
    made = await mira.post("/v1/competencies", json=LISTENING)
    path = made.headers["Location"]
    assert (await mira.patch(path, json={"labels": {"en": "x"}})).json()["code"] == "not-your-catalogue"
    renamed = ok(await lead.patch(path, json={"labels": {"en": "listening well"}}))
    assert renamed["labels"] == {"en": "listening well", "nl": "actief luisteren"}
    retired = await lead.post(f"{path}/retirement", json={"reason": "merged"})
    assert ok(retired)["retired"]
    assert ok(await mira.get("/v1/competencies?q=luister", headers=seen(retired)))["items"] == []
    assert ok(await mira.get(path))["retired"]


async def test_the_catalogue_comes_in_pages(installation):
    mira = await installation.person("Mira")
    for label in ("b", "a", "c"):
        response = await mira.post("/v1/competencies", json={"label": label})
    first = ok(await mira.get("/v1/competencies?limit=2", headers=seen(response)))
    rest = ok(await mira.get("/v1/competencies", params={"limit": 2, "cursor": first["next"]}))
    assert [one["label"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None


async def test_a_framework_and_a_scale_are_defined_by_who_may(installation):
    mira = await installation.person("Mira")
    admin = installation.administrator
    for path, body in (
        ("/v1/competency-frameworks", {"name": "ESCO", "acknowledgement": "© European Union"}),
        (
            "/v1/proficiency-scales",
            {"name": "Two", "levels": [{"rank": 2, "label": "can"}, {"rank": 1, "label": "knows"}]},
        ),
    ):
        assert (await mira.post(path, json=body)).status_code == 403
        response = await admin.post(path, json=body)
        made = ok(response)
        assert ok(await mira.get(response.headers["Location"], headers=seen(response))) == made
        assert made in ok(await mira.get(path))["items"]
        assert (await mira.get(f"{path}/{uuid7()}")).status_code == 404


async def test_a_new_organisation_has_a_scale_of_four_steps(installation):
    mira = await installation.person("Mira", Role.EMPLOYEE)
    (scale,) = ok(await mira.get("/v1/proficiency-scales"))["items"]
    assert scale["default"]
    assert [step["label"] for step in scale["levels"]] == ["knows", "with help", "alone", "teaches"]


async def test_a_level_is_told_in_the_steps_of_the_competencys_own_scale(installation):
    body = {"name": "Two", "levels": [{"rank": 1, "label": "knows"}, {"rank": 2, "label": "can"}]}
    scale = ok(await installation.administrator.post("/v1/proficiency-scales", json=body))["id"]
    body = {"label": "asking", "scale_id": scale}
    competency = ok(await installation.administrator.post("/v1/competencies", json=body))["id"]
    mira = await installation.person("Mira")
    assert (await mira.post(f"/v1/me/skills/{competency}/claims", json={"rank": 3})).status_code == 400
    assert (await mira.post(f"/v1/me/skills/{competency}/claims", json={"rank": 2})).status_code == 201
