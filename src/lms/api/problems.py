"""How does a refusal look over HTTP? The one table of statuses (RFC 9457)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException  # noqa: TID251 - answered here, raised nowhere

from lms.dispatch import KeyReused, StillContended, VersionMismatch
from lms.domain.base import Forbidden, Malformed, NotFound, Refusal, RuleBroken
from lms.eventlog.codec import NumberRefused, TextRefused
from lms.eventlog.log import AppendRejected, AppendTooLarge, LogUnavailable, Overloaded
from lms.eventlog.token import InvalidToken, PositionLost
from lms.projections.keeper import TRANSIENT
from lms.tokens import IssuerUnavailable

PROBLEM_JSON = "application/problem+json"


class Unauthenticated(Refusal):
    """A valid bearer token is needed."""


class ProjectionBehind(Refusal):
    """The read model has not reached the position you asked for yet."""


class NotJson(Refusal):
    """Send the body as JSON, with the header Content-Type: application/json."""


class DatabaseAway(Refusal):
    """The database does not answer right now; try again."""


class ErrorDetail(msgspec.Struct, frozen=True):
    """Which field of the body or query is wrong, and why."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details; ``code`` is stable, ``title`` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[ErrorDetail, ...] = ()


STATUSES: dict[type[Exception], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    RuleBroken: 409,
    StillContended: 409,
    VersionMismatch: 412,
    NotJson: 415,
    KeyReused: 422,
    ProjectionBehind: 503,
    PositionLost: 409,
    InvalidToken: 400,
    AppendTooLarge: 413,
    AppendRejected: 400,
    NumberRefused: 400,
    TextRefused: 400,
    Overloaded: 503,
    LogUnavailable: 503,
    IssuerUnavailable: 503,
    DatabaseAway: 503,
}
"""The status of each kind of refusal; the nearest class in the method resolution order counts."""

_WHOLE_BODY = "data"
"""What Litestar calls the body as a whole."""

_FIELD = re.compile(r"^(?:Object (?:contains unknown|missing required) field|Field) `(?P<name>[^`]*)`")
_PATH = re.compile(r" - at `(?P<path>[^`]*)`$")


def status_of(error: type[Exception]) -> int:
    """The HTTP status of a refusal's class."""
    return next((STATUSES[base] for base in error.__mro__ if base in STATUSES), 500)


def problem_of(error: Exception) -> Problem:
    """The problem that tells what went wrong, with the facts the refusal carries."""
    status = status_of(type(error))
    if isinstance(error, Refusal):
        code, title, detail = error.code(), error.title(), str(error)
    else:
        code, title, detail = _kebab(type(error).__name__), (type(error).__doc__ or "").partition("\n")[0], str(error)
    errors: tuple[ErrorDetail, ...] = ()
    if isinstance(error, Malformed):
        errors = (ErrorDetail(str(error.facts.get("pointer", "")), str(error.facts.get("detail", ""))),)
        detail = errors[0].detail or detail
    return Problem(f"urn:lms:problem:{code}", title, status, detail, code, errors)


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """The problem as a response."""
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_JSON, headers=dict(headers or {})
    )


def on_refusal(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer a refusal of the domain, of dispatch or of the log."""
    problem = problem_of(error)
    headers = {}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(getattr(error, "retry_after", 1))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(problem, headers)


def on_validation(_: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """Answer a body or query that does not have the shape the route takes, with a pointer to each field."""
    extra = error.extra if isinstance(error.extra, list) else []
    return answer(malformed(extra or [{"message": error.detail}]))


def malformed(messages: Sequence[Mapping[str, str]]) -> Problem:
    """The problem of a body that does not have its shape: each ``message``, with its ``key`` or path, is a detail."""
    errors = tuple(_detail(message) for message in messages)
    return Problem(
        "urn:lms:problem:malformed", "The request makes no sense.", 400, errors[0].detail, "malformed", errors
    )


def pointed(message: str) -> Malformed:
    """The refusal of a body that does not have its shape; msgspec's message says where."""
    found = _detail({"message": message, "key": _WHOLE_BODY})
    return Malformed(pointer=found.pointer, detail=found.detail)


def on_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the server itself refuses: unknown paths, wrong methods, huge or unreadable bodies."""
    status = HTTPStatus(error.status_code)
    code = _kebab(status.phrase.replace(" ", ""))
    problem = Problem(f"urn:lms:problem:{code}", status.phrase, status.value, error.detail, code)
    return answer(problem, error.headers)


def on_failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer a failure of the program: logged with its traceback, told without. A database that is away is none."""
    if _is_away(error):
        structlog.get_logger().warning("database is away", path=request.url.path, method=request.method)
        return on_refusal(request, DatabaseAway())
    structlog.get_logger().exception("request failed", path=request.url.path, method=request.method, exc_info=error)
    problem = Problem(
        "urn:lms:problem:internal", "Something went wrong here.", 500, "The failure was logged.", "internal"
    )
    return answer(problem)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    **dict.fromkeys(
        [
            Refusal,
            PositionLost,
            InvalidToken,
            AppendTooLarge,
            AppendRejected,
            NumberRefused,
            TextRefused,
            Overloaded,
            LogUnavailable,
            IssuerUnavailable,
        ],
        on_refusal,
    ),
    ValidationException: on_validation,
    HTTPException: on_http,
    500: on_failure,
}

MEDIA_TYPES = (MediaType.JSON, PROBLEM_JSON)


def _is_away(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_away(one) for one in error.exceptions)
    return isinstance(error, TRANSIENT)


def _detail(message: Mapping[str, str]) -> ErrorDetail:
    """Turn Litestar's dotted key, or msgspec's path at the end of the message, into a JSON pointer."""
    text = message.get("message", "")
    found = _PATH.search(text)
    key = message.get("key", "")
    path = found["path"].removeprefix("$") if found else f".{key}" if key != _WHOLE_BODY else ""
    field = _FIELD.search(text)
    if field is not None:
        path = f"{path}.{field['name']}"
    pointer = "/" + re.sub(r"\[(\d+)\]|\[\.\.\.\]", r".\1", path).strip(".").replace("..", ".").replace(".", "/")
    return ErrorDetail(pointer if pointer != "/" else "", _PATH.sub("", text))


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
