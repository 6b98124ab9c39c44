"""Does the log pass the test cases that `eventsourcing` ships for its recorders?"""

import threading
from collections.abc import Iterator

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, StoredEvent
from eventsourcing.tests import persistence as shipped

from databases import Database
from eventlog.bridge import AggregateBridge, ApplicationBridge, Bridge
from lms import clock


@pytest.fixture
def bridge(database: Database) -> Iterator[Bridge]:
    opened = Bridge(database.app_dsn)
    yield opened
    opened.close()


class OnTheLog:
    """Gives every shipped test a log on a fresh database."""

    @pytest.fixture(autouse=True)
    def _bridge(self, bridge: Bridge) -> None:
        self.bridge = bridge


class TestAggregateRecorder(OnTheLog, shipped.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return AggregateBridge(self.bridge)


class TestApplicationRecorder(OnTheLog, shipped.ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return ApplicationBridge(self.bridge)


class TestNonInterleavingNotificationIDs(OnTheLog, shipped.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return ApplicationBridge(self.bridge)


def test_a_subscription_follows_the_log(bridge: Bridge):
    recorder = ApplicationBridge(bridge)
    stream = clock.uuid7()
    recorder.insert_events([StoredEvent(stream, 1, "one", b"1"), StoredEvent(stream, 2, "two", b"2")])
    late = threading.Timer(0.05, recorder.insert_events, [[StoredEvent(stream, 3, "one", b"3")]])

    with recorder.subscribe(gt=1) as everything, recorder.subscribe(topics=["one"]) as some:
        late.start()
        assert [next(everything).state for _ in range(2)] == [b"2", b"3"]
        assert [next(some).state for _ in range(2)] == [b"1", b"3"]
    assert list(everything) == []
