"""Does what makes no sense get a plain 400, whatever it is and wherever it comes?"""

from uuid import UUID

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from msgspec import inspect

from api.installation import ok
from lms import clock
from lms.api.bodies import Batch
from lms.api.examples import BATCHED, example_of
from lms.api.paging import encode_cursor
from lms.api.requests import body_of

HUGE = 10**20


def whole_numbers(declared, path=()):
    """Where in a body a whole number may stand."""
    match declared:
        case inspect.Metadata(type=inner):
            yield from whole_numbers(inner, path)
        case inspect.UnionType(types):
            for one in types:
                yield from whole_numbers(one, path)
        case inspect.IntType() | inspect.DecimalType():
            yield path
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from whole_numbers(field.type, (*path, field.encode_name))
        case inspect.VarTupleType(item) | inspect.ListType(item):
            yield from whole_numbers(item, (*path, 0))
        case _:
            pass


def with_value(body, path, value):
    """The body with another value at the path; what is missing on the way is made."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if step == 0:
        return [with_value(body[0] if isinstance(body, list) else None, rest, value)]
    known = body if isinstance(body, dict) else {}
    return {**known, step: with_value(known.get(step), rest, value)}


def bodies(application):
    """(method, path, body type) of every route that takes a body; a batch's items stand for it."""
    for route in application.routes:
        for handler in getattr(route, "route_handlers", ()):
            declared = body_of(handler) if isinstance(handler, HTTPRouteHandler) else None
            if declared is None:
                continue
            path = route.path_format
            kinds = [one.annotation for one in declared.inner_types] if declared.is_union else [declared.annotation]
            kind = BATCHED[path] if kinds[0] is Batch else kinds[0]
            for method in handler.http_methods:
                yield method, path, kind


def address(path):
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part.partition("}")[0] + "}", str(clock.uuid7()))
    return path


async def test_every_body_has_an_example_that_is_one(installation):
    found = list(bodies(installation.application))
    assert len(found) > 60
    for _, _, kind in found:
        assert msgspec.convert(example_of(kind), kind)


async def test_a_number_beyond_all_columns_is_refused_in_every_body(installation):
    tried = 0
    for method, path, kind in bodies(installation.application):
        for where in whole_numbers(inspect.type_info(kind)):
            body = with_value(example_of(kind), where, HUGE)
            sent = {"items": [body]} if path.endswith(":batch") else body
            answer = await installation.administrator.request(method, address(path), json=sent)
            if path.endswith(":batch"):
                assert [one["status"] for one in ok(answer)["results"]] == [400], (path, where)
            else:
                assert answer.status_code == 400, (path, where, answer.text)
                assert answer.json().get("errors"), (path, where, answer.text)
            tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/competencies", {"label": "a", "labels": {"en\x00": "b"}}),
        ("/v1/competencies", {"label": "a", "labels": {"en": "b\x00"}}),
        ("/v1/competencies", {"label": "a", "alt_labels": {"en": ["b\x00"]}}),
        ("/v1/me/learning", {"note": "a\x00"}),
    ],
)
async def test_a_nul_is_refused_however_deep_it_lies(installation, path, body):
    answer = await installation.administrator.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "NUL" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"note": "\xff"}', b'{"note": NaN}', b'{"minutes": 1e400}', b"[" * 100_000, b"null"],
    ids=["empty", "cut", "utf-16", "latin", "nan", "endless", "deep", "null"],
)
async def test_a_body_that_is_no_json_is_told_so(installation, body):
    answer = await installation.administrator.post(
        "/v1/me/learning", content=body, headers={"Content-Type": "application/json"}
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "malformed")
    assert set(problem["errors"][0]) == {"pointer", "detail"}
    assert problem["detail"]


async def test_json_nested_too_deeply_in_a_batch_is_refused(installation):
    deep = b'{"items": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}"
    answer = await installation.administrator.post(
        "/v1/me/learning:batch", content=deep, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_a_number_sent_as_a_text_is_pointed_at(installation):
    metric = {"name": "Repeat purchases", "unit": "ratio", "direction": "increase", "measures": "customer"}
    made = ok(await installation.administrator.post("/v1/outcome-metrics", json=metric))
    path = f"/v1/outcome-metrics/{made['id']}/measurements"
    body = {"value": "0.36", "start": "2026-02-01", "end": "2026-02-28", "origin": "system", "source": "orders"}
    answer = await installation.administrator.post(path, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/value")
    batch = ok(await installation.administrator.post(f"{path}:batch", json={"items": [body, {**body, "value": 0.36}]}))
    assert [one["status"] for one in batch["results"]] == [400, 201]


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "9999-12-31"])
async def test_a_day_of_another_age_is_refused(installation, day):
    answer = await installation.administrator.post("/v1/me/learning", json={"note": "x", "learned_on": day})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/learned_on")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_only_json_is_taken(installation, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await installation.administrator.post("/v1/me/learning", content=b'{"note": "x"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not-json")


async def test_json_may_name_its_charset(installation):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = await installation.administrator.post("/v1/me/learning", content=b'{"note": "x"}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("key", [[10**30], [-(10**19)], ["\x00"], [1.5], [], ["\x00", str(UUID(int=1))]])
@pytest.mark.parametrize("path", ["/v1/goals", "/v1/teams", "/v1/me/commitments", "/v1/competencies"])
async def test_a_made_up_cursor_is_refused(installation, path, key):
    answer = await installation.administrator.get(path, params={"cursor": encode_cursor(key)})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor")


async def test_a_nul_in_a_query_is_refused(installation):
    answer = await installation.administrator.get("/v1/competencies?q=a%00b")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/q")


async def test_a_misspelt_filter_never_returns_the_unfiltered_list(installation):
    answer = await installation.administrator.get("/v1/goals", params={"levl": "team"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/levl")
    assert "level" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["as_of", "known_at"])
async def test_the_past_is_refused_where_it_is_not_kept(installation, name):
    administrator = installation.administrator
    assert (await administrator.get("/v1/goals", params={name: "2026-01-01"})).status_code == 400
    assert (await administrator.get(f"/v1/teams/{clock.uuid7()}", params={name: "2026-01-01"})).status_code == 400
    assert (await administrator.get(f"/v1/goals/{clock.uuid7()}", params={name: "2026-01-01"})).status_code == 404


async def test_a_batch_has_no_version(installation):
    answer = await installation.administrator.post(
        "/v1/me/learning:batch", json={"items": [{"note": "x"}]}, headers={"If-Match": '"1"'}
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/If-Match")


async def test_invitations_hold_to_the_version_they_state(installation):
    goal = {"level": "individual", "title": "I learn", "purpose": {"statement": "x"}, "visibility": "organisation"}
    made = await installation.administrator.post("/v1/goals", json=goal)
    mira = await installation.person("Mira")
    path, body = f"/v1/goals/{ok(made)['id']}/invitations", {"invite": [str(mira.id)]}
    stale = await installation.administrator.post(path, json=body, headers={"If-Match": '"99"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version-mismatch")
    fresh = await installation.administrator.post(path, json=body, headers={"If-Match": made.headers["ETag"]})
    assert fresh.status_code == 201


async def test_a_team_that_is_not_there_has_learned_nothing(installation):
    answer = await installation.administrator.get(f"/v1/teams/{clock.uuid7()}/learning")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_problem_tells_facts_and_no_gaps(installation):
    mira, once = await installation.person("Mira"), {"Idempotency-Key": "once"}
    ok(await mira.post("/v1/me/learning", json={"note": "a"}, headers=once))
    reused = await mira.post("/v1/me/learning", json={"note": "b"}, headers=once)
    assert (reused.status_code, reused.json()["code"]) == (422, "key-reused")
    absent = await mira.patch(f"/v1/me/learning/{clock.uuid7()}", json={"note": "b"})
    assert absent.status_code == 404
    for problem in (reused, absent):
        assert "None" not in problem.json()["detail"]
        assert "command_id" not in problem.json()["detail"]


NASTY = [
    "",
    "\x00",
    "é",
    "-1",
    "1e400",
    str(HUGE),
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "true",
    "null",
    "'; --",
    "%",
]
NASTY += [encode_cursor(key) for key in ([HUGE], ["\x00", "\x00"], ["0001-01-01", "0" * 32], [None], [1, 2, 3, 4, 5])]


async def test_no_query_makes_a_route_fail(installation):
    tried = 0
    for path, operation in (await installation.stranger().get("/openapi.json")).json()["paths"].items():
        names = [one["name"] for one in operation.get("get", {}).get("parameters", ()) if one.get("in") == "query"]
        for name in names:
            for value in NASTY:
                answer = await installation.administrator.get(address(path), params={name: value})
                assert answer.status_code < 500, (path, name, value)
                tried += 1
    assert tried > 500


@pytest.mark.parametrize("text", [b"\\ud800", b"\\udfff\\ud800", b"\xed\xa0\x80"])
async def test_half_a_character_is_no_text(installation, text):
    answer = await installation.administrator.post(
        "/v1/me/learning", content=b'{"note": "' + text + b'"}', headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("path", ["/v1/goals/%00", "/v1/goals/%ff", "/v1/projections/%00/rebuild", "/v1/datasets/%00"])
async def test_a_path_of_nonsense_is_not_found(installation, path):
    method = "POST" if path.endswith("rebuild") else "GET"
    assert (await installation.administrator.request(method, path)).status_code in {400, 404}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("If-Match", '"' + "9" * 5000 + '"'),
        ("If-Match", "3"),
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "x" * 201),
        ("LMS-After", "1.0.x"),
        ("LMS-After", "1.0." + "9" * 18),
        ("LMS-After", "9" * 5000),
    ],
)
async def test_a_header_of_nonsense_is_refused(installation, name, value):
    answer = await installation.administrator.post("/v1/me/learning", json={"note": "x"}, headers={name: value})
    assert answer.status_code in {400, 409, 412}, answer.text
