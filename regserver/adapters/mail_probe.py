"""Sends a mail step by step, and reports what the server offered, accepted or refused, and what to change.

The steps are those of `smtp`; the last one sends a real message. Then the DNS records of the sender's domain are read,
since receivers decide by them between inbox and spam folder.

The records are read by hand: checkdmarc needs 19 packages, and pyspf has had no release since 2020.
"""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import dns.exception
import dns.resolver

from regserver.adapters.mime import build_message, one_line, quote_server
from regserver.adapters.smtp_client import connect, explain, new_client, tls_context
from regserver.adapters.smtp_reply import OUR_FAULT, refuses_us
from regserver.adapters.smtp_sign_in import sign_in
from regserver.config.smtp_url import SmtpAddress
from regserver.domain.finding import Finding
from regserver.ports.mailer import Mail

TIMEOUT_SECONDS = 15.0
SHORT_TIMEOUT_SECONDS = 5.0
SELECTORS = ("default", "mail", "dkim", "selector1", "s1")
"""Usual names of DKIM keys; only a signed message says which one is in use."""
EXPIRING_DAYS = 14


class _StopError(Exception):
    """No further step is possible; the message says why."""


def probe_smtp(address: SmtpAddress, sender: str, mail: Mail) -> Iterator[Finding]:
    """Sends `mail`; one finding for each step. Blocks; every step has a time-out."""
    return _probe(address, sender, TIMEOUT_SECONDS, lambda smtp: _hand_over(smtp, sender, mail))


def probe_sign_in(address: SmtpAddress, sender: str) -> Iterator[Finding]:
    """Signs in and names the sender, and sends nothing. Blocks, as `probe_smtp`, and not for so long."""
    return _probe(address, sender, SHORT_TIMEOUT_SECONDS, lambda smtp: iter((_name_sender(smtp, sender),)))


def _probe(
    address: SmtpAddress,
    sender: str,
    timeout_seconds: float,
    last_step: Callable[[smtplib.SMTP], Iterator[Finding]],
) -> Iterator[Finding]:
    try:
        smtp = new_client(address, sender, timeout_seconds)
    except OSError as error:
        yield Finding("fail", f"the file of certificates {address.ca} cannot be read: {error.strerror}")
        return
    try:
        yield _connect(smtp, address)
        if address.tls == "implicit":
            yield _describe_tls(smtp, address)
        yield _offers(smtp)
        if address.tls == "starttls":
            yield from _start_tls(smtp, address)
        yield _sign_in(smtp, address)
        yield from last_step(smtp)
    except _StopError as stop:
        yield Finding("fail", str(stop))
    except (OSError, ValueError) as error:
        yield Finding("fail", f"the mail server {explain(error)}")
    finally:
        smtp.close()


def _connect(smtp: smtplib.SMTP, address: SmtpAddress) -> Finding:
    code, greeting = connect(smtp, address)
    if code != 220:
        raise _StopError(f"it greets with {quote_server(code, greeting)}: it refuses the connection for now")
    assert smtp.sock is not None  # noqa: S101  (connected)
    peer = smtp.sock.getpeername()[0]
    text = f"connected to {address.host}:{address.port} ({peer}), which says {one_line(greeting)}"
    return Finding("ok", text)


def _offers(smtp: smtplib.SMTP) -> Finding:
    smtp.ehlo_or_helo_if_needed()
    offers = ", ".join(f"{name.upper()} {value}".strip() for name, value in smtp.esmtp_features.items())
    return Finding("ok", f"it offers {one_line(offers) or 'nothing beyond plain SMTP'}")


def _start_tls(smtp: smtplib.SMTP, address: SmtpAddress) -> Iterator[Finding]:
    if not smtp.has_extn("starttls"):
        if address.user is not None:
            raise _StopError(
                "it offers no STARTTLS, and a password is not sent without: use smtps:// or ?tls=none"
            )
        yield Finding("hint", "no STARTTLS: fine for a relay on this machine, refused for any other")
        return
    smtp.starttls(context=tls_context(address))
    smtp.ehlo_or_helo_if_needed()
    yield _describe_tls(smtp, address)


def _describe_tls(smtp: smtplib.SMTP, address: SmtpAddress) -> Finding:
    sock = smtp.sock
    certificate = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not isinstance(sock, ssl.SSLSocket) or not certificate:
        raise _StopError("it agreed to TLS but shows no certificate")
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - datetime.now(UTC)).days
    text = f"{sock.version()} with a trusted certificate for {address.host}, good for {days} more days"
    return Finding("ok" if days > EXPIRING_DAYS else "hint", text)


def _sign_in(smtp: smtplib.SMTP, address: SmtpAddress) -> Finding:
    if address.user is None:
        if smtp.has_extn("auth"):
            return Finding("hint", "it offers AUTH, but mail.smtp names no user: most servers want one")
        return Finding("ok", "it asks for no user name")
    code, reply = sign_in(smtp, address.user, address.password or "")
    return Finding("ok", f"signed in: {quote_server(code, reply)}")


def _name_sender(smtp: smtplib.SMTP, sender: str) -> Finding:
    code, reply = smtp.mail(sender)
    if code != 250:
        raise _StopError(f"it refuses the sender {sender} (mail.from): {quote_server(code, reply)}")
    return Finding("ok", f"it accepts the sender {sender}")


def _hand_over(smtp: smtplib.SMTP, sender: str, mail: Mail) -> Iterator[Finding]:
    yield _name_sender(smtp, sender)
    code, reply = smtp.rcpt(mail.to)
    if code not in {250, 251}:
        whom = (
            f"us, whoever the recipient is ({OUR_FAULT})"
            if refuses_us(code, reply)
            else f"the recipient {mail.to}"
        )
        raise _StopError(f"it refuses {whom}: {quote_server(code, reply)}")
    yield Finding("ok", f"it accepts the recipient {mail.to}")
    code, reply = smtp.data(build_message(mail, sender))
    if code != 250:
        raise _StopError(f"it refuses the message: {quote_server(code, reply)}")
    yield Finding("ok", f"it took the message: {quote_server(code, reply)}")


def probe_domain(domain: str, resolver: dns.resolver.Resolver, selector: str | None) -> Iterator[Finding]:
    """What a receiver finds in the DNS about the sender's domain: MX, SPF, DKIM, DMARC."""
    if "." not in domain:
        yield Finding("hint", f"mail.from is on {domain}, where nobody can answer: use a domain of yours")
        return
    try:
        yield _mx(domain, resolver)
        yield _spf(domain, resolver)
        yield _dkim(domain, resolver, selector)
        yield _dmarc(domain, resolver)
    except (dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration, dns.exception.Timeout):
        yield Finding("hint", "no name server answers here: MX, SPF, DKIM and DMARC were not looked at")


def _mx(domain: str, resolver: dns.resolver.Resolver) -> Finding:
    hosts = sorted(record.rpartition(" ")[2] for record in _records(resolver, domain, "MX"))
    if hosts:
        return Finding("ok", f"MX of {domain}: {', '.join(hosts)}")
    text = f"{domain} has no MX: bounces cannot come back, and some receivers refuse its mail"
    return Finding("hint", text)


def _spf(domain: str, resolver: dns.resolver.Resolver) -> Finding:
    found = [text for text in _texts(resolver, domain) if text.lower().startswith("v=spf1")]
    if len(found) > 1:
        return Finding("hint", f"{domain} has {len(found)} SPF records, which counts as none: merge them")
    if found:
        return Finding("ok", f"SPF: {found[0]} (the mail server's address must be among these)")
    text = f'{domain} has no SPF record: add a TXT such as "v=spf1 mx -all" that covers the server'
    return Finding("hint", text)


def _dkim(domain: str, resolver: dns.resolver.Resolver, selector: str | None) -> Finding:
    for tried in (selector,) if selector else SELECTORS:
        if any("p=" in text for text in _texts(resolver, f"{tried}._domainkey.{domain}")):
            return Finding("ok", f"DKIM: a key at {tried}._domainkey.{domain}")
    if selector:
        return Finding("hint", f"no DKIM key at {selector}._domainkey.{domain}")
    text = "no DKIM key under the usual selectors; see s= in a received message and use --selector"
    return Finding("hint", text)


def _dmarc(domain: str, resolver: dns.resolver.Resolver) -> Finding:
    for text in _texts(resolver, f"_dmarc.{domain}"):
        if text.lower().startswith("v=dmarc1"):
            return Finding("ok", f"DMARC: {text}")
    return Finding("hint", f'no DMARC record: add a TXT at _dmarc.{domain} such as "v=DMARC1; p=quarantine"')


def _texts(resolver: dns.resolver.Resolver, name: str) -> list[str]:
    # A long text comes as several quoted strings, which are joined without a space.
    return [record.strip('"').replace('" "', "") for record in _records(resolver, name, "TXT")]


def _records(resolver: dns.resolver.Resolver, name: str, kind: str) -> list[str]:
    try:
        return [record.to_text() for record in resolver.resolve(name, kind, search=False)]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
