"""Registration by steps: JSON-RPC 2.0."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from regserver.client import ask, step_wire
from regserver.client.contact import Contact, Email, Phone, contact_params
from regserver.client.fault import BadAnswer
from regserver.client.step_refusal import step_refused
from regserver.client.transport import HttpTransport

T = TypeVar("T")


class Steps:
    """The methods of /rpc. A refusal is a StepRefused: InvalidStep, WrongCode, TryLater…"""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def state(self, contact: Contact, *, token: str | None = None) -> step_wire.StepState:
        """The state of a contact's registration. token: of `verify`, where the server wants one."""
        return await self.call("getState", step_wire.StepState, contact, token=token)

    async def begin(
        self,
        contact: Phone | Email,
        *,
        captcha: str = "",
        captcha_type: str = "web",
        invitation: str | None = None,
    ) -> step_wire.CodeSent:
        """firstStep and firstStepEmail: sends a code. Raises CaptchaFailed, WrongCode for a bad contact, CodeNotSent…"""
        method = "firstStep" if isinstance(contact, Phone) else "firstStepEmail"
        given = {"captcha": captcha, "captchaType": captcha_type, "invitation": invitation}
        return await self.call(method, step_wire.CodeSent, contact, **given)

    async def resend(self, contact: Phone | Email) -> step_wire.CodeSent:
        """A new code. Raises TryLater, TooManyRetries."""
        method = "resendSmsCode" if isinstance(contact, Phone) else "resendEmailCode"
        return await self.call(method, step_wire.CodeSent, contact)

    async def verify(
        self, contact: Phone | Email, code: int | str, *, want_token: bool = False
    ) -> step_wire.Verified:
        """Proves the contact. Raises WrongCode."""
        method = "verify" if isinstance(contact, Phone) else "verifyEmail"
        return await self.call(method, step_wire.Verified, contact, code=code, wantToken=want_token or None)

    async def create_identity(
        self, contact: Contact, secure_key: str, *, want_token: bool = False
    ) -> step_wire.Verified:
        """Begins with an Identity. Raises TooManyRetries for a wrong key."""
        given = {"secureKey": secure_key, "wantToken": want_token or None}
        return await self.call("createIdentity", step_wire.Verified, contact, **given)

    async def set_username(
        self, contact: Contact, username: str, *, token: str | None = None
    ) -> step_wire.NameReserved:
        """Reserves a name. Raises StepNameTaken, BadStepName."""
        return await self.call("setUsername", step_wire.NameReserved, contact, username=username, token=token)

    async def finish(
        self,
        contact: Contact,
        chosen: step_wire.Chosen,
        keys: tuple[str, str],
        *,
        want_token: bool = False,
        token: str | None = None,
    ) -> step_wire.StepsDone:
        """toBlockChain. chosen: name and userId. keys: the public owner key and the public active key.

        May be repeated after LedgerUnavailable or Unreachable: it writes one account.
        """
        owner, active = keys
        given = {
            "username": chosen.username,
            "userId": chosen.user_id,
            "publicOwnerKey": owner,
            "publicActiveKey": active,
            "wantToken": want_token or None,
            "token": token,
        }
        return await self.call("toBlockChain", step_wire.StepsDone, contact, **given)

    async def subscribed(self, user_id: str, communities: Sequence[str]) -> None:
        """onboardingCommunitySubscriptions; at least three. Raises StepUserNotFound."""
        given = {"userId": user_id, "communityIds": list(communities)}
        await self.call("onboardingCommunitySubscriptions", dict[str, Any], None, **given)

    async def switched_device(self, user_id: str) -> None:
        """onboardingDeviceSwitched. Raises StepUserNotFound."""
        await self.call("onboardingDeviceSwitched", dict[str, Any], None, userId=user_id)

    async def shared_link(self, user_id: str) -> None:
        """onboardingSharedLink. Raises StepUserNotFound."""
        await self.call("onboardingSharedLink", dict[str, Any], None, userId=user_id)

    async def call(self, method: str, kind: type[T], contact: Contact | None, **params: object) -> T:
        """Any method, by its name on the step_wire. kind: of its result. Raises StepRefused."""
        named = {} if contact is None else contact_params(contact)
        given = named | {name: value for name, value in params.items() if value is not None}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}
        request = ask.Ask("POST", "/rpc", body, repeatable=method == "getState")
        reply = ask.read(await self._transport.send(request), step_wire.RpcAnswer)
        if reply.error is not None:
            raise step_refused(reply.error)
        try:
            return msgspec.json.decode(reply.result, type=kind)
        except msgspec.MsgspecError as error:
            raise BadAnswer(f"{method}: {error}") from None
