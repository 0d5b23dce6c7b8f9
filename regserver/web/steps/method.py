"""The functions of the steps' methods: they convert parameters for the services, and outcomes to results or errors.

What holds for a phone number and an e-mail address alike is one function, and two methods of the table.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from regserver.domain.contact import Contact
from regserver.domain.instant import iso_millis
from regserver.domain.public_key import format_public_key, parse_public_key
from regserver.domain.steps_machine import (
    AlreadyRegistered,
    BadContact,
    CaptchaFailed,
    InvalidStep,
    StepRefusal,
)
from regserver.endpoint import Request
from regserver.service.asker import Asker
from regserver.service.contact_cap import ContactCap
from regserver.service.onboarding_service import MIN_COMMUNITIES, OnboardingService
from regserver.service.registration_lookup import Proof
from regserver.service.steps_account_service import Proposal, StepsAccountService
from regserver.service.steps_service import StepResult, StepsService
from regserver.web.http.asker import asker_of
from regserver.web.http.language import language_of
from regserver.web.steps import wire
from regserver.web.steps.jsonrpc import TOO_MANY_REQUESTS, RpcError, invalid_params
from regserver.web.steps.wire import error_of

P = TypeVar("P", bound=wire.NamesContact)
ContactMethod = Callable[[Any, P, Contact, Request], Awaitable[wire.Result | StepRefusal]]
TELLING = (wire.StateResult, AlreadyRegistered, InvalidStep, CaptchaFailed)
"""What tells a client the state of a contact that it has only named; the others take its code, a message to it or its token."""


def about_contact(act: ContactMethod[P]) -> Callable[[Any, P, Request], Awaitable[wire.Result | RpcError]]:
    """Parses the contact of the parameters first, and converts a refusal by the kind of that contact.

    Answers that tell a contact's state are withheld from clients that ask about too many contacts.
    """

    async def call(methods: "StepsMethods", params: P, request: Request) -> wire.Result | RpcError:
        contact = params.contact
        if isinstance(contact, RpcError):
            # The first step, and only that, has an error of its own for it in the protocol.
            return error_of(BadContact()) if isinstance(params, wire.FirstStep) else contact
        outcome = await act(methods, params, contact, request)
        if isinstance(outcome, TELLING) and await methods.is_too_curious(request, contact):
            return TOO_MANY_REQUESTS
        return error_of(outcome, contact.kind) if isinstance(outcome, StepRefusal) else outcome

    return call


class StepsMethods(msgspec.Struct, frozen=True):
    """The functions of all methods. on_curve: whether 33 bytes are a public key. cap: None for no bound of contacts."""

    steps: StepsService
    accounts: StepsAccountService
    onboarding: OnboardingService
    on_curve: Callable[[bytes], bool]
    cap: ContactCap | None = None

    async def is_too_curious(self, request: Request, contact: Contact) -> bool:
        """Counts a question about a contact; whether its client has asked about too many."""
        return self.cap is not None and await self.cap.take(request.client, contact) is not None

    @about_contact
    async def get_state(
        self, params: wire.ContactParams, contact: Contact, request: Request
    ) -> wire.StateResult | StepRefusal:
        """The state of a contact's registration; in the state toBlockChain also the chosen name."""
        status = await self.steps.state(contact, _proof(params, request))
        if isinstance(status, StepRefusal):
            return status
        found = status.registration
        if found.state != "toBlockChain" or found.user_id is None or found.username is None:
            return wire.StateResult(current_state=found.state)
        chosen = wire.Chosen(user_id=found.user_id, username=found.username)
        return wire.StateResult(current_state=found.state, data=chosen)

    @about_contact
    async def first_step(
        self, params: wire.FirstStep, contact: Contact, request: Request
    ) -> wire.Result | StepRefusal:
        """Begins with a phone number or an e-mail address, and sends a code to it."""
        platform, asker = wire.PLATFORMS.get(params.captcha_type, "web"), _asker(request)
        return _sent(
            contact, await self.steps.first_step(contact, params.captcha, platform, asker, params.invitation)
        )

    @about_contact
    async def resend(self, _: wire.Resend, contact: Contact, request: Request) -> wire.Result | StepRefusal:
        """Sends a new code."""
        return _sent(contact, await self.steps.resend(contact, _asker(request)))

    @about_contact
    async def verify(
        self, params: wire.Verify, contact: Contact, request: Request
    ) -> wire.Result | StepRefusal:
        """Proves a contact with its code."""
        want_token, address = params.want_token, request.client
        return _verified(await self.steps.verify(contact, params.code, want_token, address))

    @about_contact
    async def create_identity(
        self, params: wire.CreateIdentityParams, contact: Contact, request: Request
    ) -> wire.Result | StepRefusal:
        """Begins with a person whom the identity service vouches for."""
        key, want_token = params.secure_key, params.want_token
        asker, invitation = _asker(request), params.invitation
        return _verified(await self.steps.create_identity(contact, key, want_token, asker, invitation))

    @about_contact
    async def set_username(
        self, params: wire.SetUsernameParams, contact: Contact, request: Request
    ) -> wire.UsernameResult | StepRefusal:
        """Reserves a user name and gives the user its ledger id."""
        outcome = await self.steps.set_username(contact, params.username, _proof(params, request))
        if isinstance(outcome, StepRefusal):
            return outcome
        found = outcome.registration
        return wire.UsernameResult(current_state=found.state, user_id=found.user_id or "")

    @about_contact
    async def to_block_chain(
        self, params: wire.ToBlockChainParams, contact: Contact, request: Request
    ) -> wire.RegisteredResult | StepRefusal:
        """Writes the account with its two public keys to the ledger."""
        owner, active = self._key(params.public_owner_key), self._key(params.public_active_key)
        beside = params.invitation, language_of(request)
        proposal = Proposal(params.username, params.user_id, owner, active, *beside)
        proof, asker = _proof(params, request), _asker(request) if params.want_token else None
        outcome = await self.accounts.register(contact, proposal, proof, asker)
        if isinstance(outcome, StepRefusal):
            return outcome
        session = outcome.session
        return wire.RegisteredResult(
            username=params.username,
            user_id=params.user_id,
            current_state=outcome.registration.state,
            token=UNSET if session is None else session.token,
            expires_in=UNSET if session is None else session.expires_in,
        )

    def _key(self, text: str) -> str | None:
        key = parse_public_key(text, self.on_curve)
        return None if key is None else format_public_key(key)

    async def subscribed(self, params: wire.SubscriptionParams, _: Request) -> object:
        """Notes the communities that a user follows."""
        if len(set(params.community_ids)) < MIN_COMMUNITIES:
            return invalid_params("communityIds")
        return _status(await self.onboarding.subscribed(params.user_id, params.community_ids))

    async def switched_device(self, params: wire.UserParams, _: Request) -> object:
        """Notes that a user has signed in on another device."""
        return _status(await self.onboarding.switched_device(params.user_id))

    async def shared_link(self, params: wire.UserParams, _: Request) -> object:
        """Notes that a user has shared a link."""
        return _status(await self.onboarding.shared_link(params.user_id))


def _proof(params: wire.ContactParams, request: Request) -> Proof:
    return Proof(params.token, request.client)


def _asker(request: Request) -> Asker:
    return asker_of(request, language_of(request))


def _sent(contact: Contact, outcome: StepResult | StepRefusal) -> wire.Result | StepRefusal:
    if isinstance(outcome, StepRefusal):
        return outcome
    state, retry = outcome.registration.state, iso_millis(outcome.retry_at or outcome.registration.updated_at)
    if contact.kind == "email":
        return wire.EmailResult(next_email_retry=retry, current_state=state)
    return wire.SmsResult(next_sms_retry=retry, current_state=state)


def _verified(outcome: StepResult | StepRefusal) -> wire.VerifiedResult | StepRefusal:
    if isinstance(outcome, StepRefusal):
        return outcome
    token = UNSET if outcome.token is None else outcome.token
    return wire.VerifiedResult(current_state=outcome.registration.state, token=token)


def _status(outcome: int | StepRefusal) -> object:
    return error_of(outcome) if isinstance(outcome, StepRefusal) else wire.StatusResult()
