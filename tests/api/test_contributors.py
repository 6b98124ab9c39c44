import asyncio
from datetime import timedelta

import httpx
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.installation import ok, seen
from lms import clock
from lms.api.application import create_app
from lms.domain.base import Role
from lms.tokens import OidcTokens


async def test_an_administrator_registers_somebody_and_reads_him_back(installation):
    admin = installation.administrator
    body = {"name": "Noor", "email": "noor@example.org", "kind": "partner", "role_band": "agency", "on": "2024-05-01"}
    made = await admin.post("/v1/contributors", json=body)
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    assert made.json()["next"] == ["team"]
    shown = await admin.get(made.headers["location"], headers=seen(made))
    assert shown.headers["etag"] == '"1"'
    assert ok(shown) == {
        "id": made.json()["id"],
        "kind": "partner",
        "name": "Noor",
        "email": "noor@example.org",
        "role_band": "agency",
        "registered_on": "2024-05-01",
        "left_on": None,
        "home_team_id": None,
        "next": ["team"],
    }


async def test_nobody_else_registers_people(installation):
    mira = await installation.person("Mira", Role.EMPLOYEE, Role.BUSINESS_OWNER)
    answer = await mira.post("/v1/contributors", json={"name": "Noor"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")
    left = await mira.post(f"/v1/contributors/{mira.id}/deactivation", json={})
    assert left.status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "Noor", "email": "noor"}, "/email"),
        ({"name": "Noor", "role_band": "Store staff"}, "/role_band"),
        ({"name": "Noor", "on": "2999-01-01"}, "/on"),
        ({"name": "Noor", "kind": "robot"}, "/kind"),
        ({"name": "Noor", "nickname": "N"}, "/nickname"),
        ({"email": "noor@example.org"}, "/name"),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_with_a_pointer(installation, body, pointer):
    answer = await installation.administrator.post("/v1/contributors", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_an_address_belongs_to_one_person_whatever_its_capitals(installation):
    admin = installation.administrator
    ok(await admin.post("/v1/contributors", json={"name": "Noor", "email": "noor@example.org"}))
    answer = await admin.post("/v1/contributors", json={"name": "Nora", "email": "NOOR@example.org "})
    assert (answer.status_code, answer.json()["code"]) == (409, "email-in-use")


async def test_of_two_registrations_of_one_address_at_once_one_stands(installation):
    admin = installation.administrator
    bodies = [{"name": f"Noor {n}", "email": "noor@example.org"} for n in range(6)]
    answers = await asyncio.gather(*(admin.post("/v1/contributors", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_a_retry_with_the_same_key_gets_the_same_person(installation):
    admin, body = installation.administrator, {"name": "Noor", "email": "noor@example.org"}
    first, again = [
        await admin.post("/v1/contributors", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    other = await admin.post("/v1/contributors", json={**body, "name": "Nora"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 422


async def test_colleagues_see_id_kind_and_name_and_no_more(installation):
    mira = await installation.person("Mira", email="mira@example.org")
    noor = await installation.person("Noor")
    assert ok(await noor.get(f"/v1/contributors/{mira.id}")) == {
        "id": str(mira.id),
        "kind": "employee",
        "name": "Mira",
    }
    people = ok(await noor.get("/v1/contributors"))
    assert {person["name"] for person in people["items"]} == {"Ada", "Mira", "Noor"}
    assert all(set(person) == {"id", "kind", "name"} for person in people["items"])


async def test_people_come_in_pages(installation):
    for name in ("Mira", "Noor", "Omar", "Puck"):
        await installation.person(name)
    seen_names, cursor = [], ""
    while cursor is not None:
        page = ok(await installation.administrator.get(f"/v1/contributors?limit=2{cursor and '&cursor=' + cursor}"))
        assert len(page["items"]) <= 2
        seen_names += [person["name"] for person in page["items"]]
        cursor = page["next"]
    assert sorted(seen_names) == ["Ada", "Mira", "Noor", "Omar", "Puck"]


async def test_people_of_one_team_are_asked_for(installation):
    sales = await installation.team("Sales")
    await installation.person("Mira", team=sales)
    noor = await installation.person("Noor")
    (mira,) = ok(await noor.get(f"/v1/contributors?team={sales}"))["items"]
    assert mira["name"] == "Mira"


async def test_a_guest_sees_himself_and_nobody_else(installation):
    omar = await installation.person("Omar", Role.GUEST, kind="customer")
    mira = await installation.person("Mira")
    assert ok(await omar.get(f"/v1/contributors/{omar.id}"))["name"] == "Omar"
    assert (await omar.get(f"/v1/contributors/{mira.id}")).status_code == 404


async def test_nobody_is_found_in_another_organisation(installation):
    assert (await installation.administrator.get(f"/v1/contributors/{clock.uuid7()}")).status_code == 404


async def test_who_left_is_listed_no_more_but_still_known(installation):
    mira = await installation.person("Mira")
    left = await installation.administrator.post(f"/v1/contributors/{mira.id}/deactivation", json={"on": "2026-01-31"})
    assert ok(left) == {"id": str(mira.id), "left_on": "2026-01-31"}
    admin = installation.administrator
    assert ok(await admin.get(f"/v1/contributors/{mira.id}", headers=seen(left)))["left_on"] == "2026-01-31"
    assert "Mira" not in [person["name"] for person in ok(await admin.get("/v1/contributors"))["items"]]


async def test_a_subject_of_the_issuer_signs_in_as_the_person_he_was_bound_to(installation):
    mira = await installation.person("Mira")
    noor = await installation.person("Noor")
    admin = installation.administrator
    binding = {"issuer": "https://login.example.org", "subject": "00u1"}
    bound = await admin.post(f"/v1/contributors/{mira.id}/sign-ins", json=binding)
    assert bound.status_code == 204
    taken = await admin.post(f"/v1/contributors/{noor.id}/sign-ins", json=binding)
    assert (taken.status_code, taken.json()["code"]) == (409, "identity-in-use")
    behind_issuer = oidc(installation, binding["issuer"])
    assert ok(await behind_issuer("00u1").get("/v1/me"))["name"] == "Mira"
    stranger = await behind_issuer("00u2").get("/v1/me")
    assert (stranger.status_code, stranger.json()["code"]) == (403, "unknown-contributor")


async def test_the_sign_in_of_somebody_forgotten_may_be_bound_anew(installation):
    mira, noor = await installation.person("Mira"), await installation.person("Noor")
    admin, binding = installation.administrator, {"issuer": "https://login.example.org", "subject": "00u1"}
    await admin.post(f"/v1/contributors/{mira.id}/sign-ins", json=binding)
    client = oidc(installation, binding["issuer"])("00u1")
    ok(await client.get("/v1/me"))
    ok(await mira.delete(f"/v1/me?confirm={mira.id}"))
    assert (await admin.post(f"/v1/contributors/{noor.id}/sign-ins", json=binding)).status_code == 204
    answers = [(await client.get("/v1/me")).status_code for _ in range(2)]
    assert answers[-1] == 200


async def test_a_sign_in_is_bound_to_somebody_who_takes_part(installation):
    admin, binding = installation.administrator, {"issuer": "https://login.example.org", "subject": "00u1"}
    assert (await admin.post(f"/v1/contributors/{clock.uuid7()}/sign-ins", json=binding)).status_code == 404
    mira = await installation.person("Mira")
    assert (await mira.post(f"/v1/contributors/{mira.id}/sign-ins", json=binding)).status_code == 403
    ok(await admin.post(f"/v1/contributors/{mira.id}/deactivation", json={}))
    assert (await admin.post(f"/v1/contributors/{mira.id}/sign-ins", json=binding)).status_code == 409


async def test_while_the_issuer_cannot_be_reached_its_tokens_wait(installation):
    answer = await oidc(installation, "https://login.example.org", reachable=False)("00u1").get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer-unavailable")
    assert answer.headers["retry-after"] == "1"


def oidc(installation, issuer, *, reachable=True):
    """The same installation behind an OIDC issuer: gives a client for a subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)

    async def fetch(_url):
        if not reachable:
            raise OSError
        return {"keys": [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]}

    verifier = OidcTokens(issuer, "lms", f"{issuer}/keys", fetch)
    services = msgspec.structs.replace(installation.application.state.services, verifier=verifier)
    application = create_app(services)

    def client(subject):
        claims = {
            "iss": issuer,
            "aud": "lms",
            "sub": subject,
            "org": str(installation.organisation_id),
            "roles": ["employee"],
            "exp": clock.now() + timedelta(minutes=5),
        }
        token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "k1"})
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(application, raise_app_exceptions=False),
            base_url="http://lms",
            headers={"Authorization": f"Bearer {token}"},
        )

    return client


async def test_no_table_holds_a_name_or_an_address_in_plain_text(installation):
    name, email = "Zebedeus Quint", "zebedeus.quint@example.org"
    sales = await installation.team("Sales")
    await installation.person(name, team=sales, lead=True, email=email)
    ok(await installation.administrator.get(f"/v1/teams/{sales}"))
    tables = await installation.core.reads.fetch(
        """SELECT c.oid::regclass::text AS name FROM pg_class AS c
           WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('lms', 'read', 'bi', 'bi_work')
             AND has_table_privilege(c.oid, 'SELECT')"""
    )
    assert "lms.event" in {table["name"] for table in tables}
    for table in tables:
        text = await installation.core.reads.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table['name']} AS t")
        for secret in (name, email):
            assert secret not in (text or "")
            assert secret.encode().hex() not in (text or "")
