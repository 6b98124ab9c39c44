import pytest_asyncio

from api.improving import AFTER, service_desk
from api.installation import ok, seen


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation):
    return await service_desk(installation)


async def test_the_business_defines_a_figure_and_reads_it_back(desk):
    body = {"name": "Returns", "unit": "EUR", "direction": "decrease", "measures": "finance", "frequency": "week"}
    made = await desk.olaf.post("/v1/outcome-metrics", json=body)
    assert made.status_code == 201
    assert made.json() == body | {
        "id": made.json()["id"],
        "aggregation": "mean",
        "element_id": None,
        "next": ["measurements"],
    }
    shown = await desk.mira.get(made.headers["location"], headers=seen(made))
    assert (ok(shown), shown.headers["etag"]) == (made.json(), '"1"')
    listed = ok(await desk.mira.get("/v1/outcome-metrics", params={"limit": 1}))
    rest = ok(await desk.mira.get("/v1/outcome-metrics", params={"cursor": listed["next"]}))
    assert {one["name"] for one in listed["items"] + rest["items"]} == {"Repeat purchases", "Returns"}


async def test_members_neither_define_nor_measure_figures_of_the_business(desk):
    body = {"name": "Mine", "unit": "count", "direction": "increase", "measures": "process"}
    answer = await desk.mira.post("/v1/outcome-metrics", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-yours-to-measure")
    measured = {"value": 0.36, "origin": "system", "end": "2026-02-28"}
    assert (await desk.mira.post(f"/v1/outcome-metrics/{desk.metric}/measurements", json=measured)).status_code == 403


async def test_a_figure_is_measured_as_a_whole_and_by_segment(desk):
    made = await desk.measured_outcome(0.36, source="till")
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/outcome-metrics/{desk.metric}")
    last = await desk.measured_outcome(0.41, AFTER, segment="web")
    path = f"/v1/outcome-metrics/{desk.metric}"
    listed = ok(await desk.mira.get(f"{path}/measurements", headers=seen(last)))
    assert [(one["value"], one["segment"]) for one in listed["items"]] == [(0.36, None), (0.41, "web")]
    web = ok(await desk.mira.get(f"{path}/measurements", params={"segment": "web"}))
    assert [one["value"] for one in web["items"]] == [0.41]
    assert ok(await desk.mira.get(path))["next"] == []


async def test_a_measured_figure_is_revised_and_says_how_often(desk):
    made = await desk.measured_outcome(0.36)
    path = f"/v1/measurements/{made.json()['id']}"
    ok(await desk.olaf.post(f"{path}/revision", json={"value": 0.35, "n": 5100, "spread": 0.47}))
    revised = await desk.olaf.post(f"{path}/revision", json={"value": 0.34, "source": "ledger"})
    shown = ok(await desk.mira.get(path, headers=seen(revised)))
    assert (shown["value"], shown["n"], shown["revision"], shown["source"]) == (0.34, None, 2, "ledger")
    assert (await desk.mira.post(f"{path}/revision", json={"value": 1})).status_code == 403


async def test_a_batch_of_figures_keeps_the_good_ones(desk):
    items = [{"value": 0.3, "origin": "system", "end": "2026-01-31"}, {"value": 0.3, "origin": "system"}]
    answer = await desk.olaf.post(f"/v1/outcome-metrics/{desk.metric}/measurements:batch", json={"items": items})
    assert [one["status"] for one in ok(answer)["results"]] == [201, 400]
