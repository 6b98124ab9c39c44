"""What does a test know about its database?"""

import msgspec


class Database(msgspec.Struct, frozen=True):
    """A database of its own: the login that migrates and owns, and the one of the application."""

    name: str
    owner_dsn: str
    app_dsn: str
