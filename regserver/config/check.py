"""The checks beyond a setting's type and range: the form of values, and conditions on several settings at once."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from regserver.config.provider import captcha_faults, ledger_faults, sms_faults
from regserver.config.section import Fault, out_of_range
from regserver.config.setting import (
    Bounds,
    OperationsSection,
    ServerSection,
    Settings,
    SignupSection,
    sign_up_policy,
)
from regserver.config.site import site_faults
from regserver.config.smtp_url import smtp_address
from regserver.config.store_url import PostgresAddress, read_store_url
from regserver.config.unit import format_value
from regserver.config.webhook import webhook_faults
from regserver.domain.address import LOOPBACK_NETWORKS, Networks, host_name, parse_address
from regserver.domain.email import is_email, read_domain
from regserver.domain.origin import EXPECTED as EXPECTED_ORIGINS
from regserver.domain.origin import OriginList

_BIND = re.compile(
    r"unix:[^?]+(\?mode=0?[0-7]{3})?|fd://\d{1,9}|(?:(?P<v6>\[[^\s/\[\]]*\])|[^\s/\[\]]*):(?P<port>\d{1,5})(?(v6)(\?only=ipv6)?)",
    re.ASCII,
)
_PROXY_URL = re.compile(r"https?://([^\s/?#@]*@)?[^\s/?#@]+/?")
_PUBLIC_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_USER_ID_PREFIX = re.compile(r"[a-z][a-z1-5]{0,7}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(=|$)", re.ASCII)
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTACT = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|https://\S+|tel:\+?[0-9-]+)")
LEAST_SECRET = 16
"""Characters of a configured secret."""
PAGE_DOORS = frozenset(("rooms", "recover", "code"))
"""The doors that demand a captcha and have a form on the page."""
_NODE_NAME = re.compile(r"[A-Za-z0-9._-]{0,64}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")


def faults(settings: Settings) -> Iterator[Fault]:
    """Each setting that cannot be used, with the expected value."""
    yield from out_of_range(settings)
    yield from _bounds(settings.server.bounds)
    yield from _server(settings.server)
    yield from _pages(settings.server)
    yield from _mailbox(settings)
    yield from _operations(settings.operations)
    yield from _store(settings)
    if not _USER_ID_PREFIX.fullmatch(settings.steps.user_id_prefix):
        yield ("steps", "user_id_prefix"), "1 to 8 of a-z and 1-5, beginning with a letter"
    yield from _mail(settings)
    if not all(map(_HOST.fullmatch, settings.directory.servers)):
        yield ("directory", "servers"), "host names or addresses, without scheme and port"
    if not all(map(_VARIABLE.match, settings.live.command.env)):
        yield ("live", "command", "env"), '"NAME" or "NAME=value"'
    if settings.password.max_memory < settings.password.memory:
        least = format_value(settings.password.memory)
        yield ("password", "max_memory"), f"at least password.memory, {least}"
    yield from _signup(settings.signup)
    yield from site_faults(settings.site)
    yield from webhook_faults(settings.webhook)
    if settings.login.named_token_ttl > settings.login.named_token_max_ttl:
        longest = format_value(settings.login.named_token_max_ttl)
        yield ("login", "named_token_ttl"), f"at most login.named_token_max_ttl, {longest}"
    yield from sms_faults(settings.sms)
    if any(len(code) != settings.steps.code_digits for code in settings.sms.test.values()):
        yield ("sms", "test"), f"codes of steps.code_digits digits, {settings.steps.code_digits}"
    yield from captcha_faults(settings.captcha)
    yield from ledger_faults(settings.ledger)


def trial_settings(settings: Settings) -> Iterator[str]:
    """Each setting in force that is for trying out only, with what it means."""
    if settings.mail.smtp == "log:":
        yield 'mail.smtp is "log:": mail is only written to the log, for trying out'
    if "log" in settings.sms.used_kinds:
        yield 'sms.kind is "log": codes are only written to the log, for trying out'
    if settings.captcha.kind == "none":
        yield 'captcha.kind is "none": robots can register'
    elif settings.captcha.kind != "altcha":
        for door in settings.captcha.doors:
            if door in PAGE_DOORS:
                yield f'captcha.doors has "{door}": the page has no form for it with {settings.captcha.kind}, only with "altcha"'
    if settings.ledger.kind == "antelope" and not settings.ledger.antelope.chain_id:
        yield "ledger.antelope.chain_id is empty: the node alone says which chain is signed for"
    if "approve" in sign_up_policy(settings).modes.values() and not settings.signup.operator:
        yield "signup.operator is empty: nobody is told who waits for an approval (`regserver user waiting` lists them)"
    if settings.server.mailbox:
        yield "server.mailbox is true: whoever uses this machine sees the codes and links of everybody"
    if settings.server.test_mode:
        yield "server.test_mode is true: whoever knows a number of sms.test can register with it"
    if settings.ledger.kind != "embedded" and not settings.steps.require_token:
        yield (
            "steps.require_token is false: others in the network of a person, or behind the same proxy, can finish that"
            " person's registration with keys of their own on the ledger"
        )


def _bounds(bounds: Bounds) -> Iterator[Fault]:
    if bounds.target > bounds.head:
        yield ("server", "bounds", "target"), f"at most server.bounds.head, {format_value(bounds.head)}"
    if bounds.pong_timeout >= bounds.ping_interval:
        interval = format_value(bounds.ping_interval)
        yield ("server", "bounds", "pong_timeout"), f"less than server.bounds.ping_interval, {interval}"


def _server(server: ServerSection) -> Iterator[Fault]:
    if not server.bind:
        yield ("server", "bind"), "at least one address"
    for bind in server.bind:
        if not _is_bind(bind):
            expected = '"host:port", "[::]:port", "unix:/path?mode=0660" or "fd://number"'
            yield ("server", "bind"), f'{expected}, not "{bind}"{_nearest_bind(bind)}'
    if len(set(server.bind)) < len(server.bind):
        yield ("server", "bind"), "each address once"
    ports = [bind.rpartition(":")[2] for bind in server.bind if not bind.startswith(("[", "unix:", "fd:"))]
    for every in ("", "0.0.0.0"):  # noqa: S104  (nothing is bound here)
        for bind in server.bind:
            host, _, port = bind.rpartition(":")
            if host == every and port != "0" and ports.count(port) > 1 and server.bind.count(bind) == 1:
                yield (
                    ("server", "bind"),
                    f'no further address with port {port}, since "{bind}" takes every one',
                )
    if bool(server.tls_cert) != bool(server.tls_key):
        yield ("server", "tls_cert"), "tls_cert and tls_key together"
    if server.public_url and not _PUBLIC_URL.fullmatch(server.public_url):
        yield ("server", "public_url"), 'a URL such as "https://example.org" or "https://example.org/path"'
    if server.outbound_proxy and not _PROXY_URL.fullmatch(server.outbound_proxy):
        yield ("server", "outbound_proxy"), 'a URL such as "http://user:password@proxy.example.org:3128"'
    for proxy in server.trusted_proxies:
        if proxy != "unix" and not _is_network(proxy):
            expected = 'addresses, networks such as "10.0.0.0/8", or "unix"'
            yield ("server", "trusted_proxies"), f'{expected}, not "{proxy}"'


def _mailbox(settings: Settings) -> Iterator[Fault]:
    server = settings.server
    if not server.mailbox:
        return
    hosts = [host_name(bind) for bind in server.bind]
    if server.public_url:
        hosts.append(host_name(urlsplit(server.public_url).netloc))
    loopback = Networks(LOOPBACK_NETWORKS)
    if not all(host == "localhost" or host in loopback for host in hosts):
        yield ("server", "mailbox"), "false, since server.bind or server.public_url is an address for others"
    if settings.mail.smtp != "log:" and "log" not in settings.sms.used_kinds:
        yield ("server", "mailbox"), 'false, since neither mail.smtp is "log:" nor sms.kind "log"'


def _pages(server: ServerSection) -> Iterator[Fault]:
    for origin in server.cors_origins:
        if not _is_origin(origin):
            meant = f"; did you mean {near}?" if _is_origin(near := f"https://{origin}") else ""
            yield ("server", "cors_origins"), f'{EXPECTED_ORIGINS}, not "{origin}"{meant}'
    if not all(map(_FIELD_NAME.fullmatch, server.cors_headers)):
        yield ("server", "cors_headers"), 'names of header fields, such as "X-Api-Version"'
    if not all(map(_CONTACT.fullmatch, server.security_contact)):
        yield (
            ("server", "security_contact"),
            'URIs, such as "mailto:security@example.org" or "https://example.org/report"',
        )


def _store(settings: Settings) -> Iterator[Fault]:
    try:
        database = read_store_url(settings.store)
    except ValueError as error:
        yield ("store", "url"), str(error)
        return
    is_shared = isinstance(database, PostgresAddress)
    if is_shared and not settings.server.key:
        yield (
            ("store", "url"),
            "server.key beside PostgreSQL: the file of the server's key, the same on every node",
        )
    if settings.store.password and not is_shared:
        yield ("store", "password"), "none, since store.url is SQLite, which has no password"
    if settings.fanout.engine == "postgres" and not is_shared:
        yield ("fanout", "engine"), '"auto" or "local", since store.url is SQLite, which has one node'
    if not _NODE_NAME.fullmatch(settings.node.name):
        yield ("node", "name"), "at most 64 letters, digits, dots, hyphens and underscores"


def _operations(operations: OperationsSection) -> Iterator[Fault]:
    for network in operations.networks:
        if not _is_network(network):
            yield (
                ("operations", "networks"),
                f'addresses, or networks such as "10.0.0.0/8", not "{network}"',
            )
    if operations.bearer and len(operations.bearer) < LEAST_SECRET:
        yield ("operations", "bearer"), f"at least {LEAST_SECRET} characters, or none"


def _signup(signup: SignupSection) -> Iterator[Fault]:
    if not all(map(read_domain, signup.domains)):
        yield ("signup", "domains"), 'domains of addresses, such as "example.org"'
    if signup.operator and not is_email(signup.operator):
        yield ("signup", "operator"), "an e-mail address, or none"


def _is_network(text: str) -> bool:
    return _raises_nothing(lambda: Networks([text]))


def _is_origin(text: str) -> bool:
    return _raises_nothing(lambda: OriginList([text]))


def _raises_nothing(read: Callable[[], object]) -> bool:
    try:
        read()
    except ValueError:
        return False
    return True


def _is_bind(text: str) -> bool:
    """Whether the text has the form of an address to listen on, and an IP address in it is one."""
    found = _BIND.fullmatch(text)
    if found is None or int(found["port"] or 0) >= 2**16:
        return False
    host = text.rpartition(":")[0] if found["port"] and found["v6"] is None else ""
    if found["v6"] is not None:
        return parse_address(found["v6"][1:-1]) is not None
    return not re.fullmatch(r"[0-9.]+", host) or parse_address(host) is not None


def _nearest_bind(text: str) -> str:
    """What may be meant, as the end of a fault; "" where nothing comes near."""
    port = text.rpartition(":")[2]
    if text.isdecimal() and int(text) < 2**16:
        return f'; did you mean "127.0.0.1:{text}"?'
    if port.isdecimal() and int(port) >= 2**16:
        return "; ports end at 65535"
    if text.startswith("/"):
        return f'; did you mean "unix:{text}"?'
    if "://" in text:
        return f'; did you mean "{text.partition("://")[2].partition("/")[0]}"?'
    if re.fullmatch(r"[A-Za-z0-9.-]+", text):
        return f'; did you mean "{text}:8080"?'
    return ""


def _mail(settings: Settings) -> Iterator[Fault]:
    mail = settings.mail
    if mail.smtp != "log:":
        try:
            smtp_address(mail)
        except ValueError as error:
            yield ("mail", "smtp"), str(error)
        if not settings.server.public_url:
            # Without it links start with the Host field of the request. The client could write any host there, and
            # the reader of the mail would follow the link to it.
            yield ("server", "public_url"), "a URL, since links in real mail start with it"
    if not is_email(mail.from_):
        yield ("mail", "from"), 'an e-mail address such as "name@example.org", and no name beside it'
