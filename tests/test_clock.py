"""Are ids ordered, unique and repeatable?"""

from datetime import UTC, timedelta
from uuid import UUID

import pytest

from lms import clock


def test_now_is_in_utc():
    assert clock.now().tzinfo is UTC
    assert clock.now().utcoffset() == timedelta(0)


def test_ids_made_in_one_process_are_strictly_ordered():
    ids = [clock.uuid7() for _ in range(20_000)]

    assert ids == sorted(set(ids))
    assert {(made.version, made.variant) for made in ids} == {(7, "specified in RFC 4122")}


def test_ids_stay_ordered_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch):
    before = clock.uuid7()
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_000_000_000)

    assert clock.uuid7() > before


def test_an_id_carries_the_millisecond_it_was_made_in():
    earliest = int(clock.now().timestamp() * 1000)
    made = clock.uuid7()
    latest = int(clock.now().timestamp() * 1000)

    assert earliest <= made.int >> 80 <= latest + 1


def test_a_derived_id_is_the_same_for_ever():
    namespace = UUID("018f0000-0000-7000-8000-000000000001")

    assert clock.derived_id(namespace, "stream") == clock.derived_id(namespace, "stream")
    assert clock.derived_id(namespace, "stream") != clock.derived_id(namespace, "link:1")
