"""Is the description true, whole, and there without the internet?"""

import re

import pytest

from api.installation import ok

PROBLEM = "#/components/schemas/Problem"


@pytest.fixture
async def description(installation):
    return ok(await installation.stranger().get("/openapi.json"))


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def resolved(description, part):
    """What a reference stands for."""
    if "$ref" not in part:
        return part
    found = description
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


async def test_every_reference_leads_somewhere(description):
    def references(part):
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part
            for one in part.values():
                yield from references(one)
        elif isinstance(part, list):
            for one in part:
                yield from references(one)

    assert all(resolved(description, one) is not None for one in references(description))


async def test_every_write_shows_a_whole_example_of_its_body(description):
    with_body = [(path, one["requestBody"]) for _, path, one in operations(description) if "requestBody" in one]
    assert len(with_body) > 60
    for path, body in with_body:
        assert isinstance(body["content"]["application/json"]["example"], dict), path


async def test_every_refusal_is_told_as_a_problem(description):
    for method, path, operation in operations(description):
        refusals = {int(status): one for status, one in operation["responses"].items() if int(status) >= 400}
        if not path.startswith("/v1/"):
            continue
        assert {400, 401, 403, 409, 503} <= set(refusals), path
        assert ({415, 413} <= set(refusals)) is ("requestBody" in operation), path
        assert (422 in refusals) is (method != "get"), path
        for refusal in refusals.values():
            content = resolved(description, refusal)["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": PROBLEM}}}


async def test_headers_of_requests_and_answers_are_told(description):
    create = description["paths"]["/v1/goals"]["post"]
    names = {resolved(description, one)["name"] for one in create["parameters"]}
    assert {"If-Match", "Idempotency-Key", "LMS-After"} <= names
    assert set(create["responses"]["201"]["headers"]) == {"ETag", "LMS-Position", "Location"}
    assert set(description["paths"]["/v1/goals/{goal_id}"]["get"]["responses"]["200"]["headers"]) == {"ETag"}


async def test_a_batch_answers_200_and_says_what_its_items_are(description):
    batches = [(path, one) for _, path, one in operations(description) if path.endswith(":batch")]
    assert len(batches) == 5
    for _, operation in batches:
        assert "201" not in operation["responses"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert resolved(description, schema["properties"]["items"]["items"])["properties"]
        assert "If-Match" not in {resolved(description, one)["name"] for one in operation["parameters"]}
    items = description["components"]["schemas"]["BatchedCheckIn"]["properties"]
    assert "decimal" not in str(items)


async def test_what_is_open_is_told_to_be_open(description, installation):
    for _, path, operation in operations(description):
        assert (operation.get("security") == []) is not path.startswith("/v1/")
    assert (await installation.stranger().get("/health/live")).status_code == 200


async def test_the_page_comes_whole_without_the_internet(installation):
    stranger = installation.stranger()
    page = await stranger.get("/docs")
    addresses = re.findall(r'(?:href|src)="([^"]+)"', page.text.partition("<body>")[0])
    assert any("favicon" in one for one in addresses)
    for address in addresses:
        assert address.startswith("/docs/")
        assert (await stranger.get(address)).status_code == 200
    assert "application/problem+json" in page.text
