"""Can a person be forgotten, everywhere and for ever, and nobody else with him?"""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from databases import Database
from lms import clock
from lms.domain.base import Forgotten, Sealed
from lms.eventlog import subjects as subjects_module
from lms.eventlog.keys import KeyStore, MemoryKeys, PostgresKeys
from lms.eventlog.master import MasterKey, MasterKeyUnusable, load_master_key
from lms.eventlog.subjects import BrokenSeal, KeyNotPrepared, Subjects

MASTER = MasterKey(b"m" * 32)
HERE = clock.uuid7()
THERE = clock.uuid7()


@pytest.fixture
async def postgres_keys(shared: Database) -> AsyncIterator[PostgresKeys]:
    pool = await asyncpg.create_pool(  # noqa: TID251
        shared.app_dsn, min_size=1, max_size=2, server_settings={"role": "lms_application"}
    )
    yield PostgresKeys(pool)
    await pool.close()


@pytest.fixture
def memory_keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture(params=["memory_keys", "postgres_keys"])
def keys(request: pytest.FixtureRequest) -> KeyStore:
    return request.getfixturevalue(request.param)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Counted:
    """A key store that knows how often it was asked."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self.asked = 0

    async def fetch(self, *arguments: object) -> object:
        self.asked += 1
        return await self._keys.fetch(*arguments)

    async def ensure(self, *arguments: object) -> object:
        self.asked += 1
        return await self._keys.ensure(*arguments)


async def test_a_sealed_text_opens_for_every_process_with_the_master_key(keys: KeyStore):
    person = clock.uuid7()
    writer, reader = Subjects(MASTER, keys), Subjects(MASTER, keys)
    await writer.prepare(HERE, [person])
    sealed = writer.seal(HERE, person, "naïve 🙂", "context")
    assert isinstance(sealed, Sealed)
    located = Sealed(of=sealed.of, box=sealed.box, context="context")

    assert sealed.context == ""
    assert "naïve" not in sealed.box
    assert await reader.open(HERE, located) == "naïve 🙂"


async def test_the_same_text_never_looks_the_same_twice(keys: KeyStore):
    person = clock.uuid7()
    subjects = Subjects(MASTER, keys)
    await subjects.prepare(HERE, [person])

    assert subjects.seal(HERE, person, "same", "c") != subjects.seal(HERE, person, "same", "c")


async def test_two_processes_that_make_a_key_at_once_agree(keys: KeyStore):
    people = [clock.uuid7() for _ in range(5)]
    first, second = Subjects(MASTER, keys), Subjects(MASTER, keys)
    await first.prepare(HERE, people)
    await second.prepare(HERE, reversed(people))
    for person in people:
        sealed = first.seal(HERE, person, "text", "")
        assert await second.open(HERE, sealed) == "text"


async def test_plain_and_forgotten_texts_open_without_a_key(keys: KeyStore):
    assert await Subjects(MASTER, keys).open_all(HERE, ["plain", Forgotten()]) == ["plain", None]


async def test_a_forgotten_persons_texts_are_gone_and_all_others_stay(keys: KeyStore):
    leaver, stayer = clock.uuid7(), clock.uuid7()
    subjects = Subjects(MASTER, keys)
    await subjects.prepare(HERE, [leaver, stayer])
    await subjects.prepare(THERE, [leaver])
    texts = [subjects.seal(HERE, leaver, "gone", ""), subjects.seal(HERE, stayer, "stays", "")]
    elsewhere = subjects.seal(THERE, leaver, "in another organisation", "")
    await subjects.forget(HERE, leaver)

    assert await subjects.open_all(HERE, texts) == [None, "stays"]
    assert await Subjects(MASTER, keys).open_all(HERE, texts) == [None, "stays"]
    assert await subjects.open(THERE, elsewhere) == "in another organisation"


async def test_a_forgotten_person_never_gets_a_second_key(keys: KeyStore):
    person = clock.uuid7()
    subjects = Subjects(MASTER, keys)
    await subjects.forget(HERE, person)
    await Subjects(MASTER, keys).prepare(HERE, [person])
    later = Subjects(MASTER, keys)
    await later.prepare(HERE, [person])

    assert later.seal(HERE, person, "said later", "") == Forgotten()


async def test_other_processes_forget_within_seconds(keys: KeyStore):
    person, now = clock.uuid7(), Clock()
    here, elsewhere = Subjects(MASTER, keys), Subjects(MASTER, keys, ttl_s=5, monotonic=now)
    await elsewhere.prepare(HERE, [person])
    sealed = elsewhere.seal(HERE, person, "text", "")
    await here.forget(HERE, person)
    now.seconds = 4.9
    assert await elsewhere.open(HERE, sealed) == "text"
    now.seconds = 5.0
    assert await elsewhere.open(HERE, sealed) is None


async def test_a_text_whose_key_was_never_made_is_forgotten(keys: KeyStore):
    assert await Subjects(MASTER, keys).open(HERE, Sealed(of=clock.uuid7(), box="")) is None


async def test_keys_are_asked_for_once_and_then_kept():
    keys = Counted(MemoryKeys())
    people = [clock.uuid7() for _ in range(3)]
    subjects = Subjects(MASTER, keys)
    for _ in range(3):
        await subjects.prepare(HERE, people)
        await subjects.open_all(HERE, [subjects.seal(HERE, person, "text", "") for person in people])
    await subjects.prepare(HERE, [])

    assert keys.asked == 1


async def test_kept_keys_do_not_pile_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(subjects_module, "_CROWDED", 10)
    now = Clock()
    subjects = Subjects(MASTER, MemoryKeys(), monotonic=now)
    await subjects.prepare(HERE, [clock.uuid7() for _ in range(20)])
    now.seconds = 1000
    await subjects.prepare(HERE, [clock.uuid7()])

    assert len(subjects._cache) == 1


async def test_sealing_for_a_stranger_is_a_mistake():
    with pytest.raises(KeyNotPrepared):
        Subjects(MASTER, MemoryKeys()).seal(HERE, clock.uuid7(), "text", "")


async def test_a_changed_or_moved_box_does_not_open(keys: KeyStore):
    person, other = clock.uuid7(), clock.uuid7()
    subjects = Subjects(MASTER, keys)
    await subjects.prepare(HERE, [person, other])
    sealed = subjects.seal(HERE, person, "text", "where it belongs")

    for forged in (
        Sealed(of=person, box=sealed.box, context="elsewhere"),
        Sealed(of=other, box=sealed.box, context="where it belongs"),
        Sealed(of=person, box="A" + sealed.box[1:], context="where it belongs"),
    ):
        if forged.box != sealed.box or forged.of != person or forged.context != "where it belongs":
            with pytest.raises(BrokenSeal):
                await subjects.open(HERE, forged)
    assert await subjects.open(HERE, Sealed(of=person, box=sealed.box, context="where it belongs")) == "text"


async def test_keys_do_not_unwrap_under_another_master_key_or_for_another_subject(keys: KeyStore):
    person = clock.uuid7()
    await Subjects(MASTER, keys).prepare(HERE, [person])

    with pytest.raises(BrokenSeal):
        await Subjects(MasterKey(b"n" * 32), keys).open(HERE, Sealed(of=person, box=""))


async def test_a_digest_tells_bodies_apart_and_is_its_authors_own():
    author, other = clock.uuid7(), clock.uuid7()
    subjects = Subjects(MASTER, MemoryKeys())
    await subjects.prepare(HERE, [author, other])
    digest = subjects.digest(HERE, author, b'{"note":"x"}')

    assert len(digest) == 16
    assert digest == subjects.digest(HERE, author, b'{"note":"x"}')
    assert digest != subjects.digest(HERE, author, b'{"note":"y"}')
    assert digest != subjects.digest(HERE, other, b'{"note":"x"}')
    assert digest != subjects.digest(HERE, None, b'{"note":"x"}')
    assert subjects.digest(HERE, None, b"x") != subjects.digest(THERE, None, b"x")


async def test_a_forgotten_authors_digest_is_no_longer_his():
    author = clock.uuid7()
    subjects = Subjects(MASTER, MemoryKeys())
    await subjects.prepare(HERE, [author])
    before = subjects.digest(HERE, author, b"body")
    await subjects.forget(HERE, author)

    assert subjects.digest(HERE, author, b"body") == subjects.digest(HERE, None, b"body") != before


async def test_the_application_sees_keys_only_wrapped(postgres_keys: PostgresKeys):
    person = clock.uuid7()
    subjects = Subjects(MASTER, postgres_keys)
    await subjects.prepare(HERE, [person])
    (wrapped,) = (await postgres_keys.fetch(HERE, [person])).values()

    assert len(wrapped) == 12 + 32 + 16


def test_a_master_key_gives_one_key_per_purpose():
    assert len(MASTER.derive("tokens")) == 32
    assert MASTER.derive("tokens") == MasterKey(b"m" * 32).derive("tokens")
    assert MASTER.derive("tokens") != MASTER.derive("other")
    assert MASTER.derive("tokens") != MasterKey(b"n" * 32).derive("tokens")


def test_a_master_key_is_made_once_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "master.key"
    made = load_master_key(path, generate=True)
    again = load_master_key(path, generate=True)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.derive("x") == again.derive("x") == load_master_key(path).derive("x")
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_who_make_the_master_key_at_once_one_wins_for_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "master.key"
    real = os.link

    def too_late(draft: Path, target: Path) -> None:
        target.write_bytes(b"w" * 32)
        target.chmod(0o600)
        real(draft, target)

    monkeypatch.setattr(os, "link", too_late)

    assert load_master_key(path, generate=True).derive("x") == MasterKey(b"w" * 32).derive("x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_master_key_that_others_can_reach_is_refused_in_one_line(tmp_path: Path, mode: int):
    path = tmp_path / "master.key"
    path.write_bytes(b"m" * 32)
    path.chmod(mode)

    with pytest.raises(
        MasterKeyUnusable, match=rf"^master key .*others can reach it \(mode {mode:04o}\); run: chmod 600"
    ):
        load_master_key(path)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_master_key_of_another_length_is_refused_in_one_line(tmp_path: Path, length: int):
    path = tmp_path / "master.key"
    path.write_bytes(b"m" * length)
    path.chmod(0o600)

    with pytest.raises(MasterKeyUnusable, match=r"it must hold exactly 32 bytes$"):
        load_master_key(path)


def test_a_missing_master_key_is_named(tmp_path: Path):
    with pytest.raises(MasterKeyUnusable, match=r"master\.key: No such file or directory$"):
        load_master_key(tmp_path / "master.key")
    with pytest.raises(MasterKeyUnusable, match=r"No such file or directory$"):
        load_master_key(tmp_path / "nowhere" / "master.key", generate=True)


def test_a_short_secret_is_no_master_key():
    with pytest.raises(MasterKeyUnusable, match=r"32 bytes, this one has 3"):
        MasterKey(b"abc")
