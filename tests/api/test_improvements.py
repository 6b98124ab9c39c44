import pytest
import pytest_asyncio

from api.improving import AFTER, BEFORE, service_desk
from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role

MARCH = {"start": "2026-03-05", "end": "2026-04-05"}


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation):
    return await service_desk(installation)


def given(value, window, n=40, spread=6, origin="counted"):
    return {"value": value, "n": n, "spread": spread, "origin": origin} | window


async def record(desk, improvement, before, after, **facts):
    body = {"measure_id": desk.measure, "before": before, "after": after} | facts
    return await desk.mira.post(f"/v1/improvements/{improvement['id']}/result", json=body)


async def test_a_member_opens_an_improvement_and_reads_it_back(desk):
    listening = await desk.competency("Active listening")
    body = {
        "process_id": desk.process["id"],
        "problem": "Customers tell their story twice",
        "actual_condition": "30 minutes",
        "trigger_period": BEFORE,
        "target_condition": {"measure_id": desk.measure, "value": 20, "by": "2026-06-30"},
        "competencies": [listening],
        "on": "2026-01-20",
    }
    made = await desk.mira.post("/v1/improvements", json=body)
    assert made.status_code == 201
    resource = made.json()
    assert (resource["team_id"], resource["state"]) == (desk.team, "open")
    assert resource["next"] == ["experiment", "result"]
    shown = ok(await desk.olaf.get(made.headers["location"], headers=seen(made)))
    assert {name: shown[name] for name in resource} == resource
    assert (shown["target_condition"]["value"], shown["trigger_period"]) == (20, BEFORE)
    listed = ok(await desk.olaf.get("/v1/improvements", params={"team": desk.team}))
    assert [one["id"] for one in listed["items"]] == [resource["id"]]
    none = ok(await desk.olaf.get("/v1/improvements", params={"process": str(uuid7())}))
    assert none == {"items": [], "next": None}


async def test_another_team_opens_nothing_here_and_guests_see_nothing(desk, installation):
    body = {"process_id": desk.process["id"], "problem": "Theirs", "team_id": desk.team}
    answer = await desk.olaf.post("/v1/improvements", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-team")
    guest = await installation.person("Gia", Role.GUEST, kind="customer")
    improvement = await desk.opened()
    for path in ("/v1/improvements", f"/v1/improvements/{improvement['id']}"):
        assert (await guest.get(path)).status_code == 403
    assert (await desk.mira.get(f"/v1/improvements/{uuid7()}")).status_code == 404


async def test_obstacles_are_named_and_settled(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    named = ok(await desk.mira.post(f"{path}/obstacles", json={"text": "Two systems"}))
    seen_at_work = {"obstacle_id": named["id"], "state": "evidenced", "note": "Seen on Monday"}
    assert ok(await desk.noor.post(f"{path}/obstacles", json=seen_at_work))["next"] == ["cleared"]
    cleared = await desk.mira.post(f"{path}/obstacles", json={"obstacle_id": named["id"], "state": "cleared"})
    shown = ok(await desk.olaf.get(path, headers=seen(cleared)))
    assert shown["obstacles"] == [{"id": named["id"], "text": "Two systems", "state": "cleared", "note": None}]
    for body in ({}, {"text": "Both", "obstacle_id": named["id"], "state": "cleared"}, {"obstacle_id": named["id"]}):
        assert (await desk.mira.post(f"{path}/obstacles", json=body)).status_code == 400
    again = await desk.mira.post(f"{path}/obstacles", json={"obstacle_id": named["id"], "state": "cleared"})
    assert (again.status_code, again.json()["code"]) == (409, "obstacle-is-settled")


async def test_an_experiment_is_planned_run_and_reviewed_and_its_use_confirmed_by_another(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    listening = await desk.competency("Active listening")
    plan = {"hypothesis": "One form for both", "measure_id": desk.measure, "expected_value": 22}
    planned = await desk.mira.post(f"{path}/experiments", json=plan | {"planned_on": "2026-01-25"})
    assert (planned.status_code, planned.headers["location"]) == (201, path)
    assert planned.json()["next"] == ["run", "review"]
    experiment = planned.json()["id"]
    ran = {"observed": 24, "n": 12, "on": "2026-02-10"}
    assert ok(await desk.mira.post(f"{path}/experiments/{experiment}/run", json=ran))["next"] == ["review"]
    review = {
        "experiment_id": experiment,
        "outcome": "as-expected",
        "learned": "Short forms are filled in",
        "competencies_used": [listening],
        "on": "2026-02-20",
    }
    himself = await desk.mira.post(f"{path}/reviews", json=review | {"confirmed_by": str(desk.mira.id)})
    assert (himself.status_code, himself.json()["code"]) == (409, "confirmed-by-claimant")
    reviewed = await desk.mira.post(f"{path}/reviews", json=review | {"confirmed_by": str(desk.noor.id)})
    assert ok(reviewed)["next"] == ["confirmation"]
    (shown,) = ok(await desk.olaf.get(path, headers=seen(reviewed)))["experiments"]
    assert (shown["observed"], shown["ran_on"], shown["reviewed_on"]) == (24, "2026-02-10", "2026-02-20")
    assert (shown["learned"], shown["competencies_used"]) == ("Short forms are filled in", [listening])
    assert shown["confirmed"] is False, "the claimant's word confirms nothing"
    (item,) = ok(await desk.noor.get("/v1/me/inbox"))["items"]
    assert (item["kind"], item["id"], item["improvement_id"]) == ("confirmation", experiment, improvement["id"])
    assert (item["person"], item["competencies"]) == (str(desk.mira.id), [listening])
    assert item["title"] == "Customers tell their story twice"
    confirmation = f"{path}/reviews/{experiment}/confirmation"
    himself = await desk.mira.post(confirmation)
    assert (himself.status_code, himself.json()["code"]) == (409, "confirmed-by-claimant")
    assert (await desk.olaf.post(confirmation)).status_code == 403
    confirmed = await desk.noor.post(confirmation)
    assert (confirmed.status_code, confirmed.headers["location"]) == (201, path)
    (shown,) = ok(await desk.olaf.get(path, headers=seen(confirmed)))["experiments"]
    assert shown["confirmed"] is True
    assert ok(await desk.noor.get("/v1/me/inbox"))["items"] == []
    again = await desk.noor.post(confirmation)
    assert (again.status_code, again.json()["code"]) == (409, "use-is-confirmed")


async def test_who_reviews_what_another_ran_confirms_by_naming_himself(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    experiment = ok(await desk.mira.post(f"{path}/experiments", json={"hypothesis": "One form"}))["id"]
    ok(await desk.mira.post(f"{path}/experiments/{experiment}/run", json={"observed": 24}))
    review = {"experiment_id": experiment, "outcome": "as-expected", "confirmed_by": str(desk.noor.id)}
    used = {"competencies_used": [await desk.competency("Active listening")]}
    reviewed = await desk.noor.post(f"{path}/reviews", json=review | used)
    assert ok(reviewed)["next"] == []
    (shown,) = ok(await desk.olaf.get(path, headers=seen(reviewed)))["experiments"]
    assert shown["confirmed"] is True


async def test_what_was_taken_back_asks_nobody_to_confirm_it(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    experiment = ok(await desk.mira.post(f"{path}/experiments", json={"hypothesis": "One form"}))["id"]
    review = {"experiment_id": experiment, "outcome": "different", "observed": 31, "confirmed_by": str(desk.noor.id)}
    reviewed = await desk.mira.post(f"{path}/reviews", json=review)
    assert len(ok(await desk.noor.get("/v1/me/inbox", headers=seen(reviewed)))["items"]) == 1
    back = await desk.mira.post(f"{path}/reversal", json={"reason": "It cost too much"})
    assert ok(await desk.noor.get("/v1/me/inbox", headers=seen(back)))["items"] == []
    late = await desk.noor.post(f"{path}/reviews/{experiment}/confirmation")
    assert (late.status_code, late.json()["code"]) == (409, "improvement-is-reverted")


async def test_the_goal_of_an_improvement_is_named_to_those_who_see_it(desk):
    body = {"level": "individual", "title": "Listen", "purpose": {"statement": "more"}, "visibility": "private"}
    goal = ok(await desk.mira.post("/v1/goals", json=body))["id"]
    improvement = await desk.opened(goal_id=goal)
    path = f"/v1/improvements/{improvement['id']}"
    recorded = await record(desk, improvement, given(30, BEFORE), given(22, AFTER))
    adopted = await desk.noor.post(f"{path}/adoption", json={})
    for reader, named in ((desk.mira, goal), (desk.noor, None), (desk.olaf, None)):
        (listed,) = ok(await reader.get("/v1/improvements", headers=seen(recorded)))["items"]
        now = ok(await reader.get(path))
        then = ok(await reader.get(path, params={"as_of": "2099-01-01T00:00:00Z"}))
        assert (listed["goal_id"], now["goal_id"], then["goal_id"]) == (named, named, named)
    assert (improvement["goal_id"], ok(adopted)["goal_id"]) == (goal, None)
    assert ok(await desk.mira.post(f"{path}/reversal", json={"reason": "It cost too much"}))["goal_id"] == goal


async def test_a_review_may_say_how_the_experiment_ran(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    planned = ok(await desk.mira.post(f"{path}/experiments", json={"hypothesis": "One form"}))
    review = {
        "experiment_id": planned["id"],
        "outcome": "different",
        "competencies_used": [await desk.competency("Writing forms")],
    }
    early = await desk.mira.post(f"{path}/reviews", json=review)
    assert (early.status_code, early.json()["code"]) == (409, "experiment-has-not-run")
    reviewed = await desk.mira.post(f"{path}/reviews", json=review | {"observed": 29})
    assert ok(reviewed)["next"] == ["confirmation"]
    (shown,) = ok(await desk.mira.get(path, headers=seen(reviewed)))["experiments"]
    assert (shown["observed"], shown["outcome"], shown["confirmed"]) == (29, "different", False)


async def test_a_result_is_computed_from_what_was_measured_a_moment_ago(desk):
    improvement = await desk.opened()
    for week, value in enumerate((30, 31, 29, 33)):
        days = {"start": f"2026-01-{7 * week + 1:02}", "end": f"2026-01-{7 * week + 7:02}"}
        ok(await desk.measured(value, days, n=10, spread=4))
        days = {"start": f"2026-02-{7 * week + 1:02}", "end": f"2026-02-{7 * week + 7:02}"}
        ok(await desk.measured(value - 8, days, n=10, spread=4))
    answer = await record(desk, improvement, BEFORE, AFTER)
    assert answer.status_code == 201
    found = answer.json()
    assert (found["verdict"], found["grade"], found["may_say"]) == ("better", 2, "changed after")
    assert found["process_improved"] is True
    before, after = found["result"]["before"], found["result"]["after"]
    assert (before["value"], before["n"], after["value"], after["n"]) == (30.75, 40, 22.75, 40)
    assert found["effect"]["difference"] == -8
    assert found["effect"]["low"] < -8 < found["effect"]["high"] < 0
    shown = ok(await desk.olaf.get(answer.headers["location"], headers=seen(answer)))
    assert (shown["state"], shown["next"][-1]) == ("resulted", "adoption")
    assert shown["results"][0]["effect"] == found["effect"]
    assert ok(await desk.olaf.get(desk.path))["improved"] == [
        {"improvement_id": improvement["id"], "measure_id": desk.measure, "on": "2026-02-01"}
    ]


async def test_an_interval_that_crosses_zero_is_stored_as_no_clear_change_and_improves_nothing(desk):
    improvement = await desk.opened()
    answer = await record(desk, improvement, given(30, BEFORE), given(29, AFTER))
    assert answer.status_code == 201
    found = answer.json()
    assert (found["verdict"], found["may_say"]) == ("no-clear-change", "no clear change after")
    assert found["effect"]["low"] < 0 < found["effect"]["high"]
    assert found["process_improved"] is False
    assert ok(await desk.mira.get(desk.path, headers=seen(answer)))["improved"] == []


@pytest.mark.parametrize(
    ("before", "after", "verdict", "says"),
    [
        (given(30, BEFORE), given(22, AFTER), "better", "changed after"),
        (given(30, BEFORE), given(40, AFTER), "worse", "worse after"),
        (given(30, BEFORE, n=4), given(22, AFTER), "insufficient-data", "insufficient data"),
        (given(30, BEFORE, spread=None), given(22, AFTER), "insufficient-data", "insufficient data"),
        (given(30, BEFORE), given(22, {"start": "2026-01-31", "end": "2026-02-28"}), "insufficient-data", None),
        (given(30, BEFORE, origin="recalled"), given(22, AFTER), "better", "people report a contribution"),
        (given(30, BEFORE), given(22, AFTER, origin=None), "better", "people report a contribution"),
    ],
    ids=["better", "worse", "four observations", "no spread", "overlapping windows", "recalled", "of unknown origin"],
)
async def test_figures_given_by_hand_are_judged_as_they_are(desk, before, after, verdict, says):
    improvement = await desk.opened()
    found = ok(await record(desk, improvement, before, after))
    assert found["verdict"] == verdict
    assert found["process_improved"] is (verdict == "better")
    assert says is None or found["may_say"] == says


async def test_a_baseline_that_only_raised_the_alarm_proves_little(desk):
    improvement = await desk.opened(trigger_period=BEFORE)
    for said in ({}, {"baseline": "standing"}):
        found = ok(await record(desk, improvement, given(30, BEFORE), given(22, AFTER), **said))
        assert (found["result"]["baseline"], found["grade"]) == ("trigger", 1)


async def test_a_change_that_happened_everywhere_is_no_clear_change_against_the_comparison(desk):
    improvement = await desk.opened()
    north = ok(
        await desk.mira.post(f"{desk.path}/measures", json={"name": "N", "unit": "minutes", "direction": "decrease"})
    )["id"]
    ok(await desk.measured(31, BEFORE, measure_id=north))
    ok(await desk.measured(23, AFTER, measure_id=north))
    compared = {"design": "compared", "comparison": {"label": "North", "measure_id": north}}
    found = ok(await record(desk, improvement, given(30, BEFORE), given(22, AFTER), **compared))
    assert (found["verdict"], found["grade"]) == ("no-clear-change", 3)
    assert found["may_say"] == "no clear change against the comparison"
    sides = {"before": given(31, BEFORE), "after": given(31, AFTER)}
    better = {"design": "compared", "comparison": {"label": "North"} | sides}
    assert ok(await record(desk, improvement, given(30, BEFORE), given(22, AFTER), **better))["grade"] == 3
    for wrong in ({"design": "compared"}, {"design": "compared", "comparison": {"label": "North"}}):
        answer = await record(desk, improvement, given(30, BEFORE), given(22, AFTER), **wrong)
        assert answer.status_code == 400


async def test_an_interrupted_series_is_judged_against_its_own_trend(desk):
    improvement = await desk.opened()
    wiggle = (0, 1, -1, 0, 1, -1, 0, 1, -1, 0)
    items = [
        {
            "measure_id": desk.measure,
            "value": level + wiggle[day],
            "origin": "system",
            "end": f"2026-0{month}-{day + 1:02}",
        }
        for month, level in ((1, 30), (2, 20))
        for day in range(10)
    ]
    ok(await desk.mira.post(f"{desk.path}/measurements:batch", json={"items": items}))
    found = ok(await record(desk, improvement, BEFORE, AFTER, design="interrupted-series"))
    assert (found["verdict"], found["grade"]) == ("better", 3)
    assert (found["effect"]["points_before"], found["effect"]["points_after"]) == (10, 10)
    assert found["effect"]["method"] == "segmented-regression"


@pytest.mark.parametrize(
    ("before", "pointer"),
    [
        ({"start": "2024-01-01", "end": "2024-01-31"}, "/before"),
        ({"start": "2026-01-31", "end": "2026-01-01"}, "/before/end"),
        ({"n": 5} | BEFORE, "/before/value"),
        ({"value": 30, "start": "2026-03-01", "end": "2026-03-31"}, "/after/start"),
    ],
    ids=["nothing measured", "reversed", "no value", "before is after"],
)
async def test_sides_that_say_nothing_are_answered_with_a_pointer(desk, before, pointer):
    improvement = await desk.opened()
    answer = await record(desk, improvement, before, given(22, AFTER))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_only_the_team_records_a_result_of_a_measure_of_its_process(desk):
    improvement = await desk.opened()
    body = {"measure_id": desk.measure, "before": given(30, BEFORE), "after": given(22, AFTER)}
    path = f"/v1/improvements/{improvement['id']}/result"
    assert (await desk.olaf.post(path, json=body)).status_code == 403
    assert (await desk.mira.post(path, json=body | {"measure_id": str(uuid7())})).status_code == 404
    assert (await desk.mira.post(f"/v1/improvements/{uuid7()}/result", json=body)).status_code == 404


async def test_a_result_is_recorded_once_however_often_it_is_sent(desk):
    improvement = await desk.opened()
    key = {"Idempotency-Key": "the-result"}
    path = f"/v1/improvements/{improvement['id']}/result"
    body = {"measure_id": desk.measure, "before": given(30, BEFORE), "after": given(22, AFTER)}
    first = await desk.mira.post(path, json=body, headers=key)
    again = await desk.mira.post(path, json=body, headers=key)
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
    other = await desk.mira.post(path, json=body | {"after": given(21, AFTER)}, headers=key)
    assert other.status_code == 422
    assert len(ok(await desk.mira.get(desk.path, headers=seen(first)))["improved"]) == 1


async def test_a_gain_is_adopted_and_looked_at_again(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    early = await desk.mira.post(f"{path}/adoption", json={})
    assert (early.status_code, early.json()["code"]) == (409, "no-result-yet")
    ok(await record(desk, improvement, given(30, BEFORE), given(22, AFTER)))
    unadopted = await desk.mira.post(f"{path}/sustainment-checks", json=given(23, MARCH))
    assert (unadopted.status_code, unadopted.json()["code"]) == (409, "not-adopted")
    adopted = ok(await desk.mira.post(f"{path}/adoption", json={"on": "2026-03-05", "standard_ref": "wiki"}))
    assert (adopted["state"], adopted["adopted_on"]) == ("adopted", "2026-03-05")
    ok(await desk.measured(24, MARCH))
    checked = ok(await desk.mira.post(f"{path}/sustainment-checks", json=MARCH))
    assert (checked["days_after"], checked["holds"], checked["effect"]["verdict"]) == (30, True, "better")
    few = ok(await desk.mira.post(f"{path}/sustainment-checks", json=given(24, MARCH, n=3) | {"days_after": 90}))
    assert (few["days_after"], few["holds"]) == (90, None)
    back = await desk.mira.post(f"{path}/reversal", json={"reason": "It cost too much", "on": "2026-05-01"})
    assert ok(back)["state"] == "reverted"
    shown = ok(await desk.olaf.get(path, headers=seen(back)))
    assert (shown["standard_ref"], shown["revert_reason"]) == ("wiki", "It cost too much")
    assert [(check["days_after"], check["holds"]) for check in shown["checks"]] == [(30, True), (90, None)]
    over = await desk.mira.post(f"{path}/obstacles", json={"text": "Too late"})
    assert (over.status_code, over.json()["code"]) == (409, "improvement-is-reverted")


async def test_a_change_may_be_conditional(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}/obstacles"
    assert (await desk.mira.post(path, json={"text": "A"}, headers={"If-Match": '"7"'})).status_code == 412
    assert (await desk.mira.post(path, json={"text": "A"}, headers={"If-Match": '"1"'})).status_code == 201


async def test_who_is_forgotten_takes_along_what_he_met_and_learned(desk):
    improvement = await desk.opened()
    path = f"/v1/improvements/{improvement['id']}"
    ok(await desk.noor.post(f"{path}/obstacles", json={"text": "Two systems that do not talk"}))
    experiment = ok(await desk.noor.post(f"{path}/experiments", json={"hypothesis": "One form"}))["id"]
    review = {"experiment_id": experiment, "outcome": "different", "observed": 29, "learned": "I gave up too early"}
    reviewed = await desk.noor.post(f"{path}/reviews", json=review)
    before = ok(await desk.mira.get(path, headers=seen(reviewed)))
    assert before["obstacles"][0]["text"] == "Two systems that do not talk"
    gone = await desk.noor.delete("/v1/me", params={"confirm": str(desk.noor.id)})
    assert gone.is_success
    after = ok(await desk.mira.get(path, headers=seen(gone)))
    assert [(one["text"], one["state"]) for one in after["obstacles"]] == [(None, "named")]
    assert [(one["learned"], one["hypothesis"]) for one in after["experiments"]] == [(None, "One form")]
    assert after["problem"] == "Customers tell their story twice"
