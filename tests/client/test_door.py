"""Every door by the client, against a real server."""

from collections.abc import AsyncIterator
from functools import partial

import pyotp
import pytest
import trio

from regserver import client, testing
from regserver.client import transport
from tests.testing.test_fault import KEY
from tests.testing.test_server import PHONE


@pytest.fixture
async def server() -> AsyncIterator[testing.TestedServer]:
    async with testing.server() as running:
        yield running


@pytest.fixture
async def here(server: testing.TestedServer) -> AsyncIterator[client.Client]:
    async with client.open_client(server.url) as opened:
        yield opened


async def test_a_registration_is_watched_to_its_session(
    server: testing.TestedServer, here: client.Client
) -> None:
    server.source("ada")
    registration = await here.sign_in("ada", "right")
    assert isinstance(registration, client.Registration)
    events = [event async for event in registration]
    assert [event.event_type for event in events] == ["INFORMATION", "INFORMATION", "NAME", "AUTHENTICATION"]
    assert events[2].additional_data["firstName"] == "Ada"
    assert registration.session is not None
    assert (await here.accounts.info()).user_id == registration.session.user_id
    assert str(here.token) not in repr(registration.session)
    assert isinstance(await here.sign_in("ada", "right"), client.Session)


async def test_a_registration_that_fails_ends_without_a_session(
    server: testing.TestedServer, here: client.Client
) -> None:
    server.source("ada", lines=[{"failure": "No such person"}])
    registration = await here.sign_in("ada", "right")
    assert isinstance(registration, client.Registration)
    assert [(event.event_type, event.message) async for event in registration] == [
        ("FAILURE", "No such person")
    ]
    assert registration.session is None
    with pytest.raises(client.RegistrationLost):
        await anext(here.watch(f"{server.socket_url}/register/u-00000000-0000-4000-8000-000000000000"))


async def test_refusals_have_a_class_each_and_what_is_known(
    server: testing.TestedServer, here: client.Client
) -> None:
    with pytest.raises(client.BadCredentials) as wrong:
        await here.sign_in("nobody", "wrong")
    assert (wrong.value.name, wrong.value.status) == ("BadCredentials", 401)
    ada = await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    with pytest.raises(client.AccountNotFound) as unknown:
        await here.rooms.create([ada.user_id + 1])
    assert unknown.value.missing == (ada.user_id + 1,)
    await here.accounts.delete()
    with pytest.raises(client.UserIsDeleted) as deleted:
        await here.sign_in("ada", "a good password")
    assert deleted.value.restorable_until is not None
    assert (await here.accounts.restore("ada", "a good password")).user_id == ada.user_id
    server.fail("source")
    with pytest.raises(client.SourceUnavailable) as away:
        await here.sign_in("ben", "right")
    assert away.value.retry_after is not None


async def test_an_account_has_its_life(server: testing.TestedServer, here: client.Client) -> None:
    await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    assert await here.accounts.verify_email((await server.mailbox.wait()).token) == "ada@example.org"
    assert (await here.accounts.info()).email_verified
    await here.accounts.change_password("a good password", "a better password")
    await here.accounts.sign_out()
    assert here.token is None
    await here.accounts.recover(username="ada")
    mail = await server.mailbox.wait("ada@example.org", subject="new password")
    await here.accounts.finish_recovery(mail.token, "the best password")
    program = await here.accounts.make_token("backup", 3600)
    named = [session for session in await here.accounts.sessions() if session.name == "backup"]
    assert [session.session_id for session in named] == [program.session_id]
    await here.accounts.end_session(program.session_id)
    assert await here.accounts.send_code(email="ada@example.org")
    code = (await server.mailbox.wait("ada@example.org", subject="code")).codes[0]
    session = await here.accounts.sign_in_by_code(code, email="ada@example.org")
    assert await here.accounts.username(session.user_id) == "ada"
    assert await here.accounts.user_id("ada") == session.user_id
    await here.accounts.change_email("the best password", "countess@example.org")
    link = await server.mailbox.wait("countess@example.org")
    assert await here.accounts.verify_email(link.token) == "countess@example.org"
    assert (await here.accounts.export())["account"]["username"] == "ada"
    assert (await here.accounts.ticket()).ticket


async def test_a_second_factor_is_a_second_step(server: testing.TestedServer, here: client.Client) -> None:
    await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    app = pyotp.TOTP((await here.accounts.begin_totp()).secret)
    codes = await here.accounts.confirm_totp(app.now())
    assert (await here.accounts.factors()).totp
    with pytest.raises(client.SecondFactorRequired) as asked:
        await here.sign_in("ada", "a good password")
    await here.accounts.finish_sign_in(asked.value.ticket, codes[0])
    assert (await here.accounts.factors()).recovery_codes == len(codes) - 1
    await here.accounts.remove_totp("a good password")
    assert not (await here.accounts.factors()).totp
    async with client.open_client(server.url.replace("127.0.0.1", "localhost")) as named:
        assert "challenge" in await named.accounts.passkey_challenge()


async def test_rooms_are_used_by_their_ids(server: testing.TestedServer, here: client.Client) -> None:
    ben = await server.person("ben")
    await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    room = await here.rooms.create(name="Tea")
    await here.rooms.invite(room, [ben.id])
    post = await here.rooms.post(room, "Milk first?")
    assert (await here.rooms.read(post)).content == "Milk first?"
    page = await here.rooms.read_all(room, limit=10)
    assert [(it.id, it.username) for it in page.posts] == [(post, "ada")]
    assert (await here.rooms.read_all(room, after=post)).posts == ()
    shown = await here.rooms.info(room, last_post=True)
    assert (shown.name, shown.last_post, ben.id in shown.users) == ("Tea", page.posts[0], True)
    async with client.open_client(server.url, ben.token) as bens:
        (listed,) = (await bens.rooms.list()).rooms
        assert listed.unread == 1
        await bens.rooms.seen(room, post)
        assert (await bens.rooms.list()).rooms[0].unread == 0
        await bens.rooms.typing(room)
        await bens.rooms.leave(room)
        with pytest.raises(client.NotInRoom):
            await bens.rooms.post(room, "x")
        await bens.rooms.block(shown.users[0])
        assert [block.username for block in await bens.rooms.blocks()] == ["ada"]
        await bens.rooms.unblock(shown.users[0])
        assert await bens.rooms.offers() == ()


async def test_a_registration_goes_by_steps(server: testing.TestedServer, here: client.Client) -> None:
    phone = client.Phone("+380 50 111-22-33")
    assert (await here.steps.state(phone)).current_state == "firstStep"
    assert (await here.steps.begin(phone)).next_retry is not None
    with pytest.raises(client.TryLater) as early:
        await here.steps.resend(phone)
    assert early.value.next_retry is not None
    with pytest.raises(client.WrongCode):
        await here.steps.verify(phone, "000000")
    verified = await here.steps.verify(phone, (await server.sms.wait(PHONE)).code, want_token=True)
    assert verified.token is not None
    named = await here.steps.set_username(phone, "ada", token=verified.token)
    chosen = client.Chosen(named.user_id, "ada")
    assert (await here.steps.state(phone, token=verified.token)).data == chosen
    with pytest.raises(client.BadPublicKey):
        await here.steps.finish(phone, chosen, ("x", "y"), token=verified.token)
    done = await here.steps.finish(phone, chosen, (KEY, KEY), want_token=True, token=verified.token)
    assert (done.current_state, done.token is not None) == ("registered", True)
    await here.steps.subscribed(named.user_id, ["GIFS", "GIRLS", "HEALTH"])
    await here.steps.switched_device(named.user_id)
    with pytest.raises(client.StepUserNotFound):
        await here.steps.shared_link("tst5swkjbtgy")
    with pytest.raises(client.AlreadyRegistered):
        await here.steps.begin(phone)


async def test_a_directory_sign_up_is_confirmed_by_mail(
    server: testing.TestedServer, here: client.Client
) -> None:
    assert not await here.directory.exists("Alice")
    with pytest.raises(client.InvalidData) as wrong:
        await here.directory.begin("x", "y", "z")
    assert [type(fault) for fault in wrong.value.faults] == [
        client.InvalidUserName,
        client.InvalidPassword,
        client.InvalidEmail,
    ]
    await here.directory.begin("Alice", "a good password", "alice@example.org", language="fr")
    challenge = (await server.mailbox.wait("alice@example.org")).token
    assert await here.directory.confirm(challenge) == await here.directory.server("alice")
    with pytest.raises(client.AlreadyConfirmed) as again:
        await here.directory.confirm(challenge)
    assert again.value.server == await here.directory.server("alice")
    with pytest.raises(client.UnknownUserName):
        await here.directory.server("Nobody")


async def test_what_is_safe_to_repeat_is_repeated(
    server: testing.TestedServer, here: client.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "retry_after", lambda response: 0.01)  # in place of 5 s
    await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    room = await here.rooms.create()
    server.fail("store", "drop", times=1)  # the post is written, and its answer is lost
    post = await here.rooms.post(room, "once")
    assert [it.id for it in (await here.rooms.read_all(room)).posts] == [post]


async def test_an_absent_server_is_told_after_the_patience() -> None:
    async with client.open_client("http://127.0.0.1:1", patience=0.1) as nowhere:
        with pytest.raises(client.Unreachable):
            await nowhere.accounts.info()
        with pytest.raises(client.Unreachable):
            await anext(nowhere.events(patience=0.1))


ALTCHA = {"kind": "altcha", "doors": ["steps", "rooms", "directory", "code", "recover"], "work": 200}


async def test_each_door_takes_a_proof_of_work() -> None:
    ada = ("ada", "ada@example.org", "a good password")
    async with (
        testing.server(captcha=ALTCHA) as server,
        client.open_client(server.url) as here,
    ):
        with pytest.raises(client.BadCaptcha):
            await here.accounts.sign_up(*ada)
        proof = await here.prove()
        await here.accounts.sign_up(*ada, captcha=proof)
        with pytest.raises(client.BadCaptcha):
            await here.accounts.recover(username="ada", captcha=proof)
        await here.accounts.recover(username="ada", captcha=await here.prove())
        await here.accounts.send_code(email="ada@example.org", captcha=await here.prove())
        with pytest.raises(client.CaptchaFailed):
            await here.steps.begin(client.Email("ben@example.org"))
        await here.steps.begin(client.Email("ben@example.org"), captcha=await here.prove())
        with pytest.raises(client.DirectoryRefused, match="INVALID_CAPTCHA"):
            await here.directory.begin("Alice", "a good password", "alice@example.org")
        await here.directory.begin(
            "Alice", "a good password", "alice@example.org", captcha=await here.prove()
        )


async def test_a_proof_is_given_up_with_its_task() -> None:
    """A puzzle of a million counters would take minutes."""
    async with (
        testing.server(captcha={**ALTCHA, "work": 1_000_000}) as server,
        client.open_client(server.url) as here,
    ):
        with trio.move_on_after(0.3) as scope:
            await here.prove()
        assert scope.cancelled_caught


async def test_a_server_without_a_captcha_says_so(here: client.Client) -> None:
    with pytest.raises(client.Refused) as none:
        await here.prove()
    assert none.value.status == 404


@pytest.mark.regserver(captcha=ALTCHA)
def test_a_plain_program_proves_itself(regserver: testing.BlockingServer) -> None:
    with client.BlockingClient(regserver.url) as here:
        here.accounts.sign_up("ada", "ada@example.org", "a good password", captcha=here.prove())
        assert here.accounts.info().username == "ada"


async def test_exceptions_leave_the_client_bare(server: testing.TestedServer) -> None:
    with pytest.raises(client.MissingAuth):
        async with client.open_client(server.url) as stranger:
            await stranger.accounts.info()


async def test_another_server_is_told(server: testing.TestedServer) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>")

    async with trio.open_nursery() as nursery:
        (listener, *_) = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        async with client.open_client(f"http://127.0.0.1:{port}") as here:
            with pytest.raises(client.BadAnswer):
                await here.accounts.info()
        nursery.cancel_scope.cancel()


def test_a_plain_program_has_the_same_doors(regserver: testing.BlockingServer) -> None:
    regserver.source("ada")
    with client.BlockingClient(regserver.url) as here:
        location = here.sign_in("ada", "right")
        assert isinstance(location, str)
        assert location.startswith(f"{regserver.socket_url}/register/")
        ben = here.accounts.sign_up("ben", "ben@example.org", "a good password")
        room = here.rooms.create(name="Tea")
        post = here.rooms.post(room, "Milk first?")
        assert here.rooms.read(post).user == ben.user_id
        assert here.steps.state(client.Email("a@example.org")).current_state == "firstStepEmail"
        assert here.directory.exists("Somebody") is False
        with pytest.raises(client.RoomNotFound):
            here.rooms.post(room + 1, "x")


async def test_posts_are_edited_and_deleted_and_whoever_wants_to_hears_it(
    server: testing.TestedServer, here: client.Client
) -> None:
    ben = await server.person("ben")
    await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    room = await here.rooms.create([ben.id])
    async with client.open_client(server.url, ben.token) as there:
        async with there.events(edits=True) as events, there.events() as plain:
            post = await here.rooms.post(room, "Mlik")
            await here.rooms.edit(post, "Milk")
            assert (await here.rooms.read(post)).edited is not None
            await here.rooms.delete_post(post)
            last = await here.rooms.post(room, "Tea")
            heard = [await anext(events) for _ in range(4)]
            assert [type(it) for it in heard] == [
                client.NewPost,
                client.PostEdited,
                client.PostDeleted,
                client.NewPost,
            ]
            assert [await anext(plain), await anext(plain)] == [heard[0], heard[3]]
        with pytest.raises(client.NotYourPost):
            await there.rooms.edit(last, "Coffee")


async def test_owners_rename_and_remove_and_members_find(
    server: testing.TestedServer, here: client.Client
) -> None:
    ben = await server.person("ben")
    ada = await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    room = await here.rooms.create([ben.id], "Tea")
    async with (
        client.open_client(server.url, ben.token) as there,
        there.events(edits=True, seen=True) as events,
    ):
        await here.rooms.rename(room, "Coffee")
        post = await here.rooms.post(room, "Milk first")
        await there.rooms.seen(room, post)
        heard = [await anext(events) for _ in range(3)]
        assert [type(it) for it in heard] == [client.RoomRenamed, client.NewPost, client.Seen]
        found = await there.rooms.search(room, "milk")
        assert ([it.id for it in found.posts], found.next) == ([post], None)
        with pytest.raises(client.NotRoomOwner):
            await there.rooms.rename(room, "Mine")
    shown = await here.rooms.members(room)
    assert (shown.owner, [it.username for it in shown.users]) == (ada.user_id, ["ben", "ada"])
    assert await here.rooms.people("be") == ()  # the operator suggests nobody
    await here.rooms.kick(room, ben.id)
    assert (await here.rooms.info(room)).users == (ada.user_id,)


async def test_people_are_suggested_where_the_operator_lets_them() -> None:
    async with testing.server(rooms={"suggest": "all"}) as server:
        ben, ada = await server.person("ben"), await server.person("ada")
        async with client.open_client(server.url, ada.token) as here:
            assert [it.user_id for it in await here.rooms.people("be")] == [ben.id]


async def test_pushes_are_subscribed_to_and_rooms_muted(here: client.Client) -> None:
    await here.accounts.sign_up("ada", "ada@example.org", "a good password")
    room = await here.rooms.create()
    assert len(await here.push.key()) == 87
    device = {
        "endpoint": "https://push.example.net/x",
        "keys": {"p256dh": await here.push.key(), "auth": "A" * 22},
    }
    made = await here.push.add(device, shows_content=True)
    await here.push.mute(room)
    chosen = await here.push.list()
    assert [(it.subscription_id, it.host, it.shows_content) for it in chosen.subscriptions] == [
        (made, "push.example.net", True)
    ]
    assert chosen.muted == (room,)
    await here.push.remove(made)
    await here.push.unmute(room)
    assert await here.push.list() == client.PushChoices((), ())
    with pytest.raises(client.SubscriptionNotFound):
        await here.push.remove(made)
    with pytest.raises(client.BadSubscription):
        await here.push.add({"endpoint": "https://push.example.net/x", "keys": {}})
