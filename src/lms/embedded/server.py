"""How is one PostgreSQL started, watched and stopped, so that it never outlives its owner?

Three things end it: the owner stops it; the kernel signals it when the owner's thread dies (Linux); and a small shell
holding the read end of a pipe, whose write end only the owner has, signals it when the pipe closes.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lms.embedded import binaries
from lms.embedded.account import Account
from lms.embedded.errors import EmbeddedPostgresError
from lms.embedded.files import Files, password, write_private

PORT = 5432
SUPERUSER = "postgres"
_LAUNCH = Path(__file__).with_name("launch.py")
_POLL_S = 0.02
_PREDECESSOR_S = 60.0
_START_S = 120.0
_STOP_S = 60.0

_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "200",  # several processes that answer HTTP, a projector, BI tools
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "jit": "off",  # short statements: compiling them costs more than it saves
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %u@%d ",
    "password_encryption": "scram-sha-256",
    "logging_collector": "off",
}

_INITDB = ["--auth=scram-sha-256", "--data-checksums"]

_HBA = """\
# Written by lms at every start: passwords everywhere; over the network only logins for BI, unless on this machine.
local   all  all                       scram-sha-256
host    all  all          127.0.0.1/32 scram-sha-256
host    all  all          ::1/128      scram-sha-256
host    all  +bi_reader   all          scram-sha-256
"""

_GUARD = """\
read word
[ "$word" = done ] && exit 0
for signal in INT QUIT KILL; do
    kill -$signal $1 2>/dev/null || exit 0
    n=0
    while [ $n -lt 30 ]; do
        kill -0 $1 2>/dev/null || exit 0
        sleep 1
        n=$((n + 1))
    done
done
"""


class Server(msgspec.Struct, frozen=True):
    """A running postmaster, a direct child of this process, with the shell that watches over it."""

    process: subprocess.Popen[bytes]
    guard: subprocess.Popen[bytes]
    socket_dir: Path
    port: int
    version: int


def init_cluster(files: Files, bin_dir: Path, account: Account) -> None:
    """Make the cluster, whole or not at all (blocking, about a second)."""
    making = files.data_dir / "postgres.new"
    if making.exists():
        shutil.rmtree(making)  # an initdb that was cut off
    making.mkdir(mode=0o700)
    account.give(making)
    locale = ["--locale=C"]
    if binaries.version_of(bin_dir) >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # upper and lower beyond ASCII
    elif Path("/usr/lib/locale/C.utf8").exists():
        locale += ["--lc-ctype=C.UTF-8"]
    first_password = files.make_socket_dir(account) / ".password"
    write_private(first_password, password(files.secret(), SUPERUSER).encode())
    with _reachable(making, account) as (path, descriptors):
        arguments = [f"--pgdata={path}", f"--username={SUPERUSER}", f"--pwfile={first_password}", "--encoding=UTF8"]
        done = subprocess.run(
            [*_launcher(account), str(bin_dir / "initdb"), *arguments, *locale, *_INITDB], cwd="/", check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, pass_fds=descriptors,
        )  # fmt: skip
    first_password.unlink()
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed: {(done.stderr or done.stdout).strip()}")
    making.rename(files.cluster)


async def start(files: Files, bin_dir: Path, account: Account) -> Server:
    """Start the server and wait until it takes connections. The caller holds the lock of the data directory.

    Waits for a predecessor that is still going down. Raises EmbeddedPostgresError with the end of the server's log.
    """
    await _await_predecessor(files)
    write_private(files.cluster / "pg_hba.conf", _HBA.encode())
    deadline = time.monotonic() + _START_S
    while True:
        log_start = files.log.stat().st_size if files.log.exists() else 0
        server = _spawn(files, bin_dir, account)
        try:
            ready = await _await_ready(server, files, deadline)
        except asyncio.CancelledError:
            await stop(server)
            raise
        if ready:
            return server
        await stop(server)
        said = files.log.read_bytes()[log_start:].decode(errors="replace").strip()
        if time.monotonic() > deadline or "is still in use" not in said:
            raise EmbeddedPostgresError(f"PostgreSQL did not start; {files.log} says:\n{said[-2000:]}")
        await asyncio.sleep(0.2)  # children of a killed predecessor have not noticed yet that it is gone


async def stop(server: Server) -> None:
    """Stop the server cleanly: sessions end, a checkpoint is written; when that takes too long, stop it at once."""
    for number, wait_s in ((signal.SIGINT, _STOP_S), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        if server.process.poll() is not None:
            break
        server.process.send_signal(number)
        deadline = time.monotonic() + wait_s
        while server.process.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110 - a process has no Event
            await asyncio.sleep(_POLL_S)
    server.guard.communicate(b"done\n")  # nothing is left to watch
    with contextlib.suppress(OSError):
        server.socket_dir.rmdir()


def _spawn(files: Files, bin_dir: Path, account: Account) -> Server:
    socket_dir = files.make_socket_dir(account)
    host, port = files.listen() or ("", PORT)
    settings = {**_SETTINGS, "unix_socket_directories": str(socket_dir), "port": str(port), "listen_addresses": host}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log = files.open_log()
    try:
        with _reachable(files.cluster, account) as (path, descriptors):
            process = subprocess.Popen(
                [*_launcher(account), str(bin_dir / "postgres"), "-D", path, *options], cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=descriptors,
            )  # fmt: skip
    finally:
        os.close(log)
    guard = subprocess.Popen(
        [*_launcher(account, watched=False), "/bin/sh", "-c", _GUARD, "lms-guard", str(process.pid)], cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    return Server(process=process, guard=guard, socket_dir=socket_dir, port=port, version=binaries.version_of(bin_dir))


def _launcher(account: Account, *, watched: bool = True) -> list[str]:
    """The command that becomes PostgreSQL. The kernel's signal follows the thread, so only the main one asks for it."""
    user = f"{account.uid}:{account.gid}" if account.switch else "-"
    owner = str(os.getpid()) if watched and threading.current_thread() is threading.main_thread() else "-"
    return [sys.executable, "-I", "-S", str(_LAUNCH), user, owner]


@contextlib.contextmanager
def _reachable(directory: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which the account gets into its own directory, and the descriptors to hand over for it.

    Below a directory that is closed to him (root's home) he goes through a descriptor that root opened.
    """
    if account.reaches(directory):
        yield str(directory.resolve()), ()
        return
    if not Path("/proc/self/fd").is_dir():
        raise EmbeddedPostgresError(
            f"user {account.name}, who runs PostgreSQL, cannot enter {directory}: open the path"
        )
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


async def _await_ready(server: Server, files: Files, deadline: float) -> bool:
    """Wait until the postmaster says "ready" in its pid file; False when it ended, or time is up."""
    pid = str(server.process.pid)
    while server.process.poll() is None and time.monotonic() < deadline:
        lines = _pid_file(files)
        if len(lines) >= 8 and lines[0] == pid and lines[7].strip() == "ready":
            return True
        await asyncio.sleep(_POLL_S)
    return False


async def _await_predecessor(files: Files) -> None:
    """Wait until no postmaster of this cluster is left; its owner is gone, since we hold the lock."""
    deadline = time.monotonic() + _PREDECESSOR_S
    while (lines := _pid_file(files)) and lines[0].strip().isdigit():
        pid = int(lines[0])
        if not _is_alive(pid):
            return  # PostgreSQL itself clears the file away
        if _names_another_program(pid):
            (files.cluster / "postmaster.pid").unlink(missing_ok=True)  # the number is in use again, the server is gone
            return
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"a former PostgreSQL (process {pid}) of {files.data_dir} does not end")
        await asyncio.sleep(_POLL_S)


def _pid_file(files: Files) -> list[str]:
    try:
        return (files.cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _names_another_program(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() != "postgres"
    except OSError:
        return False
