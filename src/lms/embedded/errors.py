"""What can go wrong with an embedded PostgreSQL?"""


class EmbeddedPostgresError(Exception):
    """PostgreSQL cannot be started, or attached to; the message says why and what to do."""


class AlreadyRunning(EmbeddedPostgresError):  # noqa: N818 - a state, not a fault: attach instead
    """Another process runs the PostgreSQL of this data directory."""


class NotRunning(EmbeddedPostgresError):  # noqa: N818 - a state, not a fault: start it instead
    """No process runs the PostgreSQL of this data directory."""
