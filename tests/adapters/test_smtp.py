"""Mail over SMTP against a server that really speaks it."""

import contextlib
import socket
import ssl

import pytest
import trio
import trio.testing

from regserver.adapters.mail import LogMailer, build_mailer
from regserver.adapters.smtp import (
    CANCEL_GRACE_SECONDS,
    CONNECTIONS,
    CUT_SECONDS,
    QUIT_SECONDS,
    SmtpMailer,
    SmtpTimeouts,
)
from regserver.config import Loaded, Settings
from regserver.config.smtp_url import parse_smtp_url
from regserver.domain.instant import Instant
from regserver.ports.mailer import Mail, MailFault
from tests.peer.smtp import Mood, SmtpPeer, open_smtp_peer

SENDER = "regserver@example.com"
MAIL = Mail(
    to="ada@example.org",
    subject="Подтвердите: été",
    text="Hello Ada,\n\n.a line that begins with a dot\nhttps://example.org/confirm#Secret123\n",
    html="<p>Hello <b>Ada</b></p>",
    id="0123abcd",
    written_at=Instant(1_600_000_000_000),
)
QUICK = SmtpTimeouts(command=0.5, verdict=0.5, total=5)
Certificate = tuple[str, str]


def context(certificate: Certificate) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


def mailer(url: str, timeouts: SmtpTimeouts | None = None) -> SmtpMailer:
    return SmtpMailer(parse_smtp_url(url), SENDER, timeouts)


def plain(peer: SmtpPeer) -> SmtpMailer:
    return mailer(f"smtp://127.0.0.1:{peer.port}", QUICK)


async def deliver(sender: SmtpMailer, mail: Mail = MAIL) -> None:
    """Sends, and leaves no connection behind."""
    await sender.send(mail)
    await sender.close_idle()


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with open_smtp_peer() as (peer, _):
        await deliver(plain(peer))
    (received,) = peer.accepted
    assert (received.sender, received.recipient) == (SENDER, "ada@example.org")
    assert received.part("plain") == MAIL.text.replace("\n", "\r\n")
    assert received.part("html").strip() == MAIL.html
    message = received.message
    assert message["Subject"] == MAIL.subject
    assert message["From"] == SENDER
    assert message["To"] == "ada@example.org"
    assert message["Date"] == "Sun, 13 Sep 2020 12:26:40 +0000"
    assert message["Message-ID"] == "<0123abcd@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert all(len(line) < 999 for line in received.data.split(b"\r\n"))


async def test_starttls_with_a_password(certificate: Certificate) -> None:
    async with open_smtp_peer(context=context(certificate), accounts={"me@x.org": "p@ss:word"}) as (peer, _):
        url = f"smtp://me%40x.org:p%40ss%3Aword@localhost:{peer.port}?ca={certificate[0]}"
        await deliver(mailer(url))
    assert [(received.secure, received.user) for received in peer.accepted] == [(True, "me@x.org")]


async def test_implicit_tls_with_a_password(certificate: Certificate) -> None:
    accounts = {"me": "word"}
    async with open_smtp_peer(context=context(certificate), implicit=True, accounts=accounts) as (peer, _):
        await deliver(mailer(f"smtps://me:word@localhost:{peer.port}?ca={certificate[0]}"))
    assert [(received.secure, received.user) for received in peer.accepted] == [(True, "me")]


async def test_several_mails_take_one_connection() -> None:
    async with open_smtp_peer() as (peer, _):
        sender = plain(peer)
        for _ in range(5):
            await sender.send(MAIL)
        await sender.close_idle()
        assert (len(peer.accepted), peer.connections) == (5, 1)
        await deliver(sender)
        assert (len(peer.accepted), peer.connections) == (6, 2)


async def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    async with open_smtp_peer() as (peer, nursery):
        sender = plain(peer)
        await sender.send(MAIL)
        peer.stop()
        await trio.testing.wait_all_tasks_blocked()
        await peer.start(nursery)
        await deliver(sender)
    assert len(peer.accepted) == 2


async def test_a_server_that_takes_one_message_a_connection_gets_a_new_one() -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = "one message a connection"
        sender = plain(peer)
        await sender.send(MAIL)
        await sender.send(MAIL)
        await deliver(sender)
        assert (len(peer.accepted), peer.connections) == (3, 3)


@pytest.mark.parametrize(
    ("mood", "server", "permanent", "words"),
    [
        ("closing", True, False, "421"),
        ("stall at greeting", True, False, "does not answer in time"),
        ("refuse sender", True, False, "553 5.7.1 sender address"),
        ("refuse recipient", False, True, "550 5.1.1"),
        ("deny relaying to recipient", True, False, "not the recipient"),
        ("defer recipient", False, False, "451 4.7.1 greylisted"),
        ("refuse content", False, True, "554 5.7.1 message looks like spam"),
        ("endless reply", True, False, "a reply that does not end"),
        ("drop before data", True, False, "closed the connection"),
        ("drop after data", False, False, "lost before the server's verdict"),
        ("stall after data", False, False, "lost before the server's verdict"),
    ],
)
async def test_whose_fault_it_is(mood: Mood, server: bool, permanent: bool, words: str) -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = mood
        sender = plain(peer)
        with pytest.raises(MailFault) as caught:
            await sender.send(MAIL)
        assert (caught.value.server, caught.value.permanent) == (server, permanent)
        assert words in str(caught.value)
        for secret in ("Secret123", "ada", "http"):
            assert secret not in str(caught.value)
        assert peer.accepted == []
        peer.mood = "well"
        await deliver(sender)
        assert len(peer.accepted) == 1


async def test_a_server_that_is_not_there() -> None:
    async with open_smtp_peer() as (peer, _):
        port = peer.port
    with pytest.raises(MailFault, match="refuses connections") as caught:
        await deliver(mailer(f"smtp://127.0.0.1:{port}"))
    assert caught.value.server


async def test_a_wrong_password_is_the_servers_fault_and_not_in_the_words(certificate: Certificate) -> None:
    async with open_smtp_peer(context=context(certificate), accounts={"me": "word"}) as (peer, _):
        with pytest.raises(MailFault, match=r"user name or password of mail\.smtp") as caught:
            await deliver(mailer(f"smtp://me:hunter2@localhost:{peer.port}?ca={certificate[0]}"))
    assert caught.value.server
    assert "hunter2" not in str(caught.value)


async def test_a_server_that_prompts_for_user_and_password(certificate: Certificate) -> None:
    """It takes AUTH LOGIN alone, refuses a user name beside it, and knows letters beyond ASCII (RFC 4616)."""
    accounts = {"mé": "wörd"}
    async with open_smtp_peer(context=context(certificate), accounts=accounts, mechanism="LOGIN") as (
        peer,
        _,
    ):
        for password in ("wrong", "w%C3%B6rd"):
            url = f"smtp://m%C3%A9:{password}@localhost:{peer.port}?ca={certificate[0]}"
            if password == "wrong":
                with pytest.raises(MailFault, match="user name or password"):
                    await deliver(mailer(url))
            else:
                await deliver(mailer(url))
        assert [received.user for received in peer.accepted] == ["mé"]


async def test_a_server_that_wants_a_password(certificate: Certificate) -> None:
    async with open_smtp_peer(context=context(certificate), accounts={"me": "word"}) as (peer, _):
        with pytest.raises(MailFault, match=r"530 5\.7\.0 authentication required") as caught:
            await deliver(mailer(f"smtp://localhost:{peer.port}?ca={certificate[0]}"))
    assert caught.value.server


async def test_a_certificate_that_nobody_trusts(certificate: Certificate) -> None:
    async with open_smtp_peer(context=context(certificate)) as (peer, _):
        with pytest.raises(MailFault, match="certificate that is not trusted") as caught:
            await deliver(mailer(f"smtp://localhost:{peer.port}"))
        assert caught.value.server
        with pytest.raises(MailFault, match="certificate that is not trusted"):
            await deliver(mailer(f"smtp://127.0.0.1:{peer.port}?ca={certificate[0]}"))
    assert peer.received == []


async def test_a_password_is_not_sent_without_tls() -> None:
    async with open_smtp_peer(accounts={"me": "word"}) as (peer, _):
        with pytest.raises(MailFault, match="offers no STARTTLS"):
            await deliver(mailer(f"smtp://me:word@127.0.0.1:{peer.port}"))
        await deliver(mailer(f"smtp://me:word@127.0.0.1:{peer.port}?tls=none"))
    assert len(peer.accepted) == 1


@pytest.mark.parametrize(
    "mail",
    [
        Mail(to="ada@example.org\r\nBcc: eve@example.org", subject="x", text="x"),
        Mail(to="ada@example.org", subject="x\r\nBcc: eve@example.org", text="x"),
        Mail(to="ada@example.org>\r\nRCPT TO:<eve@example.org", subject="x", text="x"),
        Mail(to="no address", subject="x", text="x"),
    ],
)
async def test_nothing_is_smuggled_into_the_header(mail: Mail) -> None:
    async with open_smtp_peer() as (peer, _):
        with pytest.raises(MailFault, match="not a message that can be sent") as caught:
            await deliver(plain(peer), mail)
        assert caught.value.permanent
        assert (peer.received, peer.connections) == ([], 0)


@pytest.mark.parametrize("mood", ["stall at greeting", "stall after data"])
async def test_a_cancelled_sender_is_not_held_up(mood: Mood) -> None:
    # The mailer's own timeouts are far longer than the test may take.
    async with open_smtp_peer() as (peer, _):
        peer.mood = mood
        sender = mailer(f"smtp://127.0.0.1:{peer.port}")
        finished = False
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:

                async def send() -> None:
                    nonlocal finished
                    await sender.send(MAIL)
                    finished = True

                nursery.start_soon(send)
                await (peer.wait_connections(1) if mood == "stall at greeting" else peer.wait_received(1))
                nursery.cancel_scope.cancel()
        assert not finished


async def test_a_server_that_is_never_reached_holds_nobody_up() -> None:
    """Its queue of connections is full, so that a thread of ours waits in `connect`, where no cut reaches it."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(place)
        sender = mailer(f"smtp://127.0.0.1:{place[1]}", SmtpTimeouts(command=10_000, total=10_000))
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(sender.send, MAIL)
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            await sender.close_idle()


async def test_a_server_that_does_not_say_goodbye_is_left() -> None:
    async with open_smtp_peer() as (peer, _):
        sender = mailer(f"smtp://127.0.0.1:{peer.port}", SmtpTimeouts(command=10_000))
        async with trio.open_nursery() as nursery:
            for _ in range(CONNECTIONS):
                nursery.start_soon(sender.send, MAIL)
        peer.mood = "stall at quit"
        with trio.fail_after(30):
            await sender.close_idle()
        assert len(peer.accepted) == CONNECTIONS


def test_what_a_stop_waits_for_the_mail_server_is_bounded() -> None:
    """All of it is bounded by these; another test's clock cannot tell, as threads are in it."""
    assert CANCEL_GRACE_SECONDS + CUT_SECONDS + QUIT_SECONDS <= 2.5


async def test_a_mail_accepted_while_we_are_cancelled_counts_as_sent() -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = "slow verdict"
        sender = mailer(f"smtp://127.0.0.1:{peer.port}")
        finished = False
        scope = trio.CancelScope()

        async def send() -> None:
            nonlocal finished
            with scope:
                await sender.send(MAIL)
                finished = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await peer.wait_received(1)
            scope.cancel()
            await trio.testing.wait_all_tasks_blocked()
            peer.decide()
        await sender.close_idle()
        assert (finished, len(peer.accepted)) == (True, 1)


async def test_the_log_takes_mail_for_trying_out(caplog: pytest.LogCaptureFixture) -> None:
    sender = build_mailer(Loaded(Settings(), None))
    assert isinstance(sender, LogMailer)
    with caplog.at_level("INFO", "regserver.mail"):
        await sender.send(MAIL)
    await sender.close_idle()
    assert [record.__dict__["text"] for record in caplog.records] == [MAIL.text]
    assert MAIL.subject in caplog.text


@pytest.mark.parametrize("options", ["", "?tls=none"])
async def test_a_port_of_implicit_tls_is_named(certificate: Certificate, options: str) -> None:
    """Both sides wait there: the server for a handshake, and the client for a greeting."""
    async with open_smtp_peer(context=context(certificate), implicit=True) as (peer, _):
        with pytest.raises(MailFault) as caught:
            await mailer(f"smtp://127.0.0.1:{peer.port}{options}", QUICK).send(MAIL)
        place = f"127.0.0.1:{peer.port}"
    assert str(caught.value).startswith(
        f"the mail server {place} expects TLS from the first byte at this port"
    )
    assert f"write smtps://…{place} in mail.smtp" in str(caught.value)
    assert caught.value.server


async def test_a_server_that_says_nothing_is_not_taken_for_one_of_tls() -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = "stall at greeting"
        with pytest.raises(MailFault, match="does not answer in time"):
            await plain(peer).send(MAIL)
