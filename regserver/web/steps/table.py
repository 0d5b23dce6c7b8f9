"""The methods of the registration steps, in the protocol's order, with their types and errors.

The description that clients can ask for is made from these tables, so it cannot say anything else than what is served.
"""

from regserver.domain import steps_machine as steps
from regserver.domain.steps_machine import StepRefusal
from regserver.web.steps import wire
from regserver.web.steps.jsonrpc import Caller, Method, RpcError
from regserver.web.steps.method import StepsMethods

Refusals = tuple[type[StepRefusal], ...]

STEP: Refusals = (steps.AlreadyRegistered, steps.InvalidStep)
"""The refusals of every step."""
GATE: Refusals = (steps.RegistrationsClosed, steps.NotInvited, steps.TooManySignUps)
"""The refusals of steps at which somebody new may be turned away."""
FIRST: Refusals = (
    *STEP,
    *GATE,
    steps.CaptchaFailed,
    steps.BadContact,
    steps.TooManyRetries,
)
RESEND: Refusals = (*STEP, steps.TryLater, steps.TooManyRetries)
PROPOSAL = (steps.NameTaken, steps.OtherName, steps.OtherUserId, steps.BadPublicKey, steps.LedgerUnavailable)
ONBOARDING: Refusals = (steps.UserNotFound, steps.InvalidStep)

TEXTS: dict[str, tuple[str, Refusals]] = {
    "getState": ("Where the registration of a contact stands", ()),
    "firstStep": ("Sends a code to a phone", (*FIRST, steps.NotSent)),
    "verify": ("Proves the phone with the code", (*STEP, steps.WrongCode)),
    "resendSmsCode": ("Sends a new code", (*RESEND, steps.NotSent)),
    "firstStepEmail": ("Sends a code to an e-mail address", FIRST),
    "verifyEmail": ("Proves the address with the code", (*STEP, steps.WrongCode)),
    "resendEmailCode": ("Sends a new code", RESEND),
    "createIdentity": (
        "Takes a person from the identity service, which proves itself with its secure key",
        (*STEP, *GATE, steps.WrongKey, steps.TooManyGuesses),
    ),
    "setUsername": ("Reserves a user name", (*STEP, steps.NameTaken, steps.BadUserName)),
    "toBlockChain": ("Writes the account with its keys", (*STEP, *PROPOSAL, *GATE)),
    "onboardingCommunitySubscriptions": ("The user follows at least three communities", ONBOARDING),
    "onboardingDeviceSwitched": ("The user signed in on another device", ONBOARDING),
    "onboardingSharedLink": ("The user shared a link", ONBOARDING),
}
"""Summary and refusals of each method. The last three report a new user's actions, which are rewarded."""


def methods(calls: StepsMethods) -> tuple[Method, ...]:
    """Every method, with the function of `calls` that runs it."""
    return (
        _method("getState", wire.ContactParams, wire.StateResult, calls.get_state),
        _method("firstStep", wire.FirstStepParams, wire.SmsResult, calls.first_step),
        _method("verify", wire.VerifyParams, wire.VerifiedResult, calls.verify),
        _method("resendSmsCode", wire.PhoneParams, wire.SmsResult, calls.resend),
        _method("firstStepEmail", wire.FirstStepEmailParams, wire.EmailResult, calls.first_step),
        _method("verifyEmail", wire.VerifyEmailParams, wire.VerifiedResult, calls.verify),
        _method("resendEmailCode", wire.EmailParams, wire.EmailResult, calls.resend),
        _method("createIdentity", wire.CreateIdentityParams, wire.VerifiedResult, calls.create_identity),
        _method("setUsername", wire.SetUsernameParams, wire.UsernameResult, calls.set_username),
        _method("toBlockChain", wire.ToBlockChainParams, wire.RegisteredResult, calls.to_block_chain),
        _method(
            "onboardingCommunitySubscriptions", wire.SubscriptionParams, wire.StatusResult, calls.subscribed
        ),
        _method("onboardingDeviceSwitched", wire.UserParams, wire.StatusResult, calls.switched_device),
        _method("onboardingSharedLink", wire.UserParams, wire.StatusResult, calls.shared_link),
    )


def _method(name: str, params: type[wire.Params], result: type[wire.Result], call: Caller) -> Method:
    summary, refusals = TEXTS[name]
    errors = tuple(RpcError(*wire.REPLIES[kind]) for kind in refusals)
    return Method(name=name, summary=summary, params=params, result=result, call=call, errors=errors)
