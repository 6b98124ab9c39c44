"""Does an import that was killed in the middle go on where it was, without duplicates?

The database holds the import up in the middle of an append, so that `kill -9` finds it there on any machine. What was
on its way then is stored although nobody learned of it: the hardest case for the second run.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from chaos.rows import event_counts, is_dense
from chaos.serving import clean_environment, lms
from databases import Database
from projections.engine import until

PEOPLE_N = 60
LINES_N = 400
TEAMS_N = 7
EVERYBODY = Counter(
    {
        "contributor.registered": PEOPLE_N,
        "team.formed": TEAMS_N,
        "team.member-joined": PEOPLE_N,
        "contributor.home-team-changed": PEOPLE_N,
    }
)
"""What an import of the people leaves in the log."""
GATE = 4711


class Installation:
    """What the command line works on: a database, a data directory with the keys, an organisation."""

    def __init__(self, database: Database, directory: Path, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._database = database
        self._directory = directory

    async def begin(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command."""
        return await asyncio.create_subprocess_exec(
            *lms(*arguments, "--json", data_dir=self._directory / "data"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment()
            | {
                "LMS_DATABASE_URL": self._database.app_dsn,
                "LMS_MIGRATION_DATABASE_URL": self._database.owner_dsn,
            },
        )

    async def run(self, *arguments: str) -> dict:
        """Run a command to its end; what it answers."""
        out, err = await asyncio.wait_for((await self.begin(*arguments)).communicate(), 60)
        return json.loads(out) if out else {"failed": err.decode()}

    def file(self, name: str, text: str) -> str:
        """Write a file; its path."""
        path = self._directory / name
        path.write_text(text)
        return str(path)

    async def killed_after(self, events_n: int, *arguments: str) -> None:
        """Run a command until its append crosses so many new events, and end it there as a power failure would."""
        async with self._held_up(events_n):
            process = await self.begin(*arguments)
            await until(self._is_held_up, f"{arguments} writes", 60)
            process.kill()
            await process.communicate()
        await until(self._is_alone, "the killed command's connections are gone", 60)

    @asynccontextmanager
    async def _held_up(self, events_n: int) -> AsyncIterator[None]:
        """Within the block whoever appends past the next so many events waits."""
        limit = events_n + await self.connection.fetchval("SELECT max(position) FROM lms.event")
        await self.connection.execute("SELECT pg_advisory_lock($1)", GATE)
        await self.connection.execute(
            f"""CREATE FUNCTION public.wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NEW; END $$;
                CREATE TRIGGER gate BEFORE INSERT ON lms.event FOR EACH ROW WHEN (NEW.position = {limit})
                EXECUTE FUNCTION public.wait_at_gate()"""
        )
        try:
            yield
        finally:
            await self.connection.execute("SELECT pg_advisory_unlock($1)", GATE)
            await self.connection.execute("DROP TRIGGER gate ON lms.event; DROP FUNCTION public.wait_at_gate()")

    async def _is_held_up(self) -> bool:
        waiting: bool = await self.connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted)", GATE
        )
        return waiting

    async def _is_alone(self) -> bool:
        others: int = await self.connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return others == 0


@pytest.fixture
async def installation(database: Database, tmp_path: Path) -> AsyncIterator[Installation]:
    """An organisation without anybody but its administrator."""
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        made = Installation(database, tmp_path, connection)
        await made.run("organisations", "add", "Veldkamp", "--administrator", "ada@example.org")
        yield made
    finally:
        await connection.close()


def people() -> str:
    """Everybody is in one of the teams."""
    lines = [f"Person {n},p{n}@example.org,Team {n % TEAMS_N}" for n in range(PEOPLE_N)]
    return "\n".join(["name,email,team", *lines])


def learning() -> str:
    """What they learned; some of it word for word the same."""
    return "\n".join(
        json.dumps({"person": f"p{n % PEOPLE_N}@example.org", "note": f"thing {n % 150}"}) for n in range(LINES_N)
    )


@pytest.mark.chaos
async def test_people_are_imported_once_though_the_import_was_killed(installation: Installation) -> None:
    arguments = ("import", "people", installation.file("people.csv", people()))
    before = await event_counts(installation.connection)
    await installation.killed_after(PEOPLE_N // 2, *arguments)
    cut = await event_counts(installation.connection) - before
    assert 0 < cut.total() < EVERYBODY.total()

    report = await installation.run(*arguments)
    assert (report["lines"], report["bad_lines"]) == (PEOPLE_N, [])
    assert await event_counts(installation.connection) - before == EVERYBODY
    assert report["registered"] == PEOPLE_N - cut["contributor.registered"]
    assert await is_dense(installation.connection)


@pytest.mark.chaos
async def test_learning_is_imported_once_though_the_import_was_killed(installation: Installation) -> None:
    await installation.run("import", "people", installation.file("people.csv", people()))
    arguments = ("import", "learning", installation.file("learning.ndjson", learning()))
    await installation.killed_after(LINES_N // 2, *arguments)
    cut = (await event_counts(installation.connection))["learning.logged"]
    assert 0 < cut < LINES_N

    report = await installation.run(*arguments)
    assert (report["lines"], report["bad_lines"]) == (LINES_N, [])
    assert (report["logged"], report["unchanged"]) == (LINES_N - cut, cut)
    assert (await event_counts(installation.connection))["learning.logged"] == LINES_N
    assert await is_dense(installation.connection)
