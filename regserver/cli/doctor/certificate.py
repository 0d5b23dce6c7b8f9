"""The certificate of server.tls_cert: its time, its names, its key, its chain, and whether the running server shows it."""

import datetime
import os
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from regserver.cli.running import TIMEOUT_SECONDS, running_server, tcp_address
from regserver.config import Loaded
from regserver.domain.finding import Finding, Level

EXPIRING_DAYS = 14


def check_tls(loaded: Loaded) -> Iterator[Finding]:
    """The certificate, or that there is none where there should be one."""
    server = loaded.settings.server
    if not server.tls_cert:
        if not server.public_url.startswith("https:") and not _only_loopback(server.bind):
            yield Finding(
                "hint", "passwords travel unencrypted: set server.tls_cert, or put a TLS proxy in front"
            )
        return
    path, key = loaded.resolve(server.tls_cert), loaded.resolve(server.tls_key)
    chain = _read_chain(path)
    yield _time(server.tls_cert, chain[0])
    yield from _name(server.tls_cert, chain[0], urlsplit(server.public_url).hostname or "")
    yield from _key(path, key, chain[0])
    if len(chain) == 1 and chain[0].issuer != chain[0].subject:
        yield Finding(
            "hint",
            f"{server.tls_cert} has no certificate of its issuer: use the full chain, or some clients refuse it",
        )
    yield from _shown(loaded, chain[0])


def _read_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        raise ValueError(f"{path} is no certificate in PEM form") from None


def _only_loopback(binds: tuple[str, ...]) -> bool:
    return all(bind.startswith(("127.", "localhost:", "[::1]:", "unix:")) for bind in binds)


def _time(name: str, certificate: x509.Certificate) -> Finding:
    now, end = datetime.datetime.now(datetime.UTC), certificate.not_valid_after_utc
    if certificate.not_valid_before_utc > now:
        return Finding(
            "fail", f"{name} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M}"
        )
    days = (end - now).days
    level: Level = "fail" if days < 0 else "hint" if days < EXPIRING_DAYS else "ok"
    return Finding(level, f"{name} is valid until {end:%Y-%m-%d}")


def _name(file: str, certificate: x509.Certificate, host: str) -> Iterator[Finding]:
    """host: of server.public_url; "" for none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        yield Finding(
            "fail" if host else "hint", f"{file} names no host (subjectAltName), so clients refuse it"
        )
        return
    known = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    known |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    wildcard = f"*.{host.partition('.')[2]}"
    if host and not known & {host.lower(), wildcard.lower()}:
        yield Finding("fail", f"{file} is for {', '.join(sorted(known))}, and server.public_url names {host}")


def _key(path: Path, key: Path, certificate: x509.Certificate) -> Iterator[Finding]:
    mode = stat.S_IMODE(os.stat(key).st_mode)
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        yield Finding(
            "fail",
            f"every user can read {key} (mode {mode:o}): chmod 640 {key}, with the group of the server",
        )
    try:
        found = load_pem_private_key(key.read_bytes(), None)
    except (TypeError, ValueError):
        yield Finding("fail", f"{key} is no private key in PEM form without a password")
        return
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if found.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        yield Finding("fail", f"{key} is not the key of {path}")


def _shown(loaded: Loaded, certificate: x509.Certificate) -> Iterator[Finding]:
    """Whether a running server still has an older one."""
    bind = next((each for each in loaded.binds if running_server(loaded, each) is not None), "")
    if not bind or bind.startswith("unix:"):
        return
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = tcp_address(bind)
    with (
        socket.create_connection((host, port), TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    if shown != certificate.public_bytes(Encoding.DER):
        yield Finding("hint", "the running server shows an older certificate than the file has: reload it")
