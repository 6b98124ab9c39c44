"""As whom does PostgreSQL run, and what can that user reach?

PostgreSQL refuses to run as root. Started by root it runs as the owner of its files, or, in a new data directory,
as the first of a few unprivileged users that machines have. Started by anybody else it runs as him.
"""

import os
import pwd
import stat
from pathlib import Path

import msgspec

from lms.embedded.errors import EmbeddedPostgresError

_CANDIDATES = ("lms", "postgres", "nobody")
"""Who PostgreSQL may run as when root starts it, in order of preference."""


class Account(msgspec.Struct, frozen=True):
    """A user of this machine. ``switch`` tells that this process is root and has to become that user."""

    name: str
    uid: int
    gid: int
    switch: bool

    def reaches(self, path: Path) -> bool:
        """Tell whether the user can enter every directory above ``path`` (modes only; access lists are not read)."""
        if not self.switch:
            return True
        return all(self._enters(directory) for directory in path.resolve().parents)

    def may_read(self, path: Path) -> bool:
        """Tell whether the user reaches ``path`` and its mode lets him read it (and enter it, if a directory)."""
        if not self.switch:
            return True
        needed = stat.S_IROTH | stat.S_IXOTH if path.is_dir() else stat.S_IROTH
        return self.reaches(path) and self._allowed(path, needed)

    def may_execute(self, path: Path) -> bool:
        """Tell whether the user reaches ``path`` and its mode lets him run it."""
        return not self.switch or (self.reaches(path) and self._allowed(path, stat.S_IXOTH))

    def _enters(self, directory: Path) -> bool:
        return self._allowed(directory, stat.S_IXOTH)

    def _allowed(self, path: Path, others_bits: int) -> bool:
        facts = path.stat()
        if facts.st_uid == self.uid:
            return facts.st_mode & (others_bits << 6) == others_bits << 6
        if facts.st_gid == self.gid:
            return facts.st_mode & (others_bits << 3) == others_bits << 3
        return facts.st_mode & others_bits == others_bits

    def give(self, path: Path) -> None:
        """Make the user the owner of a file or directory that this process made."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def account_for(data_dir: Path, cluster_dir: Path) -> Account:
    """The user that runs the server of a data directory.

    Raises EmbeddedPostgresError when the files belong to somebody else or root finds no user to become.
    """
    me = os.geteuid()
    owner = (cluster_dir if cluster_dir.exists() else data_dir).stat().st_uid
    if me != 0:
        if owner != me:
            raise EmbeddedPostgresError(f"{data_dir} belongs to {_name(owner)}: run lms as that user")
        return Account(name=_name(me), uid=me, gid=os.getegid(), switch=False)
    if owner != 0:
        return _becoming(_entry_of(owner))
    for name in _CANDIDATES:
        try:
            return _becoming(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and this machine has none of the users {', '.join(_CANDIDATES)}: "
        "add one (useradd --system lms), or run lms as another user"
    )


def _becoming(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)


def _entry_of(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedPostgresError(f"user {uid}, who owns the data, is not known on this machine") from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
