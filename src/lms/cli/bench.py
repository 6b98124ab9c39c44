"""How fast is it, on this machine, with this PostgreSQL?

Each figure is measured on a database of its own, made for it and dropped after it, on the server of the settings.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import click

from lms import clock, migrations
from lms.app import Database, open_database
from lms.cli.bench_append import CheckerFailed, bench_append
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

    def told(run: int, rate: float) -> None:
        click.echo(f"run {run} of {runs}: {rate:,.0f} commits/s", err=True)

    async with fresh_database(shell.settings) as database:
        try:
            result = await bench_append(
                database.app_url, commands=commands, in_flight=in_flight, runs=runs, on_run=told
            )
        except CheckerFailed as error:
            raise Failure(f"the figure is void: {error}") from error
    shell.answer(result, _told(result))


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
