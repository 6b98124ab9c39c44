"""How does an installation go into service: everything in one process, or its parts on their own?"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeAlias, TypeVar

import click
import structlog

from lms import app
from lms.app import Core
from lms.cli.founding import found_first
from lms.cli.shell import Failure, Shell, command, progress
from lms.cli.showing import load_cast
from lms.config import Settings
from lms.projections.readiness import Readiness

T = TypeVar("T")

Working: TypeAlias = "list[asyncio.Task[Any]]"
"""Tasks of parts that work until they are told to stop."""

log = structlog.get_logger(__name__)

_RESTART_S = 1.0
_LOOK_S = 0.02

host = click.option("--host", help="Address to listen on (LMS_HOST; default: 127.0.0.1).")
port = click.option("--port", type=int, help="Port to listen on (LMS_PORT; default: 8000).")
workers = click.option("--workers", type=int, help="Processes that answer HTTP (LMS_WORKERS; default: 1).")


@click.command
@host
@port
@workers
@click.option(
    "--demo", is_flag=True, help="Load the demo organisation if it is not there, and print how to look at it."
)
@command(serves=True)
async def serve(shell: Shell, *, demo: bool, **_options: Any) -> None:
    """Serve the product: API and projector, with a PostgreSQL of its own unless LMS_DATABASE_URL names one.

    An empty data directory gets one organisation with an administrator, whose token is printed.
    """
    settings = shell.settings
    _check_free(settings)
    async with _stopping() as stop, contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(app.open_database(settings))
        opened = await stack.enter_async_context(app.open_core(settings, database))
        working: Working = []
        if database.cluster is not None and database.cluster.owned:
            working.append(asyncio.create_task(database.cluster.lost.wait(), name="PostgreSQL"))
        announcement = await _unless(stop, working, _set_up(opened, demo=demo))
        if announcement is None:
            return
        # The projector comes after: a history told before is projected in large batches.
        checkpoints = await stack.enter_async_context(app.open_checkpoints(opened))
        working += await stack.enter_async_context(app.open_projector(opened, checkpoints))
        readiness = await app.readiness_of(opened)
        if settings.workers == 1:
            working.append(await stack.enter_async_context(app.open_http(opened, checkpoints, readiness)))
        else:
            working.append(await stack.enter_async_context(_api_processes(settings)))
        if await _unless(stop, working, _until_ready(settings, readiness)):
            shell.answer(*announcement)
            await _unless(stop, working, stop.wait())


@click.command
@host
@port
@workers
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@command(serves=True)
async def api(shell: Shell, *, until_stdin_closes: bool, **_options: Any) -> None:
    """Answer HTTP only: read models are kept by `lms projector` or `lms serve`, beside it or elsewhere."""
    settings = shell.settings
    if not until_stdin_closes:
        _check_free(settings)
    async with _stopping() as stop, contextlib.AsyncExitStack() as stack:
        if until_stdin_closes:
            await stack.enter_async_context(_stdin_closing(stop))
        database = await stack.enter_async_context(app.open_database(settings))
        if settings.workers > 1:
            await database.migrate()
            working: Working = [await stack.enter_async_context(_api_processes(settings))]
        else:
            opened = await stack.enter_async_context(app.open_core(settings, database))
            checkpoints = await stack.enter_async_context(app.open_checkpoints(opened))
            readiness = await app.readiness_of(opened)
            working = [await stack.enter_async_context(app.open_http(opened, checkpoints, readiness))]
        log.info("serving", host=settings.host, port=settings.port, workers=settings.workers)
        await _unless(stop, working, stop.wait())


@click.command
@command(serves=True)
async def projector(shell: Shell, **_options: Any) -> None:
    """Keep read models and close periods only: HTTP is answered by `lms api`, beside it or elsewhere."""
    async with (
        _stopping() as stop,
        app.core(shell.settings) as opened,
        app.open_checkpoints(opened) as checkpoints,
        app.open_projector(opened, checkpoints) as working,
    ):
        log.info("projecting")
        await _unless(stop, working, stop.wait())


async def _set_up(opened: Core, *, demo: bool) -> tuple[dict[str, Any], str]:
    """Make the demo, or the first organisation where there is none; what to say then, for programs and people."""
    base = f"http://{_shown_host(opened.settings.host)}:{opened.settings.port}"
    answer = {"url": base, "docs": f"{base}/docs"}
    serving = f"Serving {base} (documentation: {base}/docs)"
    if demo:
        with progress("loading the demo") as told:
            cast = await load_cast(opened, told=told)
        return {**answer, **cast.as_json()}, f"{serving}\n{cast.tell(base)}"
    founded = await found_first(opened)
    if founded is None:
        return answer, serving
    return {**answer, **founded.as_json()}, f"{serving}\n{founded.tell(base)}"


async def _until_ready(settings: Settings, readiness: Readiness) -> bool:
    """Wait until read models have caught up and the port answers, so that what is printed works at once."""
    while await readiness.missing():  # noqa: ASYNC110 - another process may be the one that catches up
        await asyncio.sleep(_LOOK_S)
    while True:
        try:
            _, writer = await asyncio.open_connection(_shown_host(settings.host).strip("[]"), settings.port)
        except OSError:
            await asyncio.sleep(_LOOK_S)
        else:
            writer.close()
            return True


def _shown_host(address: str) -> str:
    """The address as it stands in a URL that works on this machine."""
    if address in {"0.0.0.0", "::"}:  # noqa: S104 - shown, not bound
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address


async def _unless(stop: asyncio.Event, working: Working, step: Coroutine[Any, Any, T]) -> T | None:
    """The result of a step; None when asked to stop before. Raises Failure when a part that should work on ends."""
    doing = asyncio.create_task(step)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([doing, stopping, *working], return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return None
        for ended in working:
            if ended.done():
                error = None if ended.cancelled() else ended.exception()
                raise Failure(f"{ended.get_name()} ended{f': {error}' if error else ''}") from error
        return doing.result()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


@contextlib.asynccontextmanager
async def _stopping() -> AsyncIterator[asyncio.Event]:
    """Set when the process is asked to stop; asked a second time, it ends at once."""
    stop = asyncio.Event()

    def asked() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _api_processes(settings: Settings) -> AsyncIterator["asyncio.Task[None]"]:
    """Run so many processes that answer HTTP on the same port, and start those anew that end."""
    keeping = asyncio.create_task(_keep_api_processes(settings), name="api processes")
    try:
        yield keeping
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_api_processes(settings: Settings) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(settings.workers):
            group.create_task(_keep_api_process(settings))


async def _keep_api_process(settings: Settings) -> None:
    """One process. It ends when its standard input closes, so none is left behind, however this one ends."""
    options = ["--host", settings.host, "--port", str(settings.port), "--workers", "1"]
    arguments = ["-m", "lms", "api", "--data-dir", str(settings.data_dir), *options, "--until-stdin-closes"]
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
            await process.wait()
            raise
        log.error("a process that answers HTTP ended, starting another", status=status)
        await asyncio.sleep(_RESTART_S)


@contextlib.asynccontextmanager
async def _stdin_closing(stop: asyncio.Event) -> AsyncIterator[None]:
    """Ask to stop when standard input closes: whoever started this process is gone, or wants it gone."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    loop.add_reader(sys.stdin.fileno(), readable)
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin.fileno())


def _check_free(settings: Settings) -> None:
    """Refuse a port that somebody serves already: the kernel would spread requests over both."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Failure(f"cannot serve on {settings.host}:{settings.port}: {error.strerror or error}") from error
