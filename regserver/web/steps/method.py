"""The functions behind the methods of the steps: parameters to the service's types, its outcome to a result or an error.

What holds for a phone number and an e-mail address alike is one function, and two methods of `steps_table`.
"""

from collections.abc import Callable

from msgspec import UNSET

from regserver.domain.contact import Contact
from regserver.domain.instant import iso_millis
from regserver.domain.public_key import format_public_key, parse_public_key
from regserver.domain.steps_machine import BadContact, StepRefusal
from regserver.endpoint import Request
from regserver.service.onboarding_service import MIN_COMMUNITIES, OnboardingService
from regserver.service.steps_account_service import Proposal, StepsAccountService
from regserver.service.steps_code import Asker
from regserver.service.steps_service import StepResult, StepsService
from regserver.web.http.language import language_of
from regserver.web.steps import wire
from regserver.web.steps.jsonrpc import RpcError, invalid_params
from regserver.web.steps.wire import error_of


class StepsMethods:
    """on_curve: whether 33 bytes are a public key."""

    def __init__(
        self,
        steps: StepsService,
        accounts: StepsAccountService,
        onboarding: OnboardingService,
        on_curve: Callable[[bytes], bool],
    ) -> None:
        self._steps = steps
        self._accounts = accounts
        self._onboarding = onboarding
        self._on_curve = on_curve

    async def get_state(self, params: wire.ContactParams, _: Request) -> object:
        """Where the registration of a contact stands; what was chosen before, in the state toBlockChain."""
        contact = params.contact
        if isinstance(contact, RpcError):
            return contact
        status = await self._steps.state(contact, params.token)
        if isinstance(status, StepRefusal):
            return error_of(status)
        found = status.registration
        if found.state != "toBlockChain" or found.user_id is None or found.username is None:
            return wire.StateResult(current_state=found.state)
        chosen = wire.Chosen(user_id=found.user_id, username=found.username)
        return wire.StateResult(current_state=found.state, data=chosen)

    async def first_step(self, params: wire.FirstStep, request: Request) -> object:
        """Begins with a phone number or an e-mail address, and sends a code to it."""
        contact = params.contact
        if isinstance(contact, RpcError):  # here, and only here, the protocol has an error of its own for it
            return error_of(BadContact())
        platform = wire.PLATFORMS.get(params.captcha_type, "web")
        return _sent(
            contact, await self._steps.first_step(contact, params.captcha, platform, _asker(request))
        )

    async def resend(self, params: wire.Resend, request: Request) -> object:
        """Sends a new code."""
        contact = params.contact
        if isinstance(contact, RpcError):
            return contact
        return _sent(contact, await self._steps.resend(contact, _asker(request)))

    async def verify(self, params: wire.Verify, _: Request) -> object:
        """Proves a contact with its code."""
        contact = params.contact
        if isinstance(contact, RpcError):
            return contact
        return _verified(await self._steps.verify(contact, params.code, params.want_token))

    async def create_identity(self, params: wire.CreateIdentityParams, _: Request) -> object:
        """Begins with a person whom the identity service vouches for."""
        contact = params.contact
        if isinstance(contact, RpcError):
            return contact
        return _verified(await self._steps.create_identity(contact, params.secure_key, params.want_token))

    async def set_username(self, params: wire.SetUsernameParams, _: Request) -> object:
        """Reserves a user name and gives the user its ledger id."""
        contact = params.contact
        if isinstance(contact, RpcError):
            return contact
        outcome = await self._steps.set_username(contact, params.username, params.token)
        if isinstance(outcome, StepRefusal):
            return error_of(outcome, contact.kind)
        found = outcome.registration
        return wire.UsernameResult(current_state=found.state, user_id=found.user_id or "")

    async def to_block_chain(self, params: wire.ToBlockChainParams, _: Request) -> object:
        """Writes the account with its two public keys to the ledger."""
        contact = params.contact
        if isinstance(contact, RpcError):
            return contact
        proposal = Proposal(
            username=params.username,
            user_id=params.user_id,
            owner=self._key(params.public_owner_key),
            active=self._key(params.public_active_key),
        )
        outcome = await self._accounts.register(contact, proposal, params.token)
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
        """Notes the communities that a user follows."""
        if len(set(params.community_ids)) < MIN_COMMUNITIES:
            return invalid_params("communityIds")
        return _status(await self._onboarding.subscribed(params.user_id, params.community_ids))

    async def switched_device(self, params: wire.UserParams, _: Request) -> object:
        """Notes that a user has signed in on another device."""
        return _status(await self._onboarding.switched_device(params.user_id))

    async def shared_link(self, params: wire.UserParams, _: Request) -> object:
        """Notes that a user has shared a link."""
        return _status(await self._onboarding.shared_link(params.user_id))


def _asker(request: Request) -> Asker:
    return Asker(request.client, language_of(request))


def _sent(contact: Contact, outcome: StepResult | StepRefusal) -> object:
    if isinstance(outcome, StepRefusal):
        return error_of(outcome, contact.kind)
    state, retry = outcome.registration.state, iso_millis(outcome.retry_at or outcome.registration.updated_at)
    if contact.kind == "email":
        return wire.EmailResult(next_email_retry=retry, current_state=state)
    return wire.SmsResult(next_sms_retry=retry, current_state=state)


def _verified(outcome: StepResult | StepRefusal) -> object:
    if isinstance(outcome, StepRefusal):
        return error_of(outcome)
    token = UNSET if outcome.token is None else outcome.token
    return wire.VerifiedResult(current_state=outcome.registration.state, token=token)


def _status(outcome: int | StepRefusal) -> object:
    return error_of(outcome) if isinstance(outcome, StepRefusal) else wire.StatusResult()
