"""The door of the registration steps: JSON-RPC methods on `POST /rpc` and `POST /`."""

from collections.abc import Callable, Mapping
from typing import Any

from regserver import errors
from regserver.domain import outcome as o
from regserver.domain.contact import Contact, parse_email, parse_identity, parse_phone
from regserver.domain.instant import iso_millis
from regserver.domain.key import format_public_key, parse_public_key
from regserver.domain.steps import BadContact, StepRefusal
from regserver.endpoint import Request, Response
from regserver.ports.steps import CaptchaType
from regserver.service.onboarding import MIN_COMMUNITIES, OnboardingService
from regserver.service.steps import Proposal, Standing, StepsService
from regserver.web import steps_wire as wire
from regserver.web.answer import NO_CONTENT, retry_after
from regserver.web.body import content_type
from regserver.web.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    TOO_MANY_REQUESTS,
    Method,
    Rpc,
    RpcError,
    error_body,
    invalid_params,
)
from regserver.web.openrpc import describe
from regserver.web.route import Answer, Route
from regserver.web.steps_method import methods
from regserver.web.steps_wire import error_of

Begin = wire.FirstStepParams | wire.FirstStepEmailParams
Guess = wire.VerifyParams | wire.VerifyEmailParams
_PLATFORMS: dict[str, CaptchaType] = {"web": "web", "android": "android", "ios": "ios"}
CONTACTS = ("phone", "email", "identity")
CONTENT_TYPES = frozenset({"", "application/json", "application/json-rpc", "application/jsonrequest"})


class StepsDoor:
    """Refusals that concern no single call, as JSON-RPC replies with the id null."""

    def refuse(self, refusal: o.Refusal) -> Response:
        match refusal:
            case o.BadJson():
                error = PARSE_ERROR
            case o.TooManyRequests():
                error = TOO_MANY_REQUESTS
            case o.InternalError() | o.StoreUnavailable():
                error = INTERNAL_ERROR
            case _:
                error = INVALID_REQUEST
        return Response(
            status=errors.STATUS[type(refusal)], body=error_body(error), headers=retry_after(refusal)
        )


DOOR = StepsDoor()


class StepsMethods:
    """One function per method: parameters to the service's types, its outcome to a result or an error."""

    def __init__(
        self, service: StepsService, onboarding: OnboardingService, on_curve: Callable[[bytes], bool]
    ) -> None:
        self._service = service
        self._onboarding = onboarding
        self._on_curve = on_curve

    async def get_state(self, params: wire.ContactParams, _: Request) -> object:
        contact = _contact(params)
        if isinstance(contact, RpcError):
            return contact
        standing = await self._service.state(contact, params.token)
        if isinstance(standing, StepRefusal):
            return error_of(standing)
        found = standing.registration
        result = wire.StateResult(current_state=found.state)
        if found.state == "toBlockChain" and found.user_id is not None and found.username is not None:
            chosen = wire.Chosen(user_id=found.user_id, username=found.username)
            result = wire.StateResult(current_state=found.state, data=chosen)
        return result

    async def first_step(self, params: wire.FirstStepParams, request: Request) -> object:
        return await self._begin(parse_phone(params.phone), params, request)

    async def first_step_email(self, params: wire.FirstStepEmailParams, request: Request) -> object:
        return await self._begin(parse_email(params.email), params, request)

    async def _begin(self, contact: Contact | None, params: Begin, request: Request) -> object:
        if contact is None:
            return error_of(BadContact())
        platform = _PLATFORMS.get(params.captcha_type, "web")
        outcome = await self._service.first_step(
            contact, params.captcha, platform, request.client or request.peer
        )
        return _sent(contact, outcome)

    async def resend_sms(self, params: wire.PhoneParams, request: Request) -> object:
        contact = parse_phone(params.phone)
        return invalid_params("phone") if contact is None else await self._resend(contact, request)

    async def resend_email(self, params: wire.EmailParams, request: Request) -> object:
        contact = parse_email(params.email)
        return invalid_params("email") if contact is None else await self._resend(contact, request)

    async def _resend(self, contact: Contact, request: Request) -> object:
        return _sent(contact, await self._service.resend(contact, request.client or request.peer))

    async def verify(self, params: wire.VerifyParams, _: Request) -> object:
        contact = parse_phone(params.phone)
        return invalid_params("phone") if contact is None else await self._verify(contact, params)

    async def verify_email(self, params: wire.VerifyEmailParams, _: Request) -> object:
        contact = parse_email(params.email)
        return invalid_params("email") if contact is None else await self._verify(contact, params)

    async def _verify(self, contact: Contact, params: Guess) -> object:
        return _verified(await self._service.verify(contact, params.code, params.want_token))

    async def create_identity(self, params: wire.CreateIdentityParams, _: Request) -> object:
        contact = parse_identity(params.identity, params.provider)
        if contact is None:
            return invalid_params("identity")
        return _verified(await self._service.create_identity(contact, params.secure_key, params.want_token))

    async def set_username(self, params: wire.SetUsernameParams, _: Request) -> object:
        contact = _contact(params)
        if isinstance(contact, RpcError):
            return contact
        outcome = await self._service.set_username(contact, params.username, params.token)
        if isinstance(outcome, StepRefusal):
            return error_of(outcome, contact.kind)
        found = outcome.registration
        return wire.UsernameResult(current_state=found.state, user_id=found.user_id or "")

    async def to_block_chain(self, params: wire.ToBlockChainParams, _: Request) -> object:
        contact = _contact(params)
        if isinstance(contact, RpcError):
            return contact
        proposal = Proposal(
            username=params.username,
            user_id=params.user_id,
            owner=self._key(params.public_owner_key),
            active=self._key(params.public_active_key),
        )
        outcome = await self._service.register(contact, proposal, params.token)
        if isinstance(outcome, StepRefusal):
            return error_of(outcome, contact.kind)
        found = outcome.registration
        return wire.RegisteredResult(
            username=params.username, user_id=params.user_id, current_state=found.state
        )

    def _key(self, text: str) -> str | None:
        key = parse_public_key(text, self._on_curve)
        return None if key is None else format_public_key(key)

    async def subscribed(self, params: wire.SubscriptionParams, _: Request) -> object:
        if len(set(params.community_ids)) < MIN_COMMUNITIES:
            return invalid_params("communityIds")
        return _status(await self._onboarding.subscribed(params.user_id, params.community_ids))

    async def switched_device(self, params: wire.UserParams, _: Request) -> object:
        return _status(await self._onboarding.switched_device(params.user_id))

    async def shared_link(self, params: wire.UserParams, _: Request) -> object:
        return _status(await self._onboarding.shared_link(params.user_id))


def _contact(params: wire.ContactParams) -> Contact | RpcError:
    """The one contact that was named; that it is one, `exactly_one_contact` has seen to."""
    if params.phone is not None:
        return parse_phone(params.phone) or invalid_params("phone")
    if params.email is not None:
        return parse_email(params.email) or invalid_params("email")
    if params.identity is None:
        return invalid_params()
    return parse_identity(params.identity, params.provider) or invalid_params("identity")


def _sent(contact: Contact, outcome: Standing | StepRefusal) -> object:
    if isinstance(outcome, StepRefusal):
        return error_of(outcome, contact.kind)
    state, retry = outcome.registration.state, iso_millis(outcome.retry_at or outcome.registration.updated_at)
    if contact.kind == "email":
        return wire.EmailResult(next_email_retry=retry, current_state=state)
    return wire.SmsResult(next_sms_retry=retry, current_state=state)


def _verified(outcome: Standing | StepRefusal) -> object:
    if isinstance(outcome, StepRefusal):
        return error_of(outcome)
    state = outcome.registration.state
    if outcome.token is None:
        return wire.VerifiedResult(current_state=state)
    return wire.VerifiedResult(current_state=state, token=outcome.token)


def _status(outcome: int | StepRefusal) -> object:
    return error_of(outcome) if isinstance(outcome, StepRefusal) else wire.StatusResult()


def exactly_one_contact(method: Method, given: Mapping[str, Any]) -> RpcError | None:
    """Refuses requests that name no contact, or several, whatever else the method takes."""
    takes_contact = any(name in method.params.__struct_fields__ for name in CONTACTS)
    if not takes_contact or sum(name in given for name in CONTACTS) == 1:
        return None
    return invalid_params()


def steps_routes(
    service: StepsService,
    onboarding: OnboardingService,
    on_curve: Callable[[bytes], bool],
    take: Callable[[str], float],
) -> tuple[Route, ...]:
    """on_curve: whether 33 bytes are a public key. take: counts a further call of a client against the routes' limit."""
    rpc = Rpc(methods(StepsMethods(service, onboarding, on_curve)), describe, exactly_one_contact, take)

    async def endpoint(request: Request) -> Answer:
        if content_type(request) not in CONTENT_TYPES:
            return o.BadContentType()
        reply = await rpc.serve(request)
        return NO_CONTENT if reply is None else Response(body=reply)

    return (
        Route("POST", "/rpc", endpoint, "rpc", DOOR, hot=True),
        Route("POST", "/", endpoint, "rpc", DOOR, hot=True),
    )
