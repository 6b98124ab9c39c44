"""Does each command answer, fail clearly and leave nothing behind?"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from lms.cli import lms as commands

_PATIENCE_S = 90


class Answer(msgspec.Struct):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def lms(*arguments: str, data_dir: Path | None = None, **environment: str) -> Answer:
    """Run a command to its end."""
    where = ["--data-dir", str(data_dir)] if data_dir else []
    done = subprocess.run(
        [sys.executable, "-m", "lms", *arguments, *where], capture_output=True, text=True, timeout=_PATIENCE_S,
        env=os.environ | environment, check=False,  # noqa: TID251
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr)


class Service:
    """A running `lms serve`."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = ["serve", "--json", "--data-dir", str(data_dir), "--port", str(self.port), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lms", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def announced(self) -> Any:
        """What it says when it is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"ended with {self.process.wait()}"
        return json.loads(line)

    def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(timeout=_PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lms-cli-"))
    yield directory / "data"
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def service(data_dir: Path) -> Iterator[Service]:
    started = Service(data_dir)
    yield started
    started.end()


@pytest.fixture(scope="module")
def announced(service: Service) -> Any:
    return service.announced()


def test_an_empty_directory_gets_one_organisation_whose_administrator_can_sign_in(service: Service, announced: Any):
    status, me = service.get("/v1/me", announced["administrator"]["token"])

    assert status == 200
    assert me["id"] == announced["administrator"]["id"]
    assert service.get("/health/ready")[0] == 200
    assert service.get("/v1/me")[0] == 401


def test_a_token_issued_beside_the_running_server_is_good_there(service: Service, data_dir: Path, announced: Any):
    who = announced["administrator"]["id"]

    answer = lms("token", "--contributor", who, "--role", "employee", "--ttl", "5m", "--json", data_dir=data_dir)

    assert answer.code == 0
    assert answer.json["organisation"] == announced["organisation"]
    status, me = service.get("/v1/me", answer.json["token"])
    assert (status, me["id"]) == (200, who)


def test_a_second_organisation_sees_nothing_of_the_first(service: Service, data_dir: Path, announced: Any):
    added = lms("organisations", "add", "Other", "--administrator", "ada@other.example", "--json", data_dir=data_dir)

    assert added.code == 0
    assert added.json["organisation"] != announced["organisation"]
    _, contributors = service.get("/v1/contributors", added.json["administrator"]["token"])
    assert [one["id"] for one in contributors["items"]] == [added.json["administrator"]["id"]]


def test_the_state_of_read_models_is_shown(announced: Any, data_dir: Path):
    answer = lms("projections", "status", "--json", data_dir=data_dir)

    assert answer.code == 0
    assert {"people", "organisations"} <= {one["name"] for one in answer.json}


def test_a_read_model_is_built_anew_beside_the_running_server(announced: Any, data_dir: Path):
    answer = lms("projections", "rebuild", "people", "--json", data_dir=data_dir)

    assert answer.code == 0
    assert json.loads(answer.out.splitlines()[-1])["finished"]


def test_a_doctor_finds_a_running_installation_healthy(announced: Any, data_dir: Path):
    answer = lms("doctor", "--json", data_dir=data_dir)

    assert answer.code == 0, answer.err
    assert {one["verdict"] for one in answer.json} <= {"ok", "warning"}


def test_a_bi_login_gets_in_by_socket_and_by_tcp_until_it_is_revoked(service: Service, announced: Any, data_dir: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    organisation = ["--organisation", announced["organisation"]]

    by_socket = lms("bi", "grant", "analyst", *organisation, "--json", data_dir=data_dir)
    before = _asked(by_socket.json["url"])
    by_tcp = lms("bi", "grant", "analyst", *organisation, "--listen", address, "--json", data_dir=data_dir)
    after = _asked(by_tcp.json["url"])
    revoked = lms("bi", "revoke", "analyst", data_dir=data_dir)

    assert before == after == ("analyst", False)
    assert revoked.code == 0
    assert _asked(by_socket.json["url"]) is None
    assert lms("bi", "revoke", "analyst", data_dir=data_dir).err == "lms: there is no BI login analyst\n"


def _asked(url: str) -> tuple[str, bool] | None:
    """Who the login is and whether it sees the log, in a process of its own; None when it does not get in."""
    script = (
        "import asyncio, asyncpg, json, sys\n"
        "async def ask():\n"
        "    c = await asyncpg.connect(sys.argv[1])\n"
        "    may = \"SELECT has_schema_privilege('lms', 'USAGE') OR has_schema_privilege('read', 'USAGE')\"\n"
        "    sees = await c.fetchval(may)\n"
        "    print(json.dumps([await c.fetchval('SELECT current_user'), sees]))\n"
        "asyncio.run(ask())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, check=False)
    return tuple(json.loads(done.stdout)) if done.returncode == 0 else None


def test_a_port_that_is_taken_is_named(service: Service, announced: Any, tmp_path: Path):
    answer = lms("serve", "--port", str(service.port), data_dir=tmp_path)

    assert answer.code == 1
    assert answer.err == f"lms: cannot serve on 127.0.0.1:{service.port}: Address already in use\n"


def test_who_does_not_exist_gets_no_token(announced: Any, data_dir: Path):
    nobody = "01900000-0000-7000-8000-000000000000"

    answer = lms("token", "--contributor", nobody, "--role", "employee", data_dir=data_dir)

    assert (answer.code, answer.err) == (1, f"lms: there is no contributor {nobody}\n")


def test_with_an_oidc_issuer_no_local_token_is_issued(announced: Any, data_dir: Path):
    answer = lms(
        "token", "--contributor", announced["administrator"]["id"], "--role", "administrator", data_dir=data_dir,
        LMS_OIDC_ISSUER="https://login.example", LMS_OIDC_AUDIENCE="lms",
    )  # fmt: skip

    assert answer.code == 1
    assert answer.err.startswith("lms: tokens come from https://login.example")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("serve", "--nonsense"),
        ("token",),
        ("token", "--contributor", "x", "--role", "employee"),
        ("token", "--contributor", "01900000-0000-7000-8000-000000000000", "--role", "king"),
        ("token", "--contributor", "01900000-0000-7000-8000-000000000000", "--role", "employee", "--ttl", "soon"),
        ("projections", "rebuild", "nonsense"),
        ("bi", "grant", "lms_app"),
        ("bi", "grant", "analyst", "--listen", "nowhere"),
        ("import", "people", "there-is-no-such-file.csv"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]):
    answer = CliRunner().invoke(commands, arguments)

    assert answer.exit_code == 2
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"LMS_PORT": "eighty"}, "lms: LMS_PORT: expected `int`, got `str`\n"),
        ({"LMS_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "lms: the database cannot be reached"),
        ({"LMS_PG_BINDIR": "/nowhere"}, "lms: no PostgreSQL 15 to 18 (initdb, postgres) in /nowhere"),
        ({"LMS_DATA_DIR": "/proc/nowhere"}, "lms: the data directory /proc/nowhere cannot be made"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, environment: dict[str, str], complaint: str):
    answer = lms("migrate", **{"LMS_DATA_DIR": str(tmp_path / "data"), **environment})

    assert answer.code == 1
    assert answer.err.startswith(complaint)
    assert answer.err.count("\n") == 1


def test_help_and_version_need_nothing():
    assert lms("--version", LMS_PORT="eighty").out.startswith("lms ")
    listed = CliRunner().invoke(commands, ["--help"]).stdout
    assert all(name in listed for name in ("serve", "api", "projector", "demo", "migrate", "token", "bi", "doctor"))


def test_stopped_and_killed_it_leaves_no_server_and_starts_again(tmp_path: Path):
    data_dir = tmp_path / "data"
    first = Service(data_dir, "--workers", "2")
    token = first.announced()["administrator"]["token"]
    assert first.get("/v1/me", token)[0] == 200
    assert first.end(signal.SIGINT) == 0
    assert _postgres_of(data_dir) == []

    second = Service(data_dir, "--workers", "2")
    assert "administrator" not in second.announced()
    assert second.get("/v1/me", token)[0] == 200
    second.end(signal.SIGKILL)

    deadline = time.monotonic() + 30
    while _postgres_of(data_dir) or _answers(second.port):
        assert time.monotonic() < deadline, "something was left behind"
        time.sleep(0.05)


def _postgres_of(data_dir: Path) -> list[str]:
    """The processes that belong to a data directory, as the system lists them."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    cluster = data_dir / "postgres" / "postmaster.pid"
    pids = [cluster.read_text().splitlines()[0]] if cluster.exists() else []
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    return alive + [line for line in found.splitlines() if str(data_dir) in line and " -c " not in line]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
