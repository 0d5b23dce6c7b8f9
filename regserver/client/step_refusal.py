"""The refusals of the registration steps: one class for each code of JSON-RPC."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from regserver.client.fault import ClientFault


class StepRefused(ClientFault):
    """A reply with an error. code, message, data: as on the wire."""

    wire_code: ClassVar[int] = 0

    def __init__(self, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.data = data

    @property
    def state(self) -> str | None:
        """The registration's state, where it is told."""
        return self.data.get("currentState")

    @property
    def next_retry(self) -> datetime | None:
        """When to try again, where it is told."""
        for key in ("nextSmsRetry", "nextEmailRetry", "nextRetry"):
            if key in self.data:
                return datetime.fromisoformat(self.data[key])
        return None


class AlreadyRegistered(StepRefused):
    """Nothing more to do for this contact."""

    wire_code = 1101


class InvalidStep(StepRefused):
    """The state has no such step, or the token is missing or wrong."""

    wire_code = 1102


class CaptchaFailed(StepRefused):
    """The captcha's answer is wrong, or could not be checked."""

    wire_code = 1103


class WrongCode(StepRefused):
    """Wrong, expired or used up; at the first step, not a phone number or address."""

    wire_code = 1104


class StepNameTaken(StepRefused):
    """Taken or reserved, at whatever door."""

    wire_code = 1106


class TryLater(StepRefused):
    """The next code may be asked for at `next_retry`."""

    wire_code = 1107


class TooManyRetries(StepRefused):
    """No more codes until `next_retry`; of an identity, a wrong key."""

    wire_code = 1108


class BadStepName(StepRefused):
    """Not a user name of this door."""

    wire_code = 1109


class OtherName(StepRefused):
    """Not the user name that was chosen."""

    wire_code = 1110


class OtherUserId(StepRefused):
    """Not the userId that was given."""

    wire_code = 1111


class BadPublicKey(StepRefused):
    """Not a public key: its shape, its checksum or its point is wrong."""

    wire_code = 1112


class CodeNotSent(StepRefused):
    """The SMS was not sent."""

    wire_code = 1113


class StepsClosed(StepRefused):
    """This door takes no sign-ups, or only with an invitation."""

    wire_code = 1114


class StepsLimited(StepRefused):
    """Too many requests; the next may come at `next_retry`."""

    wire_code = 429


class StepUserNotFound(StepRefused):
    """No registered user has this userId."""

    wire_code = 404


class LedgerUnavailable(StepRefused):
    """The ledger or the store did not take it; the same call may be repeated."""

    wire_code = 500


class InvalidParams(StepRefused):
    """A parameter is missing or wrong; `data` may name it."""

    wire_code = -32602


STEP_REFUSALS: Mapping[int, type[StepRefused]] = {
    kind.wire_code: kind for kind in StepRefused.__subclasses__()
}
"""By their codes on the wire."""


def step_refused(error: Mapping[str, Any]) -> StepRefused:
    """The exception of a reply's error; of an unknown code, StepRefused itself."""
    code = error["code"]
    return STEP_REFUSALS.get(code, StepRefused)(code, error["message"], error.get("data") or {})
