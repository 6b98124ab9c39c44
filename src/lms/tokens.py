"""Who does this token speak for, in which organisation, with which roles, and who may issue one?

With an OIDC issuer configured its tokens count, and no others. Without one the installation issues its own, signed
with a key derived from the master key.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import jwt
import msgspec
import structlog

from lms import clock
from lms.domain.base import Role

LOCAL_ISSUER = "lms"
KEY_PURPOSE = "token"
"""What the local key is derived for: ``MasterKey.derive(KEY_PURPOSE)``."""

_LEEWAY_S = 30
_OIDC_ALGORITHMS = ["RS256", "ES256"]
_KEYS_FRESH_S = 600.0
_KEYS_RETRY_S = 10.0
_FETCH_TIMEOUT_S = 5.0
_LARGEST_ANSWER = 1 << 20

log = structlog.get_logger(__name__)


class InvalidToken(Exception):  # noqa: N818 - an answer to the client, who reads the reason
    """The token does not hold; the message says why, without showing it."""


class IssuerUnavailable(Exception):  # noqa: N818 - a state of the world: try again later
    """The keys of the OIDC issuer cannot be fetched, so its tokens cannot be checked now."""


class LocalIssuerRefused(Exception):  # noqa: N818 - an answer to the operator
    """An OIDC issuer is configured: tokens come from there and from nowhere else."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token speaks for. ``subject`` is the contributor's id when the installation issued the token itself."""

    organisation_id: UUID
    issuer: str
    subject: str
    roles: tuple[Role, ...]
    contributor_id: UUID | None = None


class TokenVerifier(Protocol):
    """Tells whom a token speaks for."""

    async def verify(self, token: str) -> Principal:
        """The principal. Raises InvalidToken, IssuerUnavailable."""


class LocalTokens:
    """Issues and verifies tokens under the installation's own key (HS256)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, organisation_id: UUID, contributor_id: UUID, roles: Iterable[Role], ttl: timedelta) -> str:
        """A token that holds for ``ttl``."""
        issued = clock.now()
        claims = {
            "iss": LOCAL_ISSUER,
            "sub": str(contributor_id),
            "org": str(organisation_id),
            "roles": [str(role) for role in roles],
            "iat": issued,
            "exp": issued + ttl,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    async def verify(self, token: str) -> Principal:
        """The principal. Raises InvalidToken."""
        claims = _decoded(token, self._key, ["HS256"], issuer=LOCAL_ISSUER, audience=None)
        principal = _principal(claims)
        try:
            return msgspec.structs.replace(principal, contributor_id=UUID(principal.subject))
        except ValueError:
            raise InvalidToken("the claim sub is no contributor id") from None


Fetch = Callable[[str], Awaitable[Any]]
"""Fetches and parses a JSON document by URL; raises OSError or ValueError."""


class OidcTokens:
    """Verifies tokens of an OIDC issuer (RS256, ES256) with the keys it publishes."""

    def __init__(self, issuer: str, audience: str, jwks_url: str | None = None, fetch: Fetch | None = None) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = _IssuerKeys(issuer, jwks_url, fetch or fetch_json)

    async def verify(self, token: str) -> Principal:
        """The principal. Raises InvalidToken, IssuerUnavailable."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise InvalidToken(f"this is no token: {error}") from None
        if header.get("alg") not in _OIDC_ALGORITHMS:
            raise InvalidToken("the token must be signed with RS256 or ES256")
        key = await self._keys.find(header.get("kid"))
        return _principal(_decoded(token, key, _OIDC_ALGORITHMS, issuer=self._issuer, audience=self._audience))


class _IssuerKeys:
    """The issuer's public keys, fetched when they are old or an unknown one is named, but not at every knock."""

    def __init__(self, issuer: str, url: str | None, fetch: Fetch) -> None:
        self._issuer = issuer
        self._url = url
        self._fetch = fetch
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> jwt.PyJWK:
        if key_id not in self._keys or time.monotonic() - self._fetched > _KEYS_FRESH_S:
            await self._refresh()
        if not self._keys:
            raise IssuerUnavailable(f"the keys of {self._issuer} cannot be fetched")
        found = self._keys.get(key_id)
        if found is None:
            raise InvalidToken("the token names a key that its issuer does not publish")
        return found

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._tried < _KEYS_RETRY_S:
                return
            self._tried = time.monotonic()
            try:
                if self._url is None:
                    about = await self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                    self._url = str(about["jwks_uri"])
                keys = jwt.PyJWKSet.from_dict(await self._fetch(self._url)).keys
            except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
                log.warning("issuer's keys not fetched", issuer=self._issuer, error=type(error).__name__)
                return  # the keys at hand stay good; without any, find() says so
            self._keys = {key.key_id: key for key in keys}
            if len(keys) == 1:
                self._keys[None] = keys[0]  # a lone key need not be named
            self._fetched = time.monotonic()


def verifier(
    local: LocalTokens, issuer: str | None, audience: str | None, jwks_url: str | None = None
) -> LocalTokens | OidcTokens:
    """What verifies tokens: the OIDC issuer when one is configured, else the installation itself."""
    if issuer is None:
        return local
    return OidcTokens(issuer, audience or "", jwks_url)


async def fetch_json(url: str) -> Any:
    """The JSON document at an http or https URL. Raises OSError, ValueError."""
    return await asyncio.to_thread(_fetch_json, url)


def _fetch_json(url: str) -> Any:
    if not url.startswith(("https://", "http://")):
        raise ValueError("an issuer is reached by https")
    with urllib.request.urlopen(url, timeout=_FETCH_TIMEOUT_S) as answer:  # noqa: S310 - the scheme is checked above
        return json.loads(answer.read(_LARGEST_ANSWER))


def _decoded(
    token: str, key: bytes | jwt.PyJWK, algorithms: list[str], *, issuer: str, audience: str | None
) -> Mapping[str, Any]:
    try:
        return jwt.decode(
            token,
            key,
            algorithms=algorithms,
            issuer=issuer,
            audience=audience,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "sub", "org"], "verify_aud": audience is not None},
        )
    except jwt.ExpiredSignatureError:
        raise InvalidToken("the token has expired") from None
    except jwt.MissingRequiredClaimError as error:
        raise InvalidToken(f"the claim {error.claim} is missing") from None
    except jwt.InvalidTokenError as error:
        raise InvalidToken(str(error).lower() or "the token does not hold") from None


def _principal(claims: Mapping[str, Any]) -> Principal:
    roles = claims.get("roles", [])
    try:
        organisation_id = UUID(str(claims["org"]))
    except ValueError:
        raise InvalidToken("the claim org is no organisation id") from None
    if not isinstance(roles, list):
        raise InvalidToken("the claim roles must be a list")
    known = {str(role): role for role in Role}
    return Principal(
        organisation_id=organisation_id,
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        roles=tuple(known[role] for role in roles if role in known),  # an issuer may know roles of other services
    )
