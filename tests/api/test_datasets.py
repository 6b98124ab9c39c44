"""Do analysts get the star schema over HTTP, described and as files, and only their own organisation's rows?"""

import csv
import io

import pyarrow.parquet as pq
import pytest

from api.installation import ok
from lms.domain.base import Role


@pytest.fixture
def analyst(installation):
    return installation.client(installation.administrator.id, Role.ANALYST, Role.EMPLOYEE)


async def organisations(analyst):
    """The rows of dim_organisation as CSV; none before `bi` stands."""
    answer = await analyst.get("/v1/datasets/dim_organisation.csv")
    assert answer.status_code in {200, 404}, answer.text
    return list(csv.DictReader(io.StringIO(answer.text))) if answer.status_code == 200 else []


async def test_the_dictionary_describes_every_table_and_column(analyst):
    async def dictionary():
        return ok(await analyst.get("/v1/datasets"))["items"]

    tables = await until_some(dictionary)
    sight = next(one for one in tables if one["name"] == "fact_line_of_sight")
    assert sight["description"].startswith("One chain from learning to an outcome")
    assert all(column["description"] for table in tables for column in table["columns"])
    assert {"name": "live", "type": "boolean", "nullable": False}.items() <= next(
        column for column in sight["columns"] if column["name"] == "live"
    ).items()


async def test_a_table_leaves_as_csv_and_parquet_with_the_organisation_s_rows_alone(installation, analyst):
    (mine,) = await until_some(lambda: organisations(analyst))
    assert mine["organisation_id"] == str(installation.organisation_id)
    answer = await analyst.get("/v1/datasets/dim_evidence_grade.parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.column("grade").to_pylist() == [0, 1, 2, 3, 4]
    assert set(table.column("organisation_key").to_pylist()) == {int(mine["organisation_key"])}


@pytest.mark.parametrize("file", ["event.csv", "dim_date.xls", "dim_date", "pg_class.csv"])
async def test_what_is_no_table_of_the_star_is_not_found(analyst, file):
    assert (await analyst.get(f"/v1/datasets/{file}")).status_code == 404


async def test_employees_and_guests_take_no_files(installation):
    for role in (Role.EMPLOYEE, Role.GUEST):
        client = installation.client(installation.administrator.id, role)
        assert (await client.get("/v1/datasets")).status_code == 403
        assert (await client.get("/v1/datasets/dim_date.csv")).status_code == 403


async def until_some(ask):
    """Ask until there is an answer: nobody waits for `bi` over HTTP."""
    for _ in range(400):
        if found := await ask():
            return found
    raise AssertionError("the star schema did not come up")
