"""Faults of an installation and its surroundings, each with the line by which the doctor names it."""

import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import httpx
import trio

from regserver.domain.instant import HOUR
from tests.cli.doctor_stage import ROSTER, Stage, certify, occupy
from tests.peer.http import Answer, Asked, answer, refused_url
from tests.peer.smtp import Mood, open_smtp_peer

Arrange = Callable[[Stage], Awaitable[object]]


# --- the state
async def changed_by_all(stage: Stage) -> None:
    write_configuration(stage, 0o666)


async def read_by_all(stage: Stage) -> None:
    write_configuration(stage, 0o644)


def write_configuration(stage: Stage, mode: int) -> None:
    file = stage.folder / "regserver.toml"
    secret = "" if mode & 0o002 else 'bearer = "a long enough secret"'
    file.write_text(f"[operations]\n{secret}\n")
    file.chmod(mode)


async def damaged(stage: Stage) -> None:
    data = stage.database.read_bytes()
    stage.database.write_bytes(data[:8192] + bytes(range(256)) * 100 + data[8192 + 25600 :])


async def no_database(stage: Stage) -> None:
    stage.database.write_text("this is not a database, whatever it may be called")


async def newer(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.database)) as connection:
        connection.execute("INSERT INTO migration VALUES (999, 'later', 0)")
        connection.commit()


async def read_only(stage: Stage) -> None:
    stage.database.chmod(0o400)


async def of_another_user(stage: Stage) -> None:
    os.chown(stage.database, 12345, 12345)


async def no_key(stage: Stage) -> None:
    stage.key.unlink()


async def short_key(stage: Stage) -> None:
    stage.key.write_bytes(b"short")


async def foreign_key(stage: Stage) -> None:
    stage.key.write_bytes(os.urandom(32))


async def open_key(stage: Stage) -> None:
    stage.key.chmod(0o644)


async def little_room(stage: Stage) -> None:
    stage.given("store.min_free=1048576GiB")


async def no_room_yet(stage: Stage) -> None:
    stage.database.unlink()
    stage.key.unlink()
    stage.given("store.min_free=1048576GiB")


async def from_the_future(stage: Stage) -> None:
    at = time.time() + 86400
    os.utime(stage.database, (at, at))


def mailed(stage: Stage, *, due_ago: int, parked: bool) -> None:
    now = int(time.time() * 1000)
    with closing(sqlite3.connect(stage.database)) as connection:
        connection.execute(
            "INSERT INTO outbox (sealed, created_at, due_at, attempts, parked_at) VALUES (x'00', ?, ?, 0, ?)",
            (now - due_ago, now - due_ago, now if parked else None),
        )
        connection.commit()


async def mail_set_aside(stage: Stage) -> None:
    mailed(stage, due_ago=0, parked=True)


async def mail_waits(stage: Stage) -> None:
    mailed(stage, due_ago=HOUR, parked=False)


async def no_backup_yet(stage: Stage) -> None:
    stage.given("backup.every=1h")


async def old_backup(stage: Stage) -> None:
    (stage.folder / "backup").mkdir()
    (stage.folder / "backup" / "regserver-20200101T000000Z.tar").touch()
    stage.given("backup.every=24h")


# --- addresses and the running server
async def taken(stage: Stage) -> None:
    occupy(stage.stack, stage.port)


async def no_folder_of_socket(stage: Stage) -> None:
    stage.given("server.bind=unix:/nowhere/s")


async def no_place_for_backups(stage: Stage) -> None:
    failed = trio.Event()
    token = trio.lowlevel.current_trio_token()
    handler = logging.Handler()
    handler.emit = lambda record: token.run_sync_soon(failed.set)  # type: ignore[method-assign]
    log = logging.getLogger("regserver.backup")
    log.addHandler(handler)
    stage.stack.callback(log.removeHandler, handler)
    await stage.serve("backup.every=1h", "backup.folder=/proc/nowhere")
    with trio.fail_after(20):
        await failed.wait()


async def forwards(stage: Stage) -> None:
    await stage.serve()
    async with httpx.AsyncClient() as client:
        await client.get(
            f"http://127.0.0.1:{stage.port}/health/alive", headers={"x-forwarded-for": "192.0.2.7"}
        )


async def believes_all(stage: Stage) -> None:
    stage.given("server.trusted_proxies=0.0.0.0/0", "server.public_url=http://localhost")


async def unnamed_proxy(stage: Stage) -> None:
    stage.given("server.public_url=https://localhost")


# --- from outside in
async def unknown_name(stage: Stage) -> None:
    stage.given("server.public_url=http://regserver.invalid")
    await stage.serve()


async def nobody_there(stage: Stage) -> None:
    stage.given(f"server.public_url={await refused_url()}")
    await stage.serve()


async def somebody_else(stage: Stage) -> None:
    peer = await stage.http(lambda _: answer({"hello": "world"}))
    stage.given(f"server.public_url={peer.url}")
    await stage.serve()


async def redirected(stage: Stage) -> None:
    moved = Answer(301, headers=(("location", "https://example.org/"),))
    peer = await stage.http(lambda _: moved)
    stage.given(f"server.public_url={peer.url}")
    await stage.serve()


async def another_server(stage: Stage) -> None:
    peer = await stage.http(lambda _: answer({"status": "alive", "version": "1"}, 200))
    stage.given(f"server.public_url={peer.url}")
    await stage.serve()


async def behind(stage: Stage, edit: Callable[[list[bytes]], list[bytes]], *settings: str) -> None:
    await stage.proxy(edit)
    stage.given(f"server.public_url=http://localhost:{stage.outside}", *settings)
    await stage.serve()


async def no_upgrade(stage: Stage) -> None:
    await behind(stage, lambda lines: [line for line in lines if b"pgrade" not in line])


async def another_host(stage: Stage) -> None:
    def edit(lines: list[bytes]) -> list[bytes]:
        kept = [line for line in lines if not line.lower().startswith(b"host:")]
        return [*kept, b"Host: inside:8080", b"X-Forwarded-For: 127.0.0.1"]

    await behind(stage, edit, "server.trusted_proxies=127.0.0.1")


async def foreign_proxy(stage: Stage) -> None:
    def edit(lines: list[bytes]) -> list[bytes]:
        kept = [line for line in lines if not line.lower().startswith(b"host:")]
        return [*kept, b"Host: inside:8080"]

    await behind(stage, edit)


async def untrusted_certificate(stage: Stage) -> None:
    paper = certify(stage.folder)
    stage.given(f"server.public_url=https://localhost:{stage.port}")
    stage.given(f"server.tls_cert={paper.certificate}", f"server.tls_key={paper.key}")
    await stage.serve()


# --- TLS
def by(stage: Stage, *, public: str = "", key: Path | None = None, **traits: object) -> Path:
    paper = certify(stage.folder, **traits)  # type: ignore[arg-type]
    stage.given(f"server.tls_cert={paper.certificate}", f"server.tls_key={key or paper.key}")
    if public:
        stage.given(f"server.public_url={public}")
    return paper.key


async def expired(stage: Stage) -> None:
    by(stage, days=-1)


async def expiring(stage: Stage) -> None:
    by(stage, days=10)


async def too_early(stage: Stage) -> None:
    by(stage, starts=1)


async def of_another_host(stage: Stage) -> None:
    by(stage, names=("example.org", "www.example.org"), public="https://reg.example.org")


async def nameless(stage: Stage) -> None:
    by(stage, names=())


async def not_its_key(stage: Stage) -> None:
    by(stage, key=certify(stage.folder).key)


async def key_of_all(stage: Stage) -> None:
    by(stage).chmod(0o644)


async def without_issuer(stage: Stage) -> None:
    by(stage, issuer="Some authority")


async def no_certificate(stage: Stage) -> None:
    stage.given("server.tls_cert=none.pem", "server.tls_key=none.pem")


async def no_pem(stage: Stage) -> None:
    (stage.folder / "c.pem").write_text("a certificate")
    stage.given(f"server.tls_cert={stage.folder / 'c.pem'}", f"server.tls_key={stage.folder / 'c.pem'}")


async def plain(stage: Stage) -> None:
    stage.given("server.bind=0.0.0.0:0")


async def not_reloaded(stage: Stage) -> None:
    by(stage)
    await stage.serve()
    by(stage)


# --- sources
async def no_roster(stage: Stage) -> None:
    stage.roster.unlink()


async def wrong_roster(stage: Stage) -> None:
    stage.roster.write_text("[[user]]\nusername = 'x'\n")


async def plain_passwords(stage: Stage) -> None:
    stage.roster.write_text(ROSTER.replace("_hash", "").format("secret"))


async def source_down(stage: Stage) -> None:
    stage.given("live.source=http", f"live.http.url={await refused_url()}")


async def source_elsewhere(stage: Stage) -> None:
    peer = await stage.http(lambda _: Answer(404))
    stage.given("live.source=http", f"live.http.url={peer.url}")


async def source_takes_all(stage: Stage) -> None:
    peer = await stage.http(lambda _: answer({"subject": "x"}))
    stage.given("live.source=http", f"live.http.url={peer.url}")


async def no_executable(stage: Stage) -> None:
    stage.given("live.source=command", 'live.command.argv=["/bin/no"]')


async def no_command(stage: Stage) -> None:
    stage.given("live.source=command", "live.command.argv=[]")


# --- mail, SMS, captcha
async def mail_at(stage: Stage, url: str) -> None:
    stage.given(f"mail.smtp={url}", "server.public_url=http://localhost", "mail.from=reg@example.org")


async def mail_down(stage: Stage) -> None:
    await mail_at(stage, (await refused_url()).replace("http", "smtp"))


async def mail_nowhere(stage: Stage) -> None:
    await mail_at(stage, "smtp://mail.invalid:25")


async def mail_peer(
    stage: Stage, url: str, mood: Mood = "well", accounts: dict[str, str] | None = None
) -> None:
    peer, _ = await stage.stack.enter_async_context(open_smtp_peer(accounts=accounts))
    peer.mood = mood
    await mail_at(stage, url.format(peer.port))


async def mail_password(stage: Stage) -> None:
    await mail_peer(stage, "smtp://me:wrong@127.0.0.1:{}?tls=none", accounts={"me": "right"})


async def mail_sender(stage: Stage) -> None:
    await mail_peer(stage, "smtp://127.0.0.1:{}?tls=none", "refuse sender")


async def mail_starttls(stage: Stage) -> None:
    await mail_peer(stage, "smtp://me:right@127.0.0.1:{}", accounts={"me": "right"})


async def twilio(stage: Stage, reply: Callable[[Asked], Answer]) -> None:
    peer = await stage.http(reply)
    stage.given(
        "sms.kind=twilio", "sms.countries=*", f"sms.twilio.url={peer.url}", "sms.twilio.from=+15550001111"
    )
    stage.given("sms.twilio.account_sid=AC1", "sms.twilio.auth_token=token")


async def sms_money(stage: Stage) -> None:
    await twilio(stage, lambda _: answer({"balance": "1.50", "currency": "USD"}))


async def sms_no_money(stage: Stage) -> None:
    await twilio(stage, lambda _: answer({"balance": "-0.10", "currency": "USD"}))


async def sms_token(stage: Stage) -> None:
    await twilio(stage, lambda _: answer({"code": 20003}, 401))


async def sms_down(stage: Stage) -> None:
    await twilio(stage, lambda _: Answer(0))


async def captcha(stage: Stage, reply: Callable[[Asked], Answer]) -> None:
    peer = await stage.http(reply)
    stage.given("captcha.kind=hcaptcha", f"captcha.url={peer.url}", "captcha.secret_web=a secret")


async def captcha_secret(stage: Stage) -> None:
    await captcha(stage, lambda _: answer({"success": False, "error-codes": ["invalid-input-secret"]}))


async def captcha_for_tests(stage: Stage) -> None:
    await captcha(stage, lambda _: answer({"success": True}))


async def captcha_elsewhere(stage: Stage) -> None:
    await captcha(stage, lambda _: Answer(404))


# --- the machine, and settings for trying out
async def many_connections(stage: Stage) -> None:
    stage.given("server.max_connections=1000000")


async def no_limits(stage: Stage) -> None:
    stage.given("limits.enabled=false")


async def testing_mode(stage: Stage) -> None:
    stage.given("server.test_mode=true")


async def mailbox(stage: Stage) -> None:
    stage.given("server.mailbox=true")


FAULTS: dict[Arrange, str] = {
    changed_by_all: "FAIL configuration: every user can change {folder}/regserver.toml (mode 666): chmod o-w {folder}/regserver.toml",
    read_by_all: "hint configuration: every user can read {folder}/regserver.toml, which has operations.bearer: chmod o-r {folder}/regserver.toml",
    damaged: "FAIL store: {db}: damaged: …",
    no_database: "FAIL store: {db}: file is not a database",
    newer: "FAIL store: …999…",
    read_only: "FAIL store: {db} cannot be written by its owner: chmod u+rw {db}",
    of_another_user: "FAIL store: {db} belongs to 12345 and its folder to {me}: chown {me}: {db}",
    no_key: "FAIL store: {key} is missing, and mail in the outbox cannot be read without it: restore a backup",
    short_key: "FAIL store: {key} does not have the 32 bytes of a key: restore a backup",
    foreign_key: "FAIL store: {key}: not the key that {db} was made with: …",
    open_key: "hint store: other users can read {key}; the next start changes its mode to 600",
    little_room: "FAIL store: only … MiB are free on the disk of {folder}; store.min_free is 1073741824 MiB",
    no_room_yet: "FAIL store: only … MiB are free on the disk of {folder}; store.min_free is 1073741824 MiB",
    from_the_future: "FAIL store: {db} was written at …Z, which is yet to come: is the clock right?",
    mail_set_aside: "hint store: 1 mails are set aside: `regserver mail list` says why",
    mail_waits: "hint store: 1 mails wait, the first since …Z: does a server run?",
    no_backup_yet: "FAIL backup: no backup was made in time: there is no backup",
    old_backup: "FAIL backup: no backup was made in time: the newest is of 2020-01-01T00:00:00Z",
    taken: "FAIL address: cannot listen on 127.0.0.1:{port}: Address already in use",
    no_folder_of_socket: "FAIL address: cannot listen on unix:/nowhere/s: …",
    no_place_for_backups: "hint address: backup: /proc/nowhere/regserver-….tar: its folder cannot be made: … (there is no backup)",
    forwards: 'hint address: proxy: 127.0.0.1 sends x-forwarded-for, which are ignored: if it is your proxy, add "127.0.0.1" to server.trusted_proxies, and set server.public_url (docs/proxy.md)',
    believes_all: "FAIL proxy: server.trusted_proxies has 0.0.0.0/0: every client can claim any address",
    unnamed_proxy: "hint proxy: server.public_url is https and server.tls_cert is empty, so a proxy is in front: …",
    unknown_name: "FAIL public_url: http://regserver.invalid has an unknown name",
    nobody_there: "FAIL public_url: http://… refuses connections",
    somebody_else: "FAIL public_url: http://… answers with status 200, and is not this server",
    redirected: "FAIL public_url: http://… is redirected to 'https://example.org/': name that one",
    another_server: "FAIL public_url: http://… leads to another server than 127.0.0.1:{port}",
    no_upgrade: "FAIL public_url: http://localhost:{outside}: the proxy does not pass Upgrade on, so no WebSocket comes through (docs/proxy.md)",
    another_host: "hint public_url: http://localhost:{outside} reaches the server as http://inside:8080: the proxy passes on another scheme or host (docs/proxy.md)",
    foreign_proxy: "FAIL public_url: http://localhost:{outside} reaches the server as http://inside:8080, from 127.0.0.1: a proxy is in front that server.trusted_proxies does not name (docs/proxy.md)",
    untrusted_certificate: "FAIL public_url: https://localhost:{port} shows a certificate that is not trusted: self-signed certificate",
    expired: "FAIL tls: {folder}/cert-….pem is valid until …",
    expiring: "hint tls: {folder}/cert-….pem is valid until …",
    too_early: "FAIL tls: {folder}/cert-….pem is not valid before …",
    of_another_host: "FAIL tls: {folder}/cert-….pem is for example.org, www.example.org, and server.public_url names reg.example.org",
    nameless: "hint tls: {folder}/cert-….pem names no host (subjectAltName), so clients refuse it",
    not_its_key: "FAIL tls: {folder}/key-….pem is not the key of {folder}/cert-….pem",
    key_of_all: "FAIL tls: every user can read {folder}/key-….pem (mode 644): chmod 640 {folder}/key-….pem, with the group of the server",
    without_issuer: "hint tls: {folder}/cert-….pem has no certificate of its issuer: use the full chain, or some clients refuse it",
    no_certificate: "FAIL tls: [Errno 2] No such file or directory: …none.pem'",
    no_pem: "FAIL tls: {folder}/c.pem is no certificate in PEM form",
    plain: "hint tls: passwords travel unencrypted: set server.tls_cert, or put a TLS proxy in front",
    not_reloaded: "hint tls: the running server shows an older certificate than the file has: reload it",
    no_roster: "hint source: there is no {folder}/roster.toml, so nobody can sign in by live registration",
    wrong_roster: "FAIL source: {folder}/roster.toml: line 1 (x): expected …",
    plain_passwords: "hint source: {folder}/roster.toml has plain passwords: replace them with password_hash (`regserver password hash`)",
    source_down: "FAIL source: http://…: …",
    source_elsewhere: "FAIL source: http://…: verify: answered with status 404",
    source_takes_all: "FAIL source: http://… accepts a user name and a password that were made up",
    no_executable: "FAIL source: /bin/no is not an executable (live.command.argv)",
    no_command: "FAIL source: live.command.argv is empty",
    mail_down: "FAIL mail: the mail server refuses connections: is it running, and is the port right?",
    mail_nowhere: "FAIL mail: the mail server has an unknown name (mail.smtp)",
    mail_password: "FAIL mail: the mail server refuses the user name or password of mail.smtp: 535 …",
    mail_sender: "FAIL mail: it refuses the sender reg@example.org (mail.from): …",
    mail_starttls: "FAIL mail: it offers no STARTTLS, and a password is not sent without: use smtps:// or ?tls=none",
    sms_money: "hint sms: the balance at twilio is 1.50 USD",
    sms_no_money: "FAIL sms: the balance at twilio is -0.10 USD: no code can be sent",
    sms_token: "FAIL sms: twilio refuses the credentials of [sms.twilio] (status 401)",
    sms_down: "FAIL sms: twilio cannot be reached: RemoteProtocolError",
    captcha_secret: "FAIL captcha: hcaptcha does not know captcha.secret_web",
    captcha_for_tests: "FAIL captcha: hcaptcha accepts an answer that nobody gave: is captcha.secret_web one for tests?",
    captcha_elsewhere: "FAIL captcha: hcaptcha does not answer as a captcha service (status 404): is captcha.url right?",
    many_connections: "hint open files: only … connections are possible, fewer than server.max_connections, 1000000: raise the limit on open files (ulimit -n, LimitNOFILE=)",
    no_limits: "hint provider: limits.enabled is false: one client may send any number of requests",
    mailbox: "hint provider: server.mailbox is true: whoever uses this machine sees the codes and links of everybody",
    testing_mode: "hint provider: server.test_mode is true: whoever knows a number of sms.test can register with it",
}
"""Each fault with its line; "…" stands for anything."""
