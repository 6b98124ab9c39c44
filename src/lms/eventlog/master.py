"""From which one secret do all keys of an installation come?"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


class MasterKeyUnusable(Exception):  # noqa: N818 - shown to the operator as it stands
    """The master key file cannot be used; the message says why in one line."""


class MasterKey:
    """The secret that organisation keys and the local token key are derived from."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise MasterKeyUnusable(f"a master key has {KEY_BYTES} bytes, this one has {len(secret)}")
        self._secret = secret

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose; knowing it tells nothing about other purposes (HKDF-SHA256)."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(self._secret)


def load_master_key(path: Path, *, generate: bool = False) -> MasterKey:
    """The master key in a file that only its owner can read, made first if asked. Raises MasterKeyUnusable."""
    if generate and not path.exists():
        _generate(path)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            secret = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise MasterKeyUnusable(f"master key {path}: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise MasterKeyUnusable(f"master key {path}: others can reach it (mode {mode:04o}); run: chmod 600 {path}")
    if len(secret) != KEY_BYTES:
        raise MasterKeyUnusable(f"master key {path}: it must hold exactly {KEY_BYTES} bytes")
    return MasterKey(secret)


def _generate(path: Path) -> None:
    """Make the file whole or not at all; of several processes that try at once, one wins for all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        raise MasterKeyUnusable(f"master key {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
