"""The methods of the registration steps, in the protocol's order: what each takes, gives and refuses.

The description that clients can ask for is made from this table, so it cannot say anything else than what is served.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from regserver.domain import steps
from regserver.web import steps_wire as wire
from regserver.web.jsonrpc import Caller, Method, RpcError
from regserver.web.steps_wire import documented


class Calls(Protocol):
    """The function behind each method."""

    @property
    def get_state(self) -> Caller: ...
    @property
    def first_step(self) -> Caller: ...
    @property
    def verify(self) -> Caller: ...
    @property
    def resend_sms(self) -> Caller: ...
    @property
    def first_step_email(self) -> Caller: ...
    @property
    def verify_email(self) -> Caller: ...
    @property
    def resend_email(self) -> Caller: ...
    @property
    def create_identity(self) -> Caller: ...
    @property
    def set_username(self) -> Caller: ...
    @property
    def to_block_chain(self) -> Caller: ...
    @property
    def subscribed(self) -> Caller: ...
    @property
    def switched_device(self) -> Caller: ...
    @property
    def shared_link(self) -> Caller: ...


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A method before its function is known. call: picks it."""

    name: str
    summary: str
    params: type[msgspec.Struct]
    result: type[msgspec.Struct]
    call: Callable[[Calls], Caller]
    errors: tuple[RpcError, ...] = ()


TABLE = (
    Row(
        name="getState",
        summary="Where the registration of a contact stands",
        params=wire.ContactParams,
        result=wire.StateResult,
        call=lambda calls: calls.get_state,
    ),
    Row(
        name="firstStep",
        summary="Sends a code to a phone",
        params=wire.FirstStepParams,
        result=wire.SmsResult,
        call=lambda calls: calls.first_step,
        errors=documented(steps.CaptchaFailed, steps.BadContact, steps.TooManyRetries, steps.NotSent),
    ),
    Row(
        name="verify",
        summary="Proves the phone with the code",
        params=wire.VerifyParams,
        result=wire.VerifiedResult,
        call=lambda calls: calls.verify,
        errors=documented(steps.WrongCode),
    ),
    Row(
        name="resendSmsCode",
        summary="Sends a new code",
        params=wire.PhoneParams,
        result=wire.SmsResult,
        call=lambda calls: calls.resend_sms,
        errors=documented(steps.TryLater, steps.TooManyRetries, steps.NotSent),
    ),
    Row(
        name="firstStepEmail",
        summary="Sends a code to an e-mail address",
        params=wire.FirstStepEmailParams,
        result=wire.EmailResult,
        call=lambda calls: calls.first_step_email,
        errors=documented(steps.CaptchaFailed, steps.BadContact, steps.TooManyRetries),
    ),
    Row(
        name="verifyEmail",
        summary="Proves the address with the code",
        params=wire.VerifyEmailParams,
        result=wire.VerifiedResult,
        call=lambda calls: calls.verify_email,
        errors=documented(steps.WrongCode),
    ),
    Row(
        name="resendEmailCode",
        summary="Sends a new code",
        params=wire.EmailParams,
        result=wire.EmailResult,
        call=lambda calls: calls.resend_email,
        errors=documented(steps.TryLater, steps.TooManyRetries),
    ),
    Row(
        name="createIdentity",
        summary="Takes a person from the identity service, which proves itself with its secure key",
        params=wire.CreateIdentityParams,
        result=wire.VerifiedResult,
        call=lambda calls: calls.create_identity,
        errors=documented(steps.WrongKey),
    ),
    Row(
        name="setUsername",
        summary="Reserves a user name",
        params=wire.SetUsernameParams,
        result=wire.UsernameResult,
        call=lambda calls: calls.set_username,
        errors=documented(steps.NameTaken, steps.BadUserName),
    ),
    Row(
        name="toBlockChain",
        summary="Writes the account with its keys",
        params=wire.ToBlockChainParams,
        result=wire.RegisteredResult,
        call=lambda calls: calls.to_block_chain,
        errors=documented(
            steps.NameTaken,
            steps.OtherName,
            steps.OtherUserId,
            steps.BadPublicKey,
            steps.LedgerUnavailable,
        ),
    ),
    Row(
        name="onboardingCommunitySubscriptions",
        summary="The user follows at least three communities",
        params=wire.SubscriptionParams,
        result=wire.StatusResult,
        call=lambda calls: calls.subscribed,
        errors=documented(steps.UserNotFound)[2:],
    ),
    Row(
        name="onboardingDeviceSwitched",
        summary="The user signed in on another device",
        params=wire.UserParams,
        result=wire.StatusResult,
        call=lambda calls: calls.switched_device,
        errors=documented(steps.UserNotFound)[2:],
    ),
    Row(
        name="onboardingSharedLink",
        summary="The user shared a link",
        params=wire.UserParams,
        result=wire.StatusResult,
        call=lambda calls: calls.shared_link,
        errors=documented(steps.UserNotFound)[2:],
    ),
)


def methods(calls: Calls) -> tuple[Method, ...]:
    """All methods, in the protocol's order."""
    return tuple(
        Method(
            name=row.name,
            summary=row.summary,
            params=row.params,
            result=row.result,
            call=row.call(calls),
            errors=row.errors,
        )
        for row in TABLE
    )
