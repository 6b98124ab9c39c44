"""Who may still be read? Every person's texts are sealed under his own key; forgetting him destroys it.

AES-256-GCM with a random 96-bit nonce; the associated data says which field of which event the text belongs to, so
that a box moved elsewhere does not open. Subject keys are wrapped by the organisation's key, which comes from the
master key. Unwrapped keys are kept for seconds only, so that every process forgets soon after one did.
"""

import base64
import hmac
import os
import time
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lms.domain.base import Forgotten, Personal, Sealed
from lms.eventlog.keys import KeyStore
from lms.eventlog.master import MasterKey

_NONCE_BYTES = 12
_DIGEST_BYTES = 16
_GRACE_S = 60.0
_CROWDED = 10_000


class KeyNotPrepared(Exception):  # noqa: N818 - a mistake of the program, not of its user
    """Call `Subjects.prepare` for the subject before sealing its texts."""


class BrokenSeal(Exception):  # noqa: N818 - says that stored data or a key was tampered with
    """A sealed text does not open under its subject's key: it was changed or moved, or the master key is another."""


class _Key(msgspec.Struct, frozen=True):
    cipher: AESGCM
    hmac_key: bytes


class _Cached(msgspec.Struct, frozen=True):
    key: _Key | None
    expires: float


class Subjects:
    """Seals and opens personal texts. ``monotonic`` is a clock in seconds."""

    def __init__(
        self, master: MasterKey, store: KeyStore, *, ttl_s: float = 5.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._master = master
        self._store = store
        self._ttl_s = ttl_s
        self._monotonic = monotonic
        self._cache: dict[tuple[UUID, UUID], _Cached] = {}
        self._organisations: dict[UUID, _Key] = {}

    async def prepare(self, organisation_id: UUID, subject_ids: Iterable[UUID]) -> None:
        """Load or make the subjects' keys, at most one round trip, so that sealing need not wait."""
        missing = self._missing(organisation_id, subject_ids)
        if missing:
            offered = {subject_id: self._new_key(organisation_id, subject_id) for subject_id in missing}
            self._keep(organisation_id, missing, await self._store.ensure(organisation_id, offered))

    def seal(self, organisation_id: UUID, subject_id: UUID, text: str, context: str) -> Sealed | Forgotten:
        """The text under its subject's prepared key. What is said about the forgotten is forgotten at once."""
        key = self._prepared(organisation_id, subject_id)
        if key is None:
            return Forgotten()
        nonce = os.urandom(_NONCE_BYTES)
        box = nonce + key.cipher.encrypt(nonce, text.encode(), context.encode())
        return Sealed(of=subject_id, box=base64.b64encode(box).decode())

    async def open(self, organisation_id: UUID, value: Personal) -> str | None:
        """The text, or None when it is forgotten. Raises BrokenSeal."""
        return (await self.open_all(organisation_id, (value,)))[0]

    async def open_all(self, organisation_id: UUID, values: Sequence[Personal]) -> list[str | None]:
        """The texts in order, None where one is forgotten; at most one round trip. Raises BrokenSeal."""
        missing = self._missing(organisation_id, (value.of for value in values if isinstance(value, Sealed)))
        if missing:
            self._keep(organisation_id, missing, await self._store.fetch(organisation_id, missing))
        return [self._open(organisation_id, value) for value in values]

    async def forget(self, organisation_id: UUID, subject_id: UUID) -> None:
        """Destroy the subject's key: here at once, in other processes within the time keys are kept."""
        await self._store.destroy(organisation_id, subject_id)
        self._cache[organisation_id, subject_id] = _Cached(None, self._monotonic() + self._ttl_s)

    def digest(self, organisation_id: UUID, author: UUID | None, body: bytes) -> bytes:
        """A fingerprint of a request's body (16 bytes) that tells nothing without its author's prepared key."""
        key = self._prepared(organisation_id, author) if author else None
        return hmac.digest((key or self._organisation(organisation_id)).hmac_key, body, "sha256")[:_DIGEST_BYTES]

    def _missing(self, organisation_id: UUID, subject_ids: Iterable[UUID]) -> list[UUID]:
        now = self._monotonic()
        cached = self._cache
        missing = {
            subject_id: None
            for subject_id in subject_ids
            if (entry := cached.get((organisation_id, subject_id))) is None or entry.expires <= now
        }
        return list(missing)

    def _keep(self, organisation_id: UUID, asked: Sequence[UUID], found: dict[UUID, bytes | None]) -> None:
        now = self._monotonic()
        if len(self._cache) > _CROWDED:
            self._cache = {name: entry for name, entry in self._cache.items() if entry.expires + _GRACE_S > now}
        for subject_id in asked:
            wrapped = found.get(subject_id)
            key = None if wrapped is None else self._unwrap(organisation_id, subject_id, wrapped)
            self._cache[organisation_id, subject_id] = _Cached(key, now + self._ttl_s)

    def _prepared(self, organisation_id: UUID, subject_id: UUID) -> _Key | None:
        entry = self._cache.get((organisation_id, subject_id))
        if entry is None:
            raise KeyNotPrepared(str(subject_id))
        return entry.key

    def _open(self, organisation_id: UUID, value: Personal) -> str | None:
        if isinstance(value, str):
            return value
        if isinstance(value, Forgotten):
            return None
        key = self._cache[organisation_id, value.of].key
        if key is None:
            return None
        box = base64.b64decode(value.box)
        try:
            return key.cipher.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], value.context.encode()).decode()
        except InvalidTag as error:
            raise BrokenSeal(value.context) from error

    def _organisation(self, organisation_id: UUID) -> _Key:
        key = self._organisations.get(organisation_id)
        if key is None:
            key = self._organisations[organisation_id] = _key(self._master.derive(f"organisation|{organisation_id}"))
        return key

    def _new_key(self, organisation_id: UUID, subject_id: UUID) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        secret = AESGCM.generate_key(256)
        cipher = self._organisation(organisation_id).cipher
        return nonce + cipher.encrypt(nonce, secret, _key_context(organisation_id, subject_id))

    def _unwrap(self, organisation_id: UUID, subject_id: UUID, wrapped: bytes) -> _Key:
        cipher = self._organisation(organisation_id).cipher
        context = _key_context(organisation_id, subject_id)
        try:
            return _key(cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], context))
        except InvalidTag as error:
            raise BrokenSeal(context.decode()) from error


def _key(secret: bytes) -> _Key:
    return _Key(cipher=AESGCM(secret), hmac_key=hmac.digest(secret, b"digest", "sha256"))


def _key_context(organisation_id: UUID, subject_id: UUID) -> bytes:
    return f"key|{organisation_id}|{subject_id}".encode()
