"""Is this installation healthy, and what should its operator mend?"""

import shutil
import stat
from collections.abc import AsyncIterator
from enum import StrEnum
from importlib.metadata import version

import asyncpg
import click
import msgspec

from lms import app, clock, migrations, tokens
from lms.app import Core, Database, DatabaseUnreachable
from lms.cli.shell import Failure, Shell, command, table
from lms.config import Settings
from lms.embedded import EmbeddedPostgresError
from lms.eventlog.log import LogUnavailable
from lms.migrations import MigrationError
from lms.projections.status import State, projection_status

_LITTLE_SPACE = 1 << 30
_SKEW_S = 2.0
_HARMFUL = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    detail: str


@click.command
@command()
async def doctor(shell: Shell) -> None:
    """Look at everything an installation depends on; ends with 1 when something is wrong."""
    checks = [check async for check in _examine(shell.settings)]
    shell.answer(checks, table(("what", "verdict", "detail"), [(one.what, one.verdict, one.detail) for one in checks]))
    if problems := [one.what for one in checks if one.verdict is Verdict.PROBLEM]:
        raise Failure(f"not healthy: {', '.join(problems)}")


async def _examine(settings: Settings) -> AsyncIterator[Check]:
    yield Check("version", Verdict.OK, version("lms"))
    yield _master_key(settings)
    yield _space(settings)
    yield await _issuer(settings)
    if settings.database_url is None and not (settings.data_dir / "postgres").exists():
        yield Check("database", Verdict.WARNING, f"there is nothing in {settings.data_dir} yet: lms serve makes it")
        return
    try:
        async with app.open_database(settings) as database:
            async for check in _database(settings, database):
                yield check
    except (EmbeddedPostgresError, MigrationError, DatabaseUnreachable, LogUnavailable, asyncpg.PostgresError) as error:
        yield Check("database", Verdict.PROBLEM, str(error))


async def _database(settings: Settings, database: Database) -> AsyncIterator[Check]:
    yield _logins(settings, database)
    current = await migrations.is_current(database.app_url)
    if not current:
        yield Check("migrations", Verdict.PROBLEM, "not done: lms migrate, or start lms serve")
        return
    yield Check("migrations", Verdict.OK, f"{len(migrations.load())} applied")
    async with app.open_core(settings, database, migrate=False) as opened, opened.reads.acquire() as connection:
        for check in (_server, _clock, _rights, _log_size):
            yield await check(opened, connection)
        async for one in _projections(connection):
            yield one


def _master_key(settings: Settings) -> Check:
    path = settings.master_key_path
    if not path.exists():
        return Check("master key", Verdict.WARNING, f"{path} is not there yet: it is made at the first start")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Check("master key", Verdict.PROBLEM, f"others can read {path} (mode {mode:04o}): chmod 600")
    if settings.master_key_file is None:
        return Check(
            "master key", Verdict.WARNING,
            f"{path} lies beside the data: a copy of the directory opens every text; set LMS_MASTER_KEY_FILE",
        )  # fmt: skip
    return Check("master key", Verdict.OK, str(path))


def _space(settings: Settings) -> Check:
    place = next(
        path for path in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(place).free
    return Check(
        "disk", Verdict.OK if free > _LITTLE_SPACE else Verdict.PROBLEM, f"{free / (1 << 30):,.1f} GiB free in {place}"
    )


async def _issuer(settings: Settings) -> Check:
    if settings.oidc_issuer is None:
        return Check("tokens", Verdict.WARNING, "issued by this installation; for production set LMS_OIDC_ISSUER")
    try:
        url = settings.oidc_jwks_url
        if url is None:
            about = await tokens.fetch_json(f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration")
            url = str(about["jwks_uri"])
        keys = (await tokens.fetch_json(url))["keys"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Check("tokens", Verdict.PROBLEM, f"the keys of {settings.oidc_issuer} cannot be fetched: {error}")
    return Check("tokens", Verdict.OK, f"{settings.oidc_issuer} publishes {len(keys)} keys")


def _logins(settings: Settings, database: Database) -> Check:
    if database.cluster is not None:
        how = "started for this check" if database.cluster.owned else "run by another process"
        return Check("database", Verdict.OK, f"embedded PostgreSQL {database.cluster.version}, {how}")
    if settings.migration_database_url is None:
        return Check(
            "database", Verdict.WARNING,
            "external; the application migrates with its own login, which therefore owns the log: "
            "set LMS_MIGRATION_DATABASE_URL",
        )  # fmt: skip
    return Check("database", Verdict.OK, "external, migrated with a login of its own")


async def _server(_opened: Core, connection: app.Connection) -> Check:
    settings = {name: await connection.fetchval(f"SHOW {name}") for name in ("server_version", *_HARMFUL)}
    harmful = [f"{name} is {settings[name]}" for name, wanted in _HARMFUL.items() if settings[name] != wanted]
    if harmful:
        return Check("durability", Verdict.PROBLEM, f"{', '.join(harmful)}: acknowledged writes can be lost")
    return Check("durability", Verdict.OK, f"PostgreSQL {settings['server_version']}, writes reach the disk")


async def _clock(_opened: Core, connection: app.Connection) -> Check:
    skew_s = abs((await connection.fetchval("SELECT clock_timestamp()") - clock.now()).total_seconds())
    verdict = Verdict.OK if skew_s < _SKEW_S else Verdict.WARNING
    return Check("clocks", verdict, f"{skew_s:.3f} s between this machine and the database")


async def _rights(_opened: Core, connection: app.Connection) -> Check:
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = session_user"):
        return Check("rights", Verdict.WARNING, "the application's login is a superuser: it could change the log")
    helpers = await connection.fetch(
        "SELECT name FROM unnest(ARRAY['pg_signal_backend', 'pg_read_all_stats']) AS name "
        "WHERE NOT pg_has_role('lms_application', name, 'MEMBER')"
    )
    if helpers:
        missing = ", ".join(row["name"] for row in helpers)
        return Check(
            "rights", Verdict.WARNING,
            f"GRANT {missing} TO lms_application: else a BI session left open can delay the switch of the schema bi",
        )  # fmt: skip
    return Check("rights", Verdict.OK, "the application may append to the log and not change it")


async def _log_size(opened: Core, connection: app.Connection) -> Check:
    size = await connection.fetchval("SELECT pg_total_relation_size('lms.event')")
    return Check("event log", Verdict.OK, f"{await opened.log.head():,} events, {size / (1 << 20):,.1f} MiB")


async def _projections(connection: app.Connection) -> AsyncIterator[Check]:
    builds = await projection_status(connection)
    if not builds:
        yield Check("read models", Verdict.WARNING, "no projector has run yet: lms serve, or lms projector")
    for one in builds:
        if one.parked:
            yield Check(
                one.name, Verdict.PROBLEM, f"{one.parked} events parked: lms projections parked list {one.name}"
            )
        if one.state in {State.PAUSED, State.STALLED}:
            yield Check(one.name, Verdict.PROBLEM, f"{one.state}, {one.lag_events} events behind: {one.reason or ''}")
    behind = max((one.lag_events for one in builds), default=0)
    unattended = [one.name for one in builds if one.state is State.UNATTENDED]
    if unattended:
        yield Check(
            "projector", Verdict.WARNING, f"none runs; up to {behind} events behind: lms serve, or lms projector"
        )
    elif builds:
        yield Check("read models", Verdict.OK, f"{len(builds)}, at most {behind} events behind")
