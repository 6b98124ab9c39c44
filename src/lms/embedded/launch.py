"""How does a process become a PostgreSQL program that ends with its parent?

Run as a script by a bare interpreter (`python -I -S launch.py`), because code between fork and exec would run beside
the threads of the owner. The order matters: changing the user clears the parent-death signal, so it is set after.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_FAST_SHUTDOWN = signal.SIGINT
_NOT_FOR_POSTGRES = ("LMS_", "PG", "LC_", "LANG")
"""Settings of ours, which may be secrets, and such as would change what PostgreSQL does."""


def main() -> None:
    """Arguments: uid:gid or `-`, the owner's process id or `-`, then the program and its arguments."""
    account, owner, *command = sys.argv[1:]
    if account != "-":
        uid, gid = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if owner != "-":
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _FAST_SHUTDOWN)
        if os.getppid() != int(owner):  # it died before the signal was set
            sys.exit("the process that started PostgreSQL is gone")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_POSTGRES)}  # noqa: TID251
    os.execve(command[0], command, kept)  # noqa: S606 - the program is found by lms.embedded.binaries


if __name__ == "__main__":
    main()
