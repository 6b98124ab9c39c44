"""What does a BI login see: its own organisation's star, all the time, and nothing else?"""

from contextlib import asynccontextmanager
from datetime import date

import asyncpg
import pytest

from lms.domain.calendar import PeriodKind
from lms.domain.catalogue import event_types
from lms.projections import rebuild
from lms.projections.bi.unit import Bi
from projections.engine import Engine
from projections.test_line_of_sight import Company


def told() -> Company:
    company = Company()
    company.improves()
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    return company


async def started(engine: Engine, *companies: Company) -> None:
    """The star of these companies' stories, kept by a runner."""
    await engine.start(Bi(), catalogue=event_types())
    head = 0
    for company in companies:
        for envelope in company.story.envelopes:
            head = await engine.store(envelope)
    await engine.reached(head, "bi")


@asynccontextmanager
async def granted(engine: Engine, company: Company, name: str):
    """A session of a login for one company, as `lms bi grant` makes it."""
    owner = await asyncpg.connect(engine.database.owner_dsn)
    login = f"{name}_{engine.database.name}"
    await owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE bi_reader")
    await owner.execute("INSERT INTO lms.bi_login (login, organisation_id) VALUES ($1, $2)", login, company.org)
    session = await asyncpg.connect(engine.database.owner_dsn, user=login, password="secret")
    try:
        yield session
    finally:
        session.terminate()
        await owner.execute(f"DROP ROLE {login}")
        await owner.close()


async def test_a_granted_login_reads_chains_all_the_while_the_star_is_rebuilt_and_switched(engine: Engine):
    company = told()
    await started(engine, company)
    async with granted(engine, company, "analyst") as analyst:
        question = "SELECT state, missing FROM bi.fact_line_of_sight ORDER BY state, missing"
        expected = [("asserted", None), ("broken", "no-learning")]
        for _ in range(3):
            await rebuild.request(engine.pool, Bi())
            while await engine.build("bi", "next"):
                assert [tuple(row) for row in await analyst.fetch(question)] == expected
            assert [tuple(row) for row in await analyst.fetch(question)] == expected


@pytest.mark.parametrize(
    "table", ["bi_work.graph_learning_v1", "lms.event", "lms.bi_login", "lms.subject_key", "lms.projection"]
)
async def test_a_granted_login_reads_no_other_schema(engine: Engine, table: str):
    company = told()
    await started(engine, company)
    async with granted(engine, company, "analyst") as analyst:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await analyst.fetch(f"SELECT * FROM {table}")


async def test_a_granted_login_writes_nothing(engine: Engine):
    company = told()
    await started(engine, company)
    async with granted(engine, company, "analyst") as analyst:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await analyst.execute("DELETE FROM bi.fact_line_of_sight")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await analyst.execute("CREATE TABLE bi.mine (n int)")


async def test_each_login_sees_its_own_organisation_s_rows_in_every_table_and_nobody_else_s(engine: Engine):
    mine, theirs = told(), told()
    await started(engine, mine, theirs)
    async with granted(engine, mine, "analyst") as analyst, granted(engine, theirs, "other") as other:
        tables = await engine.pool.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'bi'::regnamespace AND relkind = 'r'"
        )
        seen = {}
        for session in (analyst, other):
            (key,) = await session.fetch("SELECT organisation_key FROM bi.dim_organisation")
            seen[session] = key["organisation_key"]
            for table in tables:
                keys = await session.fetch(f"SELECT DISTINCT organisation_key FROM bi.{table['relname']}")
                assert [one["organisation_key"] for one in keys] in ([], [seen[session]])
        assert seen[analyst] != seen[other]


async def test_a_member_of_the_readers_without_an_organisation_sees_no_row(engine: Engine):
    company = told()
    await started(engine, company)
    async with granted(engine, company, "analyst") as analyst:
        owner = await asyncpg.connect(engine.database.owner_dsn)
        await owner.execute("DELETE FROM lms.bi_login")
        assert await analyst.fetchval("SELECT count(*) FROM bi.dim_date") == 0
        await owner.close()
