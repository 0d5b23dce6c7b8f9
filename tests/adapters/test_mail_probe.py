"""Trying a mail server step by step: the report names what was offered, accepted or refused."""

import ssl

import dns.resolver
import pytest
import trio

from regserver.adapters import mail_probe
from regserver.adapters.mail_probe import probe_domain, probe_smtp
from regserver.cli.doctor.provider import check_mail
from regserver.config import load
from regserver.config.smtp_url import parse_smtp_url
from regserver.domain.finding import Finding
from regserver.domain.instant import Instant
from regserver.ports.mailer import Mail
from tests.peer.name_server import open_name_server
from tests.peer.smtp import Mood, open_smtp_peer

SENDER = "regserver@example.com"
MAIL = Mail(
    to="ada@example.org", subject="Test", text="Test\n", id="0123", written_at=Instant(1_600_000_000_000)
)
Certificate = tuple[str, str]


async def probe(url: str) -> list[Finding]:
    address = parse_smtp_url(url)
    return await trio.to_thread.run_sync(lambda: list(probe_smtp(address, SENDER, MAIL)))


async def look(resolver: dns.resolver.Resolver, selector: str | None = None) -> list[Finding]:
    return await trio.to_thread.run_sync(lambda: list(probe_domain("example.com", resolver, selector)))


def context(certificate: Certificate) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


@pytest.mark.parametrize("implicit", [False, True])
async def test_every_step_of_a_server_that_is_well(certificate: Certificate, implicit: bool) -> None:
    async with open_smtp_peer(context=context(certificate), implicit=implicit, accounts={"me": "word"}) as (
        peer,
        _,
    ):
        scheme = "smtps" if implicit else "smtp"
        findings = await probe(f"{scheme}://me:word@localhost:{peer.port}?ca={certificate[0]}")
    report = "\n".join(finding.text for finding in findings)
    for words in (
        f"connected to localhost:{peer.port} (127.0.0.1), which says peer.example ESMTP",
        "SIZE 1000000",
        "with a trusted certificate for localhost",
        "signed in: 235 2.7.0 welcome",
        "accepts the sender regserver@example.com",
        "accepts the recipient ada@example.org",
        "took the message: 250 2.0.0 accepted",
    ):
        assert words in report
    assert "fail" not in {finding.level for finding in findings}
    assert "word@" not in report
    assert len(peer.accepted) == 1


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("closing", "greets with 421"),
        ("refuse sender", "refuses the sender regserver@example.com (mail.from): 553"),
        ("refuse recipient", "refuses the recipient ada@example.org: 550"),
        ("refuse content", "refuses the message: 554"),
    ],
)
async def test_the_report_ends_with_what_is_wrong(mood: Mood, words: str) -> None:
    async with open_smtp_peer() as (peer, _):
        peer.mood = mood
        findings = await probe(f"smtp://127.0.0.1:{peer.port}")
    assert [finding.level for finding in findings].count("fail") == 1
    assert findings[-1].level == "fail"
    assert words in findings[-1].text


async def test_wrong_passwords_certificates_and_ports(certificate: Certificate) -> None:
    async with open_smtp_peer(context=context(certificate), accounts={"me": "word"}) as (peer, _):
        (*_, last) = await probe(f"smtp://me:wrong@localhost:{peer.port}?ca={certificate[0]}")
        assert "refuses the user name or password of mail.smtp: 535" in last.text
        (*_, last) = await probe(f"smtp://me:word@localhost:{peer.port}")
        assert "certificate that is not trusted" in last.text
        (*_, hint, last) = await probe(f"smtp://localhost:{peer.port}?ca={certificate[0]}")
        assert (hint.level, "names no user" in hint.text) == ("hint", True)
        assert "530 5.7.0" in last.text
        (last,) = await probe(f"smtp://localhost:{peer.port}?ca=/nowhere.pem")
        assert "/nowhere.pem cannot be read" in last.text
    (last,) = await probe(f"smtp://127.0.0.1:{peer.port}")
    assert "refuses connections" in last.text


async def test_a_port_of_implicit_tls_is_named(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the doctor, and by `mail test`."""
    monkeypatch.setattr(mail_probe, "SHORT_TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(mail_probe, "TIMEOUT_SECONDS", 0.5)
    said = "the mail server expects TLS from the first byte at this port: write smtps://…localhost:{} in mail.smtp"
    async with open_smtp_peer(context=context(certificate), implicit=True, accounts={"me": "word"}) as (
        peer,
        _,
    ):
        url = f"smtp://me:word@localhost:{peer.port}"
        loaded = load(None, [f"mail.smtp={url}", "server.public_url=http://x.org", f"mail.from={SENDER}"], {})
        (found,) = await trio.to_thread.run_sync(lambda: list(check_mail(loaded)))
        (last,) = await probe(url)
    for finding in (found, last):
        assert (finding.level, finding.text.startswith(said.format(peer.port))) == ("fail", True)
        assert "word" not in finding.text


async def test_a_password_needs_tls() -> None:
    async with open_smtp_peer() as (peer, _):
        (*_, last) = await probe(f"smtp://me:word@127.0.0.1:{peer.port}")
    assert "offers no STARTTLS" in last.text


async def test_a_domain_in_order() -> None:
    zone = {
        ("example.com", "MX"): ["10 mail.example.com."],
        ("example.com", "TXT"): ['"v=spf1 mx " "-all"', '"something else"'],
        ("mail._domainkey.example.com", "TXT"): ['"v=DKIM1; k=rsa; p=MIGf"'],
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=reject"'],
    }
    async with open_name_server(zone) as resolver:
        findings = await look(resolver)
        assert [finding.level for finding in findings] == ["ok"] * 4
        assert findings[0].text == "MX of example.com: mail.example.com."
        assert "v=spf1 mx -all" in findings[1].text
        assert "mail._domainkey.example.com" in findings[2].text
        assert "p=reject" in findings[3].text
        findings = await look(resolver, "other")
        assert (findings[2].level, "other._domainkey" in findings[2].text) == ("hint", True)


async def test_a_domain_that_receivers_will_not_like() -> None:
    async with open_name_server({("example.com", "A"): ["192.0.2.1"]}) as resolver:
        findings = await look(resolver)
    assert [finding.level for finding in findings] == ["hint"] * 4
    assert "no MX" in findings[0].text
    assert "no SPF" in findings[1].text


async def test_two_spf_records_count_as_none() -> None:
    zone = {("example.com", "TXT"): ['"v=spf1 mx -all"', '"v=spf1 a -all"']}
    async with open_name_server(zone) as resolver:
        findings = await look(resolver)
    assert "2 SPF records" in findings[1].text


def test_a_sender_on_localhost_is_not_looked_up() -> None:
    (finding,) = probe_domain("localhost", dns.resolver.Resolver(configure=False), None)
    assert (finding.level, "mail.from" in finding.text) == ("hint", True)


async def test_without_a_name_server() -> None:
    async with open_name_server({}) as resolver:
        pass
    resolver.lifetime = 0.3
    findings = await look(resolver)
    assert [finding.level for finding in findings] == ["hint"]
    assert "no name server answers" in findings[0].text
