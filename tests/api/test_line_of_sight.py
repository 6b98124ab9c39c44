"""Does the line of sight answer over HTTP as it is promised, to whom it may?"""

import pytest
import pytest_asyncio

from api.improving import AFTER, BEFORE, Desk, service_desk
from api.installation import Installation, ok, seen
from lms import clock
from lms.domain.base import Role


@pytest_asyncio.fixture(loop_scope="session")
async def desk(installation: Installation) -> Desk:
    return await service_desk(installation)


async def improved(desk: Desk, competency: str):
    """An improvement that used a competency, with its result; the last answer."""
    await desk.measured(34)
    await desk.measured(29, AFTER)
    improvement = await desk.opened(competencies=[competency])
    path = f"/v1/improvements/{improvement['id']}"
    return await desk.mira.post(f"{path}/result", json={"measure_id": desk.measure, "before": BEFORE, "after": AFTER})


async def test_an_empty_organisation_has_no_chains_and_nothing_to_look_at(installation):
    admin = installation.administrator
    assert ok(await admin.get("/v1/line-of-sight")) == {"items": [], "next": None}
    assert ok(await admin.get("/v1/overview?lead=me")) == {
        "outcomes_without_learning": [],
        "learning_without_outcome": [],
        "waiting": [],
    }


async def test_a_chain_carries_counts_grades_lags_and_the_wording_they_allow(desk: Desk):
    competency = await desk.competency("Listening")
    await improved(desk, competency)
    logged = await desk.mira.post("/v1/me/learning", json={"competencies": [competency], "learned_on": "2026-01-22"})
    (chain,) = ok(
        await desk.mira.get(
            f"/v1/line-of-sight?from=competency:{competency}&to=metric:{desk.metric}", headers=seen(logged)
        )
    )["items"]
    assert [(link["from"]["kind"], link["to"]["kind"]) for link in chain["links"]] == [
        ("competency", "improvement"),
        ("improvement", "process-measure"),
        ("process-measure", "outcome-metric"),
    ]
    use, change, outcome = chain["links"]
    assert (use["n"], use["observed_lag_days"], use["evidence_for_n"]) == (1, 10, 1)
    assert (change["grade"], change["may_say"], change["n"]) == (2, "changed after", 80)
    assert change["interval"]["low"] < change["interval"]["difference"] == -5 < change["interval"]["high"] < 0
    assert (outcome["expected_lag_days"], outcome["evidence_against_n"]) == (30, 0)
    assert chain["weakest"] == {"link": 0, "grade": 0, "may_say": "expected to contribute"}
    assert (chain["state"], chain["team"], chain["entries_n"]) == ("asserted", desk.team, 1)


async def test_private_learning_shows_to_nobody_else_not_even_to_the_lead(desk: Desk):
    competency = await desk.competency("Listening")
    ok(
        await desk.installation.administrator.post(
            f"/v1/teams/{desk.team}/lead", json={"contributor_id": str(desk.noor.id)}
        )
    )
    await improved(desk, competency)
    logged = await desk.mira.post("/v1/me/learning", json={"competencies": [competency], "learned_on": "2026-01-22"})
    for other in (desk.noor, desk.olaf, desk.installation.administrator):
        (chain,) = ok(await other.get(f"/v1/line-of-sight?from=competency:{competency}", headers=seen(logged)))["items"]
        assert (chain["state"], chain["missing"], chain["entries_n"]) == ("broken", ["no-learning"], 0)
    overview = ok(await desk.noor.get("/v1/overview?lead=me", headers=seen(logged)))
    assert [one["label"] for one in overview["outcomes_without_learning"]] == ["Repeat purchases"]


async def test_learning_shown_to_the_organisation_counts_for_all(desk: Desk):
    competency = await desk.competency("Listening")
    body = {"competencies": [competency], "learned_on": "2026-01-22", "visibility": "organisation"}
    logged = await desk.mira.post("/v1/me/learning", json=body)
    loose = ok(await desk.olaf.get("/v1/overview", headers=seen(logged)))["learning_without_outcome"]
    assert [(one["label"], one["entries_n"], [team["id"] for team in one["teams"]]) for one in loose] == [
        ("Listening", 1, [desk.team])
    ]
    improved_at = await improved(desk, competency)
    (chain,) = ok(await desk.olaf.get(f"/v1/line-of-sight?from=competency:{competency}", headers=seen(improved_at)))[
        "items"
    ]
    assert (chain["missing"], chain["entries_n"]) == ([], 1)
    assert ok(await desk.olaf.get("/v1/overview"))["learning_without_outcome"] == []


async def test_an_entry_answers_with_the_outcomes_it_leads_to(desk: Desk):
    competency = await desk.competency("Listening")
    await desk.opened(competencies=[competency], target_condition={"measure_id": desk.measure, "value": 20})
    logged = await desk.mira.post("/v1/me/learning", json={"competencies": [competency]})
    entry = ok(await desk.mira.get(f"/v1/me/learning/{logged.json()['id']}", headers=seen(logged)))
    assert [(one["label"], one["may_say"]) for one in entry["leads_to"]] == [
        ("Repeat purchases", "expected to contribute")
    ]


async def test_pages_hold_each_chain_once(desk: Desk):
    competencies = [await desk.competency(label) for label in ("Listening", "Closing", "Asking")]
    last = await desk.mira.post("/v1/me/learning", json={"competencies": competencies})
    whole = ok(await desk.mira.get("/v1/line-of-sight", headers=seen(last)))["items"]
    paged, cursor = [], ""
    while cursor is not None:
        page = ok(await desk.mira.get(f"/v1/line-of-sight?limit=1{cursor and '&cursor=' + cursor}"))
        paged += page["items"]
        cursor = page["next"]
    assert paged == whole
    assert len(whole) == 4


@pytest.mark.parametrize("query", ["from=skill:1", "from=competency:1", "to=goal", "cursor=x", "team=1"])
async def test_a_question_that_makes_no_sense_is_malformed(installation, query):
    answer = await installation.administrator.get(f"/v1/line-of-sight?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_guests_see_no_line_of_sight(installation):
    guest = await installation.person("Gast", Role.GUEST, kind="customer")
    assert (await guest.get("/v1/line-of-sight")).status_code == 403
    assert (await guest.get("/v1/overview")).status_code == 403


async def test_an_unknown_end_answers_with_no_chain(installation):
    unknown = clock.uuid7()
    for query in (f"from=competency:{unknown}", f"from=goal:{unknown}", f"to=metric:{unknown}", f"team={unknown}"):
        assert ok(await installation.administrator.get(f"/v1/line-of-sight?{query}"))["items"] == []
