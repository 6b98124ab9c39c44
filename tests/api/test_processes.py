import pytest
import pytest_asyncio

from api.improving import BEFORE, HYPOTHESIS, service_desk
from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation):
    return await service_desk(installation)


async def test_a_member_registers_the_process_of_his_team_with_measures_and_links_at_once(desk):
    assert desk.process["team_id"] == desk.team
    assert desk.process["next"] == []
    (measure,) = desk.process["measures"]
    (link,) = desk.process["outcome_links"]
    assert (measure["name"], measure["unit"], measure["direction"]) == ("Hand-over time", "minutes", "decrease")
    assert (link["measure_id"], link["hypothesis"], link["expected_lag_days"]) == (measure["id"], HYPOTHESIS, 30)


async def test_a_created_process_says_where_it_stands_and_is_read_back(desk):
    body = {"name": "Returns", "team_id": desk.team}
    made = await desk.mira.post("/v1/processes", json=body)
    assert made.status_code == 201
    assert made.json()["next"] == ["measures", "outcome-links"]
    shown = await desk.noor.get(made.headers["location"], headers=seen(made))
    assert shown.headers["etag"] == made.headers["etag"] == '"1"'
    assert ok(shown) == made.json()
    listed = ok(await desk.olaf.get("/v1/processes", params={"team": desk.team, "limit": 1}))
    rest = ok(await desk.olaf.get("/v1/processes", params={"cursor": listed["next"]}))
    assert (len(listed["items"]), rest["next"]) == (1, None)
    assert {one["name"] for one in listed["items"] + rest["items"]} == {"Hand-over", "Returns"}


async def test_a_link_of_the_body_names_its_measure(desk):
    measures = [{"name": name, "unit": "minutes", "direction": "decrease"} for name in ("Waiting", "Handling")]
    link = {"outcome_metric_id": desk.metric, "hypothesis": HYPOTHESIS, "measure": "Handling"}
    body = {"name": "Returns", "measures": measures, "outcome_links": [link]}
    made = ok(await desk.mira.post("/v1/processes", json=body))
    assert made["outcome_links"][0]["measure_id"] == made["measures"][1]["id"]
    wrong = await desk.mira.post("/v1/processes", json=body | {"outcome_links": [link | {"measure": "Nothing"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/outcome_links/0/measure")


async def test_who_is_in_no_team_says_whose_process_it_is(desk):
    answer = await desk.olaf.post("/v1/processes", json={"name": "Mine"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/team_id")
    assert (await desk.olaf.post("/v1/processes", json={"name": "Theirs", "team_id": desk.team})).status_code == 201


async def test_who_leads_and_has_no_home_means_the_team_he_leads(desk, installation):
    north = await installation.team("North")
    vera = await installation.person("Vera")
    ok(await installation.administrator.post(f"/v1/teams/{north}/lead", json={"contributor_id": str(vera.id)}))
    assert ok(await vera.post("/v1/processes", json={"name": "Returns"}))["team_id"] == north


async def test_parts_are_added_to_a_process(desk):
    measure = await desk.mira.post(
        f"{desk.path}/measures", json={"name": "First-time right", "unit": "percent", "direction": "increase"}
    )
    assert (measure.status_code, measure.headers["location"]) == (201, desk.path)
    assert measure.json()["next"] == ["measurements", "outcome-links"]
    hand_off = ok(
        await desk.mira.post(f"{desk.path}/hand-offs", json={"from": "Intake", "to": "Desk", "artefact": "Case"})
    )
    assert (hand_off["from"], hand_off["to"]) == ("Intake", "Desk")
    linked = await desk.mira.post(
        f"{desk.path}/outcome-links",
        json={"measure_id": measure.json()["id"], "outcome_metric_id": desk.metric, "hypothesis": HYPOTHESIS},
    )
    assert ok(linked)["next"] == ["evidence", "alternatives"]
    again = await desk.mira.post(
        f"{desk.path}/outcome-links",
        json={"measure_id": measure.json()["id"], "outcome_metric_id": desk.metric, "hypothesis": HYPOTHESIS},
    )
    assert (again.status_code, again.json()["code"]) == (409, "already-linked")
    gone = await desk.mira.delete(f"{desk.path}/outcome-links/{linked.json()['id']}")
    assert gone.status_code == 204
    shown = ok(await desk.mira.get(desk.path, headers=seen(gone)))
    assert (len(shown["measures"]), len(shown["hand_offs"]), len(shown["outcome_links"])) == (2, 1, 1)


async def test_a_measurement_is_stored_read_back_and_revised(desk):
    made = await desk.measured(30.5, source="desk")
    assert (made.status_code, made.headers["location"], made.json()["next"]) == (201, desk.path, [])
    path = f"/v1/measurements/{made.json()['id']}"
    assert ok(await desk.noor.get(path, headers=seen(made))) == made.json()
    revised = await desk.noor.post(
        f"{path}/revision", json={"value": 31, "n": 38, "spread": 5.5, "reason": "Two days counted twice"}
    )
    assert (revised.status_code, revised.headers["etag"]) == (200, '"2"')
    assert revised.json() == made.json() | {"value": 31, "n": 38, "spread": 5.5, "revision": 1}
    shown = ok(await desk.mira.get(desk.path, headers=seen(revised)))
    assert shown["measures"][0]["latest"] == revised.json()


async def test_a_single_day_needs_one_date_and_says_what_is_missing(desk):
    body = {"measure_id": desk.measure, "value": 29, "end": "2026-01-05", "origin": "counted"}
    made = ok(await desk.mira.post(f"{desk.path}/measurements", json=body))
    assert (made["start"], made["next"]) == ("2026-01-05", ["n", "spread"])


async def test_measurements_are_listed_oldest_first_by_page(desk):
    windows = [{"start": f"2026-0{month}-01", "end": f"2026-0{month}-28"} for month in (3, 1, 2)]
    for value, window in enumerate(windows):
        last = await desk.measured(value, window)
    first = ok(await desk.olaf.get(f"{desk.path}/measurements", params={"limit": 2}, headers=seen(last)))
    assert [one["value"] for one in first["items"]] == [1, 2]
    rest = ok(await desk.olaf.get(f"{desk.path}/measurements", params={"cursor": first["next"]}))
    assert ([one["value"] for one in rest["items"]], rest["next"]) == ([0], None)
    none = ok(await desk.olaf.get(f"{desk.path}/measurements", params={"measure": str(uuid7())}))
    assert none["items"] == []


async def test_a_batch_keeps_the_good_measurements(desk):
    good = {"measure_id": desk.measure, "value": 30, "end": "2026-01-05", "origin": "system"}
    items = [good, good | {"end": "2026-13-01"}, good | {"measure_id": str(uuid7())}, good | {"colour": "red"}]
    answer = await desk.mira.post(f"{desk.path}/measurements:batch", json={"items": [*items, good | {"value": 31}]})
    assert [one["status"] for one in ok(answer)["results"]] == [201, 400, 404, 400, 201]
    listed = ok(await desk.mira.get(f"{desk.path}/measurements", headers=seen(answer)))
    assert sorted(one["value"] for one in listed["items"]) == [30, 31]


async def test_a_retried_batch_stores_nothing_twice(desk):
    items = [
        {"measure_id": desk.measure, "value": day, "end": f"2026-01-{day:02}", "origin": "system"}
        for day in range(1, 21)
    ]
    for _ in range(2):
        answer = await desk.mira.post(
            f"{desk.path}/measurements:batch", json={"items": items}, headers={"Idempotency-Key": "january"}
        )
        ok(answer)
    listed = ok(await desk.mira.get(f"{desk.path}/measurements", headers=seen(answer)))
    assert [one["value"] for one in listed["items"]] == list(range(1, 21))


async def test_only_the_team_and_administrators_measure_and_strangers_read(desk, installation):
    body = {"measure_id": desk.measure, "value": 30, "origin": "system"} | BEFORE
    refused = await desk.olaf.post(f"{desk.path}/measurements", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-process")
    assert (await installation.administrator.post(f"{desk.path}/measurements", json=body)).status_code == 201
    assert (await desk.olaf.get(desk.path)).status_code == 200


async def test_guests_see_no_process_and_measure_nothing(desk, installation):
    guest = await installation.person("Gia", Role.GUEST, kind="customer")
    for path in ("/v1/processes", desk.path, f"{desk.path}/measurements"):
        assert (await guest.get(path)).status_code == 403
    body = {"measure_id": desk.measure, "value": 30, "origin": "system"} | BEFORE
    assert (await guest.post(f"{desk.path}/measurements", json=body)).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"value": "many"}, "/value"),
        ({"end": "2999-01-01"}, "/end"),
        ({"start": "2026-02-01"}, "/end"),
        ({"n": 0}, "/n"),
        ({"origin": "dreamt"}, "/origin"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_body_that_makes_no_sense_is_answered_with_a_pointer(desk, change, pointer):
    body = {"measure_id": desk.measure, "value": 30, "origin": "system"} | BEFORE | change
    answer = await desk.mira.post(f"{desk.path}/measurements", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("value", ["1e300", "1e15", "0.1234567890123456", "1e-40", "NaN"])
async def test_numbers_that_no_client_reads_exactly_are_refused(desk, value):
    body = f'{{"measure_id": "{desk.measure}", "value": {value}, "end": "2026-01-05", "origin": "system"}}'
    answer = await desk.mira.post(f"{desk.path}/measurements", content=body, headers=JSON)
    assert answer.status_code == 400
    assert value == "NaN" or answer.json()["errors"][0]["pointer"] == "/value"


async def test_what_does_not_exist_is_not_found(desk, product):
    nowhere = f"/v1/processes/{uuid7()}"
    for path in (nowhere, f"{nowhere}/measurements", f"/v1/measurements/{uuid7()}", f"/v1/outcome-metrics/{uuid7()}"):
        assert (await desk.mira.get(path)).status_code == 404
    body = {"measure_id": desk.measure, "value": 30, "origin": "system"} | BEFORE
    assert (await desk.mira.post(f"{nowhere}/measurements", json=body)).status_code == 404
    assert (await desk.mira.post(f"/v1/measurements/{uuid7()}/revision", json={"value": 1})).status_code == 404
    other = await product.founded()
    assert (await other.administrator.get(desk.path)).status_code == 404
    assert (await other.administrator.post(f"{desk.path}/measurements", json=body)).status_code == 404
