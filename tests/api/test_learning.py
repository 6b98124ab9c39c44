from datetime import date, timedelta

from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role


async def competency(installation, **facts):
    body = {"labels": {"en": "active listening"}, "alt_labels": {"en": ["listen to customers"]}} | facts
    response = await installation.administrator.post("/v1/competencies", json=body)
    return ok(response)["id"], response


async def test_one_field_is_enough_and_is_read_back_at_once(installation):
    mira = await installation.person("Mira")
    response = await mira.post("/v1/me/learning", json={"note": "Asked the customer to repeat the order"})
    entry = ok(response)
    assert response.status_code == 201
    assert response.headers["Location"] == f"/v1/me/learning/{entry['id']}"
    assert response.headers["ETag"] == '"1"'
    assert (entry["kind"], entry["visibility"], entry["next"]) == ("on-the-job", "private", ["competencies", "goal"])
    assert (entry["leads_to"], entry["suggested"]) == ([], {"competencies": [], "goals": [], "leads_to": []})
    read = ok(await mira.get(response.headers["Location"], headers=seen(response)))
    assert read["note"] == "Asked the customer to repeat the order"
    assert ok(await mira.get("/v1/me/learning"))["items"][0]["id"] == entry["id"]


async def test_nobody_else_finds_my_entry(installation):
    mira = await installation.person("Mira")
    response = await mira.post("/v1/me/learning", json={"note": "quiet", "visibility": "public"})
    for other in (await installation.person("Ben"), installation.administrator):
        assert (await other.get(response.headers["Location"], headers=seen(response))).status_code == 404
        assert (await other.delete(response.headers["Location"])).status_code == 404
        assert ok(await other.get("/v1/me/learning"))["items"] == []


async def test_the_note_lies_sealed_in_the_read_model(installation):
    mira = await installation.person("Mira")
    response = await mira.post("/v1/me/learning", json={"note": "quiet"})
    ok(await mira.get("/v1/me/learning", headers=seen(response)))
    stored = await installation.core.reads.fetchval(
        "SELECT note::text FROM learning_entries_v1 WHERE learner = $1", mira.id
    )
    assert "quiet" not in stored
    assert str(mira.id) in stored


async def test_the_words_of_a_note_suggest_competencies_and_goals(installation):
    listening, _ = await competency(installation)
    mira = await installation.person("Mira")
    goal = await mira.post(
        "/v1/goals",
        json={"level": "individual", "title": "Listen to customers first", "purpose": {"statement": "fewer returns"}},
    )
    goal_id = ok(goal)["id"]
    response = await mira.post(
        "/v1/me/learning", json={"note": "I listened to an angry customer first"}, headers=seen(goal)
    )
    suggested = ok(response)["suggested"]
    assert suggested["competencies"] == [{"id": listening, "label": "active listening"}]
    assert suggested["goals"] == [{"id": goal_id, "title": "Listen to customers first"}]
    taken_up = await mira.patch(response.headers["Location"], json={"competencies": [listening], "goal_id": goal_id})
    assert (ok(taken_up)["next"], ok(taken_up)["note"]) == ([], "I listened to an angry customer first")


async def test_the_goals_of_others_are_never_suggested(installation):
    ben = await installation.person("Ben")
    goal = await ben.post(
        "/v1/goals", json={"level": "individual", "title": "Selling spices", "purpose": {"statement": "more"}}
    )
    mira = await installation.person("Mira")
    response = await mira.post("/v1/me/learning", json={"note": "selling spices"}, headers=seen(goal))
    assert ok(response)["suggested"]["goals"] == []


async def test_learning_for_a_goal_leads_to_the_outcome_of_its_purpose(installation):
    metric = ok(
        await installation.administrator.post(
            "/v1/outcome-metrics",
            json={"name": "Repeat purchases", "unit": "ratio", "direction": "increase", "measures": "customer"},
        )
    )
    mira = await installation.person("Mira")
    goal = await mira.post(
        "/v1/goals",
        json={
            "level": "individual",
            "title": "Listen first",
            "purpose": {"statement": "customers come back", "outcome_metric_id": metric["id"]},
        },
    )
    body = {"note": "asked before I answered", "goal_id": ok(goal)["id"]}
    response = await mira.post("/v1/me/learning", json=body, headers=seen(goal))
    (leads_to,) = ok(response)["leads_to"]
    assert (leads_to["outcome_metric_id"], leads_to["label"]) == (metric["id"], "Repeat purchases")
    assert leads_to["may_say"] == "expected to contribute"
    assert ok(await mira.get(response.headers["Location"], headers=seen(response)))["leads_to"] == [leads_to]
    suggested = await mira.post("/v1/me/learning", json={"note": "Today I listened first"})
    assert ok(suggested)["suggested"]["leads_to"][0]["outcome_metric_id"] == metric["id"]


async def test_an_entry_that_says_nothing_is_refused(installation):
    mira = await installation.person("Mira")
    answer = await mira.post("/v1/me/learning", json={"minutes": 30})
    assert (answer.status_code, answer.json()["code"]) == (400, "entry-says-nothing")
    answer = await mira.post("/v1/me/learning", json={"note": "x", "tags": []})
    assert answer.status_code == 400
    answer = await mira.post("/v1/me/learning", json={"competencies": [str(uuid7())]})
    assert answer.json()["errors"] == [{"pointer": "/competencies/0", "detail": "there is no such competency"}]


async def test_a_correction_changes_what_it_gives_and_takes_out_what_is_null(installation):
    mira = await installation.person("Mira")
    response = await mira.post("/v1/me/learning", json={"note": "first", "minutes": 30, "rating": 4})
    location = response.headers["Location"]
    changed = await mira.patch(location, json={"minutes": None, "kind": "coaching"}, headers={"If-Match": '"1"'})
    assert (ok(changed)["minutes"], ok(changed)["kind"], ok(changed)["rating"]) == (None, "coaching", 4)
    assert changed.headers["ETag"] == '"2"'
    assert (await mira.patch(location, json={"rating": 5}, headers={"If-Match": '"1"'})).status_code == 412
    for nonsense in ({"note": None}, {"kind": None}, {}, {"rating": 9}):
        assert (await mira.patch(location, json=nonsense)).status_code == 400
    read = ok(await mira.get(location, headers=seen(changed)))
    assert (read["note"], read["minutes"], read["kind"]) == ("first", None, "coaching")


async def test_a_withdrawn_entry_is_gone(installation):
    mira = await installation.person("Mira")
    response = await mira.post("/v1/me/learning", json={"note": "first"})
    gone = await mira.delete(response.headers["Location"])
    assert gone.status_code == 204
    assert (await mira.get(response.headers["Location"], headers=seen(gone))).status_code == 404
    assert (await mira.delete(response.headers["Location"])).json()["code"] == "entry-is-withdrawn"


async def test_a_retry_with_its_key_logs_once(installation):
    mira = await installation.person("Mira")
    key = {"Idempotency-Key": "monday"}
    first = await mira.post("/v1/me/learning", json={"note": "once"}, headers=key)
    again = await mira.post("/v1/me/learning", json={"note": "once"}, headers=key)
    assert ok(first)["id"] == ok(again)["id"]
    assert ok(again)["note"] == "once"
    assert (await mira.post("/v1/me/learning", json={"note": "twice"}, headers=key)).status_code == 422
    assert len(ok(await mira.get("/v1/me/learning", headers=seen(again)))["items"]) == 1


async def test_a_batch_keeps_the_good_and_names_the_bad(installation):
    mira = await installation.person("Mira")
    items = [{"note": "one"}, {"minutes": 5}, {"note": "two", "kind": "nonsense"}, {"note": "three"}]
    response = await mira.post("/v1/me/learning:batch", json={"items": items})
    results = ok(response)["results"]
    assert [result["status"] for result in results] == [201, 400, 400, 201]
    assert results[2]["problem"]["errors"][0]["pointer"] == "/kind"
    read = ok(await mira.get("/v1/me/learning", headers=seen(response)))
    assert sorted(item["note"] for item in read["items"]) == ["one", "three"]
    assert ok(await mira.get(results[0]["location"]))["note"] == "one"


async def test_a_batch_is_not_without_end(installation):
    mira = await installation.person("Mira")
    answer = await mira.post("/v1/me/learning:batch", json={"items": [{"note": "x"}] * 1001})
    assert answer.status_code == 400
    nothing = await mira.post("/v1/me/learning:batch", json={"items": [{}]})
    assert "LMS-Position" not in nothing.headers


async def test_my_learning_comes_in_pages_the_latest_first(installation):
    mira = await installation.person("Mira")
    for n in range(3):
        response = await mira.post("/v1/me/learning", json={"note": str(n), "learned_on": f"2026-01-0{n + 1}"})
    first = ok(await mira.get("/v1/me/learning?limit=2", headers=seen(response)))
    assert [item["note"] for item in first["items"]] == ["2", "1"]
    rest = ok(await mira.get("/v1/me/learning", params={"cursor": first["next"]}))
    assert ([item["note"] for item in rest["items"]], rest["next"]) == (["0"], None)
    assert (await mira.get("/v1/me/learning?cursor=nonsense")).status_code == 400


async def test_a_customer_logs_what_he_learned_and_sees_no_catalogue(installation):
    listening, _ = await competency(installation)
    omar = await installation.person("Omar", Role.GUEST, kind="customer")
    entry = ok(await omar.post("/v1/me/learning", json={"note": "active listening"}))
    assert entry["suggested"]["competencies"] == []
    assert (await omar.get("/v1/competencies")).status_code == 403
    assert (await omar.get(f"/v1/competencies/{listening}")).status_code == 403


async def test_a_team_records_what_it_learned_together(installation):
    team = await installation.team("Service")
    mira = await installation.person("Mira", team=team)
    response = await mira.post(f"/v1/teams/{team}/learning", json={"what": "Why hand-overs go wrong"})
    held = ok(response)
    assert (held["team_id"], held["next"]) == (team, ["competencies", "goal"])
    ben = await installation.person("Ben")
    read = ok(await ben.get(response.headers["Location"], headers=seen(response)))
    assert read["what"] == "Why hand-overs go wrong"
    assert ok(await ben.get(f"/v1/teams/{team}/learning"))["items"] == [read]
    assert (await ben.get(f"/v1/teams/{team}/learning/{uuid7()}")).status_code == 404
    refused = await ben.post(f"/v1/teams/{team}/learning", json={"what": "I was not there"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-team")


async def test_a_day_that_has_not_come_is_refused(installation):
    mira = await installation.person("Mira")
    today = date.fromisoformat(ok(await mira.get("/v1/me"))["today"])
    tomorrow = (today + timedelta(days=1)).isoformat()
    answer = await mira.post("/v1/me/learning", json={"note": "x", "learned_on": tomorrow})
    assert answer.json()["errors"][0]["pointer"] == "/learned_on"
