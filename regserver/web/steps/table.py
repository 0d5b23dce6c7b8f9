"""The methods of the registration steps, in the protocol's order: what each takes, gives and refuses.

The description that clients can ask for is made from this table, so it cannot say anything else than what is served.
"""

from regserver.domain import steps_machine as steps
from regserver.domain.steps_machine import StepRefusal
from regserver.web.steps import wire
from regserver.web.steps.jsonrpc import Method, RpcError
from regserver.web.steps.method import StepsMethods


def _errors(*kinds: type[StepRefusal]) -> tuple[RpcError, ...]:
    return tuple(RpcError(*wire.REPLIES[kind]) for kind in kinds)


def _step_errors(*kinds: type[StepRefusal]) -> tuple[RpcError, ...]:
    """With the two that every step has."""
    return _errors(steps.AlreadyRegistered, steps.InvalidStep, *kinds)


def methods(calls: StepsMethods) -> tuple[Method, ...]:
    """Every method, with the function of `calls` that runs it."""
    return (
        *_proving_phone(calls),
        *_proving_email(calls),
        _taking_identity(calls),
        *_naming(calls),
        *_onboarding(calls),
    )


def _proving_phone(calls: StepsMethods) -> tuple[Method, ...]:
    return (
        Method(
            name="getState",
            summary="Where the registration of a contact stands",
            params=wire.ContactParams,
            result=wire.StateResult,
            call=calls.get_state,
        ),
        Method(
            name="firstStep",
            summary="Sends a code to a phone",
            params=wire.FirstStepParams,
            result=wire.SmsResult,
            call=calls.first_step,
            errors=_step_errors(steps.CaptchaFailed, steps.BadContact, steps.TooManyRetries, steps.NotSent),
        ),
        Method(
            name="verify",
            summary="Proves the phone with the code",
            params=wire.VerifyParams,
            result=wire.VerifiedResult,
            call=calls.verify,
            errors=_step_errors(steps.WrongCode),
        ),
        Method(
            name="resendSmsCode",
            summary="Sends a new code",
            params=wire.PhoneParams,
            result=wire.SmsResult,
            call=calls.resend,
            errors=_step_errors(steps.TryLater, steps.TooManyRetries, steps.NotSent),
        ),
    )


def _proving_email(calls: StepsMethods) -> tuple[Method, ...]:
    return (
        Method(
            name="firstStepEmail",
            summary="Sends a code to an e-mail address",
            params=wire.FirstStepEmailParams,
            result=wire.EmailResult,
            call=calls.first_step,
            errors=_step_errors(steps.CaptchaFailed, steps.BadContact, steps.TooManyRetries),
        ),
        Method(
            name="verifyEmail",
            summary="Proves the address with the code",
            params=wire.VerifyEmailParams,
            result=wire.VerifiedResult,
            call=calls.verify,
            errors=_step_errors(steps.WrongCode),
        ),
        Method(
            name="resendEmailCode",
            summary="Sends a new code",
            params=wire.EmailParams,
            result=wire.EmailResult,
            call=calls.resend,
            errors=_step_errors(steps.TryLater, steps.TooManyRetries),
        ),
    )


def _taking_identity(calls: StepsMethods) -> Method:
    return Method(
        name="createIdentity",
        summary="Takes a person from the identity service, which proves itself with its secure key",
        params=wire.CreateIdentityParams,
        result=wire.VerifiedResult,
        call=calls.create_identity,
        errors=_step_errors(steps.WrongKey),
    )


def _naming(calls: StepsMethods) -> tuple[Method, ...]:
    """Those that lead from a proved contact to an account."""
    return (
        Method(
            name="setUsername",
            summary="Reserves a user name",
            params=wire.SetUsernameParams,
            result=wire.UsernameResult,
            call=calls.set_username,
            errors=_step_errors(steps.NameTaken, steps.BadUserName),
        ),
        Method(
            name="toBlockChain",
            summary="Writes the account with its keys",
            params=wire.ToBlockChainParams,
            result=wire.RegisteredResult,
            call=calls.to_block_chain,
            errors=_step_errors(
                steps.NameTaken,
                steps.OtherName,
                steps.OtherUserId,
                steps.BadPublicKey,
                steps.LedgerUnavailable,
            ),
        ),
    )


def _onboarding(calls: StepsMethods) -> tuple[Method, ...]:
    """Those that tell what a new user has done, for which a reward may be paid."""
    return (
        Method(
            name="onboardingCommunitySubscriptions",
            summary="The user follows at least three communities",
            params=wire.SubscriptionParams,
            result=wire.StatusResult,
            call=calls.subscribed,
            errors=_errors(steps.UserNotFound),
        ),
        Method(
            name="onboardingDeviceSwitched",
            summary="The user signed in on another device",
            params=wire.UserParams,
            result=wire.StatusResult,
            call=calls.switched_device,
            errors=_errors(steps.UserNotFound),
        ),
        Method(
            name="onboardingSharedLink",
            summary="The user shared a link",
            params=wire.UserParams,
            result=wire.StatusResult,
            call=calls.shared_link,
            errors=_errors(steps.UserNotFound),
        ),
    )
