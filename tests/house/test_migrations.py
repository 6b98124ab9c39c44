"""Does every database reach the shape that the program needs, once, whoever starts first?"""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from databases import Database
from lms import embedded, migrations
from lms.embedded.provision import APPLICATION
from lms.migrations import MigrationError


def _write(directory: Path, **files: str) -> Path:
    directory.mkdir(exist_ok=True)
    for name, sql in files.items():
        (directory / f"{name.removeprefix('m')}.sql").write_text(sql)
    return directory


async def _rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_each_migration_is_applied_once_and_in_order(empty_database: Database, tmp_path: Path):
    files = _write(
        tmp_path / "m", m0001_add_thing="CREATE TABLE thing (n int)", m0002_add_part="ALTER TABLE thing ADD p int"
    )

    first = await migrations.migrate(empty_database.owner_dsn, APPLICATION, files)
    second = await migrations.migrate(empty_database.owner_dsn, APPLICATION, files)

    assert first == ["0001_add_thing", "0002_add_part"]
    assert second == []


async def test_ten_processes_that_start_at_once_migrate_once(empty_database: Database, tmp_path: Path):
    files = _write(tmp_path / "m", m0001_add_thing="SELECT pg_sleep(0.3); CREATE TABLE thing (n int)")

    answers = await asyncio.gather(
        *(migrations.migrate(empty_database.owner_dsn, APPLICATION, files) for _ in range(10))
    )

    assert sorted(answers, key=len) == [*([[]] * 9), ["0001_add_thing"]]


async def test_roles_are_set_up_by_many_databases_of_one_server_at_once(cluster: embedded.Cluster, tmp_path: Path):
    names = [f"roles_{number}" for number in range(6)]
    connection = await asyncpg.connect(cluster.owner_dsn())
    for name in names:
        await connection.execute(f"CREATE DATABASE {name}")
    files = _write(tmp_path / "m", m0001_add_thing="CREATE TABLE thing (n int)")

    answers = await asyncio.gather(*(migrations.migrate(cluster.owner_dsn(name), APPLICATION, files) for name in names))

    for name in names:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
    assert answers == [["0001_add_thing"]] * 6


async def test_an_applied_file_that_changed_is_an_error(empty_database: Database, tmp_path: Path):
    files = _write(tmp_path / "m", m0001_add_thing="CREATE TABLE thing (n int)")
    await migrations.migrate(empty_database.owner_dsn, None, files)
    _write(files, m0001_add_thing="CREATE TABLE thing (n bigint)")

    with pytest.raises(MigrationError, match="0001_add_thing was applied with other content"):
        await migrations.migrate(empty_database.owner_dsn, None, files)


async def test_a_database_newer_than_the_program_is_left_alone(empty_database: Database, tmp_path: Path):
    newer = _write(tmp_path / "new", m0001_add_thing="SELECT 1", m0002_add_part="SELECT 2")
    older = _write(tmp_path / "old", m0001_add_thing="SELECT 1")
    await migrations.migrate(empty_database.owner_dsn, None, newer)

    with pytest.raises(MigrationError, match="0002_add_part, which this program does not know"):
        await migrations.migrate(empty_database.owner_dsn, None, older)


async def test_a_gap_in_the_ledger_is_an_error(empty_database: Database, tmp_path: Path):
    files = _write(tmp_path / "m", m0001_add_thing="SELECT 1", m0002_add_part="SELECT 2", m0003_add_end="SELECT 3")
    await migrations.migrate(empty_database.owner_dsn, None, files)
    connection = await asyncpg.connect(empty_database.owner_dsn)
    await connection.execute("DELETE FROM lms.migration WHERE number = 2")
    await connection.close()

    with pytest.raises(MigrationError, match="gap before 0003_add_end"):
        await migrations.migrate(empty_database.owner_dsn, None, files)


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database: Database, tmp_path: Path):
    files = _write(tmp_path / "m", m0001_add_thing="CREATE TABLE thing (n int); SELECT 1/0")

    with pytest.raises(MigrationError, match="0001_add_thing failed and left nothing behind: division by zero"):
        await migrations.migrate(empty_database.owner_dsn, None, files)

    assert await _rows(empty_database.owner_dsn, "SELECT to_regclass('thing')") == [(None,)]
    assert await _rows(empty_database.owner_dsn, "SELECT number FROM lms.migration") == []


async def test_a_migration_waits_its_turn_behind_a_lock_and_then_goes_on(
    empty_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(migrations, "_LOCK_TIMEOUT", "50ms")
    files = _write(tmp_path / "m", m0001_add_thing="CREATE TABLE thing (n int)")
    await migrations.migrate(empty_database.owner_dsn, None, files)
    holder = await asyncpg.connect(empty_database.owner_dsn)
    lock = holder.transaction()
    await lock.start()
    await holder.execute("LOCK TABLE thing IN ACCESS SHARE MODE")
    _write(files, m0002_add_part="ALTER TABLE thing ADD part int")

    migrating = asyncio.create_task(migrations.migrate(empty_database.owner_dsn, None, files))
    await _until_a_lock_was_refused(empty_database.owner_dsn, migrating)
    await lock.rollback()

    assert await migrating == ["0002_add_part"]
    await holder.close()


async def _until_a_lock_was_refused(dsn: str, migrating: asyncio.Task[list[str]]) -> None:
    """The migrating session was seen waiting for the lock, and then seen without it: it gave up for the moment."""
    connection = await asyncpg.connect(dsn)
    seen_waiting = False
    async with asyncio.timeout(10):
        while not migrating.done():
            waiting = await connection.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'thing'::regclass"
            )
            if seen_waiting and not waiting:
                break
            seen_waiting = seen_waiting or bool(waiting)
            await asyncio.sleep(0.005)
    await connection.close()


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("m0001_add_thing", "m0003_add_part"), "without gap"),
        (("m0001_add_thing", "m0001_add_part"), "without gap"),
        (("m0002_add_thing",), "without gap"),
        (("m1_add",), "NNNN_verb_noun"),
    ],
)
def test_files_with_strange_names_are_refused(tmp_path: Path, names: tuple[str, ...], complaint: str):
    files = _write(tmp_path / "m", **dict.fromkeys(names, "SELECT 1"))

    with pytest.raises(MigrationError, match=re.escape(complaint)):
        migrations.load(files)


async def test_a_server_that_does_not_answer_is_named_as_such():
    with pytest.raises(MigrationError, match="cannot be reached"):
        await migrations.migrate("postgresql://nobody@127.0.0.1:1/nothing")


async def test_the_application_acts_as_its_group_and_a_stranger_may_not_connect(database: Database):
    acting = await asyncpg.connect(database.app_dsn, server_settings={"role": "lms_application"})

    who = await acting.fetchval("SELECT current_user")
    may = await acting.fetchrow(
        "SELECT has_database_privilege('public', current_database(), 'CONNECT') AS anybody, "
        "has_database_privilege('lms_application', current_database(), 'CREATE') AS application, "
        "has_database_privilege('bi_reader', current_database(), 'CONNECT') AS reader, "
        "has_schema_privilege('bi_reader', 'lms', 'USAGE') AS reader_sees_the_log"
    )
    await acting.close()

    assert who == "lms_application"
    assert dict(may) == {"anybody": False, "application": True, "reader": True, "reader_sees_the_log": False}
