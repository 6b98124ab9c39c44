import pytest_asyncio

from api.improving import AFTER, BEFORE, service_desk
from api.installation import ok, seen
from lms.clock import now

EVIDENCE = {"stance": "supports", "ref": "Survey of 80 callers"}


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation):
    return await service_desk(installation)


def moment():
    return {"known_at": now().isoformat()}


async def test_a_measurement_is_shown_as_it_was_known_before_its_revision(desk):
    made = await desk.measured(30)
    path = f"/v1/measurements/{made.json()['id']}"
    before = moment()
    revised = await desk.mira.post(f"{path}/revision", json={"value": 31})
    assert ok(await desk.mira.get(path, headers=seen(revised)))["value"] == 31
    past = await desk.mira.get(path, params=before)
    assert (ok(past), past.headers["etag"]) == (made.json(), '"1"')
    assert (await desk.mira.get(path, params={"as_of": "2026-01-15"})).status_code == 404
    outcome = await desk.measured_outcome(0.3)
    path = f"/v1/measurements/{outcome.json()['id']}"
    assert ok(await desk.mira.get(path, params=moment()))["outcome_metric_id"] == desk.metric


async def test_a_process_is_shown_with_the_values_of_then(desk):
    for value, window in ((30, BEFORE), (22, AFTER)):
        last = await desk.measured(value, window)
    before = moment()
    measure = {"name": "First-time right", "unit": "percent", "direction": "increase"}
    last = await desk.mira.post(f"{desk.path}/measures", json=measure)
    shown = ok(await desk.mira.get(desk.path, headers=seen(last)))
    assert [one["latest"] and one["latest"]["value"] for one in shown["measures"]] == [22, None]
    then = ok(await desk.mira.get(desk.path, params=before))
    assert [one["latest"]["value"] for one in then["measures"]] == [22]
    assert (await desk.mira.get(desk.path, params={"known_at": "2020-01-01"})).status_code == 404


async def test_what_was_measured_later_is_not_known_yet(desk):
    first = await desk.measured(30, BEFORE)
    before = moment()
    last = await desk.measured(22, AFTER)
    ok(await desk.mira.get(desk.path, headers=seen(last)))
    then = ok(await desk.mira.get(desk.path, params=before))
    assert then["measures"][0]["latest"] == first.json()


async def test_a_metric_an_improvement_a_contribution_and_a_link_are_shown_as_they_stood(desk):
    improvement = await desk.opened()
    body = {
        "from": {"kind": "improvement", "id": improvement["id"]},
        "to": {"outcome_metric_id": desk.metric},
        "mechanism": "Who is helped at once comes back",
        "window": AFTER,
    }
    contribution = ok(await desk.mira.post("/v1/contributions", json=body))
    paths = {
        "improvement": f"/v1/improvements/{improvement['id']}",
        "contribution": f"/v1/contributions/{contribution['id']}",
        "link": f"/v1/links/{desk.process['outcome_links'][0]['id']}",
    }
    before = moment()
    ok(await desk.mira.post(f"{paths['improvement']}/obstacles", json={"text": "Two systems"}))
    ok(await desk.noor.post(f"{paths['contribution']}/evidence", json=EVIDENCE))
    last = await desk.noor.post(f"{paths['link']}/evidence", json=EVIDENCE)
    for name, part in (("improvement", "obstacles"), ("contribution", "evidence"), ("link", "evidence")):
        assert len(ok(await desk.mira.get(paths[name], headers=seen(last)))[part]) == 1
        assert ok(await desk.mira.get(paths[name], params=before))[part] == []
    paths["metric"] = f"/v1/outcome-metrics/{desk.metric}"
    assert ok(await desk.mira.get(paths["metric"], params=before))["name"] == "Repeat purchases"
    for path in paths.values():
        assert (await desk.mira.get(path, params={"known_at": "2020-01-01"})).status_code == 404
        assert (await desk.mira.get(path, params={"as_of": "yesterday"})).status_code == 400
