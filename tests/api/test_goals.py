import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest
import pytest_asyncio

from api.installation import ok, seen
from lms.domain.base import Role

NOBODY = str(UUID(int=9))


class Company:
    """A lead and a member of sales, somebody of service, a business owner and a customer."""

    def __init__(self, installation):
        self.installation = installation
        self.admin = installation.administrator

    async def build(self):
        one = self.installation
        self.sales, self.service = await one.team("Sales"), await one.team("Service")
        self.noor = await one.person("Noor", team=self.sales, lead=True)
        self.mira = await one.person("Mira", team=self.sales)
        self.omar = await one.person("Omar", team=self.service)
        self.boss = await one.person("Bo", Role.EMPLOYEE, Role.BUSINESS_OWNER)
        self.guest = await one.person("Kim", Role.GUEST, kind="customer")
        return self

    @property
    def today(self):
        return date.today()  # noqa: DTZ011, TID251 - the organisation is where the test runs, give or take a night


@pytest_asyncio.fixture(loop_scope="session")
async def company(installation):
    return await Company(installation).build()


def team_goal(**changes):
    return {"level": "team", "title": "We know our buyers", "purpose": {"statement": "More come back"}, **changes}


def own_goal(**changes):
    return {"level": "individual", "title": "Listen first", "purpose": {"statement": "To be heard"}, **changes}


def renewal(**changes):
    return {"level": "business-model", "title": "Buyers for life", "purpose": {"statement": "They stay"}, **changes}


def key_result(**changes):
    return {"unit": "percent", "baseline": 31, "target": 36, "due_on": "2030-12-31", **changes}


def meeting(on, **changes):
    return {"on": on.isoformat(), "how": "meeting", "participants_n": 7, **changes}


def code(response):
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


async def agreed(client, body, today):
    """A goal that stands, with its id and the headers of the last write."""
    made = await client.post("/v1/goals", json=body)
    goal = ok(made)
    if goal["status"] == "proposed":
        made = await client.post(f"/v1/goals/{goal['id']}/agreement", json=meeting(today))
        goal = ok(made)
    return goal, seen(made)


async def metric(company, measures="customer", unit="percent"):
    """An outcome metric, told to the log as the API of outcome metrics does."""
    body = {"name": "Repeat purchases", "unit": unit, "direction": "increase", "measures": measures}
    return ok(await company.boss.post("/v1/outcome-metrics", json=body))["id"]


class TestProposing:
    async def test_a_lead_proposes_a_goal_for_his_home_team_without_naming_it(self, company):
        response = await company.noor.post("/v1/goals", json=team_goal(key_results=[key_result()]))
        goal = ok(response)
        assert response.status_code == 201
        assert response.headers["Location"] == f"/v1/goals/{goal['id']}"
        assert response.headers["ETag"] == '"2"'
        assert goal["owner"] == {"team_id": company.sales}
        assert (goal["status"], goal["visibility"]) == ("proposed", "organisation")
        assert goal["next"] == ["agreement", "alignment"]
        assert goal["key_results"][0]["target"] == 36

    async def test_a_member_proposes_for_his_home_team_and_anybody_for_another(self, company):
        assert ok(await company.mira.post("/v1/goals", json=team_goal()))["owner"] == {"team_id": company.sales}
        named = team_goal(owner={"team_id": company.service})
        assert ok(await company.mira.post("/v1/goals", json=named))["owner"] == {"team_id": company.service}

    async def test_who_belongs_to_no_team_names_one(self, company):
        assert code(await company.boss.post("/v1/goals", json=team_goal())) == (400, "malformed")
        stranger = team_goal(owner={"team_id": NOBODY})
        assert code(await company.boss.post("/v1/goals", json=stranger)) == (404, "not-found")

    async def test_an_individual_goal_stands_at_once_and_is_the_callers(self, company):
        goal = ok(await company.mira.post("/v1/goals", json=own_goal()))
        assert (goal["status"], goal["visibility"]) == ("active", "private")
        assert goal["owner"] == {"contributor_id": str(company.mira.id)}

    async def test_a_goal_of_the_business_model_belongs_to_the_organisation(self, company):
        goal = ok(await company.mira.post("/v1/goals", json=renewal()))
        assert (goal["owner"], goal["status"]) == ({}, "proposed")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            (team_goal(title=""), "/title"),
            (team_goal(purpose={}), "/purpose/statement"),
            (team_goal(colour="red"), "/colour"),
            (team_goal(level="department"), "/level"),
            (team_goal(key_results=[{"target": 3}]), "/key_results/0/unit"),
            (team_goal(key_results=[{"unit": "percent", "baseline": 1}]), "/key_results/0/target"),
            (team_goal(key_results=[key_result(target=1e15)]), "/key_results/0/target"),
            (team_goal(align=[{"to": {}, "hypothesis": "So"}]), "/align/0/to"),
            (renewal(invite="team"), "/invite"),
            (own_goal(owner={"contributor_id": NOBODY}), "/owner"),
            (team_goal(key_results=[key_result(target=1e300)]), "/key_results/0/target"),
            (own_goal(title="nothing\x00hidden"), "/title"),
        ],
    )
    async def test_a_body_that_makes_no_sense_is_pointed_at(self, company, body, pointer):
        response = await company.noor.post("/v1/goals", json=body)
        assert response.status_code == 400
        assert response.json()["errors"][0]["pointer"] == pointer

    async def test_a_target_that_asks_for_nothing_breaks_a_rule(self, company):
        body = team_goal(key_results=[key_result(target=31)])
        assert code(await company.noor.post("/v1/goals", json=body)) == (409, "target-equals-baseline")

    async def test_a_falling_target_means_that_less_is_better(self, company):
        goal = ok(await company.noor.post("/v1/goals", json=team_goal(key_results=[key_result(target=20)])))
        assert goal["key_results"][0]["direction"] == "decrease"

    async def test_a_retry_with_the_same_key_makes_nothing_new(self, company):
        headers = {"Idempotency-Key": "goal-1"}
        body = team_goal(key_results=[key_result()], invite="team")
        first, second = [await company.noor.post("/v1/goals", json=body, headers=headers) for _ in range(2)]
        assert first.json() == second.json()
        assert first.headers["ETag"] == second.headers["ETag"]
        listed = ok(await company.noor.get("/v1/goals", headers=seen(second)))
        assert len(listed["items"]) == 1
        other = await company.noor.post("/v1/goals", json=team_goal(title="Another"), headers=headers)
        assert code(other) == (422, "key-reused")

    async def test_of_a_batch_each_goal_is_judged_alone(self, company):
        body = {"items": [team_goal(), team_goal(title=""), own_goal(key_results=[key_result()]), {"level": "team"}]}
        response = await company.noor.post("/v1/goals:batch", json=body)
        results = ok(response)["results"]
        assert [one["status"] for one in results] == [201, 400, 201, 400]
        listed = ok(await company.noor.get("/v1/goals", headers=seen(response)))["items"]
        assert {one["id"] for one in listed} == {results[0]["id"], results[2]["id"]}

    async def test_what_measures_each_persons_volume_is_no_goal(self, company):
        volume = await metric(company, "person-volume")
        body = team_goal(purpose={"statement": "Call more", "outcome_metric_id": volume})
        assert code(await company.noor.post("/v1/goals", json=body)) == (409, "person-volume-is-no-goal")

    async def test_a_metric_says_the_unit_of_the_key_result_that_it_feeds(self, company):
        share = await metric(company)
        body = team_goal(key_results=[{"metric_id": share, "baseline": 31, "target": 36}])
        goal = ok(await company.noor.post("/v1/goals", json=body))
        assert (goal["key_results"][0]["unit"], goal["unlinked"]) == ("percent", False)
        wrong = team_goal(key_results=[{"metric_id": share, "baseline": 31, "target": 36, "unit": "ratio"}])
        response = await company.noor.post("/v1/goals", json=wrong)
        assert response.json()["errors"][0]["pointer"] == "/key_results/0/unit"
        nothing = team_goal(key_results=[{"measure_id": NOBODY, "baseline": 31, "target": 36}])
        assert code(await company.noor.post("/v1/goals", json=nothing)) == (404, "not-found")


class TestLife:
    async def test_a_meeting_sets_the_goal_and_only_the_lead_files_it(self, company):
        goal = ok(await company.mira.post("/v1/goals", json=team_goal()))
        path = f"/v1/goals/{goal['id']}/agreement"
        assert code(await company.mira.post(path, json=meeting(company.today))) == (403, "not-your-goal")
        response = await company.noor.post(path, json=meeting(company.today))
        assert ok(response)["status"] == "active"
        assert code(await company.noor.post(path, json=meeting(company.today))) == (409, "goal-is-set")

    async def test_a_change_can_be_made_conditional(self, company):
        goal, _ = await agreed(company.noor, team_goal(), company.today)
        path = f"/v1/goals/{goal['id']}/closing"
        stale = await company.noor.post(path, json={"result": "achieved"}, headers={"If-Match": '"1"'})
        assert code(stale) == (412, "version-mismatch")
        assert ok(await company.noor.post(path, json={"result": "achieved"}, headers={"If-Match": '"2"'}))

    async def test_check_ins_move_the_ratio_and_a_correction_moves_it_back(self, company):
        goal, _ = await agreed(company.noor, team_goal(key_results=[key_result()]), company.today)
        share = goal["key_results"][0]["id"]
        body = {"key_result_id": share, "value": 34.5, "confidence": 7, "narrative": "Calls go better"}
        made = await company.mira.post(f"/v1/goals/{goal['id']}/check-ins", json=body)
        assert made.status_code == 201
        assert made.headers["Location"] == f"/v1/goals/{goal['id']}"
        check_in = ok(made)["id"]
        assert ok(made)["next"] == ["alignment"]
        now = ok(await company.omar.get(f"/v1/goals/{goal['id']}", headers=seen(made)))
        assert (now["ratio"], now["confidence"]) == (0.7, 7)
        assert now["check_ins"][0]["narrative"] == "Calls go better"
        assert now["next"] == ["alignment"]
        corrected = await company.noor.post(f"/v1/check-ins/{check_in}/correction", json={"value": 33.5})
        assert ok(corrected)["id"] == check_in
        now = ok(await company.omar.get(f"/v1/goals/{goal['id']}", headers=seen(corrected)))
        assert (now["ratio"], now["check_ins"][0]["narrative"]) == (0.5, None)
        assert code(await company.noor.post(f"/v1/check-ins/{NOBODY}/correction", json={"value": 1}))[0] == 404

    async def test_a_retried_check_in_answers_what_it_first_did(self, company):
        goal, _ = await agreed(company.noor, team_goal(key_results=[key_result(), key_result()]), company.today)
        first, second = (one["id"] for one in goal["key_results"])
        path, once = f"/v1/goals/{goal['id']}/check-ins", {"Idempotency-Key": "once"}
        made = await company.mira.post(path, json={"key_result_id": first, "value": 34}, headers=once)
        assert ok(made)["next"] == ["alignment", "check-in"]
        other = await company.mira.post(path, json={"key_result_id": second, "value": 34})
        assert ok(other)["next"] == ["alignment"]
        ok(await company.mira.get(f"/v1/goals/{goal['id']}", headers=seen(other)))
        again = await company.mira.post(path, json={"key_result_id": first, "value": 34}, headers=once)
        assert (ok(again), again.headers["ETag"]) == (ok(made), made.headers["ETag"])

    async def test_of_a_batch_each_check_in_is_judged_alone(self, company):
        goal, _ = await agreed(company.noor, team_goal(key_results=[key_result(), key_result()]), company.today)
        first, second = (one["id"] for one in goal["key_results"])
        items = [
            {"key_result_id": first, "value": 33},
            {"key_result_id": second, "value": 35, "goal_id": goal["id"]},
            {"key_result_id": first},
            {"key_result_id": NOBODY, "value": 1},
        ]
        response = await company.noor.post("/v1/check-ins:batch", json={"items": items})
        assert [one["status"] for one in ok(response)["results"]] == [201, 201, 400, 404]
        now = ok(await company.noor.get(f"/v1/goals/{goal['id']}", headers=seen(response)))
        assert [one["value"] for one in now["key_results"]] == [33, 35]

    async def test_measurements_move_a_goal_without_any_check_in(self, company):
        share = await metric(company)
        body = team_goal(key_results=[{"metric_id": share, "baseline": 31, "target": 36}])
        goal, _ = await agreed(company.noor, body, company.today)
        figure = {"value": 33.5, "n": 500, "start": "2026-01-01", "end": "2026-01-31", "origin": "system"}
        measured = await company.boss.post(f"/v1/outcome-metrics/{share}/measurements", json=figure)
        ok(measured)
        now = ok(await company.noor.get(f"/v1/goals/{goal['id']}", headers=seen(measured)))
        assert (now["ratio"], now["key_results"][0]["observed_on"]) == (0.5, "2026-01-31")
        by_hand = {"key_result_id": goal["key_results"][0]["id"], "value": 35}
        refused = await company.noor.post(f"/v1/goals/{goal['id']}/check-ins", json=by_hand)
        assert code(refused) == (409, "value-comes-from-measurements")

    @pytest.mark.parametrize(
        ("field", "to", "shown"),
        [
            ("target", 34, lambda goal: goal["key_results"][0]["target"] == 34),
            ("due-on", "2031-01-31", lambda goal: goal["key_results"][0]["due_on"] == "2031-01-31"),
            ("title", "Ask first", lambda goal: goal["title"] == "Ask first"),
            ("purpose", "They stay", lambda goal: goal["purpose"]["statement"] == "They stay"),
        ],
    )
    async def test_an_owner_adjusts_his_goal_on_what_he_learned(self, company, field, to, shown):
        goal = ok(await company.mira.post("/v1/goals", json=own_goal(key_results=[key_result()])))
        body = {"field": field, "to": to, "reason": "learned", "evidence": ["survey of March"]}
        if field in {"target", "due-on"}:
            body["key_result_id"] = goal["key_results"][0]["id"]
        response = await company.mira.post(f"/v1/goals/{goal['id']}/adjustments", json=body)
        assert shown(ok(response))
        assert shown(ok(await company.mira.get(f"/v1/goals/{goal['id']}", headers=seen(response))))

    @pytest.mark.parametrize(("field", "to"), [("due-on", "soon"), ("target", "more"), ("title", 3)])
    async def test_an_adjustment_that_does_not_fit_its_field_is_refused(self, company, field, to):
        goal = ok(await company.mira.post("/v1/goals", json=own_goal(key_results=[key_result()])))
        body = {"field": field, "to": to, "reason": "learned", "key_result_id": goal["key_results"][0]["id"]}
        response = await company.mira.post(f"/v1/goals/{goal['id']}/adjustments", json=body)
        assert response.json()["errors"][0]["pointer"] == "/to"

    async def test_a_team_adjusts_in_a_meeting(self, company):
        goal, _ = await agreed(company.noor, team_goal(), company.today)
        body = {"field": "title", "to": "Ask first", "reason": "learned"}
        path = f"/v1/goals/{goal['id']}/adjustments"
        assert code(await company.noor.post(path, json=body)) == (400, "malformed")
        assert ok(await company.noor.post(path, json={**body, "how": "meeting", "participants_n": 4}))

    async def test_a_goal_ends_and_what_was_learned_is_said_afterwards(self, company):
        goal = ok(await company.mira.post("/v1/goals", json=own_goal(key_results=[key_result()])))
        path = f"/v1/goals/{goal['id']}"
        assert code(await company.mira.post(f"{path}/closing", json={"result": "abandoned"})) == (400, "malformed")
        assert code(await company.mira.post(f"{path}/closing", json={"result": "active"})) == (400, "malformed")
        closed = ok(await company.mira.post(f"{path}/closing", json={"result": "achieved"}))
        assert (closed["status"], closed["next"]) == ("achieved", [])
        again = await company.mira.post(f"{path}/closing", json={"result": "achieved"})
        assert code(again) == (409, "goal-is-closed")
        made = await company.mira.post(f"{path}/reflections", json={"learned": "Ask before answering"})
        assert made.status_code == 201

    async def test_a_key_result_is_added_and_a_milestone_needs_no_target(self, company):
        goal = ok(await company.noor.post("/v1/goals", json=team_goal()))
        path = f"/v1/goals/{goal['id']}/key-results"
        made = await company.noor.post(path, json={"kind": "milestone", "title": "Everybody trained"})
        now = ok(await company.noor.get(f"/v1/goals/{goal['id']}", headers=seen(made)))
        assert now["key_results"][0]["id"] == ok(made)["id"]
        assert now["key_results"][0]["target"] == 1
        response = await company.noor.post(path, json={"target": 3, "baseline": 1})
        assert response.json()["errors"][0]["pointer"] == "/unit"

    async def test_progress_explains_itself(self, company):
        goal, after = await agreed(company.noor, team_goal(key_results=[key_result()]), company.today)
        explained = ok(await company.mira.get(f"/v1/goals/{goal['id']}/explain", headers=after))
        assert explained["formulas"]["metric"] == "(value - baseline) / (target - baseline)"
        assert explained["goal"]["key_results"][0]["baseline"]["value"] == 31


class TestSeeing:
    async def test_a_private_goal_is_not_there_for_anybody_else(self, company):
        made = await company.mira.post("/v1/goals", json=own_goal())
        goal = ok(made)
        path = f"/v1/goals/{goal['id']}"
        assert ok(await company.mira.get(path, headers=seen(made)))["title"] == "Listen first"
        for other in (company.noor, company.omar, company.boss, company.admin, company.guest):
            assert code(await other.get(path, headers=seen(made))) == (404, "not-found")
            assert code(await other.get(f"{path}/explain")) == (404, "not-found")
            assert code(await other.post(f"{path}/closing", json={"result": "achieved"})) == (404, "not-found")
            assert code(await other.post(f"{path}/invitations", json={"invite": "team"})) == (404, "not-found")
            assert ok(await other.get("/v1/goals"))["items"] == []
            assert ok(await other.get("/v1/goals?unlinked=true"))["items"] == []
            assert ok(await other.get("/v1/alignment-tree"))["nodes"] == []
            assert code(await other.get(f"/v1/alignment-tree?root={goal['id']}")) == (404, "not-found")

    async def test_the_owner_shows_his_goal_to_his_team(self, company):
        goal = ok(await company.mira.post("/v1/goals", json=own_goal()))
        shown = await company.mira.post(f"/v1/goals/{goal['id']}/visibility", json={"visibility": "team"})
        assert ok(shown)["visibility"] == "team"
        path = f"/v1/goals/{goal['id']}"
        assert ok(await company.noor.get(path, headers=seen(shown)))["title"] == "Listen first"
        assert (await company.omar.get(path)).status_code == 404

    async def test_titles_of_individual_goals_are_sealed_where_they_are_kept(self, company):
        made = await company.mira.post("/v1/goals", json=own_goal(title="Fear of phoning"))
        await company.mira.get("/v1/goals", headers=seen(made))
        async with company.installation.core.reads.acquire() as connection:
            for table in ("goals_v1", "alignment_nodes_v1"):
                title = await connection.fetchval(f"SELECT title FROM {table} WHERE goal_id = $1", UUID(ok(made)["id"]))
                assert "sealed" in title
            assert "phoning" not in str(await connection.fetch("SELECT * FROM lms.event"))

    async def test_a_guest_sees_public_goals_and_those_he_was_invited_to(self, company):
        invited, _ = await agreed(company.noor, team_goal(invite=[str(company.guest.id)]), company.today)
        hidden, after = await agreed(company.noor, team_goal(), company.today)
        public, after = await agreed(company.noor, team_goal(visibility="public"), company.today)
        seen_by_guest = ok(await company.guest.get("/v1/goals", headers=after))["items"]
        assert {one["id"] for one in seen_by_guest} == {invited["id"], public["id"]}
        assert (await company.guest.get(f"/v1/goals/{hidden['id']}")).status_code == 404

    async def test_goals_come_in_pages_and_narrowed(self, company):
        first, _ = await agreed(company.noor, team_goal(), company.today)
        second = ok(await company.noor.post("/v1/goals", json=team_goal(owner={"team_id": company.service})))
        made = await company.boss.post("/v1/goals", json=renewal())
        third = ok(made)
        listed = ok(await company.mira.get("/v1/goals?limit=2", headers=seen(made)))
        assert [one["id"] for one in listed["items"]] == [third["id"], second["id"]]
        rest = ok(await company.mira.get("/v1/goals", params={"limit": 2, "cursor": listed["next"]}))
        assert ([one["id"] for one in rest["items"]], rest["next"]) == ([first["id"]], None)
        for query, expected in (
            ({"level": "team"}, {first["id"], second["id"]}),
            ({"status": "active"}, {first["id"]}),
            ({"team": company.service}, {second["id"]}),
            ({"cycle": NOBODY}, set()),
        ):
            found = ok(await company.mira.get("/v1/goals", params=query))["items"]
            assert {one["id"] for one in found} == expected
        assert (await company.mira.get("/v1/goals?level=tribe")).status_code == 400
        assert code(await company.mira.get("/v1/goals?cursor=!")) == (400, "malformed")

    async def test_unlinked_goals_are_listed_until_they_lead_somewhere(self, company):
        loose, _ = await agreed(company.noor, team_goal(), company.today)
        top, after = await agreed(
            company.boss,
            renewal(align=[{"to": {"outcome_metric_id": await metric(company)}, "hypothesis": "So"}]),
            company.today,
        )
        found = ok(await company.mira.get("/v1/goals?unlinked=true", headers=after))["items"]
        assert [one["id"] for one in found] == [loose["id"]]
        body = {"to": {"goal_id": top["id"]}, "hypothesis": "Who is known comes back", "expected_lag_days": 90}
        linked = await company.noor.post(f"/v1/goals/{loose['id']}/alignments", json=body)
        assert ok(linked)["next"] == ["key-results"]
        assert ok(await company.mira.get("/v1/goals?unlinked=true", headers=seen(linked)))["items"] == []


class TestThen:
    async def told(self, company):
        """A check-in of last week, one of today, and the moment between the two writes."""
        goal, _ = await agreed(company.noor, team_goal(key_results=[key_result()]), company.today)
        path = f"/v1/goals/{goal['id']}"
        share = goal["key_results"][0]["id"]
        old = (company.today - timedelta(7)).isoformat()
        ok(await company.noor.post(f"{path}/check-ins", json={"key_result_id": share, "value": 32}))
        history = ok(await company.noor.get(f"{path}/history"))["items"]
        between = history[-1]["recorded_at"]
        body = {"key_result_id": share, "value": 35, "observed_on": company.today.isoformat(), "confidence": 6}
        last = await company.noor.post(f"{path}/check-ins", json=body)
        late = {"key_result_id": share, "value": 33, "observed_on": old}
        last = await company.noor.post(f"{path}/check-ins", json=late)
        ok(last)
        return path, between, seen(last)

    async def value(self, client, path, headers, **query):
        goal = ok(await client.get(path, params=query, headers=headers))
        return goal["key_results"][0]["value"]

    async def test_a_goal_is_asked_for_as_it_was_known(self, company):
        path, between, after = await self.told(company)
        assert await self.value(company.mira, path, after) == 35
        assert await self.value(company.mira, path, after, known_at=between) == 32
        assert await self.value(company.mira, path, after, known_at=company.today.isoformat()) == 35

    async def test_a_goal_is_asked_for_as_it_was(self, company):
        path, _, after = await self.told(company)
        tomorrow = (company.today + timedelta(1)).isoformat()
        assert await self.value(company.mira, path, after, as_of=tomorrow) == 35
        long_ago = await company.mira.get(path, params={"as_of": "2020-01-01"}, headers=after)
        assert code(long_ago) == (404, "not-found")
        assert code(await company.mira.get(path, params={"known_at": "yesterday"})) == (400, "malformed")

    async def test_links_and_measured_values_are_those_of_then(self, company):
        share = await metric(company)
        top, _ = await agreed(company.boss, renewal(), company.today)
        body = team_goal(key_results=[{"metric_id": share, "baseline": 31, "target": 36}])
        goal, _ = await agreed(company.noor, body, company.today)
        path = f"/v1/goals/{goal['id']}"
        figure = {"value": 33, "n": 500, "start": "2026-01-01", "end": "2026-01-31", "origin": "system"}
        measured = ok(await company.boss.post(f"/v1/outcome-metrics/{share}/measurements", json=figure))["id"]
        to_top = {"to": {"goal_id": top["id"]}, "hypothesis": "So"}
        link = ok(await company.noor.post(f"{path}/alignments", json=to_top))["id"]
        between = ok(await company.noor.get(f"{path}/history"))["items"][-1]["recorded_at"]
        await company.noor.delete(f"{path}/alignments/{link}")
        revised = {"value": 34, "n": 500, "start": "2026-01-01", "end": "2026-01-31"}
        last = await company.boss.post(f"/v1/measurements/{measured}/revision", json=revised)
        ok(last)
        then = ok(await company.mira.get(path, params={"known_at": between}, headers=seen(last)))
        assert ([one["id"] for one in then["alignments"]], then["key_results"][0]["value"]) == ([link], 33)
        now = ok(await company.mira.get(path))
        assert (now["alignments"], now["key_results"][0]["value"]) == ([], 34)

    async def test_the_history_tells_what_happened_but_not_who_did_it(self, company):
        own = ok(await company.mira.post("/v1/goals", json=own_goal()))
        made = await company.mira.post("/v1/goals", json=team_goal(my_reason="I was not heard"))
        goal = ok(made)
        path = f"/v1/goals/{goal['id']}/history"
        mine = ok(await company.mira.get(path, headers=seen(made)))["items"]
        assert [one["type"] for one in mine] == ["goal.proposed"]
        assert mine[0]["data"]["my_reason"] == "I was not heard"
        theirs = ok(await company.omar.get(path))["items"]
        assert "my_reason" not in theirs[0]["data"]
        assert str(company.mira.id) not in str(theirs)
        assert code(await company.omar.get(f"/v1/goals/{own['id']}/history")) == (404, "not-found")

    async def test_the_history_keeps_what_stood_before_also_when_it_is_sealed(self, company):
        goal = ok(await company.mira.post("/v1/goals", json=own_goal()))
        path = f"/v1/goals/{goal['id']}"
        for title in ("Ask first", "Ask, then listen"):
            body = {"field": "title", "to": title, "reason": "learned", "evidence": ["Talk with Noor"]}
            ok(await company.mira.post(f"{path}/adjustments", json=body))
        last = await company.mira.post(f"{path}/visibility", json={"visibility": "team"})
        told = ok(await company.noor.get(f"{path}/history", headers=seen(last)))["items"]
        changes = [(one["data"]["from"]["text"], one["data"]["to"]["text"]) for one in told[2:4]]
        assert changes == [("Listen first", "Ask first"), ("Ask first", "Ask, then listen")]
        assert told[2]["data"]["evidence"] == ["Talk with Noor"]

    async def test_the_history_comes_in_pages(self, company):
        goal, after = await agreed(company.noor, team_goal(key_results=[key_result()]), company.today)
        path = f"/v1/goals/{goal['id']}/history"
        first = ok(await company.noor.get(path, params={"limit": 2}, headers=after))
        assert [one["version"] for one in first["items"]] == [1, 2]
        rest = ok(await company.noor.get(path, params={"limit": 2, "cursor": first["next"]}))
        assert ([one["version"] for one in rest["items"]], rest["next"]) == ([3], None)

    async def test_links_to_what_one_may_not_see_are_left_out(self, company):
        hidden, _ = await agreed(company.boss, renewal(), company.today)
        to_hidden = {"to": {"goal_id": hidden["id"]}, "hypothesis": "So"}
        goal, _ = await agreed(company.noor, team_goal(align=[to_hidden]), company.today)
        last = await company.boss.post(f"/v1/goals/{hidden['id']}/visibility", json={"visibility": "private"})
        ok(last)
        told = ok(await company.mira.get(f"/v1/goals/{goal['id']}/history", headers=seen(last)))["items"]
        assert hidden["id"] not in str(told)
        assert hidden["id"] not in str(ok(await company.mira.get(f"/v1/goals/{goal['id']}")))


class TestAligning:
    async def test_a_goal_is_aligned_while_it_is_proposed_and_the_link_is_taken_away(self, company):
        top, _ = await agreed(company.boss, renewal(), company.today)
        goal = ok(await company.noor.post("/v1/goals", json=team_goal()))
        body = {"to": {"goal_id": top["id"]}, "link_type": "contributes-to", "hypothesis": "So", "weight": 0.5}
        made = await company.noor.post(f"/v1/goals/{goal['id']}/alignments", json=body)
        assert made.status_code == 201
        now = ok(await company.noor.get(f"/v1/goals/{goal['id']}", headers=seen(made)))
        assert now["alignments"][0] | {"id": ok(made)["id"]} == now["alignments"][0]
        assert (now["alignments"][0]["goal_id"], now["alignments"][0]["weight"]) == (top["id"], 0.5)
        gone = await company.noor.delete(f"/v1/goals/{goal['id']}/alignments/{ok(made)['id']}")
        assert gone.status_code == 204
        assert ok(await company.noor.get(f"/v1/goals/{goal['id']}", headers=seen(gone)))["alignments"] == []

    async def test_a_key_result_stands_for_its_goal(self, company):
        top, _ = await agreed(company.boss, renewal(key_results=[key_result()]), company.today)
        share = top["key_results"][0]["id"]
        body = team_goal(align=[{"to": {"key_result_id": share}, "hypothesis": "So"}])
        made = await company.noor.post("/v1/goals", json=body)
        now = ok(await company.noor.get(f"/v1/goals/{ok(made)['id']}", headers=seen(made)))
        assert (now["alignments"][0]["goal_id"], now["alignments"][0]["key_result_id"]) == (top["id"], share)

    async def test_links_that_break_a_rule_are_refused(self, company):
        top, _ = await agreed(company.boss, renewal(), company.today)
        team, _ = await agreed(company.noor, team_goal(), company.today)
        other, _ = await agreed(company.noor, team_goal(), company.today)
        own = ok(await company.mira.post("/v1/goals", json=own_goal()))

        async def align(client, goal, to):
            body = {"to": to, "hypothesis": "So"}
            return await client.post(f"/v1/goals/{goal['id']}/alignments", json=body)

        assert code(await align(company.boss, top, {"goal_id": team["id"]})) == (409, "link-runs-downward")
        assert code(await align(company.noor, team, {"goal_id": own["id"]})) == (404, "not-found")
        assert code(await align(company.noor, team, {"key_result_id": NOBODY})) == (404, "not-found")
        assert code(await align(company.mira, team, {"goal_id": top["id"]})) == (403, "not-your-goal")
        both = {"goal_id": top["id"], "key_result_id": NOBODY}
        assert code(await align(company.noor, team, both)) == (400, "malformed")
        ok(await align(company.noor, team, {"goal_id": other["id"]}))
        assert code(await align(company.noor, other, {"goal_id": team["id"]})) == (409, "ring-of-links")
        assert code(await align(company.noor, team, {"goal_id": other["id"]})) == (409, "already-aligned")

    async def test_the_tree_shows_who_serves_what_as_far_as_one_sees(self, company):
        share = await metric(company)
        to_metric = {"to": {"outcome_metric_id": share}, "hypothesis": "So"}
        top, _ = await agreed(company.boss, renewal(align=[to_metric]), company.today)
        to_top = {"to": {"goal_id": top["id"]}, "hypothesis": "So"}
        team, _ = await agreed(company.noor, team_goal(align=[to_top]), company.today)
        to_team = {"to": {"goal_id": team["id"]}, "hypothesis": "So"}
        own, after = await agreed(company.mira, own_goal(align=[to_team]), company.today)
        assert own["unlinked"] is False
        mine = ok(await company.mira.get(f"/v1/alignment-tree?root={top['id']}", headers=after))
        assert {one["id"]: one["depth"] for one in mine["nodes"]} == {top["id"]: 0, team["id"]: 1, own["id"]: 2}
        assert {(one["from"], one["to"]) for one in mine["edges"]} == {(team["id"], top["id"]), (own["id"], team["id"])}
        assert mine["nodes"][2]["title"] == "Listen first"
        theirs = ok(await company.noor.get(f"/v1/alignment-tree?root={share}"))
        assert [(one["kind"], one["depth"]) for one in theirs["nodes"]] == [
            ("outcome-metric", 0),
            ("goal", 1),
            ("goal", 2),
        ]
        assert len(theirs["edges"]) == 2
        short = ok(await company.noor.get(f"/v1/alignment-tree?root={top['id']}&limit=1"))
        assert (len(short["nodes"]), short["truncated"]) == (1, True)


class TestCommitting:
    async def test_the_team_is_invited_and_each_answers_for_himself(self, company):
        made = await company.noor.post("/v1/goals", json=team_goal(invite="team"))
        goal = ok(made)
        inbox = ok(await company.mira.get("/v1/me/inbox", headers=seen(made)))["items"]
        assert [(one["kind"], one["goal_id"], one["title"]) for one in inbox] == [
            ("invitation", goal["id"], "We know our buyers")
        ]
        path = f"/v1/me/commitments/{inbox[0]['id']}"
        assert code(await company.noor.post(f"{path}/acceptance", json={})) == (404, "not-found")
        accepted = await company.mira.post(f"{path}/acceptance", json={"my_reason": "I want to"})
        assert ok(accepted)["status"] == "made"
        mine = ok(await company.mira.get("/v1/me/commitments", headers=seen(accepted)))["items"]
        assert [(one["status"], one["my_reason"], one["title"]) for one in mine] == [
            ("made", "I want to", "We know our buyers")
        ]
        assert ok(await company.mira.get(path))["status"] == "made"
        assert code(await company.noor.get(path)) == (404, "not-found")
        assert ok(await company.mira.get("/v1/me/inbox"))["items"] == []
        assert [one["id"] for one in ok(await company.mira.get("/v1/me/goals"))["items"]] == [goal["id"]]
        released = await company.mira.post(f"{path}/release")
        assert ok(released)["status"] == "released"
        assert ok(await company.mira.get("/v1/me/goals", headers=seen(released)))["items"] == []

    async def test_declined_and_unanswered_look_alike_to_others(self, company):
        goal, _ = await agreed(company.noor, team_goal(), company.today)
        path = f"/v1/goals/{goal['id']}"
        people = [str(company.mira.id), str(company.omar.id)]
        invited = await company.noor.post(f"{path}/invitations", json={"invite": people})
        assert ok(invited)["invited"] == people
        (mine,) = ok(await company.mira.get("/v1/me/commitments", headers=seen(invited)))["items"]
        declined = await company.mira.post(f"/v1/me/commitments/{mine['id']}/refusal", json={"my_reason": "No time"})
        assert ok(declined)["status"] == "declined"
        answers = []
        for person in people:
            again = await company.noor.post(f"{path}/invitations", json={"invite": [person]})
            answers.append((again.status_code, ok(again) | {"invited": []}, again.headers["ETag"]))
        assert answers[0] == answers[1]
        assert ok(await company.noor.get(path, headers=seen(declined)))["committed"] == []
        assert ok(await company.mira.get("/v1/me/commitments"))["items"][0]["status"] == "declined"

    async def test_who_shows_his_commitment_is_seen_by_those_he_shows_it_to(self, company):
        goal, _ = await agreed(company.noor, team_goal(), company.today)
        path = f"/v1/goals/{goal['id']}"
        ok(await company.mira.post(f"{path}/invitations", json={"invite": [str(company.mira.id)]}))
        commitment = str(uuid5(UUID(goal["id"]), f"commitment:{company.mira.id}"))
        until = (company.today + timedelta(30)).isoformat()
        shown = await company.mira.post(
            f"/v1/me/commitments/{commitment}/acceptance", json={"visibility": "team", "until": until}
        )
        ok(shown)
        committed = [{"contributor_id": str(company.mira.id), "until": until}]
        assert ok(await company.noor.get(path, headers=seen(shown)))["committed"] == committed
        assert ok(await company.omar.get(path))["committed"] == []

    async def test_nobody_is_invited_to_a_private_goal(self, company):
        people = [str(company.omar.id)]
        refused = await company.mira.post("/v1/goals", json=own_goal(invite=people))
        assert code(refused) == (409, "private-goals-invite-nobody")
        goal = ok(await company.mira.post("/v1/goals", json=own_goal()))
        refused = await company.mira.post(f"/v1/goals/{goal['id']}/invitations", json={"invite": people})
        assert code(refused) == (409, "private-goals-invite-nobody")

    async def test_check_ins_that_are_due_wait_in_the_inbox(self, company):
        _, after = await agreed(company.noor, team_goal(key_results=[key_result()]), company.today)
        assert ok(await company.noor.get("/v1/me/inbox", headers=after))["items"] == []
        long_ago = meeting(company.today - timedelta(30))
        late = ok(await company.noor.post("/v1/goals", json=team_goal(key_results=[key_result()])))
        response = await company.noor.post(f"/v1/goals/{late['id']}/agreement", json=long_ago)
        (item,) = ok(await company.noor.get("/v1/me/inbox", headers=seen(response)))["items"]
        assert (item["kind"], item["goal_id"], item["id"]) == ("check-in", late["id"], late["key_results"][0]["id"])
        assert item["since"] == (company.today - timedelta(23)).isoformat()
        assert ok(await company.mira.get("/v1/me/inbox"))["items"] == []

    async def test_the_inbox_is_read_page_by_page_and_nothing_is_left_out(self, company):
        people = [str(company.mira.id)]
        for number in range(5):
            made = await company.noor.post("/v1/goals", json=team_goal(title=f"Goal {number}", invite=people))
            if number in {0, 3}:
                await company.noor.post(
                    f"/v1/goals/{ok(made)['id']}/closing", json={"result": "abandoned", "reason": "-"}
                )
        own = own_goal(key_results=[key_result(due_on=(company.today + timedelta(60)).isoformat())])
        last = await company.mira.post("/v1/goals", json=own)
        whole = ok(await company.mira.get("/v1/me/inbox", headers=seen(last)))
        assert (len(whole["items"]), whole["next"]) == (3, None)
        read, cursor = [], None
        while True:
            page = ok(
                await company.mira.get("/v1/me/inbox", params={"limit": 1} | ({"cursor": cursor} if cursor else {}))
            )
            read += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        assert read == whole["items"]
        assert code(await company.mira.get("/v1/me/inbox?cursor=!")) == (400, "malformed")


async def test_who_is_forgotten_leaves_goals_without_his_words(company):
    goal, _ = await agreed(company.noor, team_goal(key_results=[key_result()]), company.today)
    body = {"key_result_id": goal["key_results"][0]["id"], "value": 33, "narrative": "I was ill for a month"}
    ok(await company.mira.post(f"/v1/goals/{goal['id']}/check-ins", json=body))
    own = ok(await company.mira.post("/v1/goals", json=own_goal(visibility="organisation", key_results=[key_result()])))
    gone = await company.mira.delete("/v1/me", params={"confirm": str(company.mira.id)})
    assert gone.is_success
    shown = ok(await company.noor.get(f"/v1/goals/{goal['id']}", headers=seen(gone)))
    assert (shown["check_ins"][0]["value"], shown["check_ins"][0]["narrative"]) == (33, None)
    assert shown["title"] == "We know our buyers"
    theirs = ok(await company.noor.get(f"/v1/goals/{own['id']}"))
    assert (theirs["title"], theirs["purpose"]["statement"]) == (None, None)
    told = ok(await company.noor.get(f"/v1/goals/{own['id']}/history"))["items"]
    assert told[0]["data"]["title"] is None
    tree = ok(await company.noor.get("/v1/alignment-tree"))["nodes"]
    assert {one["title"] for one in tree} == {None, "We know our buyers"}


async def test_many_people_align_to_one_goal_at_once(company):
    top, _ = await agreed(company.boss, renewal(), company.today)
    goals = [ok(await company.noor.post("/v1/goals", json=team_goal(title=f"Goal {n}"))) for n in range(8)]
    body = {"to": {"goal_id": top["id"]}, "hypothesis": "So"}
    made = await asyncio.gather(*(company.noor.post(f"/v1/goals/{goal['id']}/alignments", json=body) for goal in goals))
    assert [one.status_code for one in made] == [201] * 8
    tree = ok(await company.noor.get(f"/v1/alignment-tree?root={top['id']}", headers=seen(made[-1])))
    assert len(tree["nodes"]) >= 2


async def test_numbers_are_described_as_numbers(installation):
    schemas = ok(await installation.stranger().get("/openapi.json"))["components"]["schemas"]
    assert {"type": "number"} in schemas["NewKeyResult"]["properties"]["target"]["oneOf"]
