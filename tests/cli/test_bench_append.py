"""Does the append benchmark tell a figure only when the log holds what it said?"""

import pytest

from databases import Database
from lms.cli import bench_append as bench
from lms.eventlog.log import Append, Appended
from lms.eventlog.postgres import PostgresLog


async def test_the_figure_is_the_median_of_checked_runs(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "_WARM_UP", 10)
    heard: list[tuple[int, float]] = []
    result = await bench.bench_append(
        database.app_dsn, commands=200, in_flight=8, on_run=lambda run, rate: heard.append((run, rate))
    )

    assert [run for run, _ in heard] == [1, 2, 3]
    assert result["ours"]["commits_per_s"] == sorted(result["ours"]["runs"])[1] == round(sorted(r for _, r in heard)[1])
    assert result["checker"] == "passed"
    assert (result["peers"], result["ratios"]) == ({}, {})
    assert (result["in_flight"], result["commands"]) == (8, 200)
    assert 180 <= result["bytes_per_event"] <= 220
    assert result["machine"]["fsync"] == result["machine"]["synchronous_commit"] == "on"


@pytest.mark.parametrize("off_by", [0, 1], ids=["lost", "elsewhere"])
async def test_an_acknowledged_command_that_is_not_there_voids_the_figure(
    database: Database, monkeypatch: pytest.MonkeyPatch, off_by: int
):
    monkeypatch.setattr(bench, "_WARM_UP", 0)
    real = PostgresLog.append

    async def lies(log: PostgresLog, append: Append) -> Appended:
        if off_by:
            stored = await real(log, append)
            return Appended(stored.position + off_by, stored.versions)
        return Appended(7, (1,))

    monkeypatch.setattr(PostgresLog, "append", lies)
    with pytest.raises(bench.CheckerFailed, match=r"nobody was told|not in the log"):
        await bench.bench_append(database.app_dsn, commands=5, in_flight=1, runs=1)
