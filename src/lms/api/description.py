"""What does the OpenAPI description say beyond what the routes' types tell?

Statuses and their problems, headers, examples and the items of batches follow from a few rules over all routes, so
they are said here once and for all.
"""

from collections.abc import Iterator
from copy import deepcopy
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from lms.api.bodies import Batch
from lms.api.examples import BATCHED, example_of
from lms.api.problems import PROBLEM_JSON
from lms.api.requests import body_of

Json = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_BATCH = ":batch"
_TOKEN = {"type": "string", "examples": ["1.0.4711"]}

_PROBLEMS = {
    400: "The request makes no sense; `errors` point at what is wrong with it",
    401: "A valid bearer token is needed",
    403: "The caller may not do this",
    404: "There is no such thing, or it is not shown to the caller",
    409: "A rule forbids this, others changed the same thing, or LMS-After names a position that was lost",
    412: "The thing has another version than If-Match states",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "The Idempotency-Key was used before with another body",
    503: "Not now (overloaded, a read model is behind, the database is away): try again after Retry-After seconds",
}

_PARAMETERS: Json = {
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The version the change is meant for, as an ETag told it; another one answers 412",
        "schema": {"type": "string", "examples": ['"3"']},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a retry safe for ever: the same key and body give the first answer again",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    },
    "LMSAfter": {
        "name": "LMS-After",
        "in": "header",
        "description": "An LMS-Position: the answer is at least as new as that write, or 503 after two seconds",
        "schema": _TOKEN,
    },
}

_HEADERS: Json = {
    "ETag": {"description": "The version of the aggregate", "schema": {"type": "string", "examples": ['"3"']}},
    "LMS-Position": {"description": "Send it as LMS-After to read what this wrote", "schema": _TOKEN},
    "Location": {"description": "Where the new resource is, of a part its whole", "schema": {"type": "string"}},
}


def description_of(application: Litestar) -> Json:
    """The whole OpenAPI description of the application, made at the first question."""
    state = application.state
    if "description" not in state:
        state["description"] = _complete(application, deepcopy(application.openapi_schema.to_schema()))
    found: Json = state["description"]
    return found


def _complete(application: Litestar, schema: Json) -> Json:
    components = schema["components"]
    components["parameters"] = _PARAMETERS
    components["headers"] = _HEADERS
    components["responses"] = {f"Problem{status}": _problem(said) for status, said in _PROBLEMS.items()}
    for method, path, handler in _handlers(application):
        operation = schema["paths"].get(path, {}).get(method.lower())
        if operation is None:
            continue
        if path.startswith("/v1/"):
            _tell_of_answers(operation, method, path)
        else:
            operation["security"] = []
        _tell_of_body(operation, path, handler, components["schemas"])
    return schema


def _handlers(application: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    yield str(method), route.path_format, handler


def _problem(said: str) -> Json:
    return {"description": said, "content": {PROBLEM_JSON: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}}


def _tell_of_answers(operation: Json, method: str, path: str) -> None:
    responses = operation["responses"]
    writes, batch = method != "GET", path.endswith(_BATCH)
    if batch and "201" in responses:
        responses["200"] = {**responses.pop("201"), "description": "An answer to each item, in their order"}
    for status in _statuses(operation, path, writes=writes, batch=batch):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    names = ["LMSAfter"]
    if writes:
        names += ["IdempotencyKey"] if batch else ["IfMatch", "IdempotencyKey"]
    operation.setdefault("parameters", []).extend({"$ref": f"#/components/parameters/{name}"} for name in names)
    for status, response in responses.items():
        if int(status) < HTTPStatus.MULTIPLE_CHOICES and "operations" not in operation["tags"]:
            shown = _headers(int(status), path, writes=writes, batch=batch)
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in shown}


def _statuses(operation: Json, path: str, *, writes: bool, batch: bool) -> list[int]:
    """The statuses of the problems that a route may answer with."""
    when = {
        404: writes or "{" in path,
        412: writes and not batch,
        413: "requestBody" in operation,
        415: "requestBody" in operation,
        422: writes,
    }
    return [status for status in _PROBLEMS if when.get(status, True)]


def _headers(status: int, path: str, *, writes: bool, batch: bool) -> list[str]:
    shown = {
        "ETag": not batch and (writes or path.endswith("}")),
        "LMS-Position": writes,
        "Location": status == HTTPStatus.CREATED,
    }
    return [name for name, is_sent in shown.items() if is_sent]


def _tell_of_body(operation: Json, path: str, handler: HTTPRouteHandler, schemas: Json) -> None:
    """Give the body an example, and a batch the shape of its items."""
    declared = body_of(handler)
    if declared is None:
        return
    kind = declared.inner_types[0].annotation if declared.is_union else declared.annotation
    content = operation["requestBody"]["content"]["application/json"]
    if kind is not Batch:
        content["example"] = example_of(kind)
        return
    item = BATCHED[path]
    content["schema"] = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "maxItems": 1000, "items": _reference(item, schemas)}},
    }
    content["example"] = {"items": [example_of(item)]}


def _reference(kind: type, schemas: Json) -> Json:
    """Where the schema of a type is; it is put there when no route takes the type by itself."""
    if kind.__name__ not in schemas:
        _, found = msgspec.json.schema_components([kind], ref_template=_SCHEMAS + "{name}")
        for name, schema in found.items():
            schemas.setdefault(name, _numbers_are_numbers(schema))
    return {"$ref": _SCHEMAS + kind.__name__}


def _numbers_are_numbers(schema: Any) -> Any:
    """The schema with decimals as the JSON numbers that they are sent as."""
    match schema:
        case {"type": "string", "format": "decimal"}:
            return {"type": "number"}
        case dict():
            return {name: _numbers_are_numbers(part) for name, part in schema.items()}
        case list():
            return [_numbers_are_numbers(part) for part in schema]
        case _:
            return schema
