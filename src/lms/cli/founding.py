"""How does an organisation come to be on this installation, and how does its administrator sign in?"""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lms import clock
from lms.api.identities import EmailInUse, Identities
from lms.app import Core
from lms.dispatch import Request
from lms.domain.base import SYSTEM, Role
from lms.domain.founding import Founding, found_organisation

ADMINISTRATOR_ROLES = (Role.EMPLOYEE, Role.ADMINISTRATOR)
TOKEN_TTL = timedelta(days=7)


class Founded(msgspec.Struct, frozen=True):
    """A new organisation. ``token`` is absent where an OIDC issuer issues tokens."""

    organisation: UUID
    name: str
    administrator: UUID
    token: str | None

    def as_json(self) -> dict[str, Any]:
        """What programs read."""
        return {
            "organisation": self.organisation,
            "administrator": {"id": self.administrator, "token": self.token},
        }

    def tell(self, base: str | None = None) -> str:
        """What people read."""
        lines = [
            f"Organisation {self.name}: {self.organisation}",
            f"Administrator: {self.administrator}",
        ]
        if self.token is not None:
            lines += [f"Token of the administrator, for {TOKEN_TTL.days} days:", "", self.token, ""]
            lines.append(f"Another one later: lms token --contributor {self.administrator} --role administrator")
        if base is not None and self.token is not None:
            lines.append(f'Who am I: curl -H "Authorization: Bearer {self.token}" {base}/v1/me')
        return "\n".join(lines)


async def found_first(opened: Core) -> Founded | None:
    """The first organisation of an empty installation; None where there is one already.

    Its id comes from the master key, so that processes that start at once make one organisation, and a founding that
    was cut off is taken up.
    """
    organisation_id = UUID(bytes=opened.master.derive("first-organisation")[:16], version=5)
    founding = Founding(organisation_id=organisation_id, name="My organisation")
    if await opened.log.head() > 0:
        streams = await opened.log.streams([organisation_id, founding.administrator_id])
        if not streams[organisation_id] or streams[founding.administrator_id]:
            return None
    return await found(opened, founding)


async def found(opened: Core, founding: Founding, subject: str | None = None) -> Founded:
    """Make an organisation with its defaults and its administrator.

    ``subject`` is the administrator's name at the OIDC issuer. Raises EmailInUse, IdentityInUse and refusals.
    """
    organisation_id, zone = founding.organisation_id, ZoneInfo(founding.time_zone)
    now = clock.now()
    identities = Identities(opened.subjects, opened.reads)
    if founding.administrator_email is not None:
        owner = await identities.claim_email(organisation_id, founding.administrator_email, founding.administrator_id)
        if owner != founding.administrator_id:
            raise EmailInUse
    for step in found_organisation(founding, now.astimezone(zone).date()):
        request = Request(
            organisation_id=organisation_id,
            actor=SYSTEM,
            command_id=clock.derived_id(organisation_id, f"founding|{step.name}"),
            time_zone=zone,
            at=now,
        )
        await opened.dispatch.send(step.kind, step.stream_id, step.command, request)
    issuer = opened.settings.oidc_issuer
    if issuer and subject:
        await identities.bind_subject(organisation_id, issuer, subject, founding.administrator_id)
    token = None
    if issuer is None:
        token = opened.local_tokens.issue(organisation_id, founding.administrator_id, ADMINISTRATOR_ROLES, TOKEN_TTL)
    return Founded(organisation_id, founding.name, founding.administrator_id, token)
