"""Where does an embedded PostgreSQL keep what, and who may read it?

In the data directory: `postgres/` (the cluster), `postgres.lock` (held by the process that runs the server),
`postgres.json` (how to reach the running server), `postgres.secret` (mode 0600; logins' passwords derive from it),
`postgres.log`, and `postgres.listen` (the TCP address asked for, if any).
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

import msgspec

from lms.embedded.account import Account
from lms.embedded.errors import EmbeddedPostgresError

_LONGEST_SOCKET_DIR = 88
"""Bytes: a socket's address holds 107, of which PostgreSQL takes some for the name and its lock file."""
_LARGEST_LOG = 16 * 1024 * 1024


class Running(msgspec.Struct, frozen=True):
    """How to reach the running server, as its owner wrote it down."""

    owner_pid: int
    postgres_pid: int
    socket_dir: str
    port: int
    version: int


class Files(msgspec.Struct, frozen=True):
    """The places of one data directory."""

    data_dir: Path

    @property
    def cluster(self) -> Path:
        """The directory that PostgreSQL calls PGDATA."""
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.data_dir / "postgres.log"

    def socket_dir(self, account: Account) -> Path:
        """A directory for the sockets: short enough, and one that others may enter when root starts the server."""
        inside = self.data_dir / "run"
        if not account.switch and len(os.fsencode(inside)) <= _LONGEST_SOCKET_DIR:
            return inside
        name = "lms-" + hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        run = Path("/run")
        if account.switch and os.access(run, os.W_OK):
            return run / name
        return Path(tempfile.gettempdir()) / f"{name}-{account.uid}"

    def make_socket_dir(self, account: Account) -> Path:
        """The directory for the sockets, there and owned by the server's user."""
        place = self.socket_dir(account)
        place.mkdir(mode=0o755, exist_ok=True)
        facts = place.lstat()
        if place.is_symlink() or facts.st_uid not in {account.uid, os.geteuid()}:
            raise EmbeddedPostgresError(f"{place}, where PostgreSQL's socket belongs, is somebody else's: remove it")
        place.chmod(0o755)
        account.give(place)
        return place

    def secret(self) -> str:
        """The secret of this cluster. Raises EmbeddedPostgresError when it is not there or not ours to read."""
        try:
            return (self.data_dir / "postgres.secret").read_text().strip()
        except OSError as error:
            raise EmbeddedPostgresError(f"the secret of the database cannot be read: {error}") from error

    def make_secret(self) -> None:
        """Make the secret, once."""
        path = self.data_dir / "postgres.secret"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32).encode())

    def running(self) -> Running | None:
        """What the owner wrote down, None when nothing (legible) is there."""
        try:
            return msgspec.json.decode((self.data_dir / "postgres.json").read_bytes(), type=Running)
        except (OSError, msgspec.MsgspecError):
            return None

    def write_running(self, running: Running) -> None:
        """Write down how to reach the server, at once or not at all."""
        write_private(self.data_dir / "postgres.json", msgspec.json.encode(running))

    def forget_running(self) -> None:
        """The server is gone."""
        (self.data_dir / "postgres.json").unlink(missing_ok=True)

    def listen(self) -> tuple[str, int] | None:
        """The TCP address asked for, None for sockets alone."""
        try:
            host, _, port = (self.data_dir / "postgres.listen").read_text().strip().rpartition(":")
            return host.strip("[]"), int(port)
        except (OSError, ValueError):
            return None

    def ask_to_listen(self, address: tuple[str, int] | None) -> None:
        """Ask for a TCP address, for good; None for sockets alone. Who runs the server sees it within a second."""
        path = self.data_dir / "postgres.listen"
        if address is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, f"{address[0]}:{address[1]}".encode())

    def open_log(self) -> int:
        """A descriptor that appends to the log; a log grown large is put aside first."""
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        return open_private(self.log, os.O_WRONLY | os.O_APPEND)


def password(secret: str, login: str) -> str:
    """The password of one login of the cluster: knowing one tells nothing about another."""
    return hmac.new(secret.encode(), login.encode(), "sha256").hexdigest()


def open_private(path: Path, flags: int) -> int:
    """Open or make a file that only the owner of its directory reads; links are not followed (root may write)."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def write_private(path: Path, content: bytes) -> None:
    """Write such a file so that a reader sees all of it or none."""
    making = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(open_private(making, os.O_WRONLY | os.O_TRUNC), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    making.replace(path)


class DataDirLock:
    """Held by the process that runs the server of a data directory; the kernel lets go of it when the process ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "postgres.lock"
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock; False when another process holds it."""
        descriptor = open_private(self._path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
