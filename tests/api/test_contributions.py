import pytest
import pytest_asyncio

from api.improving import AFTER, BEFORE, service_desk
from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role

EVIDENCE = {"stance": "supports", "ref": "Survey of 80 callers"}
ALTERNATIVE = {"text": "Prices went down", "plausibility": "high"}


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation):
    return await service_desk(installation)


async def state(desk, **facts):
    improvement = await desk.opened()
    body = {
        "from": {"kind": "improvement", "id": improvement["id"]},
        "to": {"outcome_metric_id": desk.metric},
        "mechanism": "Who is helped at once comes back",
        "window": AFTER,
    }
    return await desk.mira.post("/v1/contributions", json=body | facts)


async def settle(desk, contribution):
    path = f"/v1/contributions/{contribution['id']}"
    ok(await desk.noor.post(f"{path}/evidence", json=EVIDENCE))
    ok(await desk.olaf.post(f"{path}/alternatives", json=ALTERNATIVE))
    return await desk.noor.post(f"{path}/acceptance")


async def test_a_contribution_is_stated_and_read_back(desk):
    made = await state(desk, share={"low": 0.2, "high": 0.5})
    assert made.status_code == 201
    stated = made.json()
    assert (stated["from"]["kind"], stated["to"]["outcome_metric_id"]) == ("improvement", desk.metric)
    assert (stated["grade"], stated["may_say"]) == (0, "expected to contribute")
    assert stated["next"] == ["evidence", "alternatives", "acceptance"]
    shown = ok(await desk.olaf.get(made.headers["location"], headers=seen(made)))
    assert {name: shown[name] for name in stated if name != "over_claimed"} == {
        name: value for name, value in stated.items() if name != "over_claimed"
    }
    listed = ok(await desk.olaf.get("/v1/contributions", params={"to": desk.metric}))
    assert [one["id"] for one in listed["items"]] == [stated["id"]]
    assert ok(await desk.olaf.get("/v1/contributions", params={"to": str(uuid7())}))["items"] == []


async def test_it_is_accepted_by_another_with_evidence_and_an_alternative(desk):
    stated = ok(await state(desk))
    path = f"/v1/contributions/{stated['id']}"
    bare = await desk.noor.post(f"{path}/acceptance")
    assert (bare.status_code, bare.json()["code"]) == (409, "needs-evidence-and-alternative")
    assert (await settle(desk, stated)).status_code == 200
    again = await desk.noor.post(f"{path}/acceptance")
    assert (again.status_code, again.json()["code"]) == (409, "contribution-is-settled")
    shown = ok(await desk.mira.get(path, headers=seen(await desk.measured(1))))
    assert (shown["standing"], shown["grade"], shown["next"]) == ("accepted", 1, [])
    assert [(one["stance"], one["ref"]) for one in shown["evidence"]] == [("supports", "Survey of 80 callers")]
    assert [(one["text"], one["plausibility"]) for one in shown["alternatives"]] == [("Prices went down", "high")]


async def test_who_stated_it_accepts_it_not(desk):
    stated = ok(await state(desk))
    path = f"/v1/contributions/{stated['id']}"
    ok(await desk.mira.post(f"{path}/evidence", json=EVIDENCE))
    ok(await desk.mira.post(f"{path}/alternatives", json=ALTERNATIVE))
    answer = await desk.mira.post(f"{path}/acceptance")
    assert (answer.status_code, answer.json()["code"]) == (409, "accepted-by-who-stated-it")


async def test_the_change_of_the_figure_is_kept_and_counts_once_it_is_accepted(desk):
    ok(await desk.measured_outcome(0.30, BEFORE))
    ok(await desk.measured_outcome(0.36, AFTER))
    stated = ok(await state(desk, before=BEFORE))
    assert stated["change"]["effect"]["verdict"] == "better"
    assert (stated["grade"], stated["may_say"]) == (0, "expected to contribute")
    accepted = ok(await settle(desk, stated))
    assert (accepted["grade"], accepted["may_say"]) == (2, "changed after")


async def test_the_change_of_a_segment_or_of_a_process_measure_counts_too(desk):
    for window, value in ((BEFORE, 0.30), (AFTER, 0.36)):
        ok(await desk.measured_outcome(value, window))
        ok(await desk.measured_outcome(0.5, window, segment="web"))
        ok(await desk.measured(value * 100, window))
    web = ok(await state(desk, before=BEFORE, segment="web"))
    assert web["change"]["effect"]["verdict"] == "no-clear-change"
    of_process = ok(await state(desk, before=BEFORE, to={"measure_id": desk.measure}))
    assert of_process["to"] == {"process_id": desk.process["id"], "measure_id": desk.measure}
    assert of_process["change"]["effect"]["verdict"] == "worse"


async def test_a_change_against_a_segment_where_nothing_was_done_counts_as_compared(desk):
    for window, value in ((BEFORE, 0.30), (AFTER, 0.36)):
        ok(await desk.measured_outcome(value, window))
        ok(await desk.measured_outcome(0.30, window, segment="web"))
    elsewhere = {"label": "Web shop", "segment": "web"}
    stated = ok(await state(desk, before=BEFORE, design="compared", comparison=elsewhere))
    assert stated["change"]["comparison"]["after"]["value"] == 0.30
    accepted = ok(await settle(desk, stated))
    assert (accepted["grade"], accepted["may_say"]) == (3, "changed more than the comparison")
    for wrong, pointer in (
        ({"before": BEFORE, "design": "compared"}, "/comparison"),
        ({"before": BEFORE, "design": "compared", "comparison": {"label": "North"}}, "/comparison/measure_id"),
        ({"design": "compared", "comparison": elsewhere}, "/before"),
    ):
        answer = await state(desk, **wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_a_figure_that_moved_before_the_improvement_took_effect_proves_little(desk):
    ok(await desk.measured_outcome(0.30, BEFORE))
    ok(await desk.measured_outcome(0.36, AFTER))
    improvement = await desk.opened()
    cause = {"from": {"kind": "improvement", "id": improvement["id"]}}
    stated = ok(await state(desk, before=BEFORE, **cause))
    march = {"start": "2026-03-01", "end": "2026-03-31"}
    figures = {"n": 40, "spread": 6, "origin": "counted"}
    result = {"measure_id": desk.measure, "before": {"value": 30} | figures | BEFORE}
    ok(
        await desk.mira.post(
            f"/v1/improvements/{improvement['id']}/result", json=result | {"after": {"value": 22} | figures | march}
        )
    )
    accepted = await settle(desk, stated)
    assert (ok(accepted)["grade"], ok(accepted)["may_say"]) == (1, "people report a contribution")
    path = f"/v1/contributions/{stated['id']}"
    shown = ok(await desk.olaf.get(path, headers=seen(accepted)))
    (listed,) = ok(await desk.olaf.get("/v1/contributions"))["items"]
    assert (shown["grade"], listed["grade"]) == (1, 1)


async def test_accepted_shares_above_the_whole_are_flagged(desk):
    claims = [ok(await state(desk, share={"low": low, "high": 0.9})) for low in (0.7, 0.4)]
    first = await settle(desk, claims[0])
    path = f"/v1/contributions/{claims[0]['id']}"
    assert ok(await desk.mira.get(path, headers=seen(first)))["over_claimed"] is False
    second = await settle(desk, claims[1])
    shown = ok(await desk.mira.get(path, headers=seen(second)))
    assert (shown["over_claimed"], shown["share"]["low"]) == (True, 0.7)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"to": {}}, 400),
        ({"to": {}, "before": BEFORE}, 400),
        ({"to": {"outcome_metric_id": str(uuid7())}}, 404),
        ({"to": {"outcome_metric_id": str(uuid7())}, "before": BEFORE}, 404),
        ({"to": {"measure_id": str(uuid7())}}, 404),
        ({"from": {"kind": "improvement", "id": str(uuid7())}}, 404),
        ({"from": {"kind": "skill", "id": str(uuid7())}}, 404),
        ({"from": {"kind": "learning", "id": str(uuid7())}}, 404),
        ({"from": {"kind": "weather", "id": str(uuid7())}}, 400),
        ({"share": {"low": 0.9, "high": 0.1}}, 400),
        ({"before": BEFORE}, 400),
        ({"mechanism": " "}, 400),
    ],
)
async def test_a_contribution_names_what_there_is(desk, facts, status):
    assert (await state(desk, **facts)).status_code == status


async def test_it_is_rejected_by_another_or_withdrawn_by_who_stated_it(desk):
    rejected, withdrawn = ok(await state(desk)), ok(await state(desk))
    path = f"/v1/contributions/{rejected['id']}"
    ok(await desk.olaf.post(f"{path}/evidence", json=EVIDENCE | {"stance": "weakens"}))
    answer = await desk.olaf.post(f"{path}/rejection", json={"reason": "Prices explain it"})
    assert (ok(answer)["standing"], ok(answer)["weakening_n"]) == ("rejected", 1)
    assert ok(await desk.mira.get(path, headers=seen(answer)))["reason"] == "Prices explain it"
    path = f"/v1/contributions/{withdrawn['id']}"
    assert (await desk.noor.post(f"{path}/withdrawal", json={})).status_code == 403
    assert ok(await desk.mira.post(f"{path}/withdrawal", json={}))["standing"] == "withdrawn"


async def test_a_skill_or_ones_own_learning_may_have_moved_a_figure(desk):
    listening = await desk.competency("Active listening")
    assert ok(await state(desk, **{"from": {"kind": "skill", "id": listening}}))["from"]["id"] == listening
    learned = ok(await desk.mira.post("/v1/me/learning", json={"note": "How to listen"}))["id"]
    assert (await state(desk, **{"from": {"kind": "learning", "id": learned}})).status_code == 201
    secret = ok(await desk.noor.post("/v1/me/learning", json={"note": "How to leave"}))["id"]
    assert (await state(desk, **{"from": {"kind": "learning", "id": secret}})).status_code == 404


async def test_guests_and_other_organisations_know_of_no_contribution(desk, installation, product):
    stated = ok(await state(desk))
    guest = await installation.person("Gia", Role.GUEST, kind="customer")
    path = f"/v1/contributions/{stated['id']}"
    assert (await guest.get(path)).status_code == 403
    assert (await guest.post(f"{path}/evidence", json=EVIDENCE)).status_code == 404
    other = await product.founded()
    assert (await other.administrator.get(path)).status_code == 404
    assert (await other.administrator.post(f"{path}/acceptance")).status_code == 404
