"""What can be set from outside, under which names, and what holds when nothing is?

The only module that reads the environment. Every setting is `LMS_` and its name here in capitals.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

_PREFIX = "LMS_"
_MISSPELT = 0.85
"""From which likeness on a variable counts as a misspelt setting; what is less alike is somebody else's."""

LogFormat = Literal["auto", "json", "pretty"]
"""``auto``: pretty on a terminal, else JSON."""

LogLevel = Literal["auto", "debug", "info", "warning", "error"]
"""``auto``: info for servers that log to a file or a collector, else warning."""


class ConfigError(Exception):
    """A setting cannot be used; the message names it and says what is expected."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Times are in seconds."""

    database_url: str | None = None
    migration_database_url: str | None = None
    data_dir: Path = Path(".lms")
    pg_bindir: Path | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8000
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None
    master_key_file: Path | None = None
    log_format: LogFormat = "auto"
    log_level: LogLevel = "auto"
    min_group_size: Annotated[int, msgspec.Meta(ge=5)] = 10

    @property
    def master_key_path(self) -> Path:
        """Where the master key is; without the setting it is made in the data directory."""
        return self.master_key_file or self.data_dir / "master.key"

    @property
    def owner_database_url(self) -> str | None:
        """The URL of the login that migrates an external database."""
        return self.migration_database_url or self.database_url


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """The settings from LMS_* and, stronger, the options of the command line (None: not given). Raises ConfigError."""
    source = os.environ if environment is None else environment  # noqa: TID251 - this is the reader
    stated = {name: value for name, value in source.items() if name.startswith(_PREFIX) and value != ""}
    known = {_PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    values: dict[str, Any] = {}
    for name, value in stated.items():
        if name in known:
            values[known[name]] = value
        elif near := difflib.get_close_matches(name, known, 1, cutoff=_MISSPELT):
            raise ConfigError(f"{name} is no setting; is {near[0]} meant?")
    values |= {name: value for name, value in overrides.items() if value is not None}
    return _checked(values)


def _checked(values: Mapping[str, Any]) -> Settings:
    settings = Settings()
    for name, value in values.items():
        field = next(field for field in msgspec.structs.fields(Settings) if field.name == name)
        try:
            converted = msgspec.convert(value, field.type, strict=False, dec_hook=_path)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{_PREFIX}{name.upper()}: {str(error)[:1].lower()}{str(error)[1:]}") from error
        settings = msgspec.structs.replace(settings, **{name: converted})
    return _consistent(settings)


def _consistent(settings: Settings) -> Settings:
    if settings.migration_database_url and not settings.database_url:
        raise ConfigError("LMS_MIGRATION_DATABASE_URL needs LMS_DATABASE_URL, the login of the application")
    if settings.oidc_issuer and not settings.oidc_audience:
        raise ConfigError("LMS_OIDC_ISSUER needs LMS_OIDC_AUDIENCE: a token made for another service must not pass")
    if (settings.oidc_audience or settings.oidc_jwks_url) and not settings.oidc_issuer:
        raise ConfigError("LMS_OIDC_AUDIENCE and LMS_OIDC_JWKS_URL need LMS_OIDC_ISSUER")
    return settings


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value).expanduser()
    if isinstance(value, kind):
        return value
    raise TypeError(f"expected {kind.__name__}")
