import pytest_asyncio

from api.installation import ok, seen
from lms.clock import uuid7
from lms.domain.base import Role


@pytest_asyncio.fixture(loop_scope="session")
async def listening(installation):
    """The id of a competency."""
    response = await installation.administrator.post("/v1/competencies", json={"label": "active listening"})
    return ok(response)["id"]


async def shown(person, competency, ref="the call of 2 March"):
    """Evidence that the person put on record; the answer."""
    return await person.post(f"/v1/me/skills/{competency}/evidence", json={"ref": ref, "kind": "work-sample"})


async def asked(person, competency, *people, evidence):
    """A request by the person to these people."""
    body = {"of": [str(one.id) for one in people], "evidence": [evidence]}
    return await person.post(f"/v1/me/skills/{competency}/requests", json=body)


async def the_request(person, after):
    """The one request to somebody."""
    (request,) = ok(await person.get("/v1/attestation-requests", headers=seen(after)))["items"]
    return request


async def test_a_level_is_reached_by_evidence_and_the_word_of_who_was_asked(installation, listening):
    mira, ann = await installation.person("Mira"), await installation.person("Ann")
    evidence = ok(await shown(mira, listening))
    assert evidence["next"] == ["request"]
    response = await asked(mira, listening, ann, evidence=evidence["id"])
    assert response.headers["Location"] == f"/v1/me/skills/{listening}"
    request = await the_request(ann, response)
    assert (request["person_name"], request["competency_label"]) == ("Mira", "active listening")
    assert request["evidence"] == [
        {
            "id": evidence["id"],
            "kind": "work-sample",
            "ref": "the call of 2 March",
            "observed_on": evidence["observed_on"],
        }
    ]
    body = {"rank": 3, "basis": [evidence["id"]], "confidence": 0.8}
    attested = await ann.post(f"/v1/skills/{request['skill_id']}/attestations", json=body)
    assert attested.status_code == 201
    assert attested.headers["Location"] == f"/v1/attestation-requests/{request['id']}"
    skill = ok(await mira.get(f"/v1/me/skills/{listening}", headers=seen(attested)))
    assert (skill["level"]["rank"], skill["level"]["rule"]) == (3, "attested-by-another")
    assert skill["raters"] == {"low": 3, "high": 3, "n": 1}
    assert (skill["attestations"][0]["attester_name"], skill["attestations"][0]["confidence"]) == ("Ann", 0.8)
    assert (skill["requests"][0]["status"], skill["next"]) == ("attested", [])
    answered = ok(await ann.get(attested.headers["Location"]))
    assert (answered["status"], answered["next"]) == ("attested", [])


async def test_the_rules_choice_and_the_range_of_the_raters_are_both_shown(installation, listening):
    mira, ann, ben = [await installation.person(name) for name in ("Mira", "Ann", "Ben")]
    evidence = ok(await shown(mira, listening))["id"]
    response = await asked(mira, listening, ann, ben, evidence=evidence)
    skill_id = ok(response)["id"]
    for attester, rank in ((ann, 2), (ben, 4)):
        last = await attester.post(f"/v1/skills/{skill_id}/attestations", json={"rank": rank, "basis": [evidence]})
    (skill,) = ok(await mira.get("/v1/me/skills", headers=seen(last)))["items"]
    assert (skill["level"]["rank"], skill["raters"]) == (4, {"low": 2, "high": 4, "n": 2})


async def test_a_claim_stands_beside_the_level_and_never_is_one(installation, listening):
    mira = await installation.person("Mira")
    claim = await mira.post(f"/v1/me/skills/{listening}/claims", json={"rank": 4})
    assert (ok(claim)["level"], ok(claim)["next"]) == (None, ["evidence"])
    skill = ok(await mira.get(f"/v1/me/skills/{listening}", headers=seen(claim)))
    assert (skill["level"], skill["claimed"], skill["raters"]) == (None, 4, None)
    answer = await mira.post(f"/v1/me/skills/{listening}/claims", json={"rank": 9})
    assert answer.json()["errors"] == [{"pointer": "/rank", "detail": "one of 1, 2, 3, 4"}]


async def test_nobody_attests_himself_and_a_lead_has_no_standing_right(installation, listening):
    team = await installation.team("Service")
    mira = await installation.person("Mira", team=team)
    lead = await installation.person("Leo", team=team, lead=True)
    ann = await installation.person("Ann")
    evidence = ok(await shown(mira, listening))["id"]
    skill_id = ok(await asked(mira, listening, ann, evidence=evidence))["id"]
    body = {"rank": 3, "basis": [evidence]}
    for person, status, code in ((mira, 409, "attester-is-the-subject"), (lead, 403, "not-asked")):
        answer = await person.post(f"/v1/skills/{skill_id}/attestations", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = await mira.post(f"/v1/me/skills/{listening}/requests", json={"of": [str(mira.id)], "evidence": [evidence]})
    assert answer.json()["code"] == "attester-is-the-subject"


async def test_nobody_finds_out_who_has_a_record(installation, listening):
    mira, ann = await installation.person("Mira"), await installation.person("Ann")
    evidence = ok(await shown(mira, listening))
    body = {"rank": 3, "basis": [evidence["id"]]}
    there = await ann.post(f"/v1/skills/{evidence['skill_id']}/attestations", json=body)
    nowhere = await ann.post(f"/v1/skills/{uuid7()}/attestations", json=body)
    assert (there.status_code, there.json()) == (403, nowhere.json())
    assert (await ann.get(f"/v1/me/skills/{listening}")).status_code == 404


async def test_who_declines_says_no_reason_and_sees_the_evidence_no_more(installation, listening):
    mira, ann, ben = [await installation.person(name) for name in ("Mira", "Ann", "Ben")]
    evidence = ok(await shown(mira, listening))["id"]
    response = await asked(mira, listening, ann, evidence=evidence)
    request_id = ok(response)["requests"][0]["id"]
    assert (await ben.post(f"/v1/attestation-requests/{request_id}/refusal")).status_code == 404
    declined = await ann.post(f"/v1/attestation-requests/{request_id}/refusal")
    assert declined.status_code == 204
    request = ok(await ann.get(f"/v1/attestation-requests/{request_id}", headers=seen(declined)))
    assert (request["status"], request["evidence"]) == ("declined", [])
    assert ok(await ann.get("/v1/attestation-requests?status=open"))["items"] == []
    assert ok(await mira.get(f"/v1/me/skills/{listening}"))["requests"][0]["status"] == "declined"
    assert (await ben.get(f"/v1/attestation-requests/{request_id}")).status_code == 404


async def test_a_disputed_attestation_stays_on_record_and_counts_no_more(installation, listening):
    mira, ann = await installation.person("Mira"), await installation.person("Ann")
    evidence = ok(await shown(mira, listening))["id"]
    skill_id = ok(await asked(mira, listening, ann, evidence=evidence))["id"]
    attested = ok(await ann.post(f"/v1/skills/{skill_id}/attestations", json={"rank": 1, "basis": [evidence]}))
    body = {"attestation_id": attested["id"], "reason": "She saw another call"}
    assert (await ann.post(f"/v1/skills/{skill_id}/disputes", json=body)).status_code == 404
    disputed = await mira.post(f"/v1/skills/{skill_id}/disputes", json=body)
    assert (disputed.status_code, ok(disputed)["level"]) == (201, None)
    skill = ok(await mira.get(disputed.headers["Location"], headers=seen(disputed)))
    assert (skill["level"], skill["raters"]) == (None, None)
    assert skill["attestations"][0]["disputed_for"] == "She saw another call"


async def test_an_attester_takes_his_word_back(installation, listening):
    mira, ann = await installation.person("Mira"), await installation.person("Ann")
    evidence = ok(await shown(mira, listening))["id"]
    skill_id = ok(await asked(mira, listening, ann, evidence=evidence))["id"]
    attested = ok(await ann.post(f"/v1/skills/{skill_id}/attestations", json={"rank": 3, "basis": [evidence]}))
    path = f"/v1/skills/{skill_id}/attestations/{attested['id']}"
    assert (await mira.delete(path)).status_code == 404
    withdrawn = await ann.delete(path, params={"reason": "mixed people up"})
    assert withdrawn.status_code == 204
    skill = ok(await mira.get(f"/v1/me/skills/{listening}", headers=seen(withdrawn)))
    assert (skill["level"], skill["attestations"][0]["withdrawn"]) == (None, True)


async def test_a_customer_who_is_asked_sees_the_evidence_and_attests(installation, listening):
    mira = await installation.person("Mira")
    omar = await installation.person("Omar", Role.GUEST, kind="customer")
    evidence = ok(await shown(mira, listening))["id"]
    response = await asked(mira, listening, omar, evidence=evidence)
    request = await the_request(omar, response)
    assert request["evidence"][0]["ref"] == "the call of 2 March"
    body = {"rank": 3, "basis": [evidence]}
    assert (await omar.post(f"/v1/skills/{request['skill_id']}/attestations", json=body)).status_code == 201


async def test_i_see_who_looked_at_my_evidence(installation, listening):
    mira, ann = await installation.person("Mira"), await installation.person("Ann")
    evidence = ok(await shown(mira, listening))["id"]
    await the_request(ann, await asked(mira, listening, ann, evidence=evidence))
    (look,) = ok(await mira.get("/v1/me/access-log"))["items"]
    assert (look["what"], look["reader_name"]) == ("evidence", "Ann")


async def test_evidence_lies_sealed_in_the_read_model(installation, listening):
    mira = await installation.person("Mira")
    response = await shown(mira, listening, ref="a very private call")
    ok(await mira.get("/v1/me/skills", headers=seen(response)))
    stored = await installation.core.reads.fetchval("SELECT evidence::text FROM skills_v1 WHERE person = $1", mira.id)
    assert "private" not in stored


async def test_the_rule_is_published(installation):
    mira = await installation.person("Mira")
    (rule,) = ok(await mira.get("/v1/skill-rules"))["items"]
    assert (rule["id"], rule["in_use"], rule["evidence_n"]) == ("attested-by-another-1", True, 1)
    assert ok(await mira.get("/v1/skill-rules/attested-by-another-1")) == rule
    assert (await mira.get("/v1/skill-rules/any-2")).status_code == 404


async def test_records_and_requests_come_in_pages(installation):
    mira, ann = await installation.person("Mira"), await installation.person("Ann")
    for label in ("listening", "asking"):
        made = await installation.administrator.post("/v1/competencies", json={"label": label})
        competency = ok(made)["id"]
        evidence = ok(await shown(mira, competency))["id"]
        response = await asked(mira, competency, ann, evidence=evidence)
    for client, path in ((mira, "/v1/me/skills"), (ann, "/v1/attestation-requests")):
        first = ok(await client.get(path, params={"limit": 1}, headers=seen(response)))
        rest = ok(await client.get(path, params={"limit": 1, "cursor": first["next"]}))
        assert first["items"][0]["id"] != rest["items"][0]["id"]
        assert rest["next"] is None
