"""How is the append path doing? Plain counters, read by whoever exports them."""

import msgspec


class Metrics(msgspec.Struct):
    """Totals since the start; times in seconds. Divide by ``batches`` for means."""

    batches: int = 0
    commands: int = 0
    events: int = 0
    stale: int = 0
    duplicates: int = 0
    rejected: int = 0
    overloads: int = 0
    unavailable: int = 0
    reconnects: int = 0
    lock_wait_s: float = 0.0
    commit_s: float = 0.0
    largest_batch: int = 0
    waiting: int = 0
    waiting_bytes: int = 0
