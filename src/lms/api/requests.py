"""Is a request one that its route can take: its content type, its JSON and its query?"""

from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.typing import FieldDefinition

from lms.api.bodies import NOT_TEXT, text_for_number
from lms.api.problems import NotJson, pointed
from lms.domain.base import Malformed

JSON_TYPE = "application/json"
_BODY = "data"


class JsonRequest(Request[Any, Any, State]):
    """A request whose body is decoded at once as its route declares it: exact numbers, nothing guessed."""

    async def json(self) -> Any:
        """The body as its declared type. Raises Malformed."""
        body = await self.body()
        declared = body_of(self.route_handler)
        kind = Any if declared is None else declared.annotation
        try:
            value = msgspec.json.decode(body, type=kind)
            raw = msgspec.json.decode(body)
        except msgspec.ValidationError as error:
            raise pointed(str(error)) from None
        except RecursionError:
            raise Malformed(pointer="", detail="the JSON is nested too deeply") from None
        except ValueError as error:
            raise Malformed(pointer="", detail=str(error) or "this is no JSON") from None
        pointer = text_for_number(value, raw)
        if pointer is not None:
            raise Malformed(pointer=pointer, detail=NOT_TEXT)
        return value


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Refuse what no route would understand, before any of it is used. Raises Malformed, NotJson."""
    handler = request.route_handler
    if request.url.path.startswith("/v1/"):
        _check_query(request, handler)
    declared = body_of(handler)
    if declared is None:
        return
    if not await request.body():
        if declared.is_optional or declared.has_default:
            return
        raise Malformed(pointer="", detail="send a JSON body")
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != JSON_TYPE:
        raise NotJson(content_type=media_type or "none")


def body_of(handler: HTTPRouteHandler) -> FieldDefinition | None:
    """The body that a route takes, if it takes one."""
    return handler.parsed_fn_signature.parameters.get(_BODY)


def _check_query(request: Request[Any, Any, Any], handler: HTTPRouteHandler) -> None:
    """Refuse parameters the route does not take: a misspelt filter must not look as if it had filtered."""
    query = request.scope["query_string"]
    if not query:
        return
    known = _query_parameters(handler, frozenset(request.path_params))
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known:
            taken = ", ".join(sorted(known)) or "none"
            raise Malformed(pointer=f"/{name}", detail=f"unknown parameter; those of this route: {taken}")
        if "\x00" in value:
            raise Malformed(pointer=f"/{name}", detail="texts contain no NUL character")


@cache
def _query_parameters(handler: HTTPRouteHandler, path: frozenset[str]) -> frozenset[str]:
    """The names a route takes in its query, also through what it depends on."""
    model = handler.create_kwargs_model(dict.fromkeys(path))  # type: ignore[arg-type]
    return frozenset(one.field_alias for one in model.expected_query_params)
