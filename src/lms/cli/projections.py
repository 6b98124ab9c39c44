"""How are the read models doing, and how are they mended?"""

import sys
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lms import app
from lms.cli.shell import Failure, Shell, command, table
from lms.projections import parked, rebuild
from lms.projections.base import Projection
from lms.projections.catalogue import PROJECTIONS
from lms.projections.registry import Build, Pool, Slot, drop_retired, retired
from lms.projections.status import projection_status


@click.group
def projections() -> None:
    """Read models: how far they are, building them anew, events they could not apply."""


@projections.command
@command()
async def status(shell: Shell) -> None:
    """Show how far each read model is behind the log, measured from outside."""
    async with app.core(shell.settings) as opened, opened.reads.acquire() as connection:
        found = await projection_status(connection)
    rows = [
        (
            one.name,
            one.version,
            one.slot,
            one.state,
            one.position,
            one.lag_events,
            one.lag_seconds,
            one.parked,
            one.reason,
        )
        for one in found
    ]
    columns = ("name", "version", "slot", "state", "position", "behind", "seconds", "parked", "reason")
    shell.answer(found, table(columns, rows) if rows else "no projector has run yet: lms serve, or lms projector")


@projections.command(name="rebuild")
@click.argument("name")
@click.option("--afresh", is_flag=True, help="Drop what is being built of it and begin again.")
@command()
async def rebuild_one(shell: Shell, name: str, *, afresh: bool) -> None:
    """Build the read model NAME anew beside the old one, and switch when it has caught up.

    A running server goes on answering meanwhile. Killed, it goes on where it was when it is called again.
    """
    projection = _known(name)
    async with _working(shell) as (opened, pool):
        await rebuild.request(pool, projection, afresh=afresh)
        last: rebuild.Progress | None = None
        try:
            with _bar(shell) as bar:
                async for last in rebuild.follow(pool, opened.log, projection):
                    bar(last)
        except rebuild.RebuildPaused as error:
            raise Failure(f"the new build of {name} stands still: {error}") from error
    if last is not None and not shell.as_json:
        shell.answer(last, f"{name} was built anew: {last.total} events")


@projections.command
@click.option("--yes", is_flag=True, help="Do not ask.")
@command()
async def prune(shell: Shell, *, yes: bool) -> None:
    """Drop the tables of read models and versions that this program no longer has."""
    async with _working(shell, keep=False) as (_, pool):
        async with pool.acquire() as connection:
            found = await retired(connection, PROJECTIONS)
        names = ", ".join(f"{one.name} version {one.version}" for one in found)
        if found and not yes and not click.confirm(f"Drop {names}?", err=True):
            raise Failure("nothing was dropped")
        await drop_retired(pool, found)
    shell.answer(found, f"dropped: {names}" if found else "there is nothing to drop")


@projections.group(name="parked")
def parked_events() -> None:
    """Events that could not be applied: the read model goes on without them."""


@parked_events.command(name="list")
@click.argument("name", required=False)
@command()
async def list_parked(shell: Shell, name: str | None) -> None:
    """List parked events, of one read model or of all."""
    async with app.core(shell.settings) as opened, opened.reads.acquire() as connection:
        found = await parked.listed(connection, name)
    rows = [(one.name, one.slot, one.position, one.type, one.key, one.error) for one in found]
    shell.answer(
        found, table(("name", "slot", "position", "type", "key", "error"), rows) if rows else "nothing is parked"
    )


@parked_events.command
@click.argument("name")
@command()
async def retry(shell: Shell, name: str) -> None:
    """Apply the parked events of NAME again, in order; stops a key at the first that fails again."""
    projection = _known(name)
    async with _working(shell, keep=False) as (opened, pool):
        try:
            result = await parked.retry(pool, opened.log, opened.codec, projection)
        except LookupError as error:
            raise Failure(str(error)) from error
    shell.answer(result, f"{result.applied} applied, {result.left} still parked")
    if result.left:
        raise Failure(f"{result.left} events of {name} cannot be applied: lms projections parked list {name}")


@parked_events.command
@click.argument("name")
@click.option("--position", "positions", type=int, multiple=True, help="Only these; may be given several times.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@command()
async def drop(shell: Shell, name: str, positions: tuple[int, ...], *, yes: bool) -> None:
    """Go on without the parked events of NAME for good."""
    projection = _known(name)
    async with _working(shell, keep=False) as (_, pool):
        async with pool.acquire() as connection:
            waiting = [one for one in await parked.listed(connection, name) if one.slot is Slot.LIVE]
        chosen = _chosen(waiting, positions)
        if not yes and chosen and not click.confirm(f"Drop {len(chosen)} parked events of {name}?", err=True):
            raise Failure("nothing was dropped")
        dropped = (
            await parked.drop(pool, Build(projection.NAME, projection.VERSION, Slot.LIVE), chosen) if chosen else 0
        )
    shell.answer({"dropped": dropped}, f"{dropped} dropped")


def _chosen(waiting: Collection[parked.Parked], positions: Collection[int]) -> list[int]:
    there = {one.position for one in waiting}
    if unknown := set(positions) - there:
        raise Failure(f"not parked: {', '.join(map(str, sorted(unknown)))}")
    return sorted(positions or there)


def _known(name: str) -> Projection:
    found = next((one for one in PROJECTIONS if name == one.NAME), None)
    if found is None:
        raise click.UsageError(f"no read model {name!r}: one of {', '.join(sorted(one.NAME for one in PROJECTIONS))}")
    return found


@asynccontextmanager
async def _working(shell: Shell, *, keep: bool = True) -> AsyncIterator[tuple[app.Core, Pool]]:
    """The core and a pool that writes projections; ``keep`` also runs a projector, in case nobody else does."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(app.core(shell.settings))
        if keep:
            checkpoints = await stack.enter_async_context(app.open_checkpoints(opened))
            await stack.enter_async_context(app.open_projector(opened, checkpoints))
        yield opened, await stack.enter_async_context(app.open_projections_pool(opened))


class _bar:  # noqa: N801 - used as a function
    """Shows a build's progress: a bar with rate and time left on a terminal, else a line of JSON each time."""

    def __init__(self, shell: Shell) -> None:
        self._as_lines = shell.as_json or not sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} events, {task.fields[rate]} events/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=self._as_lines,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        self._task = self._progress.add_task("building", total=0, rate="-")
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def __call__(self, at: rebuild.Progress) -> None:
        if self._as_lines:
            click.echo(msgspec.json.encode(at).decode())
        rate = "-" if at.events_per_s is None else f"{at.events_per_s:,.0f}"
        self._progress.update(self._task, description=at.name, completed=at.done, total=at.total, rate=rate)
