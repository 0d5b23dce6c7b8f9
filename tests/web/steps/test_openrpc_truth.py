"""The OpenRPC document against the service: every method is called with every error that it names."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from regserver.domain.instant import DAY, HOUR, SECOND, Duration
from regserver.ports.captcha import Captcha, CaptchaType
from regserver.ports.store import StoreFault
from regserver.service.sign_up_gate import SignUpGate
from tests.gate import CLOSED, INVITE
from tests.steps import K1_KEY, OFF_CURVE_KEY, phone
from tests.web.steps.test_steps_api import EMAIL, PHONE, Client, open_client

Error = tuple[str, int, str]
Call = Callable[[Client], Awaitable[Any]]

BY_PHONE, BY_EMAIL = {"phone": PHONE}, {"email": EMAIL}
BY_IDENTITY = {"identity": "oauth-42", "provider": "google"}
KEYS = {"publicOwnerKey": K1_KEY, "publicActiveKey": K1_KEY}
ACCOUNT = {"username": "mine", "userId": "reg1aaaaaaaa", **KEYS}
COMMUNITIES = {"communityIds": ["A", "B", "C"]}
NOBODY = {"userId": "reg1aaaaaaaa"}

PARAMS: dict[str, dict[str, Any]] = {
    "getState": BY_PHONE,
    "firstStep": BY_PHONE,
    "verify": {**BY_PHONE, "code": "000000"},
    "resendSmsCode": BY_PHONE,
    "firstStepEmail": BY_EMAIL,
    "verifyEmail": {**BY_EMAIL, "code": "000000"},
    "resendEmailCode": BY_EMAIL,
    "createIdentity": {**BY_IDENTITY, "secureKey": "s3cure"},
    "setUsername": {**BY_PHONE, "username": "mine"},
    "toBlockChain": {**BY_PHONE, **ACCOUNT},
    "onboardingCommunitySubscriptions": {**NOBODY, **COMMUNITIES},
    "onboardingDeviceSwitched": NOBODY,
    "onboardingSharedLink": NOBODY,
}
"""Parameters that every method takes."""


class Gate(Captcha):
    """Lets nobody through who says "robot"."""

    async def check(self, answer: str, kind: CaptchaType, address: str) -> bool:
        return answer != "robot"


async def verify(client: Client, params: dict[str, Any]) -> None:
    """Leads the contact of these parameters to setUsername."""
    if "identity" in params:
        await client.call("createIdentity", **PARAMS["createIdentity"])
    elif "phone" in params:
        await client.call("firstStep", **BY_PHONE)
        await client.call("verify", **BY_PHONE, code=client.steps.sms.code)
    else:
        await client.call("firstStepEmail", **BY_EMAIL)
        await client.call("verifyEmail", **BY_EMAIL, code=await client.steps.mailed_code())


async def name(client: Client, params: dict[str, Any]) -> str:
    """Leads it to toBlockChain; the userId."""
    await verify(client, params)
    who = {key: params[key] for key in ("phone", "email", "identity") if key in params}
    return str((await client.call("setUsername", **who, username="mine"))["userId"])


def registered(method: str) -> Call:
    async def call(client: Client) -> Any:
        params = PARAMS[method]
        who = {key: params[key] for key in ("phone", "email", "identity", "provider") if key in params}
        user_id = await name(client, params)
        await client.call("toBlockChain", **who, **{**ACCOUNT, "userId": user_id})
        return await client.fail(method, **params)

    return call


def out_of_turn(method: str) -> Call:
    async def call(client: Client) -> Any:
        if method not in {"setUsername", "toBlockChain"}:
            await verify(client, PARAMS[method])
        return await client.fail(method, **PARAMS[method])

    return call


def begun(begin: str, method: str, **changes: Any) -> Call:
    """After the first step."""

    async def call(client: Client) -> Any:
        await client.call(begin, **PARAMS[begin])
        return await client.fail(method, **{**PARAMS[method], **changes})

    return call


def at_once(method: str, **changes: Any) -> Call:
    async def call(client: Client) -> Any:
        return await client.fail(method, **{**PARAMS[method], **changes})

    return call


def resent_often(begin: str, method: str, wait: Duration = Duration(45 * SECOND)) -> Call:  # noqa: B008
    """wait: between two codes. An address is sent three mails an hour."""

    async def call(client: Client) -> Any:
        await client.call(begin, **PARAMS[begin])
        for _ in range(3):
            client.steps.clock.advance(wait)
            await client.call(method, **PARAMS[method])
        return await client.fail(method, **PARAMS[method])

    return call


def begun_often(method: str, *contacts: dict[str, Any]) -> Call:
    """More codes than one address may ask for in a day: DAILY_CODES."""

    async def call(client: Client) -> Any:
        *most, last = contacts
        for contact in most:
            await client.call(method, **contact)
        return await client.fail(method, **last)

    return call


DAILY_CODES = 6
PHONES = [{"phone": f"+38000000000{number}"} for number in range(DAILY_CODES + 1)]
EMAILS = [{"email": f"alice{number}@commun.com"} for number in range(DAILY_CODES + 1)]


async def not_sent(client: Client) -> Any:
    client.steps.sms.faults = 1
    return await client.fail("firstStep", **BY_PHONE)


async def not_sent_again(client: Client) -> Any:
    await client.call("firstStep", **BY_PHONE)
    client.steps.clock.advance(45 * SECOND)
    client.steps.sms.faults = 1
    return await client.fail("resendSmsCode", **BY_PHONE)


def named(**changes: Any) -> Call:
    async def call(client: Client) -> Any:
        user_id = await name(client, BY_PHONE)
        return await client.fail("toBlockChain", **{**PARAMS["toBlockChain"], "userId": user_id, **changes})

    return call


def verified(**changes: Any) -> Call:
    async def call(client: Client) -> Any:
        await client.steps.to_named(phone("+380000000001"), "taken")
        await verify(client, BY_PHONE)
        return await client.fail("setUsername", **{**PARAMS["setUsername"], **changes})

    return call


async def taken_meanwhile(client: Client) -> Any:
    user_id = await name(client, BY_PHONE)
    client.steps.clock.advance(DAY)
    await client.steps.to_registered(phone("+380000000001"), "mine")
    return await client.fail("toBlockChain", **{**PARAMS["toBlockChain"], "userId": user_id})


def not_registered(method: str) -> Call:
    async def call(client: Client) -> Any:
        user_id = await name(client, BY_PHONE)
        return await client.fail(method, **{**PARAMS[method], "userId": user_id})

    return call


def closed(method: str) -> Call:
    async def call(client: Client) -> Any:
        parts = msgspec.structs.replace(client.steps.parts, gate=SignUpGate(CLOSED))
        client.steps.service._parts = client.steps.accounts._parts = parts
        return await client.fail(method, **PARAMS[method])

    return call


def uninvited(method: str) -> Call:
    async def call(client: Client) -> Any:
        params = PARAMS[method]
        if method == "toBlockChain":
            params = {**params, "userId": await name(client, BY_PHONE)}
        parts = msgspec.structs.replace(client.steps.parts, gate=SignUpGate(INVITE))
        client.steps.service._parts = client.steps.accounts._parts = parts
        return await client.fail(method, **params)

    return call


STEPS = [method for method in PARAMS if not method.startswith(("getState", "onboarding"))]
CALLS: dict[Error, Call] = {
    **{(method, 1101, "Account already registered"): registered(method) for method in STEPS},
    **{(method, 1102, "Invalid step taken"): out_of_turn(method) for method in STEPS},
    **{
        (method, 404, "User not found"): at_once(method)
        for method in PARAMS
        if method.startswith("onboarding")
    },
    **{
        (method, 1102, "Invalid step taken"): not_registered(method)
        for method in PARAMS
        if method.startswith("onboarding")
    },
}
BAD_CONTACT = "Invalid phone number or e-mail address"
CALLS |= {
    ("firstStep", 1103, "Recaptcha check failed"): at_once("firstStep", captcha="robot"),
    ("firstStepEmail", 1103, "Recaptcha check failed"): at_once("firstStepEmail", captcha="robot"),
    ("firstStep", 1104, BAD_CONTACT): at_once("firstStep", phone="+1"),
    ("firstStepEmail", 1104, BAD_CONTACT): at_once("firstStepEmail", email="nobody"),
    ("firstStep", 1108, "Too many retries"): begun_often("firstStep", *PHONES),
    ("firstStepEmail", 1108, "Too many retries"): begun_often("firstStepEmail", *EMAILS),
    ("firstStep", 1113, "SMS was not sent"): not_sent,
    ("verify", 1104, "Wrong activation code"): begun("firstStep", "verify"),
    ("verifyEmail", 1104, "Wrong activation code"): begun("firstStepEmail", "verifyEmail"),
    ("resendSmsCode", 1107, "Try later"): begun("firstStep", "resendSmsCode"),
    ("resendEmailCode", 1107, "Try later"): begun("firstStepEmail", "resendEmailCode"),
    ("resendSmsCode", 1108, "Too many retries"): resent_often("firstStep", "resendSmsCode"),
    ("resendEmailCode", 1108, "Too many retries"): resent_often("firstStepEmail", "resendEmailCode", HOUR),
    ("resendSmsCode", 1113, "SMS was not sent"): not_sent_again,
    ("createIdentity", 1108, "Wrong secure key"): at_once("createIdentity", secureKey="no"),
    **{
        (method, 1114, "Registration is closed"): closed(method)
        for method in ("firstStep", "firstStepEmail", "createIdentity", "toBlockChain")
    },
    **{
        (method, 1114, "An invitation is required"): uninvited(method)
        for method in ("firstStep", "firstStepEmail", "createIdentity", "toBlockChain")
    },
    ("setUsername", 1106, "This username is already taken"): verified(username="taken"),
    ("setUsername", 1109, "Invalid username"): verified(username="No"),
    ("toBlockChain", 1106, "This username is already taken"): taken_meanwhile,
    ("toBlockChain", 1110, "Not the username that was chosen"): named(username="other"),
    ("toBlockChain", 1111, "Not the userId that was given"): named(userId="reg1bbbbbbbb"),
    ("toBlockChain", 1112, "Invalid public key"): named(publicOwnerKey=OFF_CURVE_KEY),
}


def lose(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the store fails."""

    async def fail(work: Any) -> Any:
        raise StoreFault("disk full")

    for way in ("read", "look_up", "write"):
        monkeypatch.setattr(store, way, fail)


async def named_errors(client: Client) -> set[Error]:
    document = await client.call("rpc.discover")
    return {
        (method["name"], error["code"], error["message"])
        for method in document["methods"]
        for error in method["errors"]
    }


async def test_every_error_that_a_method_names_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[Error] = set()
    for number, ((method, code, message), call) in enumerate(CALLS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with open_client(
            folder, captcha=Gate(), identity_secure_key="s3cure", daily_codes_per_address=DAILY_CODES
        ) as client:
            error = await call(client)
        assert (error["code"], error["message"]) == (code, message), method
        seen.add((method, code, message))
    async with open_client(tmp_path, identity_secure_key="s3cure") as client:
        wanted = await named_errors(client)
        for method in PARAMS:
            error = await client.fail(method)
            seen.add((method, error["code"], error["message"]))
        lose(client.steps.store, monkeypatch)
        for method, params in PARAMS.items():
            error = await client.fail(method, **params)
            seen.add((method, error["code"], error["message"]))
        monkeypatch.undo()
    limited = tmp_path / "limited"
    limited.mkdir()
    async with open_client(limited, limited=True) as client:
        batch = [
            {"jsonrpc": "2.0", "id": method, "method": method, "params": {}}
            for method in ("getState", "getState", *PARAMS)
        ]
        for reply in json.loads((await client.post(json.dumps(batch).encode())).body):
            seen.add((reply["id"], reply["error"]["code"], reply["error"]["message"]))
    assert seen == wanted
