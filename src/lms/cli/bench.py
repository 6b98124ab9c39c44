"""How fast is it, on this machine, with this PostgreSQL?

Each figure is measured on a database of its own, made for it and dropped after it, on the server of the settings.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import click

from lms import clock, migrations
from lms.app import Database, open_core, open_database
from lms.cli.bench_append import bench_append
from lms.cli.bench_dispatch import bench_dispatch
from lms.cli.bench_http import WrkMissing, bench_http
from lms.cli.bench_report import CheckerFailed
from lms.cli.shell import Failure, Shell, command
from lms.config import Settings


@click.group
def bench() -> None:
    """Measure; a correctness check after each figure voids it if it fails."""


@bench.command
@click.option("--commands", type=click.IntRange(100), default=100_000, show_default=True, help="Appends per run.")
@click.option("--in-flight", type=click.IntRange(1), default=64, show_default=True, help="Commands at a time.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="The figure is their median.")
@command()
async def append(shell: Shell, commands: int, in_flight: int, runs: int) -> None:
    """Measure durable appends of one event of about 200 bytes, in commits per second."""
    async with fresh_database(shell.settings) as database:
        result = await _standing(
            bench_append(
                database.app_url, commands=commands, in_flight=in_flight, runs=runs, on_run=_telling(runs, "commits/s")
            )
        )
    shell.answer(result, _told(result))


@bench.command
@click.option("--commands", type=click.IntRange(100), default=5_000, show_default=True, help="Commands per run.")
@click.option("--in-flight", type=click.IntRange(1), default=64, show_default=True, help="Commands at a time.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="The figure is their median.")
@command()
async def dispatch(shell: Shell, commands: int, in_flight: int, runs: int) -> None:
    """Measure commands that load four events, decide and append one, in commands per second."""
    async with fresh_database(shell.settings) as database, open_core(shell.settings, database) as core:
        result = await _standing(
            bench_dispatch(core, commands=commands, in_flight=in_flight, runs=runs, on_run=_telling(runs, "commands/s"))
        )
    shell.answer(result, _told(result))


@bench.command
@click.option("--seconds", type=click.IntRange(1), default=10, show_default=True, help="Seconds per run.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="The figure is their median.")
@command()
async def http(shell: Shell, seconds: int, runs: int) -> None:
    """Measure logging learning over HTTP, in requests per second. wrk makes the load on a server of its own."""
    try:
        result = await _standing(bench_http(seconds=seconds, runs=runs, on_run=_telling(runs, "requests/s")))
    except WrkMissing as error:
        raise Failure(str(error)) from error
    shell.answer(result, _told(result))


async def _standing(measuring: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """The result, unless its checker found it void."""
    try:
        return await measuring
    except CheckerFailed as error:
        raise Failure(f"the figure is void: {error}") from error


def _telling(runs: int, unit: str) -> Callable[[int, float], None]:
    """Say how each run went, beside the result."""

    def told(run: int, rate: float) -> None:
        click.echo(f"run {run} of {runs}: {rate:,.0f} {unit}", err=True)

    return told


def _told(result: dict[str, Any]) -> str:
    ours, machine = result["ours"], result["machine"]
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in ours.items()]
    return "\n".join([*lines, f"checker: {result['checker']}", f"machine: {machine}"])


@asynccontextmanager
async def fresh_database(settings: Settings) -> AsyncIterator[Database]:
    """A migrated, empty database on the server of the settings, gone after the block."""
    async with open_database(settings) as database:
        name = f"lms_bench_{clock.uuid7().hex[-12:]}"
        await _execute(database.owner_url, f"CREATE DATABASE {name}")
        try:
            made = Database(_in(database.app_url, name), _in(database.owner_url, name), database.app_login)
            await migrations.migrate(made.owner_url, made.app_login)
            yield made
        finally:
            await _execute(database.owner_url, f"DROP DATABASE {name} WITH (FORCE)")


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
