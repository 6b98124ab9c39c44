"""Does a token speak for exactly whom its issuer says, and for nobody when it does not hold?"""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lms import clock, tokens
from lms.domain.base import Role
from lms.tokens import InvalidToken, IssuerUnavailable, LocalTokens, OidcTokens

ORGANISATION = UUID("018f0000-0000-7000-8000-000000000001")
SOMEBODY = UUID("018f0000-0000-7000-8000-000000000002")
ISSUER = "https://login.example"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
LOCAL = LocalTokens(b"k" * 32)


def _keys() -> dict[str, Any]:
    rsa_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key())) | {"kid": "rsa", "alg": "RS256"}
    ec_key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC.public_key())) | {"kid": "ec", "alg": "ES256"}
    return {"keys": [rsa_key, ec_key]}


def _claims(**changed: Any) -> dict[str, Any]:
    claims = {
        "iss": ISSUER,
        "aud": "lms",
        "sub": "user-7",
        "org": str(ORGANISATION),
        "roles": ["employee", "payroll-clerk", "analyst"],
        "exp": clock.now() + timedelta(minutes=5),
    }
    return {name: value for name, value in (claims | changed).items() if value is not None}


def _signed(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "rsa", **changed: Any) -> str:
    return jwt.encode(_claims(**changed), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


class Issuer:
    """Publishes keys, or is away."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {
            f"{ISSUER}/.well-known/openid-configuration": {"jwks_uri": f"{ISSUER}/keys"},
            f"{ISSUER}/keys": _keys(),
        }
        self.asked: list[str] = []

    async def fetch(self, url: str) -> Any:
        self.asked.append(url)
        if url not in self.documents:
            raise OSError("away")
        return self.documents[url]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def oidc(issuer: Issuer) -> OidcTokens:
    return OidcTokens(ISSUER, "lms", f"{ISSUER}/keys", issuer.fetch)


async def test_a_local_token_speaks_for_the_contributor_it_was_issued_to():
    token = LOCAL.issue(ORGANISATION, SOMEBODY, [Role.EMPLOYEE, Role.ANALYST], timedelta(hours=1))

    principal = await LOCAL.verify(token)

    assert (principal.organisation_id, principal.contributor_id) == (ORGANISATION, SOMEBODY)
    assert principal.roles == (Role.EMPLOYEE, Role.ANALYST)


async def test_a_local_token_expires():
    token = LOCAL.issue(ORGANISATION, SOMEBODY, [Role.EMPLOYEE], timedelta(minutes=-5))

    with pytest.raises(InvalidToken, match="expired"):
        await LOCAL.verify(token)


async def test_a_token_of_another_installation_does_not_hold_here():
    token = LocalTokens(b"x" * 32).issue(ORGANISATION, SOMEBODY, [Role.EMPLOYEE], timedelta(hours=1))

    with pytest.raises(InvalidToken, match="signature"):
        await LOCAL.verify(token)


async def test_an_unsigned_token_does_not_hold():
    token = jwt.encode(_claims(iss="lms", aud=None, sub=str(SOMEBODY)), "", algorithm="none")

    with pytest.raises(InvalidToken):
        await LOCAL.verify(token)


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec")])
async def test_a_token_of_the_oidc_issuer_speaks_for_its_subject(oidc: OidcTokens, key: Any, algorithm: str, kid: str):
    principal = await oidc.verify(_signed(key, algorithm, kid))

    assert (principal.issuer, principal.subject, principal.organisation_id) == (ISSUER, "user-7", ORGANISATION)
    assert principal.contributor_id is None
    assert principal.roles == (Role.EMPLOYEE, Role.ANALYST)


@pytest.mark.parametrize(
    "token",
    [
        _signed(aud="payroll"),
        _signed(iss="https://login.elsewhere"),
        _signed(exp=clock.now() - timedelta(minutes=5)),
        _signed(exp=None),
        _signed(sub=None),
        _signed(org=None),
        _signed(org="not an id"),
        _signed(roles="administrator"),
        _signed(kid="unknown"),
        _signed(EC, "ES256", "rsa"),
        _signed(b"k" * 32, "HS256"),
        LOCAL.issue(ORGANISATION, SOMEBODY, [Role.ADMINISTRATOR], timedelta(hours=1)),
        "nonsense",
    ],
)
async def test_any_other_token_does_not_hold(oidc: OidcTokens, token: str):
    with pytest.raises(InvalidToken):
        await oidc.verify(token)


async def test_a_public_key_used_as_a_shared_secret_does_not_hold(oidc: OidcTokens):
    published = _keys()["keys"][0]["n"].encode()

    with pytest.raises(InvalidToken):
        await oidc.verify(_signed(published, "HS256"))


async def test_keys_are_found_through_the_issuer_when_no_address_is_given(issuer: Issuer):
    oidc = OidcTokens(ISSUER, "lms", None, issuer.fetch)

    await oidc.verify(_signed())

    assert issuer.asked == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]


async def test_keys_are_fetched_once_and_strangers_cannot_make_us_knock_again(oidc: OidcTokens, issuer: Issuer):
    await oidc.verify(_signed())
    for number in range(5):
        with pytest.raises(InvalidToken, match="does not publish"):
            await oidc.verify(_signed(kid=f"made-up-{number}"))

    assert issuer.asked == [f"{ISSUER}/keys"]


async def test_an_issuer_that_is_away_is_no_fault_of_the_token(oidc: OidcTokens, issuer: Issuer):
    issuer.documents.clear()

    with pytest.raises(IssuerUnavailable):
        await oidc.verify(_signed())


def test_with_an_oidc_issuer_local_tokens_count_for_nothing():
    assert tokens.verifier(LOCAL, None, None) is LOCAL
    assert isinstance(tokens.verifier(LOCAL, ISSUER, "lms"), OidcTokens)
