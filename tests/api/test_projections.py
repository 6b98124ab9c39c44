"""Can operators see how the read models are doing, and have one built anew?"""

import asyncio
import time

from api.installation import Installation, ok
from lms.projections.catalogue import PROJECTIONS

DEADLINE_S = 20


async def test_everybody_inside_sees_how_far_each_read_model_is(installation: Installation):
    mira = await installation.person("Mira")
    items = ok(await mira.get("/v1/projections"))["items"]
    assert {item["name"] for item in items if item["slot"] == "live"} == {one.NAME for one in PROJECTIONS}
    assert all(item["lag_events"] == item["head"] - item["position"] for item in items)
    assert (await installation.stranger().get("/v1/projections")).status_code == 401
    guest = await installation.person("Kim", kind="customer")
    assert (await guest.get("/v1/projections")).status_code == 403


async def test_an_administrator_has_a_read_model_built_anew(installation: Installation):
    answer = await installation.administrator.post("/v1/projections/organisations/rebuild")
    assert (answer.status_code, answer.json()["name"]) == (202, "organisations")
    end = time.monotonic() + DEADLINE_S
    while any(one["slot"] == "next" for one in ok(await installation.administrator.get("/v1/projections"))["items"]):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert ok(await installation.administrator.get("/v1/me"))["organisation"]


async def test_others_cannot_and_there_is_no_read_model_of_any_name(installation: Installation):
    mira = await installation.person("Mira")
    assert (await mira.post("/v1/projections/organisations/rebuild")).status_code == 403
    assert (await installation.administrator.post("/v1/projections/gossip/rebuild")).status_code == 404


async def test_health_and_metrics_are_told_without_a_token(installation: Installation):
    stranger = installation.stranger()
    assert ok(await stranger.get("/health/live")) == {"status": "alive"}
    assert ok(await stranger.get("/health/ready")) == {"ready": True, "missing": []}
    metrics = await stranger.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'lms_projection_lag_events{projection="people",slot="live",version="1"}' in metrics.text
    assert "lms_log_commands_total" in metrics.text
    assert "lms_log_lock_wait_seconds_total" in metrics.text
    assert "lms_log_head " in metrics.text
