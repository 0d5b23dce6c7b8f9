"""Certificates are checked for the name that is set in smtplib's private attribute."""

import ssl

import pytest
import trio

from regserver.adapters import smtp_client
from regserver.adapters.smtp_client import new_client
from regserver.config.smtp_url import SmtpAddress, parse_smtp_url
from tests.peer.smtp import open_smtp_peer


def handshake(address: SmtpAddress) -> str | None:
    """Connects up to TLS; the version that was agreed on."""
    client = new_client(address, "regserver@example.com", 5)
    try:
        client.connect(address.host, address.port)
        if address.tls == "starttls":
            client.starttls(context=ssl.create_default_context(cafile=address.ca))
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.version()
    finally:
        client.close()


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_must_be_of_the_host_in_the_url(
    scheme: str, certificate: tuple[str, str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with open_smtp_peer(context=context, implicit=scheme == "smtps") as (peer, _):
        right = parse_smtp_url(f"{scheme}://localhost:{peer.port}?ca={certificate[0]}")
        assert await trio.to_thread.run_sync(handshake, right) == "TLSv1.3"
        other = parse_smtp_url(f"{scheme}://127.0.0.1:{peer.port}?ca={certificate[0]}")
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            await trio.to_thread.run_sync(handshake, other)


def test_an_smtplib_that_has_changed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Changed:
        def __init__(self, **options: object) -> None: ...

    monkeypatch.setattr(smtp_client, "_BoundedReplies", Changed)
    with pytest.raises(RuntimeError, match="_host"):
        new_client(parse_smtp_url("smtp://localhost"), "regserver@example.com", 5)
