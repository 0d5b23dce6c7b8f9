"""The steps door on the wire: the protocol's own examples, every error's shape, HTTP around it, and arbitrary input."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regserver.adapters.ledger import on_curve
from regserver.domain.instant import DAY, SECOND
from regserver.endpoint import MAX_BODY_BYTES
from regserver.web.http.rate_limit import RateLimits
from regserver.web.steps.endpoint import steps_routes
from regserver.web.steps.method import StepsMethods
from tests.steps import GLS_KEY, K1_KEY, OFF_CURVE_KEY, Steps, open_steps, phone
from tests.web.http_client import Client as HttpClient
from tests.web.http_client import Reply, open_routes

PHONE = "+380000000000"
EMAIL = "alice@commun.com"


pytestmark = pytest.mark.usefixtures("way")


class Client:
    """What is asked of the door."""

    def __init__(self, steps: Steps, http: HttpClient) -> None:
        self.steps = steps
        self.http = http

    async def post(
        self, body: bytes, kind: str = "application/json", path: str = "/rpc", accept_language: str = ""
    ) -> Reply:
        headers = {"accept-language": accept_language} | ({"content-type": kind} if kind else {})
        return await self.http.ask("POST", path, body, headers)

    async def reply(self, method: str, params: dict[str, Any], path: str = "/rpc") -> Any:
        call = {"id": 1, "method": method, "jsonrpc": "2.0", "params": params}
        response = await self.post(json.dumps(call).encode(), path=path)
        assert response.status == 200
        reply = json.loads(response.body)
        assert (reply["jsonrpc"], reply["id"]) == ("2.0", 1)
        return reply

    async def call(self, method: str, **params: object) -> Any:
        reply = await self.reply(method, params)
        assert "error" not in reply, reply
        return reply["result"]

    async def fail(self, method: str, **params: object) -> Any:
        return (await self.reply(method, params))["error"]

    async def verified(self, number: str = PHONE, **more: object) -> Any:
        await self.call("firstStep", phone=number)
        return await self.call("verify", phone=number, code=self.steps.sms.code, **more)


@asynccontextmanager
async def open_client(folder: Path, *, limited: bool = False, **figures: object) -> AsyncIterator[Client]:
    limits = RateLimits(lambda: 0.0, enabled=limited, overrides={"rpc": "2/1m"} if limited else {})
    async with open_steps(folder, **figures) as steps:  # type: ignore[arg-type]
        methods = StepsMethods(steps.service, steps.accounts, steps.onboarding, on_curve)
        routes = steps_routes(methods, partial(limits.take, "rpc"))
        async with open_routes(routes, "http://localhost", limits) as http:
            yield Client(steps, http)


def both(code: int, message: str, **told: object) -> dict[str, object]:
    """An application error, whose members stand in two places."""
    return {"code": code, "message": message, "data": told, **told}


async def test_a_code_comes_in_the_language_of_the_request(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        call = {"id": 1, "method": "firstStep", "jsonrpc": "2.0", "params": {"phone": PHONE}}
        await client.post(json.dumps(call).encode(), accept_language="fr-CA, en;q=0.5")
        assert "est votre code d'inscription" in client.steps.sms.messages[0][1]


async def test_a_nul_is_in_no_parameter(tmp_path: Path) -> None:
    """Not every store can write one, and a fault of the store is not the caller's business."""
    async with open_client(tmp_path) as client:
        spoiled = (
            ("userId", {"userId": "a\0b"}),
            ("communityIds", {"userId": "x", "communityIds": ["a", "b\0"]}),
        )
        for parameter, given in spoiled:
            reply = await client.reply("onboardingCommunitySubscriptions", given)
            wanted = {"code": -32602, "message": "Invalid params", "data": {"parameter": parameter}}
            assert reply["error"] == wanted


# --- the protocol's examples, as printed
async def test_the_phone_examples_as_printed(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        assert await client.call("getState", phone=PHONE) == {"currentState": "firstStep"}
        sent = await client.call(
            "firstStep", phone=PHONE, captcha="captcha code", captchaType="(web|android|ios)"
        )
        assert sent == {"nextSmsRetry": "2020-09-13T12:27:25.000Z", "currentState": "verify"}
        code = int(client.steps.sms.code)
        assert await client.call("verify", phone=PHONE, code=code) == {"currentState": "setUsername"}
        chosen = await client.call("setUsername", phone=PHONE, username="some-user-name")
        user_id = chosen["userId"]
        assert chosen == {"currentState": "toBlockChain", "userId": user_id}
        assert re.fullmatch(r"reg1[a-z]{8}", user_id)
        assert await client.call("getState", phone=PHONE) == {
            "currentState": "toBlockChain",
            "data": {"userId": user_id, "username": "some-user-name"},
        }
        done = await client.call(
            "toBlockChain",
            phone=PHONE,
            username="some-user-name",
            userId=user_id,
            publicOwnerKey=GLS_KEY,
            publicActiveKey=K1_KEY,
        )
        assert done == {"username": "some-user-name", "userId": user_id, "currentState": "registered"}
        assert await client.call("getState", phone=PHONE) == {"currentState": "registered"}
        for method, more in (
            ("onboardingCommunitySubscriptions", {"communityIds": ["GIFS", "GIRLS", "HEALTH"]}),
            ("onboardingDeviceSwitched", {}),
            ("onboardingSharedLink", {}),
        ):
            assert await client.call(method, userId=user_id, **more) == {"status": "OK"}


async def test_the_email_examples_as_printed(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        assert await client.call("getState", email=EMAIL) == {"currentState": "firstStepEmail"}
        sent = await client.call("firstStepEmail", email=EMAIL, captcha="captcha code", captchaType="android")
        assert sent == {"nextEmailRetry": "2020-09-13T12:27:25.000Z", "currentState": "verifyEmail"}
        client.steps.clock.advance(45 * SECOND)
        assert await client.call("resendEmailCode", email=EMAIL.upper()) == {
            "nextEmailRetry": "2020-09-13T12:28:10.000Z",
            "currentState": "verifyEmail",
        }
        code = await client.steps.mailed_code()
        assert await client.call("verifyEmail", email=EMAIL, code=code) == {"currentState": "setUsername"}
        chosen = await client.call("setUsername", email=EMAIL, username="some-user-name")
        done = await client.call(
            "toBlockChain",
            email=EMAIL,
            username="some-user-name",
            userId=chosen["userId"],
            publicOwnerKey=GLS_KEY,
            publicActiveKey=GLS_KEY,
        )
        assert done["currentState"] == "registered"


async def test_the_identity_examples_as_printed(tmp_path: Path) -> None:
    async with open_client(tmp_path, identity_secure_key="s3cure") as client:
        assert await client.call("getState", identity="oauth-42") == {"currentState": "createIdentity"}
        wrong = await client.fail("createIdentity", identity="oauth-42", provider="google", secureKey="no")
        assert wrong == both(1108, "Wrong secure key")
        created = await client.call(
            "createIdentity", identity="oauth-42", provider="google", secureKey="s3cure", wantToken=True
        )
        assert created["currentState"] == "setUsername"
        chosen = await client.call(
            "setUsername", identity="oauth-42", username="some-user-name", token=created["token"]
        )
        done = await client.call(
            "toBlockChain",
            identity="oauth-42",
            provider="google",
            username="some-user-name",
            userId=chosen["userId"],
            publicOwnerKey=GLS_KEY,
            publicActiveKey=GLS_KEY,
            token=created["token"],
        )
        assert done["currentState"] == "registered"


# --- errors
async def test_errors_tell_state_and_retry_time_twice(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        out_of_turn = both(1102, "Invalid step taken", currentState="firstStep")
        assert await client.fail("verify", phone=PHONE, code=1) == out_of_turn
        await client.call("firstStep", phone=PHONE)
        wrong = both(1104, "Wrong activation code", currentState="verify")
        assert await client.fail("verify", phone=PHONE, code="000000") == wrong
        early = both(1107, "Try later", currentState="verify", nextSmsRetry="2020-09-13T12:27:25.000Z")
        assert await client.fail("resendSmsCode", phone=PHONE) == early
        for _ in range(3):
            client.steps.clock.advance(45 * SECOND)
            await client.call("resendSmsCode", phone=PHONE)
        late = both(1108, "Too many retries", currentState="verify", nextSmsRetry="2020-09-14T12:26:40.000Z")
        assert await client.fail("resendSmsCode", phone=PHONE) == late
        client.steps.clock.advance(DAY)
        client.steps.sms.faults = 1
        not_sent = both(1113, "SMS was not sent", currentState="firstStep")
        assert await client.fail("firstStep", phone=PHONE) == not_sent
        await client.call("firstStepEmail", email=EMAIL)
        assert (await client.fail("resendEmailCode", email=EMAIL))["nextEmailRetry"].endswith(".000Z")


async def test_errors_of_name_and_account(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        await client.verified("+380000000001")
        await client.call("setUsername", phone="+380000000001", username="taken")
        await client.verified()
        bad = both(1109, "Invalid username", currentState="setUsername")
        assert await client.fail("setUsername", phone=PHONE, username="No") == bad
        taken = both(1106, "This username is already taken", currentState="setUsername")
        assert await client.fail("setUsername", phone=PHONE, username="taken") == taken
        user_id = (await client.call("setUsername", phone=PHONE, username="mine"))["userId"]
        good = {"phone": PHONE, "username": "mine", "userId": user_id}
        keys = {"publicOwnerKey": GLS_KEY, "publicActiveKey": GLS_KEY}
        for changed, code in (
            ({"username": "taken"}, 1110),
            ({"userId": "reg1aaaaaaaa"}, 1111),
            ({"publicOwnerKey": OFF_CURVE_KEY}, 1112),
            ({"publicActiveKey": "GLS35B...."}, 1112),
        ):
            failed = await client.fail("toBlockChain", **{**good, **keys, **changed})
            assert (failed["code"], failed["currentState"]) == (code, "toBlockChain")
        await client.call("toBlockChain", **good, **keys)
        again = both(1101, "Account already registered", currentState="registered")
        assert await client.fail("toBlockChain", **good, **keys) == again
        assert await client.fail("onboardingSharedLink", userId="tst5swkjbtgy") == both(404, "User not found")
        pending = await client.steps.to_named(phone("+380000000009"), "pending")
        early = both(1102, "Invalid step taken", currentState="toBlockChain")
        assert await client.fail("onboardingSharedLink", userId=pending) == early


@pytest.mark.parametrize(
    ("method", "params", "parameter"),
    [
        ("getState", {"phone": "+38 000"}, "phone"),
        ("getState", {"phone": "+380*******00"}, "phone"),
        ("getState", {"email": "alice"}, "email"),
        ("getState", {"identity": ""}, "identity"),
        ("getState", {"phone": 380000000000}, "phone"),
        ("firstStep", {}, "phone"),
        ("firstStep", {"email": EMAIL}, "phone"),
        ("firstStep", {"phone": PHONE, "email": EMAIL}, "email"),
        ("firstStepEmail", {"phone": PHONE, "email": EMAIL}, "phone"),
        ("firstStep", {"phone": PHONE, "captchaType": "desktop"}, "captchaType"),
        ("firstStep", {"phone": PHONE, "captcha": 5}, "captcha"),
        ("verify", {"phone": PHONE}, "code"),
        ("verify", {"phone": PHONE, "code": True}, "code"),
        ("verify", {"phone": PHONE, "code": [1]}, "code"),
        ("verify", {"phone": "abc", "code": 1}, "phone"),
        ("verify", {"phone": PHONE, "code": 1, "wantToken": "yes"}, "wantToken"),
        ("resendSmsCode", {"phone": "+1"}, "phone"),
        ("resendEmailCode", {"email": "@"}, "email"),
        ("verifyEmail", {"email": "@", "code": 1}, "email"),
        ("createIdentity", {"identity": "x", "provider": "g"}, "secureKey"),
        ("createIdentity", {"identity": "x", "provider": "\n", "secureKey": "k"}, "identity"),
        ("setUsername", {"phone": PHONE}, "username"),
        ("toBlockChain", {"phone": PHONE, "username": "x"}, "userId"),
        ("onboardingSharedLink", {}, "userId"),
        ("onboardingCommunitySubscriptions", {"userId": "x", "communityIds": ["A", "B"]}, "communityIds"),
        (
            "onboardingCommunitySubscriptions",
            {"userId": "x", "communityIds": ["A", "B", "B"]},
            "communityIds",
        ),
        ("onboardingCommunitySubscriptions", {"userId": "x", "communityIds": ["A", "B", 3]}, "communityIds"),
        ("onboardingCommunitySubscriptions", {"userId": "x", "communityIds": "ABC"}, "communityIds"),
    ],
)
async def test_invalid_params(tmp_path: Path, method: str, params: dict[str, object], parameter: str) -> None:
    async with open_client(tmp_path) as client:
        expected = {"code": -32602, "message": "Invalid params", "data": {"parameter": parameter}}
        assert await client.fail(method, **params) == expected


@pytest.mark.parametrize(
    ("method", "params", "parameter"),
    [
        ("getState", {}, "phone"),
        ("getState", {"phone": PHONE, "email": EMAIL}, "email"),
        ("getState", {"identity": "x", "phone": PHONE, "email": EMAIL}, "email"),
        ("setUsername", {"username": "x"}, "phone"),
    ],
)
async def test_where_one_of_several_contacts_is_wanted_all_are_named(
    tmp_path: Path, method: str, params: dict[str, object], parameter: str
) -> None:
    async with open_client(tmp_path) as client:
        data = {"parameter": parameter, "oneOf": ["phone", "email", "identity"]}
        assert await client.fail(method, **params) == {
            "code": -32602,
            "message": "Invalid params",
            "data": data,
        }


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("firstStep", {"phone": "+38 000"}),
        ("firstStep", {"phone": "+380*****"}),
        ("firstStepEmail", {"email": "@"}),
    ],
)
async def test_a_registration_begun_with_no_contact(
    tmp_path: Path, method: str, params: dict[str, str]
) -> None:
    async with open_client(tmp_path) as client:
        assert await client.fail(method, **params) == both(1104, "Invalid phone number or e-mail address")


async def test_null_counts_as_absent(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        known = await client.call("getState", phone=PHONE, email=None, identity=None, token=None)
        assert known == {"currentState": "firstStep"}


# --- HTTP around it
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_another_method_is_told_which_there_is(tmp_path: Path, method: str) -> None:
    async with open_client(tmp_path) as client:
        for path in ("/rpc", "/rpc/"):
            reply = await client.http.ask(method, path)
            assert (reply.status, reply.fields["allow"]) == (405, "POST")
            assert method == "HEAD" or reply.json["error"]["code"] == -32600


async def test_both_paths_and_both_names(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        for path in ("/rpc", "/rpc/", "/"):
            reply = await client.reply("registration.getState", {"phone": PHONE}, path)
            assert reply["result"] == {"currentState": "firstStep"}


async def test_notifications_have_no_content_and_still_act(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        call = {"jsonrpc": "2.0", "method": "firstStep", "params": {"phone": PHONE}}
        response = await client.post(json.dumps(call).encode())
        assert (response.status, response.body, response.content_type) == (204, b"", "")
        assert len(client.steps.sms.messages) == 1


@pytest.mark.parametrize(
    "kind", ["", "application/json", "application/json; charset=utf-8", "application/json-rpc"]
)
async def test_content_types_that_are_read(tmp_path: Path, kind: str) -> None:
    async with open_client(tmp_path) as client:
        response = await client.post(b'{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}', kind)
        assert response.status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_content_types_that_are_not(tmp_path: Path, kind: str) -> None:
    async with open_client(tmp_path) as client:
        response = await client.post(b'{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}', kind)
        assert response.status == 415
        assert json.loads(response.body)["error"]["code"] == -32600


async def test_long_bodies_and_many_requests(tmp_path: Path) -> None:
    async with open_client(tmp_path, limited=True) as client:
        long = await client.post(b" " * (MAX_BODY_BYTES + 1))
        assert (long.status, json.loads(long.body)["error"]["code"]) == (413, -32600)
        assert (await client.post(b"{}")).status == 200
        many = await client.post(b"{}")
        assert (many.status, json.loads(many.body)["error"]["code"]) == (429, 429)
        assert int(dict(many.headers)["retry-after"]) >= 1


async def test_every_call_of_a_batch_counts(tmp_path: Path) -> None:
    async with open_client(tmp_path, limited=True) as client:
        call = {"jsonrpc": "2.0", "id": 1, "method": "getState", "params": {"phone": PHONE}}
        silent = {"jsonrpc": "2.0", "method": "firstStep", "params": {"phone": PHONE}}
        response = await client.post(json.dumps([call, call, call, silent, call]).encode())
        replies = json.loads(response.body)
        assert [reply.get("error", {}).get("code") for reply in replies] == [None, None, 429, 429]
        assert client.steps.sms.messages == []


async def test_the_description_names_what_is_served(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        document = await client.call("rpc.discover")
        methods = {method["name"]: method for method in document["methods"]}
        assert len(methods) == 13
        first = methods["firstStep"]
        assert [(param["name"], param["required"]) for param in first["params"]] == [
            ("phone", True),
            ("captcha", False),
            ("captchaType", False),
            ("invitation", False),
        ]
        assert {error["code"] for error in first["errors"]} == {
            1101,
            1102,
            1103,
            1104,
            1108,
            1113,
            1114,
            -32602,
            429,
            500,
        }
        schemas = document["components"]["schemas"]
        for method in methods.values():
            assert method["result"]["schema"]["$ref"].rpartition("/")[2] in schemas


# --- arbitrary input
NAMES = [
    "getState",
    "firstStep",
    "verify",
    "resendSmsCode",
    "firstStepEmail",
    "verifyEmail",
    "resendEmailCode",
]
NAMES += ["createIdentity", "setUsername", "toBlockChain", "onboardingCommunitySubscriptions"]
NAMES += ["onboardingDeviceSwitched", "onboardingSharedLink"]
MEMBERS = ["phone", "email", "identity", "provider", "captcha", "captchaType", "code", "username", "userId"]
MEMBERS += ["publicOwnerKey", "publicActiveKey", "communityIds", "secureKey", "token", "wantToken"]
LIKELY = st.sampled_from(
    [PHONE, EMAIL, "oauth-42", "some-user-name", "web", GLS_KEY, OFF_CURVE_KEY, "reg1aaaaaaaa", 1]
)
VALUES = LIKELY | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SECRET = "s3cret-that-must-not-come-back"


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    calls=st.lists(
        st.tuples(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(MEMBERS), VALUES)), max_size=5
    )
)
async def test_no_input_is_a_fault_of_ours(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[str, dict[str, object]]]
) -> None:
    async with open_client(tmp_path_factory.mktemp("any")) as client:
        for method, params in calls:
            reply = await client.reply(method, params)
            code = reply.get("error", {}).get("code")
            assert code not in {500, -32603, -32700, -32600}, reply


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(NAMES), member=st.sampled_from(MEMBERS))
async def test_nothing_that_was_sent_comes_back_in_an_error(
    tmp_path_factory: pytest.TempPathFactory, method: str, member: str
) -> None:
    async with open_client(tmp_path_factory.mktemp("any")) as client:
        for params in (
            {member: SECRET},
            {"phone": PHONE, member: SECRET},
            {"phone": PHONE, member: {SECRET: SECRET}},
        ):
            reply = await client.reply(method, params)
            assert SECRET not in json.dumps(reply)


async def test_a_refused_step_changes_nothing(tmp_path: Path) -> None:
    async with open_client(tmp_path) as client:
        await client.verified()
        user_id = (await client.call("setUsername", phone=PHONE, username="mine"))["userId"]
        before = await client.steps.row(phone())
        for method in ("firstStep", "verify", "resendSmsCode"):
            await client.fail(method, phone=PHONE, code=1)
        await client.fail("setUsername", phone=PHONE, username="..")
        await client.fail("toBlockChain", phone=PHONE, username="mine", userId=user_id)
        assert await client.steps.row(phone()) == before
