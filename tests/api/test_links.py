import pytest
import pytest_asyncio

from api.improving import service_desk
from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role

EVIDENCE = {"stance": "supports", "ref": "Survey of 80 callers"}


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation):
    return await service_desk(installation)


@pytest.fixture
def path(desk):
    return f"/v1/links/{desk.process['outcome_links'][0]['id']}"


async def test_evidence_and_alternatives_are_gathered_behind_a_link_made_a_moment_ago(desk, path):
    attached = await desk.olaf.post(f"{path}/evidence", json=EVIDENCE)
    assert (attached.status_code, attached.headers["location"], attached.headers["etag"]) == (201, path, '"1"')
    assert attached.json()["ref"] == "Survey of 80 callers"
    recorded = await desk.noor.post(f"{path}/alternatives", json={"text": "Prices went down"})
    assert ok(recorded)["plausibility"] == "medium"
    shown = ok(await desk.mira.get(path, headers=seen(recorded)))
    assert (shown["process_id"], shown["measure_id"]) == (desk.process["id"], desk.measure)
    assert shown["evidence"] == [attached.json()]
    assert shown["alternatives"] == [recorded.json()]
    assert shown["next"] == []


async def test_a_reference_lies_sealed_in_the_read_model_and_is_gone_with_its_author(desk, path, installation):
    attached = await desk.noor.post(f"{path}/evidence", json=EVIDENCE)
    ok(await desk.mira.get(path, headers=seen(attached)))
    core = installation.core
    async with core.reads.acquire() as connection:
        stored = await connection.fetchval("SELECT string_agg(evidence::text, '') FROM links_v1")
    assert "Survey" not in stored
    await core.subjects.forget(installation.organisation_id, desk.noor.id)
    (shown,) = ok(await desk.mira.get(path))["evidence"]
    assert (shown["stance"], shown["ref"]) == ("supports", None)


async def test_a_bare_link_says_what_is_missing(desk, path):
    assert ok(await desk.mira.get(path))["next"] == ["evidence", "alternatives"]


async def test_a_link_that_is_gone_or_never_was_gathers_nothing(desk, path, installation):
    assert (await desk.mira.post(f"/v1/links/{uuid7()}/evidence", json=EVIDENCE)).status_code == 404
    guest = await installation.person("Gia", Role.GUEST, kind="customer")
    assert (await guest.get(path)).status_code == 404
    assert (await guest.post(f"{path}/evidence", json=EVIDENCE)).status_code == 404
    ok(await desk.mira.delete(f"{desk.path}/outcome-links/{path.rpartition('/')[2]}"))
    assert (await desk.mira.post(f"{path}/evidence", json=EVIDENCE)).status_code == 404


async def test_the_link_of_a_goal_is_shown_to_whom_the_goal_is_shown(desk):
    goal = {"level": "individual", "title": "Listen better", "purpose": {"statement": "Be told once"}}
    align = {"to": {"outcome_metric_id": desk.metric}, "link_type": "contributes-to", "hypothesis": "It helps"}
    for visibility, status in (("private", 404), ("organisation", 200)):
        made = ok(await desk.mira.post("/v1/goals", json=goal | {"visibility": visibility}))
        linked = await desk.mira.post(f"/v1/goals/{made['id']}/alignments", json=align)
        path = f"/v1/links/{ok(linked)['id']}"
        attached = await desk.mira.post(f"{path}/evidence", json=EVIDENCE)
        assert (attached.status_code, attached.headers["location"]) == (201, path)
        shown = await desk.noor.get(path, headers=seen(attached))
        assert shown.status_code == status
        assert (await desk.noor.post(f"{path}/alternatives", json={"text": "Chance"})).is_success is (status == 200)


async def test_what_is_gathered_says_something(desk, path):
    assert (await desk.mira.post(f"{path}/evidence", json=EVIDENCE | {"ref": " "})).status_code == 400
    assert (await desk.mira.post(f"{path}/evidence", json=EVIDENCE | {"stance": "proves"})).status_code == 400
    assert (await desk.mira.post(f"{path}/alternatives", json={"text": ""})).status_code == 400
