"""Is the PostgreSQL that the product brings a real one, shared, durable, and gone when its owner is gone?"""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from lms import embedded
from lms.embedded import AlreadyRunning, EmbeddedPostgresError, NotRunning, account, binaries
from lms.embedded.files import Files, Running

OWNER = """
import asyncio, sys, threading
from pathlib import Path
from lms import embedded

async def own():
    async with embedded.start(Path(sys.argv[1])):
        print("running", flush=True)
        await asyncio.sleep(600)

if sys.argv[2] == "main":
    asyncio.run(own())
else:
    threading.Thread(target=lambda: asyncio.run(own())).start()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lms-embedded-"))
    yield directory / "data"
    shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _owner(data_dir: Path, thread: str = "main") -> Iterator[tuple[subprocess.Popen[str], Running]]:
    """Another process that runs the server of a data directory, from its main or another thread."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(data_dir), thread], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "running\n"
        running = Files(data_dir=data_dir.resolve()).running()
        assert running is not None
        yield process, running
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@contextlib.asynccontextmanager
async def _connected(cluster: embedded.Cluster) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cluster.owner_dsn())
    try:
        yield connection
    finally:
        await connection.close()


async def test_what_is_written_is_there_after_a_restart(data_dir: Path):
    async with embedded.start(data_dir) as cluster, _connected(cluster) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")

    async with embedded.start(data_dir) as cluster, _connected(cluster) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7
        assert [await connection.fetchval(f"SHOW {name}") for name in ("fsync", "full_page_writes")] == ["on", "on"]


async def test_nobody_gets_in_without_a_password_and_the_secret_is_its_owners_alone(data_dir: Path):
    async with embedded.start(data_dir) as cluster:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(cluster.dsn("postgres", "guess", "postgres"))
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(cluster.dsn("lms_owner", "guess"))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir() if path.is_file()}
    assert {name: f"{mode:o}" for name, mode in modes.items()} == dict.fromkeys(modes, "600")


async def test_it_listens_on_no_network_address(data_dir: Path):
    async with embedded.start(data_dir) as cluster, _connected(cluster) as connection:
        assert await connection.fetchval("SHOW listen_addresses") == ""


async def test_the_application_is_no_superuser_and_neither_is_who_migrates(cluster: embedded.Cluster):
    async with _connected(cluster) as connection:
        supers = await connection.fetch("SELECT rolname FROM pg_roles WHERE rolsuper")

    assert [row["rolname"] for row in supers] == ["postgres"]


async def test_a_second_process_attaches_to_the_running_server(data_dir: Path):
    with _owner(data_dir) as (_, running):
        with pytest.raises(AlreadyRunning):
            async with embedded.start(data_dir):
                pass
        async with embedded.start_or_attach(data_dir) as cluster, _connected(cluster) as connection:
            assert not cluster.owned
            assert await connection.fetchval("SELECT 1") == 1
        assert not _is_gone(running.postgres_pid)


async def test_who_comes_while_it_starts_waits_and_attaches(data_dir: Path):
    async def one() -> bool:
        async with embedded.start_or_attach(data_dir) as cluster, _connected(cluster) as connection:
            await connection.fetchval("SELECT 1")
            await everybody.wait()
            return cluster.owned

    everybody = asyncio.Barrier(3)

    owned = await asyncio.gather(*(one() for _ in range(3)))

    assert sorted(owned) == [False, False, True]


async def test_who_attaches_to_nothing_is_told_so(data_dir: Path):
    data_dir.mkdir()

    with pytest.raises(NotRunning, match="no PostgreSQL runs"):
        await embedded.attach(data_dir)


@pytest.mark.parametrize("thread", ["main", "another"])
async def test_a_killed_owner_leaves_no_server_behind_and_nothing_committed_is_lost(data_dir: Path, thread: str):
    with _owner(data_dir, thread) as (owner, running):
        cluster = await embedded.attach(data_dir)
        async with _connected(cluster) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
            owner.send_signal(signal.SIGKILL)
            owner.wait()
            await _until(lambda: _is_gone(running.postgres_pid))

    async with embedded.start(data_dir) as cluster, _connected(cluster) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7


async def test_a_new_owner_waits_for_the_server_of_a_killed_one(data_dir: Path):
    with _owner(data_dir) as (owner, running):
        os.kill(running.postgres_pid, signal.SIGSTOP)  # so that it is slow to die
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        successor = asyncio.create_task(_start_and_stop(data_dir))
        done, _ = await asyncio.wait([successor], timeout=0.3)
        assert not done
        os.kill(running.postgres_pid, signal.SIGCONT)

    assert await successor == 1


async def _start_and_stop(data_dir: Path) -> int:
    async with embedded.start(data_dir) as cluster, _connected(cluster) as connection:
        answer: int = await connection.fetchval("SELECT 1")
        return answer


async def test_a_killed_server_is_started_again_and_recovers(data_dir: Path):
    async with embedded.start(data_dir) as cluster:
        async with _connected(cluster) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        first = Files(data_dir=data_dir.resolve()).running()
        assert first is not None
        os.kill(first.postgres_pid, signal.SIGKILL)
        await _until(lambda: Files(data_dir=data_dir.resolve()).running() not in {None, first})

        async with _connected(cluster) as connection:
            assert await connection.fetchval("SELECT n FROM kept") == 7
        assert not cluster.lost.is_set()


async def test_a_pid_file_whose_number_somebody_else_has_now_does_not_keep_it_from_starting(data_dir: Path):
    await _start_and_stop(data_dir)
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    assert await _start_and_stop(data_dir) == 1


async def test_an_initdb_that_was_cut_off_is_begun_anew(data_dir: Path):
    (data_dir / "postgres.new" / "base").mkdir(parents=True)

    assert await _start_and_stop(data_dir) == 1


async def test_a_data_directory_with_a_long_name_has_its_socket_elsewhere(data_dir: Path):
    deep = data_dir / ("long" * 30)

    async with embedded.start(deep) as cluster, _connected(cluster) as connection:
        assert await connection.fetchval("SELECT 1") == 1
        assert len(cluster.host) < 90


async def test_a_server_that_cannot_start_says_why(data_dir: Path):
    await _start_and_stop(data_dir)
    (data_dir / "postgres" / "postgresql.conf").write_text("shared_preload_libraries = 'nothing_like_it'\n")

    with pytest.raises(EmbeddedPostgresError, match="nothing_like_it"):
        await _start_and_stop(data_dir)


async def test_a_directory_without_binaries_is_named(data_dir: Path, tmp_path: Path):
    with pytest.raises(EmbeddedPostgresError, match="LMS_PG_BINDIR"):
        async with embedded.start(data_dir, tmp_path):
            pass


async def test_a_secret_of_another_cluster_is_named(data_dir: Path):
    await _start_and_stop(data_dir)
    (data_dir / "postgres.secret").write_text("of another")

    with pytest.raises(EmbeddedPostgresError, match=r"postgres\.secret"):
        await _start_and_stop(data_dir)


@as_root
async def test_below_a_directory_closed_to_all_but_root_it_works_the_same(data_dir: Path):
    data_dir.mkdir(mode=0o700)

    async with embedded.start(data_dir / "home") as cluster, _connected(cluster) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        running = Files(data_dir=(data_dir / "home").resolve()).running()
        assert running is not None
        assert Path(f"/proc/{running.postgres_pid}").stat().st_uid != 0

    async with embedded.start(data_dir / "home") as cluster, _connected(cluster) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7


@as_root
async def test_binaries_in_a_checkout_closed_to_all_but_root_are_copied_once(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    packaged = binaries.find(None, account.Account(name="root", uid=0, gid=0, switch=False))
    closed = data_dir / "closed" / packaged.parents[1].name
    closed.mkdir(parents=True, mode=0o700)
    data_dir.chmod(0o700)
    shutil.copytree(packaged.parent, closed / packaged.parent.name)
    libraries = packaged.parents[1].with_name(f"{packaged.parents[1].name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, data_dir / "closed" / libraries.name)
    place = Path(tempfile.mkdtemp(prefix="lms-copies-"))
    place.chmod(0o755)
    monkeypatch.setattr(binaries, "_COPIES", (place,))
    bin_dir = closed / packaged.parent.name / packaged.name

    for _ in range(2):
        async with embedded.start(data_dir / "data", bin_dir) as cluster, _connected(cluster) as connection:
            assert await connection.fetchval("SELECT 1") == 1
    copies = list(place.iterdir())
    shutil.rmtree(place)

    assert len(copies) == 1


@as_root
async def test_root_runs_the_server_as_the_owner_of_the_data(data_dir: Path):
    data_dir.mkdir()
    nobody = account.account_for(Path("/"), Path("/nowhere")).uid
    os.chown(data_dir, nobody, nobody)

    async with embedded.start(data_dir):
        running = Files(data_dir=data_dir.resolve()).running()
        assert running is not None
        assert Path(f"/proc/{running.postgres_pid}").stat().st_uid == nobody

    assert {path.stat().st_uid for path in data_dir.iterdir()} == {nobody}
