"""The operator's endpoints of registrations by steps. A contact stands in a body, never in an address, which is logged."""

import re
from typing import Annotated
from urllib.parse import parse_qs

from msgspec import Meta

from regserver.domain.contact import Contact, ContactKey, parse_email, parse_identity, parse_phone
from regserver.domain.operator_outcome import BadContactName, SeveralProviders, StepsNotFound
from regserver.domain.outcome import BadId, BadJson, Refusal
from regserver.domain.room import parse_id
from regserver.endpoint import Request
from regserver.service.operator.steps import StepsDesk
from regserver.service.operator.unit import Denied, KeyHolder
from regserver.web.admin import ask, show_steps
from regserver.web.admin.wanted import LISTED, LimitField
from regserver.web.http.body import Unreadable, read_object
from regserver.web.http.field import described
from regserver.web.http.pipeline import Parameters, RequestBody, pipeline
from regserver.web.http.rate_limit import LimitName
from regserver.web.http.route import Route

LIMIT: LimitName = "operator"
_ID = re.compile("[0-9a-f]{64}", re.ASCII)


class StepsRange(Parameters, frozen=True):
    """Which registrations are listed."""

    after: Annotated[
        show_steps.StepsIdField | None, Meta(description="Only registrations behind this one.")
    ] = None
    limit: LimitField = LISTED


class ContactBody(RequestBody, frozen=True, rename={"is_identity": "identity"}):
    """A contact, as its person gives it. provider: of an identity; with identity, the contact is a service's name for a person."""

    contact: Annotated[str, described("A phone number, an address or an identity.", "+380000000000")]
    is_identity: Annotated[bool, described("Whether it is an identity.", False)] = False
    provider: Annotated[str, described("Of the identity.", "telegram")] | None = None

    @property
    def parsed(self) -> Contact | None:
        """None for what is no contact."""
        return parse_contact(self.contact, self.provider, identity=self.is_identity)


def parse_contact(text: str, provider: str | None, *, identity: bool) -> Contact | None:
    """A contact as an operator names it; None for what is none."""
    if identity:
        return parse_identity(text, provider)
    return parse_email(text) if "@" in text else parse_phone(text)


def read_contact(request: Request) -> ContactBody | Unreadable:
    """Refuses fields of a wrong type."""
    fields = read_object(request)
    if isinstance(fields, Refusal):
        return fields
    contact, identity, provider = (
        fields.get("contact"),
        fields.get("identity", False),
        fields.get("provider"),
    )
    if not isinstance(contact, str) or not isinstance(identity, bool):
        return BadJson()
    if provider is not None and not isinstance(provider, str):
        return BadJson()
    return ContactBody(contact, identity, provider)


def read_steps_range(request: Request) -> StepsRange | BadId:
    """The query of /admin/steps."""
    query = {name: values[-1] for name, values in parse_qs(request.query).items()}
    after = query.get("after")
    if after is not None and not _ID.fullmatch(after):
        return BadId()
    return StepsRange(after, min(max(parse_id(query.get("limit", "")) or LISTED, 1), 1000))


def read_steps_id(request: Request) -> ContactKey:
    """The registration in the path; empty, which none has, for what is no id."""
    text = request.params["steps_id"]
    return ContactKey(bytes.fromhex(text) if _ID.fullmatch(text) else b"")


class StepsAdminApi:
    """The endpoints."""

    def __init__(self, steps: StepsDesk) -> None:
        self._steps = steps

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        key, limit, one = ask.caller, LIMIT, "/admin/steps/{steps_id}"
        found = pipeline(self.find, read_contact, key)
        unlocked = pipeline(self.unlock_contact, read_contact, key)
        by_id = pipeline(self.unlock, read_steps_id, key)
        return (
            Route("admin.steps", "GET", "/admin/steps", pipeline(self.list, read_steps_range, key), limit),
            Route("admin.find_steps", "POST", "/admin/steps/find", found, limit),
            Route("admin.unlock_contact", "POST", "/admin/steps/unlock", unlocked, limit),
            Route("admin.one_steps", "GET", one, pipeline(self.one, read_steps_id, key), limit),
            Route("admin.unlock_steps", "POST", f"{one}/unlock", by_id, limit),
        )

    async def list(self, _: Request, asked: StepsRange, who: KeyHolder) -> show_steps.StepsPage | Denied:
        """List registrations by steps."""
        after = ContactKey(bytes.fromhex(asked.after or ""))
        found = await self._steps.list(who, after, asked.limit + 1)
        if isinstance(found, Refusal):
            return found
        more = len(found) > asked.limit
        return show_steps.StepsPage(tuple(map(show_steps.steps_body, found[: asked.limit])), more)

    async def one(
        self, _: Request, registration: ContactKey, who: KeyHolder
    ) -> show_steps.StepsDetail | Denied | StepsNotFound:
        """Get one registration by steps."""
        found = await self._steps.show_one(who, registration)
        return found if isinstance(found, Refusal) else show_steps.steps_detail(found)

    async def find(
        self, _: Request, body: ContactBody, who: KeyHolder
    ) -> show_steps.StepsDetail | Denied | BadContactName | SeveralProviders:
        """Find the registration by steps of a contact."""
        contact = body.parsed
        if contact is None:
            return BadContactName()
        found = await self._steps.show(who, contact)
        return found if isinstance(found, Refusal) else show_steps.steps_detail(found)

    async def unlock(
        self, _: Request, registration: ContactKey, who: KeyHolder
    ) -> show_steps.StepsDetail | Denied | StepsNotFound:
        """End an unfinished registration by steps, so that its contact can start again at once."""
        found = await self._steps.unlock_one(who, registration)
        return found if isinstance(found, Refusal) else show_steps.steps_detail(found)

    async def unlock_contact(
        self, _: Request, body: ContactBody, who: KeyHolder
    ) -> show_steps.StepsDetail | Denied | BadContactName | SeveralProviders:
        """The same for a contact. Its budgets are reset, too."""
        contact = body.parsed
        if contact is None:
            return BadContactName()
        found = await self._steps.unlock(who, contact)
        return found if isinstance(found, Refusal) else show_steps.steps_detail(found)
