"""Does the product work over a PostgreSQL that somebody else runs, with the two logins that ops/settings.md names?"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from databases import Database
from lms import embedded
from lms.embedded.files import password
from lms.embedded.server import SUPERUSER

SETTINGS = Path(__file__).parents[2] / "ops" / "settings.md"


@pytest.fixture
async def outside(pytestconfig: pytest.Config) -> AsyncIterator[Database]:
    """A server set up by its administrator with the statements of ops/settings.md, and by nobody else."""
    (statements,) = re.findall(r"```sql\n(.*?)```", SETTINGS.read_text(), re.DOTALL)
    for ours in ("lms_owner", "lms_app", "DATABASE lms"):
        assert ours in statements
    statements = statements.replace("lms_", "their_").replace("DATABASE lms", "DATABASE theirs").replace("'..'", "'pw'")
    with tempfile.TemporaryDirectory(prefix="lms-outside-") as directory:
        async with embedded.start(Path(directory), pytestconfig.getoption("--pg-bindir")) as cluster:
            administrator = cluster.dsn(SUPERUSER, password(cluster.secret, SUPERUSER), "postgres")
            connection = await asyncpg.connect(administrator)
            for statement in filter(str.strip, re.sub("--.*", "", statements).split(";")):
                await connection.execute(statement)
            await connection.close()
            yield Database(
                name="theirs",
                owner_dsn=cluster.dsn("their_owner", "pw", "theirs"),
                app_dsn=cluster.dsn("their_app", "pw", "theirs"),
            )


def _lms(database: Database, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lms", *arguments], capture_output=True, text=True, check=False, timeout=90,
        env=_environment(database, tmp_path),
    )  # fmt: skip


def _environment(database: Database, tmp_path: Path) -> dict[str, str]:
    return os.environ | {  # noqa: TID251
        "LMS_DATABASE_URL": database.app_dsn,
        "LMS_MIGRATION_DATABASE_URL": database.owner_dsn,
        "LMS_DATA_DIR": str(tmp_path),
    }


async def test_it_migrates_serves_and_is_healthy(outside: Database, tmp_path: Path):
    migrated = _lms(outside, tmp_path, "migrate", "--json")
    announced, me = _served(outside, tmp_path)
    granted = _lms(outside, tmp_path, "bi", "grant", "analyst", "--json")
    examined = _lms(outside, tmp_path, "doctor", "--json")

    assert json.loads(migrated.stdout)["applied"][0] == "0001_create_event_log"
    assert me["id"] == announced["administrator"]["id"]
    assert granted.returncode == 0, granted.stderr
    assert json.loads(granted.stdout)["database"] == "theirs"
    assert examined.returncode == 0, examined.stdout
    verdicts = {one["what"]: one["verdict"] for one in json.loads(examined.stdout)}
    assert (verdicts["database"], verdicts["rights"], verdicts["migrations"]) == ("ok", "ok", "ok")


def _served(database: Database, tmp_path: Path) -> tuple[Any, Any]:
    """What the server announces, and who its administrator is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "lms", "serve", "--json", "--port", str(port)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env=_environment(database, tmp_path),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        announced = json.loads(process.stdout.readline())
        token = announced["administrator"]["token"]
        asked = urllib.request.Request(announced["url"] + "/v1/me", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            me = json.loads(answer.read())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    return announced, me


async def test_the_application_cannot_change_what_is_recorded(outside: Database, tmp_path: Path):
    assert _lms(outside, tmp_path, "migrate").returncode == 0
    connection = await asyncpg.connect(outside.app_dsn)

    for statement in ("DELETE FROM lms.event", "UPDATE lms.migration SET sha256 = ''", "DROP TABLE lms.event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_a_login_that_may_not_migrate_says_what_it_lacks(outside: Database, tmp_path: Path):
    without = Database(name=outside.name, owner_dsn=outside.app_dsn, app_dsn=outside.app_dsn)

    refused = _lms(without, tmp_path, "migrate")

    assert refused.returncode == 1
    assert "give it CREATEROLE" in refused.stderr
