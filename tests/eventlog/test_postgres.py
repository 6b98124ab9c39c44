"""What does the log in PostgreSQL promise beyond the others: through poison, overload, outages and prying hands?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from databases import Database
from eventlog.builders import ORGANISATION, command, everything, one, until, write
from lms import clock
from lms.eventlog import postgres, token
from lms.eventlog.log import (
    ANY_VERSION,
    Append,
    Appended,
    AppendRejected,
    DuplicateCommand,
    LogUnavailable,
    NewEvent,
    Overloaded,
    StaleVersion,
    Write,
)
from lms.eventlog.postgres import GapInLog, PostgresLog
from lms.eventlog.writer import Writer, let_go

LANE_LOCK = 7105907


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_dsn)
    yield connection
    await connection.close()


@asynccontextmanager
async def stalled(owner: asyncpg.Connection) -> AsyncIterator[None]:
    """The lane's lock is held by somebody else."""
    await owner.execute("SELECT pg_advisory_lock($1::int, 0)", LANE_LOCK)
    try:
        yield
    finally:
        await owner.execute("SELECT pg_advisory_unlock($1::int, 0)", LANE_LOCK)


async def backends(owner: asyncpg.Connection, name: str) -> list[int]:
    rows = await owner.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()", name
    )
    return [row["pid"] for row in rows]


async def kill(owner: asyncpg.Connection, name: str) -> None:
    for pid in await backends(owner, name):
        await owner.execute("SELECT pg_terminate_backend($1)", pid)


async def appending(owner: asyncpg.Connection) -> bool:
    """An append waits for the lane's lock."""
    return bool(await owner.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


class AckLost:
    """A connection that dies after the commit, before the answer."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetchrow(self, *arguments: Any) -> asyncpg.Record:
        await self._connection.fetchrow(*arguments)
        self._connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def lose_the_next_answer(log: PostgresLog) -> None:
    for writer in log._writers:
        writer._connection = AckLost(writer._connection)


# Poison


def poisoned(kind: str) -> Append:
    bad = {
        "a type that is no text in UTF-8": NewEvent("goal\x00set", 1, b"{}", b"{}"),
        "a schema version beyond the column": NewEvent("goal.set", 70_000, b"{}", b"{}"),
        "data that is no bytes": NewEvent("goal.set", 1, b"{}", "text"),
    }[kind]
    return Append(ORGANISATION, clock.uuid7(), (Write(clock.uuid7(), 0, (bad,)),))


@pytest.mark.parametrize(
    "kind", ["a type that is no text in UTF-8", "a schema version beyond the column", "data that is no bytes"]
)
async def test_a_poisonous_command_fails_alone(lane_log: PostgresLog, kind: str):
    sent = [one() for _ in range(20)]
    sent[11] = poisoned(kind)
    answers = await asyncio.gather(*(lane_log.append(each) for each in sent), return_exceptions=True)

    assert isinstance(answers.pop(11), AppendRejected)
    assert all(isinstance(answer, Appended) for answer in answers)
    assert len(await everything(lane_log)) == 19
    assert lane_log.metrics.rejected == 1


# Overload and shutdown


async def test_a_full_queue_says_so_at_once_and_the_rest_is_stored(database: Database, owner: asyncpg.Connection):
    log = await PostgresLog.connect(database.app_dsn, max_waiting=10)
    async with stalled(owner):
        accepted = [asyncio.create_task(log.append(one())) for _ in range(10)]
        await until(lambda: log.metrics.waiting == 10)
        with pytest.raises(Overloaded) as overloaded:
            await log.append(one())
    await asyncio.gather(*accepted)
    await log.append(one())

    assert overloaded.value.retry_after == 1
    assert len(await everything(log)) == 11
    await log.close()
    assert (log.metrics.waiting, log.metrics.waiting_bytes, log.metrics.overloads) == (0, 0, 1)


async def test_the_queue_is_bounded_in_bytes(database: Database, owner: asyncpg.Connection):
    log = await PostgresLog.connect(database.app_dsn, max_waiting_bytes=1000)
    async with stalled(owner):
        accepted = asyncio.create_task(log.append(one(data=b"x" * 900)))
        await until(lambda: log.metrics.waiting == 1)
        with pytest.raises(Overloaded):
            await log.append(one(data=b"x" * 100))
    await accepted
    await log.close()

    assert log.metrics.overloads == 1


async def test_closing_stores_what_was_accepted(database: Database, owner: asyncpg.Connection):
    log = await PostgresLog.connect(database.app_dsn)
    async with stalled(owner):
        accepted = [asyncio.create_task(log.append(one())) for _ in range(100)]
        await until(lambda: log.metrics.waiting == 100)
        closing = asyncio.create_task(log.close())
        await until(lambda: not log._open)
        with pytest.raises(LogUnavailable):
            await log.append(one())
    await closing

    assert {answer.position for answer in await asyncio.gather(*accepted)} == set(range(1, 101))


async def test_a_log_that_cannot_be_opened_leaves_nothing_behind(database: Database, owner: asyncpg.Connection):
    with pytest.raises(asyncpg.PostgresError):
        await PostgresLog.connect(database.app_dsn, role="nobody_of_this_name")
    with pytest.raises(LogUnavailable):
        await PostgresLog("", lane=0, role=None, max_waiting=1, max_waiting_bytes=1, patience_s=0, stall_s=0).head()

    await until(lambda: _none(owner))


async def _none(owner: asyncpg.Connection) -> bool:
    return not await backends(owner, "lms log writer")


async def test_a_batch_carries_many_commands(postgres_log: PostgresLog, owner: asyncpg.Connection):
    async with stalled(owner):
        sent = [asyncio.create_task(postgres_log.append(one())) for _ in range(200)]
        await until(lambda: appending(owner))
    await asyncio.gather(*sent)

    assert postgres_log.metrics.largest_batch >= 100
    assert postgres_log.metrics.batches <= 4
    assert (postgres_log.metrics.commands, postgres_log.metrics.events) == (200, 200)
    assert postgres_log.metrics.lock_wait_s > 0
    assert postgres_log.metrics.commit_s > 0


# Lost connections


async def test_writers_killed_under_load_lose_and_double_nothing(database: Database, owner: asyncpg.Connection):
    log = await PostgresLog.connect(database.app_dsn, patience_s=60)
    sent: list[Append] = []
    answers: list[Appended] = []

    async def client() -> None:
        for _ in range(40):
            append = one()
            sent.append(append)
            answers.append(await log.append(append))

    async def killer() -> None:
        for _ in range(6):
            before = log.metrics.reconnects
            await kill(owner, "lms log writer")
            await until(lambda before=before: log.metrics.reconnects > before or len(answers) == 640)

    await asyncio.gather(killer(), *(client() for _ in range(16)))
    found = await everything(log)

    assert sorted(answer.position for answer in answers) == list(range(1, 641))
    assert {event.command_id for event in found} == {append.command_id for append in sent}
    assert log.metrics.reconnects >= 1
    await log.close()


async def test_an_append_whose_backend_dies_while_it_waits_is_sent_again(
    postgres_log: PostgresLog, owner: asyncpg.Connection
):
    async with stalled(owner):
        waiting = asyncio.create_task(postgres_log.append(one()))
        await until(lambda: appending(owner))
        await kill(owner, "lms log writer")
    assert await waiting == Appended(1, (1,))


async def test_a_connection_that_falls_silent_is_hung_up_and_the_batch_sent_again(
    database: Database, owner: asyncpg.Connection
):
    log = await PostgresLog.connect(database.app_dsn, stall_s=0.2)
    async with stalled(owner):
        waiting = asyncio.create_task(log.append(one()))
        await until(lambda: any(writer._down_since for writer in log._writers))
    assert await waiting == Appended(1, (1,))
    assert len(await everything(log)) == 1
    await log.close()


async def test_a_server_that_does_not_answer_the_farewell_is_hung_up(
    lane_log: PostgresLog, monkeypatch: pytest.MonkeyPatch
):
    connection = lane_log._writers[0]._connection

    async def silent(*_: Any, **__: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as silence:
        silence.setattr(asyncpg.Connection, "close", silent)
        await let_go(connection)

    assert connection.is_closed()
    assert await lane_log.append(one()) == Appended(1, (1,))


async def test_an_answer_lost_after_the_commit_is_given_as_if_for_the_first_time(lane_log: PostgresLog):
    first, second = clock.uuid7(), clock.uuid7()
    await lane_log.append(command(write(second, 0, 2)))
    lose_the_next_answer(lane_log)

    assert await lane_log.append(command(write(first, 0, 2), write(second, 2))) == Appended(5, (2, 3))
    assert len(await everything(lane_log)) == 5
    assert lane_log.metrics.duplicates == 0


async def test_every_verdict_survives_a_lost_answer(lane_log: PostgresLog):
    taken, known, used = clock.uuid7(), clock.uuid7(), clock.uuid7()
    await lane_log.append(command(write(taken), write(known), command_id=used))
    lose_the_next_answer(lane_log)
    answers = await asyncio.gather(
        lane_log.append(one()),
        lane_log.append(command(write(taken, 5))),
        lane_log.append(command(write(known, 1, data=b'{"another":"body"}'), command_id=used)),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [Appended, StaleVersion, DuplicateCommand]
    assert len(await everything(lane_log)) == 3


async def test_a_poisonous_command_is_still_found_after_a_lost_connection(lane_log: PostgresLog):
    await lane_log.append(one())
    for writer in lane_log._writers:
        writer._connection.terminate()
    sent = [one(), poisoned("a schema version beyond the column"), one()]
    answers = await asyncio.gather(*(lane_log.append(each) for each in sent), return_exceptions=True)

    assert [type(answer) for answer in answers] == [Appended, AppendRejected, Appended]


async def test_a_database_that_stays_away_is_reported_and_waited_for_no_longer(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    log = await PostgresLog.connect(database.app_dsn, patience_s=0.1)
    await log.append(one())

    async def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError("connection refused")

    with monkeypatch.context() as outage:
        outage.setattr(log, "_connect", away)
        for writer in log._writers:
            writer._connection.terminate()
        answers = await asyncio.gather(*(log.append(one()) for _ in range(5)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {LogUnavailable}
    assert isinstance(await log.append(one()), Appended)
    assert log.metrics.unavailable == 5
    await log.close()


async def test_a_server_that_refuses_writers_is_waited_for(lane_log: PostgresLog, monkeypatch: pytest.MonkeyPatch):
    real = lane_log._connect
    refusals = [asyncpg.CannotConnectNowError("starting up"), asyncpg.TooManyConnectionsError("full")]

    async def slow_to_start(settings: dict[str, str]) -> asyncpg.Connection:
        if refusals:
            raise refusals.pop()
        return await real(settings)

    monkeypatch.setattr(lane_log, "_connect", slow_to_start)
    for writer in lane_log._writers:
        writer._connection.terminate()

    assert await lane_log.append(one()) == Appended(1, (1,))
    assert refusals == []


async def test_readers_find_their_way_back(postgres_log: PostgresLog, owner: asyncpg.Connection):
    await postgres_log.append(one())
    await kill(owner, "lms log reader")

    assert len(await everything(postgres_log)) == 1


async def test_readers_report_a_database_that_is_away(lane_log: PostgresLog, monkeypatch: pytest.MonkeyPatch):
    class Away:
        async def fetchval(self, *_: Any) -> None:
            raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(lane_log, "_readers", Away())
    with pytest.raises(LogUnavailable, match=r"reset by peer"):
        await lane_log.head()
    assert not await lane_log.wait_beyond(5, 0.01)
    monkeypatch.undo()

    assert await lane_log.head() == 0


# Several processes


async def test_another_process_wakes_up_by_notification(
    database: Database, postgres_log: PostgresLog, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "_POLL_S", 60)
    other = await PostgresLog.connect(database.app_dsn)
    await until(lambda: postgres_log._wakeup.listening and other._wakeup.listening)
    for position in range(3):
        waiting = asyncio.create_task(postgres_log.wait_beyond(position, 20))
        await asyncio.sleep(0)
        await other.append(one())
        assert await asyncio.wait_for(waiting, 10)
    await other.close()


async def test_another_process_wakes_up_by_polling_when_it_cannot_listen(database: Database, postgres_log: PostgresLog):
    await postgres_log._wakeup.close()
    other = await PostgresLog.connect(database.app_dsn)
    waiting = asyncio.create_task(postgres_log.wait_beyond(0, 20))
    await other.append(one())

    assert await asyncio.wait_for(waiting, 10)
    await other.close()


async def test_who_waits_longer_than_a_poll_goes_on_waiting(lane_log: PostgresLog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgres, "_POLL_S", 0.01)

    assert not await lane_log.wait_beyond(0, 0.1)


async def test_a_lost_listener_listens_again(
    database: Database, postgres_log: PostgresLog, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "_POLL_S", 60)
    await until(lambda: postgres_log._wakeup.listening)
    (before,) = await backends(owner, "lms log wakeup")
    real, refusals = postgres_log._connect, [ConnectionRefusedError()]

    async def refuses_once(settings: dict[str, str]) -> asyncpg.Connection:
        if refusals:
            raise refusals.pop()
        return await real(settings)

    monkeypatch.setattr(postgres_log, "_connect", refuses_once)
    await kill(owner, "lms log wakeup")
    await until(lambda: _listens_anew(owner, before))
    await until(lambda: postgres_log._wakeup.listening)
    other = await PostgresLog.connect(database.app_dsn)
    await other.append(one())

    assert await postgres_log.wait_beyond(0, 10)
    await other.close()


async def _listens_anew(owner: asyncpg.Connection, before: int) -> bool:
    return bool(set(await backends(owner, "lms log wakeup")) - {before})


async def test_a_strange_notification_is_ignored(postgres_log: PostgresLog, owner: asyncpg.Connection):
    await until(lambda: postgres_log._wakeup.listening)
    await owner.execute("SELECT pg_notify('lms_log_0', 'nonsense'), pg_notify('lms_log_0', '3')")
    await until(lambda: postgres_log._head.position == 3)

    assert await postgres_log.wait_beyond(2, 0)


async def test_what_one_process_names_first_the_other_can_read(database: Database, postgres_log: PostgresLog):
    other = await PostgresLog.connect(database.app_dsn)
    stream = clock.uuid7()
    await asyncio.gather(
        *(
            log.append(command(write(clock.uuid7(), kind=f"kind.{n}")))
            for log in (postgres_log, other)
            for n in range(9)
        ),
        other.append(Append(clock.uuid7(), clock.uuid7(), (write(stream, kind="goal.late"),))),
    )
    found = await everything(postgres_log)

    assert sorted(event.type for event in found) == sorted(
        [*(f"kind.{n}" for n in range(9)), "goal.late"] + [f"kind.{n}" for n in range(9)]
    )
    assert (await postgres_log.streams([stream]))[stream] == (await other.streams([stream]))[stream]
    await other.close()


async def test_two_processes_that_fight_for_one_stream_both_keep_the_order(
    database: Database, postgres_log: PostgresLog
):
    other = await PostgresLog.connect(database.app_dsn)
    stream, won = clock.uuid7(), 0

    async def fighter(log: PostgresLog) -> int:
        wins = 0
        for _ in range(30):
            version = len((await log.streams([stream]))[stream])
            try:
                await log.append(command(write(stream, version)))
            except StaleVersion:
                continue
            wins += 1
        return wins

    won = sum(await asyncio.gather(*(fighter(log) for log in (postgres_log, other) * 3)))

    assert won == len(await everything(postgres_log)) > 30
    await other.close()


async def test_lanes_are_logs_of_their_own(database: Database, postgres_log: PostgresLog):
    other = await PostgresLog.connect(database.app_dsn, lane=1)
    stream = clock.uuid7()
    await postgres_log.append(command(write(stream)))

    assert await other.append(command(write(stream))) == Appended(1, (1,))
    assert other.token(1) == "1.1.1"
    await other.close()


# What a foreign transaction cannot do


async def test_a_long_write_transaction_elsewhere_delays_no_reader(
    database: Database, postgres_log: PostgresLog, owner: asyncpg.Connection
):
    async with owner.transaction():
        await owner.execute("CREATE TEMPORARY TABLE busy (n int); INSERT INTO busy VALUES (1)")
        assert await asyncio.wait_for(postgres_log.append(one()), 5) == Appended(1, (1,))
        assert len(await asyncio.wait_for(everything(postgres_log), 5)) == 1


@pytest.mark.parametrize("isolation", ["repeatable_read", "serializable"])
async def test_an_append_with_a_fixed_snapshot_is_refused(shared: Database, isolation: str):
    connection = await asyncpg.connect(shared.app_dsn, server_settings={"role": "lms_application"})
    with pytest.raises(asyncpg.InvalidTransactionStateError):
        async with connection.transaction(isolation=isolation):
            await connection.fetchrow("SELECT lms.append(0::smallint, '{}', '{}')")
    await connection.close()


# Immutable


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lms.event SET position = 7",
        "DELETE FROM lms.event",
        "TRUNCATE lms.event",
        "UPDATE lms.epoch SET from_position = 7",
        "DELETE FROM lms.epoch",
        "TRUNCATE lms.epoch",
    ],
)
async def test_not_even_the_owner_changes_what_happened(lane_log: PostgresLog, shared: Database, statement: str):
    await lane_log.append(one())
    owner = await asyncpg.connect(shared.owner_dsn)

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"append-only"):
        await owner.execute(statement)
    await owner.close()
    assert len(await everything(lane_log)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO lms.event SELECT * FROM lms.event",
        "UPDATE lms.event SET position = 7",
        "DELETE FROM lms.event",
        "TRUNCATE lms.event",
        "ALTER TABLE lms.event DISABLE TRIGGER ALL",
        "INSERT INTO lms.epoch SELECT lane, number + 1, 0, 0, '', now() FROM lms.epoch",
        "INSERT INTO lms.event_type VALUES (99, 'forged')",
        "UPDATE lms.organisation SET id = gen_random_uuid()",
        "INSERT INTO lms.subject_key VALUES (gen_random_uuid(), gen_random_uuid(), '')",
        "DELETE FROM lms.subject_key",
        "CREATE TABLE lms.mine (n int)",
        "CREATE OR REPLACE FUNCTION lms.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
)
async def test_the_application_reads_and_appends_and_can_do_nothing_else(
    lane_log: PostgresLog, shared: Database, statement: str
):
    await lane_log.append(one())
    connection = await asyncpg.connect(shared.app_dsn, server_settings={"role": "lms_application"})

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


async def test_nobody_else_appends(database: Database, owner: asyncpg.Connection):
    granted = await owner.fetch(
        "SELECT p.proname FROM pg_proc AS p, aclexplode(p.proacl) AS a "
        "WHERE p.pronamespace = 'lms'::regnamespace AND a.grantee = 0"
    )
    without_acl = await owner.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'lms'::regnamespace AND proacl IS NULL AND prosecdef"
    )

    assert granted == without_acl == []


async def test_every_privileged_function_pins_its_search_path(owner: asyncpg.Connection):
    unpinned = await owner.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'lms'::regnamespace AND prosecdef "
        "AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)"
    )

    assert unpinned == []


async def test_a_hole_in_the_log_is_noticed(postgres_log: PostgresLog, owner: asyncpg.Connection):
    await postgres_log.append(one(count=3))
    await owner.execute("ALTER TABLE lms.event DISABLE TRIGGER ALL; DELETE FROM lms.event WHERE position = 2")

    with pytest.raises(GapInLog, match=r"lane 0 has position 3 where 2 belongs"):
        await postgres_log.feed(0, 10)
    with pytest.raises(GapInLog):
        await postgres_log.feed(1, 10)


# Plans


async def test_an_append_probes_indexes_and_never_reads_the_table(owner: asyncpg.Connection):
    async with owner.transaction():
        for _ in range(3):
            await owner.fetchrow(
                "SELECT verdicts FROM lms.append(0::smallint,"
                " ARRAY[ROW(1, gen_random_uuid(), 1, 1, gen_random_uuid(), -1, 1, 1, 1, '', '')]::lms.new_event[],"
                " ARRAY[ROW(1, gen_random_uuid(), 0)]::lms.read_condition[])"
            )
        scans = await owner.fetchrow(
            "SELECT pg_stat_get_xact_numscans('lms.event'::regclass) AS whole_table,"
            " pg_stat_get_xact_numscans('lms.event_pkey'::regclass) AS head,"
            " pg_stat_get_xact_numscans('lms.event_stream_version_key'::regclass) AS streams"
        )

    assert scans["whole_table"] == 0
    assert scans["head"] >= 3
    assert scans["streams"] >= 6


@pytest.mark.parametrize(
    ("query", "arguments"),
    [(postgres._STREAMS, (0, [clock.uuid7()])), (postgres._FEED, (0, 0, 10)), (postgres.HEAD, (0,))],
)
async def test_readers_use_indexes_from_the_first_event_on(
    lane_log: PostgresLog, query: str, arguments: tuple[Any, ...]
):
    plan = "\n".join(row[0] for row in await lane_log._readers.fetch(f"EXPLAIN {query}", *arguments))

    assert "Seq Scan" not in plan
    assert "Index" in plan


# Epochs


async def test_the_same_server_keeps_its_epoch(database: Database, postgres_log: PostgresLog):
    other = await PostgresLog.connect(database.app_dsn)

    assert await postgres_log.epoch() == await other.epoch() == 1
    await other.close()


async def test_after_a_failover_tokens_beyond_the_fork_are_lost_and_others_stay_good(
    database: Database, postgres_log: PostgresLog, owner: asyncpg.Connection
):
    await postgres_log.append(one(count=5))
    before = postgres_log.token(5)
    # As another server would have left it: it forked off at 3, which the real one cannot know of itself.
    await owner.execute("INSERT INTO lms.epoch VALUES (0, 2, 3, 42, '00000002', now())")
    after = await PostgresLog.connect(database.app_dsn)
    await after.append(one())

    assert await after.epoch() == 3
    assert after.token(6) == "3.0.6"
    assert await after.position_of("1.0.3") == 3
    assert await after.position_of("2.0.5") == 5
    assert await after.position_of("3.0.6") == 6
    for lost in (before, "1.0.4", "2.0.6", "3.0.7", "4.0.1"):
        with pytest.raises(token.PositionLost):
            await after.position_of(lost)
    assert await postgres_log.position_of("3.0.6") == 6
    await after.close()


async def test_writers_open_with_what_they_need_or_not_at_all(
    database: Database, postgres_log: PostgresLog, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    async def fails(*_: Any) -> None:
        raise ConnectionResetError

    before = len(await backends(owner, "lms log writer"))
    monkeypatch.setattr(postgres_log._dictionary, "load", fails)
    with pytest.raises(ConnectionResetError):
        await postgres_log._connect_writer()

    await until(lambda: _count(owner, before))


async def _count(owner: asyncpg.Connection, expected: int) -> bool:
    return len(await backends(owner, "lms log writer")) == expected


async def test_a_writer_that_never_started_closes(lane_log: PostgresLog):
    writer = Writer(lane_log._writers[0]._lane, lane_log._connect_writer)
    await writer.close()

    assert (await lane_log.append(command(write(clock.uuid7(), ANY_VERSION)))).position == 1
