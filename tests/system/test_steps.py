"""The registration by steps on the started server: by its log alone, with real providers, and through kill -9."""

import signal
from pathlib import Path

import httpx
import pytest
import trio

from tests.peer.antelope import open_chain
from tests.peer.http import Answer, Asked, answer, open_http_peer
from tests.peer.smtp import open_smtp_peer
from tests.steps import code_in, stored_bytes
from tests.system.server import Server, open_server, run_command
from tests.system.steps_client import StepsClient, logged_code, register_or_lose

PHONE = "+380000000000"
EMAIL = "alice@commun.com"
WIF = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"


async def test_phone_and_email_by_the_log_alone(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        steps = StepsClient(client)
        await steps.call("firstStep", phone=PHONE, captcha="captcha code", captchaType="web")
        user_id = await steps.to_named(PHONE, "by-phone", await logged_code(server, PHONE))
        assert (await steps.register("by-phone", user_id, phone=PHONE))["result"][
            "currentState"
        ] == "registered"
        await steps.call(
            "onboardingCommunitySubscriptions", userId=user_id, communityIds=["GIFS", "GIRLS", "HEALTH"]
        )
        await steps.call("onboardingDeviceSwitched", userId=user_id)
        await steps.call("onboardingSharedLink", userId=user_id)

        await steps.call("firstStepEmail", email=EMAIL, captcha="captcha code", captchaType="web")
        await steps.call("verifyEmail", email=EMAIL, code=await logged_code(server, EMAIL))
        chosen = await steps.call("setUsername", email=EMAIL, username="by-email")
        done = await steps.register("by-email", chosen["userId"], email=EMAIL)
        assert done["result"] == {
            "username": "by-email",
            "userId": chosen["userId"],
            "currentState": "registered",
        }
        taken = await client.get("/by-phone/check")
        assert taken.status_code == 400  # a name of this door, not of the directory's
        refused = await client.post(
            "/login/register",
            json={"username": "by-phone", "email": "b@example.org", "password": "long enough"},
        )
        assert refused.json() == {"error": "UsernameTaken"}


async def test_real_providers_and_no_trace_of_a_contact(tmp_path: Path) -> None:
    def provide(asked: Asked) -> Answer:
        if asked.path == "/siteverify":
            return answer({"success": asked.form["secret"] == "w3b" and asked.form["response"] == "human"})
        return (
            answer({"messages": [{"status": "0"}]}) if asked.path == "/sms/json" else answer({"code": 1}, 500)
        )

    async with open_http_peer(provide) as peer, open_smtp_peer() as (smtp, _):
        settings = (
            "server.public_url=http://localhost",
            "sms.countries=*",
            "sms.weights={twilio = 1000000, vonage = 1}",
            f"sms.twilio.url={peer.url}",
            "sms.twilio.account_sid=AC1",
            "sms.twilio.auth_token=t0ken",
            "sms.twilio.from=+15005550006",
            f"sms.vonage.url={peer.url}",
            "sms.vonage.api_key=k3y",
            "sms.vonage.api_secret=s3cret",
            "sms.vonage.from=regserver",
            "captcha.kind=hcaptcha",
            f"captcha.url={peer.url}/siteverify",
            "captcha.secret_web=w3b",
            f"mail.smtp=smtp://127.0.0.1:{smtp.port}?tls=none",
        )
        async with open_server(tmp_path, settings) as server, server.client() as client:
            steps = StepsClient(client)
            robot = await steps.reply("firstStep", phone=PHONE, captcha="robot", captchaType="web")
            assert (robot["error"]["code"], robot["error"]["currentState"]) == (1103, "firstStep")
            await steps.call("firstStep", phone=PHONE, captcha="human", captchaType="web")
            sent = [asked for asked in peer.asked if asked.path == "/sms/json"]
            phone_code = code_in(sent[0].form["text"])
            user_id = await steps.to_named(PHONE, "by-phone", phone_code)
            await steps.register("by-phone", user_id, phone=PHONE)

            await steps.call("firstStepEmail", email=EMAIL, captcha="human", captchaType="web")
            await smtp.wait_received(1)
            mail_code = code_in(smtp.received[0].part("plain"))
            await steps.call("verifyEmail", email=EMAIL, code=mail_code)
            chosen = await steps.call("setUsername", email=EMAIL, username="by-email")
            await steps.register("by-email", chosen["userId"], email=EMAIL)
        written = stored_bytes(tmp_path)
    for plain in ("380000000000", EMAIL, phone_code, mail_code):
        assert plain.encode() not in written
        assert plain not in server.printed
    assert "did not take an SMS" in server.printed


async def test_the_journal_is_whole_after_twenty_kills(tmp_path: Path) -> None:
    registered = 0
    for turn in range(20):
        async with open_server(tmp_path) as server, server.client() as client:
            registered += await _kill_while_registering(server, StepsClient(client), turn)
    verified = await run_command(
        "ledger", "verify", "--set", f"store.url=sqlite:{tmp_path / 'test.db'}", folder=tmp_path
    )
    assert verified.returncode == 0, verified.stdout
    entries = int(verified.stdout.split()[1])
    assert registered <= entries <= 20 * 4


async def _kill_while_registering(server: Server, steps: StepsClient, turn: int) -> int:
    """Four registrations at once, and SIGKILL after as many answers as `turn` says; how many were answered."""
    phones = [f"+3800000{turn:02}{n:03}" for n in range(4)]
    ids = []
    for n, phone in enumerate(phones):
        await steps.call("firstStep", phone=phone)
        ids.append(await steps.to_named(phone, f"user-{turn}-{n}", await logged_code(server, phone)))
    answered = 0

    async def register(n: int) -> None:
        nonlocal answered
        if await register_or_lose(server.url, f"user-{turn}-{n}", ids[n], phones[n]):
            answered += 1
            if answered > turn % 4:
                server.process.kill()

    async with trio.open_nursery() as nursery:
        for n in range(4):
            nursery.start_soon(register, n)
        if turn % 4 == 3:
            server.process.kill()
    if server.process.returncode is None:
        await server.stop(signal.SIGKILL)
    return answered


async def test_a_chain_through_a_kill_between_push_and_answer(tmp_path: Path) -> None:
    async with open_chain() as chain:
        settings = (
            "ledger.kind=antelope",
            f"ledger.antelope.url={chain.url}",
            "ledger.antelope.creator=creator",
            f"ledger.antelope.private_key={WIF}",
        )
        async with open_server(tmp_path, settings) as server, server.client() as client:
            steps = StepsClient(client)
            await steps.call("firstStep", phone=PHONE)
            user_id = await steps.to_named(PHONE, "on-chain", await logged_code(server, PHONE))
            chain.mood = "silent after taking"
            async with trio.open_nursery() as nursery:

                async def ask() -> None:
                    with pytest.raises(httpx.TransportError):
                        await steps.register("on-chain", user_id, phone=PHONE)

                nursery.start_soon(ask)
                await chain.wait_taken()
                server.process.kill()
        chain.mood = "well"
        async with open_server(tmp_path, settings) as server, server.client() as client:
            steps = StepsClient(client)
            assert (await steps.call("getState", phone=PHONE))["currentState"] == "toBlockChain"
            done = await steps.register("on-chain", user_id, phone=PHONE)
            assert done["result"]["currentState"] == "registered"
        assert len(chain.taken) == 1
        assert len(set(chain.pushed)) == 1
    assert WIF not in server.printed


# --- the operator's commands
async def test_the_operator_sees_unlocks_and_verifies(tmp_path: Path) -> None:
    database = ("--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
    async with open_server(tmp_path) as server, server.client() as client:
        steps = StepsClient(client)
        await steps.call("firstStep", phone=PHONE)
        code = await logged_code(server, PHONE)
        for _ in range(5):
            await steps.reply("verify", phone=PHONE, code="000000")

        shown = (await run_command("steps", "show", PHONE, *database, folder=tmp_path)).stdout.decode()
        assert "verify" in shown
        assert "0 tries left" in shown
        assert "5 of 10 tries" in shown
        assert code not in shown
        assert PHONE not in shown
        unlocked = await run_command("steps", "unlock", PHONE, *database, folder=tmp_path)
        assert "firstStep" in unlocked.stdout.decode()
        await steps.call("firstStep", phone=PHONE)
        lines = await server.wait_lines(lambda line: PHONE in line["message"], 2)
        user_id = await steps.to_named(PHONE, "unlocked", code_in(lines[-1]["message"].rpartition(PHONE)[2]))
        await steps.register("unlocked", user_id, phone=PHONE)

        user = (await run_command("user", "show", "Unlocked", *database, folder=tmp_path)).stdout.decode()
        assert user_id in user
        assert "door      steps" in user
        assert (await run_command("ledger", "verify", *database, folder=tmp_path)).returncode == 0
