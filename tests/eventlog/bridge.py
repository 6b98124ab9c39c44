"""How do the synchronous recorder interfaces of `eventsourcing` sit on the event log?

The log numbers a stream's versions from 1; the library lets the caller choose where a sequence starts. The bridge
keeps the caller's number in the metadata.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)

from eventlog.builders import ORGANISATION
from lms import clock
from lms.eventlog import log as event_log
from lms.eventlog.log import Append, NewEvent, StaleVersion, Write
from lms.eventlog.postgres import PostgresLog

T = TypeVar("T")

_PAGE = 1_000


class Bridge:
    """A log on an event loop in a thread of its own, called from any thread."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.log = self.call(PostgresLog.connect(dsn))

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self.call(self.log.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class AggregateBridge(AggregateRecorder):
    """Sequences of events over the event log."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        self._insert(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        stored = self._bridge.call(self._bridge.log.streams([originator_id]))[originator_id]
        found = [
            StoredEvent(originator_id, int(event.metadata), event.type, event.data)
            for event in stored
            if (gt is None or int(event.metadata) > gt) and (lte is None or int(event.metadata) <= lte)
        ]
        return found[::-1][:limit] if desc else found[:limit]

    def _insert(self, stored_events: Sequence[StoredEvent]) -> list[int]:
        if not stored_events:
            return []
        sequences = [(key, list(group)) for key, group in groupby(stored_events, lambda event: event.originator_id)]
        writes = tuple(self._write(originator_id, sequence) for originator_id, sequence in sequences)
        try:
            appended = self._bridge.call(self._bridge.log.append(Append(ORGANISATION, clock.uuid7(), writes)))
        except StaleVersion as error:
            raise IntegrityError from error
        return list(range(appended.position - len(stored_events) + 1, appended.position + 1))

    def _write(self, originator_id: UUID | str, sequence: Sequence[StoredEvent]) -> Write:
        first = sequence[0].originator_version
        if [event.originator_version for event in sequence] != list(range(first, first + len(sequence))):
            raise IntegrityError("versions are not consecutive")
        held = self._bridge.call(self._bridge.log.streams([originator_id]))[originator_id]
        start = int(held[0].metadata) if held else first
        new = tuple(NewEvent(event.topic, 1, str(event.originator_version).encode(), event.state) for event in sequence)
        return Write(originator_id, first - start, new)


class ApplicationBridge(AggregateBridge, ApplicationRecorder):
    """The order of the whole log as an application sequence: notification ids are positions."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        return self._insert(stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - (1 if start and inclusive_of_start else 0)
        found: list[Notification] = []
        while len(found) < limit and (page := self._bridge.call(self._bridge.log.feed(after, min(limit, _PAGE)))):
            after = page[-1].position
            found += [_notification(event) for event in page if not topics or event.type in topics]
            if stop is not None and after >= stop:
                break
        return [each for each in found if stop is None or each.id <= stop][:limit]

    def max_notification_id(self) -> int | None:
        return self._bridge.call(self._bridge.log.head()) or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "Subscription[ApplicationRecorder]":
        return Following(self, gt, topics)

    def wait_beyond(self, position: int) -> bool:
        return self._bridge.call(self._bridge.log.wait_beyond(position, 0.5))


class Following(Subscription["ApplicationBridge"]):
    """Notifications as they come."""

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            after = self._last_notification_id
            page = self._recorder.select_notifications(after, 1, topics=self._topics, inclusive_of_start=False)
            if page:
                self._last_notification_id = page[0].id
                return page[0]
            self._recorder.wait_beyond(self._recorder.max_notification_id() or 0)
        raise StopIteration


def _notification(event: event_log.StoredEvent) -> Notification:
    return Notification(event.stream_id, int(event.metadata), event.type, event.data, id=event.position)
