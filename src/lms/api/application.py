"""How do the routes become one ASGI application?"""

from importlib.metadata import version

import structlog
from litestar import Litestar
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from lms import clock
from lms.api.auth import Authentication
from lms.api.deps import DEPENDENCIES
from lms.api.docs import NumbersAreNumbers, openapi_config
from lms.api.problems import EXCEPTION_HANDLERS
from lms.api.requests import JsonRequest, check_request
from lms.api.routes import ROUTES
from lms.api.services import Services

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes; batches of a few thousand measurements fit."""

OPEN_PATHS = ["^/health/", "^/docs", "^/openapi.json$", "^/metrics$"]
"""What is answered without a token."""


def create_app(services: Services) -> Litestar:
    """The application over the given parts; who made the parts closes them."""
    return Litestar(
        route_handlers=ROUTES,
        state=State({"services": services}),
        dependencies=DEPENDENCIES,
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[request_log, DefineMiddleware(Authentication, exclude=OPEN_PATHS)],
        openapi_config=openapi_config(version("lms")),
        plugins=[NumbersAreNumbers()],
        request_class=JsonRequest,
        before_request=check_request,
        request_max_body_size=LARGEST_BODY,
        logging_config=None,
        debug=False,
    )


def request_log(app: ASGIApp) -> ASGIApp:
    """Give every request an id and one log line: method, path template, status, milliseconds; no query, no body."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        request_id = clock.uuid7()
        scope["state"]["request_id"] = request_id
        started = clock.now()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=str(request_id)):
            try:
                await app(scope, receive, note_status)
            finally:
                structlog.get_logger().info(
                    "request",
                    method=scope["method"],
                    path=scope.get("path_template", ""),
                    status=status,
                    ms=round((clock.now() - started).total_seconds() * 1000, 1),
                )

    return handle
