"""The server as its clients reach it: `server.public_url` asked from outside in, and what proxies on the way pass on."""

import secrets
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from regserver.cli.running import TIMEOUT_SECONDS, running_server
from regserver.config import Loaded
from regserver.domain.finding import Finding

UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
DOCUMENT = "docs/proxy.md"


def check_proxy(loaded: Loaded) -> Iterator[Finding]:
    """The settings that a proxy needs."""
    server = loaded.settings.server
    everybody = [text for text in server.trusted_proxies if text.endswith("/0")]
    if everybody:
        text = f"server.trusted_proxies has {everybody[0]}: every client can claim any address"
        yield Finding("fail", text)
    if server.trusted_proxies and not server.public_url:
        passed = "links begin with what the proxy passes on as Host and X-Forwarded-Host, which clients choose unless it sets both"
        yield Finding("hint", f"server.public_url is empty: {passed}")
    behind = server.public_url.startswith("https:") and not server.tls_cert
    if behind and not server.trusted_proxies:
        yield Finding(
            "hint",
            "server.public_url is https and server.tls_cert is empty, so a proxy is in front: name it in"
            f" server.trusted_proxies, or all its clients count as one ({DOCUMENT})",
        )


def check_outside(loaded: Loaded) -> Iterator[Finding]:
    """Asks at the public address, as clients do, while a server runs."""
    base = loaded.settings.server.public_url.rstrip("/")
    local = _running_bind(loaded) if base else None
    if local is None:
        return
    probe = secrets.token_hex(16)
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        try:
            answer = client.get(f"{base}/health/alive", params={"probe": probe})
        except httpx.HTTPError as error:
            yield Finding("fail", f"{base} {explain_http(error)}")
            return
        if answer.is_redirect:
            yield Finding(
                "fail", f"{base} is redirected to {answer.headers.get('location', '')[:200]!a}: name that one"
            )
            return
        if not _is_ours(answer):
            yield Finding("fail", f"{base} answers with status {answer.status_code}, and is not this server")
            return
        yield from _seen(loaded, local, base, probe)
        yield from _passes(client, base)


def _running_bind(loaded: Loaded) -> str | None:
    """An address where a server of this configuration runs."""
    return next((bind for bind in loaded.binds if running_server(loaded, bind) is not None), None)


def _is_ours(answer: httpx.Response) -> bool:
    try:
        return bool(answer.json()["status"] == "alive")
    except (ValueError, KeyError, TypeError):
        return False


def _seen(loaded: Loaded, bind: str, base: str, probe: str) -> Iterator[Finding]:
    """How the request came in, as the running server says."""
    found = running_server(loaded, bind, probe)
    if found is None or not found.parts:
        return  # it does not take us for the operator, so it tells nothing
    if found.seen is None:
        yield Finding("fail", f"{base} leads to another server than {bind}")
        return
    asked, came = urlsplit(base), urlsplit(found.seen.base)
    origin = f"{came.scheme}://{came.netloc}"
    if (came.scheme, came.netloc) == (asked.scheme, asked.netloc):
        yield Finding(
            "ok",
            f"{base} reaches the server, which sees {found.seen.address or 'a unix socket'} asking for {origin}",
        )
    elif loaded.settings.server.trusted_proxies:
        yield Finding(
            "hint",
            f"{base} reaches the server as {origin}: the proxy passes on another scheme or host ({DOCUMENT})",
        )
    else:
        yield Finding(
            "fail",
            f"{base} reaches the server as {origin}, from {found.seen.address or 'a unix socket'}: a proxy is in front that"
            f" server.trusted_proxies does not name ({DOCUMENT})",
        )


def _passes(client: httpx.Client, base: str) -> Iterator[Finding]:
    """Whether WebSockets come through, and what is for the operator alone does not."""
    try:
        with client.stream("GET", f"{base}/room/websocket", headers=UPGRADE) as answer:
            status = answer.status_code
        metrics = client.get(f"{base}/metrics").status_code
    except httpx.HTTPError as error:
        yield Finding("fail", f"{base} {explain_http(error)}")
        return
    if status == 426:
        yield Finding(
            "fail", f"{base}: the proxy does not pass Upgrade on, so no WebSocket comes through ({DOCUMENT})"
        )
    if metrics == 200 and not _is_on_loopback(base):
        yield Finding(
            "fail",
            f"{base}/metrics is open to everybody: the proxy does not say for whom it asks ({DOCUMENT})",
        )


def _is_on_loopback(base: str) -> bool:
    return urlsplit(base).hostname in {"localhost", "127.0.0.1", "::1"}


def explain_http(error: httpx.HTTPError) -> str:
    """Why a request failed, as the end of a sentence that begins with the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"shows a certificate that is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"cannot agree on TLS: {cause.reason or cause}"
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    if "Name or service not known" in text or "name resolution" in text or "No address associated" in text:
        return "has an unknown name"
    if isinstance(error, httpx.TimeoutException):
        return "does not answer in time"
    if "refused" in text:
        return "refuses connections"
    return f"cannot be reached: {type(error).__name__}"
