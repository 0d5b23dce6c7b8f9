"""The export on a running server: people of all four doors, each with a life, and what the document says of it."""

import itertools
import json
import stat
from collections.abc import Sequence
from pathlib import Path

import httpx
import msgspec
import pyotp

from regserver.service.export_service import DAILY_EXPORTS
from regserver.web.sign_in.export_wire import ExportDocument
from tests.authenticator import Authenticator
from tests.incident.test_used_once import DIRECTORY, PHONE, secret_in_mail
from tests.peer.smtp import SmtpPeer, open_smtp_peer
from tests.store.test_export import hashes, spellings
from tests.system.server import Person, Server, listening, open_server, run_command, sign_up
from tests.system.steps_client import KEY, StepsClient, logged_code
from tests.system.test_live import watch

TEA = "Tea? 🫖 Чай? «茶»"
decode = msgspec.json.Decoder(ExportDocument, strict=True).decode


async def exported(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/login/export", headers={"authorization": f"Bearer {token}"})


async def document(client: httpx.AsyncClient, token: str) -> tuple[str, ExportDocument]:
    answer = await exported(client, token)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="account.json"'
    assert answer.headers["cache-control"] == "no-store"
    return answer.text, decode(answer.content)


async def live_a_life(client: httpx.AsyncClient, ann: Person, bob: Person) -> set[str]:
    """Something of every kind, at the door of the rooms; what must not be told of it."""
    credentials = {"username": "annabella", "password": "annabella's long password"}
    backup = (await ann.call("POST", "/login/tokens", {"name": "резервная копия"})).json()["token"]
    kitchen = (await ann.post("/room/create", {"name": "Küche 🍲", "otherUsers": [bob.id]}))["roomId"]
    for content in (TEA, '"quoted"\n\u0001'):
        await ann.post(f"/room/post/{kitchen}", {"content": content})
    bobs = (await bob.post(f"/room/post/{kitchen}", {"content": "bob's own words"}))["postId"]
    await ann.post(f"/room/seen/{kitchen}", {"postId": bobs})
    attic = (await bob.post("/room/create", {"name": "Bob's attic", "otherUsers": [ann.id]}))["roomId"]
    await ann.post(f"/room/post/{attic}", {"content": "out of here"})
    await ann.call("POST", f"/room/leave/{attic}")
    await ann.call("POST", f"/login/block/{bob.id}")
    secrets = (await ann.post("/login/totp"))["secret"]
    codes = await ann.post("/login/totp/confirm", {"code": pyotp.TOTP(secrets).now()})
    made = Authenticator("https://example.org").make(await ann.post("/login/passkey/options"))
    added = await ann.call("POST", "/login/passkey", {**made, "name": "Schlüssel"})
    assert added.status_code == 201, added.text
    first, factor = [(await client.post("/login", json=credentials)).json()["ticket"] for _ in range(2)]
    proof = {"ticket": first, "code": codes["recoveryCodes"][0]}
    assert (
        await client.post("/login/factor", json=proof, headers={"user-agent": "Telly/1"})
    ).status_code == 200
    ticket = (await ann.post("/login/ticket"))["ticket"]
    keyed = {"authorization": f"Bearer {ann.token}", "idempotency-key": "my-key"}
    await client.post(f"/room/post/{kitchen}", json={"content": "once"}, headers=keyed)
    await client.post("/login", json={**credentials, "password": "a wrong password"})
    return {ann.token, backup, secrets, factor, ticket, *codes["recoveryCodes"], "bob's own words", "attic"}


def check_life(it: ExportDocument, bob: Person) -> None:
    assert (it.account.username, it.account.email) == ("annabella", "annabella@example.org")
    assert it.account.email_verified_at is not None
    assert [contact.kind for contact in it.contacts] == ["email"]
    assert sorted(session.name or session.agent[:6] for session in it.sessions) == [
        "Telly/",
        "python",
        "резервная копия",
    ]
    assert [post.content for post in it.posts] == [TEA, '"quoted"\n\u0001', "once", "out of here"]
    assert [(stay.name, stay.is_member) for stay in it.rooms] == [("Küche 🍲", True), (None, False)]
    assert it.rooms[0].seen_post_id > 0
    assert [block.user_id for block in it.blocks] == [bob.id]
    assert it.authenticator_app is not None
    assert it.authenticator_app.recovery_codes == 9
    assert [key.name for key in it.passkeys] == ["Schlüssel"]
    assert [ticket.purpose for ticket in it.factor_tickets] == ["sign_in"]
    assert len(it.tickets) == 1
    assert [retry.key for retry in it.retries] == ["my-key"]
    assert [guess.failures for guess in it.guesses] == [1]
    assert it.allowance is not None
    assert (it.allowance.posts, it.allowance.rooms) == (4, 1)
    assert [network.language for network in it.networks] == ["en"]
    assert (it.source, it.profile, it.registrations, it.ledger_entries, it.directory_sign_ups) == (
        None,
        None,
        (),
        (),
        (),
    )


async def at_the_directory(client: httpx.AsyncClient, challenge: str) -> str:
    assert (await client.post(f"/{challenge}/confirm")).status_code == 200
    signed_in = await client.post(
        "/login", json={"username": "Directory1", "password": DIRECTORY["password"]}
    )
    return str(signed_in.json()["token"])


async def at_the_steps(server: Server, client: httpx.AsyncClient) -> str:
    steps = StepsClient(client)
    await steps.call("firstStep", phone=PHONE, captcha="", captchaType="web")
    await steps.call("verify", phone=PHONE, code=await logged_code(server, PHONE))
    user_id = (await steps.call("setUsername", phone=PHONE, username="step-by-step"))["userId"]
    chosen = {"username": "step-by-step", "userId": user_id, "phone": PHONE, "wantToken": True}
    done = await steps.call("toBlockChain", **chosen, publicOwnerKey=KEY, publicActiveKey=KEY)
    return str(done["token"])


async def at_the_live_door(server: Server, client: httpx.AsyncClient) -> str:
    begun = await client.post("/login", json={"username": "alan", "password": "enigma bombe"})
    path = begun.headers["location"].partition("example.org")[2]
    async with listening(server.socket_url + path) as listener:
        return str((await watch(listener))[-1]["additionalData"]["token"])


async def test_people_of_every_door(tmp_path: Path) -> None:
    async with open_smtp_peer() as (peer, _):
        mail = (f"mail.smtp=smtp://127.0.0.1:{peer.port}", "server.public_url=https://example.org")
        async with open_server(tmp_path, mail) as server, server.client() as client:
            ann = await sign_up(client, "annabella")
            link = {"token": await secret_in_mail(peer, 1)}
            assert (await client.post("/login/email/verify", json=link)).status_code == 200
            bob = await sign_up(client, "benedict")
            await peer.wait_received(2)
            secrets = await live_a_life(client, ann, bob)
            text, told = await document(client, ann.token)
            check_life(told, bob)
            assert [secret for secret in (*secrets, link["token"], "benedict") if secret in text] == []

            await client.post("/init", json=DIRECTORY)
            challenge = await challenge_in_mail(peer)
            _, of_directory = await document(client, await at_the_directory(client, challenge))
            _, of_steps = await document(client, await at_the_steps(server, client))
            _, of_live = await document(client, await at_the_live_door(server, client))
            check_doors(of_directory, of_steps, of_live)
        check_hashes(tmp_path, [text])


async def challenge_in_mail(peer: SmtpPeer) -> str:
    """Amid the notices to the others."""
    for number in itertools.count(1):
        await peer.wait_received(number)
        text = peer.accepted[number - 1].part("plain")
        if "Directory1" in text and "#" in text:
            break
    return text.partition("#")[2].split()[0]


def check_doors(of_directory: ExportDocument, of_steps: ExportDocument, of_live: ExportDocument) -> None:
    assert (of_directory.account.door, of_directory.account.email) == ("directory", DIRECTORY["email"])
    assert [each.username for each in of_directory.directory_sign_ups] == ["Directory1"]
    assert (of_steps.account.door, of_steps.account.email) == ("steps", None)
    assert [(each.kind, each.state) for each in of_steps.registrations] == [("phone", "registered")]
    assert [each.kind for each in of_steps.contacts] == ["phone"]
    assert [entry.username for entry in of_steps.ledger_entries] == ["step-by-step"]
    assert of_steps.ledger_entries[0].ledger_user_id == of_steps.account.ledger_user_id
    assert (of_live.account.door, of_live.posts) == ("live", ())
    assert of_live.source is not None
    assert (of_live.source.kind, of_live.source.name) == ("file", "alan")
    assert of_live.profile is not None
    assert of_live.profile.last_name == "Turing"


def check_hashes(folder: Path, texts: Sequence[str]) -> None:
    whole = "".join(texts).encode()
    found = [
        value for value in hashes(folder / "test.db") for spelling in spellings(value) if spelling in whole
    ]
    assert found == []


async def test_a_mail_that_waits_is_told_without_its_text(tmp_path: Path) -> None:
    """Nobody takes it. One to somebody else's address is not told, and neither is one to a mere wish."""
    url = "server.public_url=https://example.org"
    async with (
        open_smtp_peer() as (peer, _),
        open_server(tmp_path, (f"mail.smtp=smtp://127.0.0.1:{peer.port}", url)) as server,
        server.client() as client,
    ):
        ann = await sign_up(client, "annabella")
        link = {"token": await secret_in_mail(peer, 1)}
        assert (await client.post("/login/email/verify", json=link)).status_code == 200
    async with (
        open_server(tmp_path, ("mail.smtp=smtp://127.0.0.1:9", url)) as server,
        server.client() as client,
    ):
        bob = await sign_up(client, "benedict")
        body = {"password": "annabella's long password", "newPassword": "volume four, at last"}
        again = {"authorization": f"Bearer {ann.token}"}
        assert (await client.post("/login/password", json=body, headers=again)).status_code == 204
        text, told = await document(client, ann.token)
        assert [(mail.to, mail.parked_at) for mail in told.mails] == [("annabella@example.org", None)]
        assert "password" in told.mails[0].subject.lower()
        assert "benedict" not in text
        assert (await document(client, bob.token))[1].mails == ()


async def test_a_few_a_day(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann, bob = await sign_up(client, "annabella"), await sign_up(client, "benedict")
        for _ in range(DAILY_EXPORTS):
            await document(client, ann.token)
        refused = await exported(client, ann.token)
        assert (refused.status_code, refused.json()) == (429, {"error": "TooManyRequests"})
        assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
        await document(client, bob.token)
        assert (await client.get("/login/export")).json() == {"error": "MissingAuth"}


async def test_the_operator_writes_the_same_beside_the_server(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "annabella")
        await ann.post(f"/room/post/{(await ann.post('/room/create', {}))['roomId']}", {"content": TEA})
        where = ("--set", f"store.url=sqlite:{tmp_path / 'test.db'}")
        printed = await run_command("user", "export", "annabella", *where, folder=tmp_path)
        assert (printed.returncode, printed.stderr) == (0, b"")
        own = json.loads((await document(client, ann.token))[0])
        assert {**json.loads(printed.stdout), "exportedAt": ""} == {**own, "exportedAt": ""}
        file = ("--output", "ann.json")
        for expected in ((0, b""), (1, b"regserver: ann.json: File exists\n")):
            done = await run_command("user", "export", "annabella", *file, *where, folder=tmp_path)
            assert (done.returncode, done.stderr, done.stdout) == (*expected, b"")
        assert stat.S_IMODE((tmp_path / "ann.json").stat().st_mode) == 0o600
        assert decode((tmp_path / "ann.json").read_bytes()).posts[0].content == TEA
        await ann.call("DELETE", "/login/delete")
        after = await run_command("user", "export", str(ann.id), *where, folder=tmp_path)
        assert decode(after.stdout).account.deleted_at is not None
        gone = await run_command("user", "export", "nobody", "--output", "x", *where, folder=tmp_path)
        assert (gone.returncode, gone.stderr) == (1, b"regserver: no such account\n")
        assert not (tmp_path / "x").exists()
