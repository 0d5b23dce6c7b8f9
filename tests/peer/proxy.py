"""The proxies of docs/proxy.md, started with the snippets that the document prints.

Only what depends on the machine is replaced in a snippet: ports, names and paths of certificates.
"""

import re
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio

from tests.peer.required import find_program

DOCUMENT = Path(__file__).parents[2] / "docs" / "proxy.md"
NAME = "reg.example.org"
MODULES = Path("/usr/lib/apache2/modules")


class Place(msgspec.Struct, frozen=True):
    """Where a proxy runs. port: its own. server: the port behind it. certificate, key: files for `localhost`."""

    folder: Path
    port: int
    server: int
    certificate: str
    key: str


def snippet(language: str) -> str:
    """The first block of the document in a language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert found is not None, language
    return found[1]


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the snippet has no {old!r}"
        text = text.replace(old, new)
    return text


def _nginx(place: Place) -> list[str]:
    site = _replaced(
        snippet("nginx"),
        {
            "127.0.0.1:8080": f"127.0.0.1:{place.server}",
            "listen 443 ssl": f"listen 127.0.0.1:{place.port} ssl",
            NAME + ";": "localhost;",
            f"/etc/ssl/{NAME}.pem": place.certificate,
            f"/etc/ssl/{NAME}.key": place.key,
        },
    )
    paths = "".join(
        f"{name}_temp_path {place.folder}/{name}; "
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off; pid {place.folder}/pid; error_log stderr; worker_processes 1;\n"
        f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {paths}\n{site}\n}}\n"
    )
    (place.folder / "nginx.conf").write_text(whole)
    program = find_program("nginx-light", "nginx")
    return [program, "-p", str(place.folder), "-c", str(place.folder / "nginx.conf")]


def _caddy(place: Place) -> list[str]:
    site = _replaced(
        snippet("caddy"),
        {
            f"{NAME} {{\n": f"https://localhost:{place.port} {{\n    bind 127.0.0.1\n    tls {place.certificate} {place.key}\n",
            "127.0.0.1:8080": f"127.0.0.1:{place.server}",
        },
    )
    # Without these it would ask for a certificate, and listen on ports of its own.
    whole = f"{{\n    admin off\n    auto_https off\n    storage file_system {place.folder}\n}}\n{site}"
    (place.folder / "Caddyfile").write_text(whole)
    return [find_program("caddy", "caddy"), "run", "--config", str(place.folder / "Caddyfile")]


def _apache(place: Place) -> list[str]:
    program = find_program("apache2-bin", "apache2", "httpd")
    site = _replaced(
        snippet("apache"),
        {
            "*:443": f"127.0.0.1:{place.port}",
            f"ServerName {NAME}": "ServerName localhost",
            f"/etc/ssl/{NAME}.pem": place.certificate,
            f"/etc/ssl/{NAME}.key": place.key,
            "127.0.0.1:8080": f"127.0.0.1:{place.server}",
        },
    )
    names = ("mpm_event", "authz_core", "alias", "proxy", "proxy_http", "headers", "ssl", "socache_shmcb")
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in names)
    # It does not serve as root; its files are those of the test all the same, since it opens them before.
    user = "User www-data\nGroup www-data\n"
    whole = (
        f"ServerRoot {place.folder}\nPidFile {place.folder}/pid\nErrorLog /dev/stderr\n{modules}{user}"
        f"DefaultRuntimeDir {place.folder}\nListen 127.0.0.1:{place.port}\n{site}"
    )
    (place.folder / "apache.conf").write_text(whole)
    return [program, "-D", "FOREGROUND", "-f", str(place.folder / "apache.conf")]


PROXIES: dict[str, Callable[[Place], list[str]]] = {"nginx": _nginx, "caddy": _caddy, "apache": _apache}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


@asynccontextmanager
async def running_proxy(name: str, place: Place) -> AsyncIterator[None]:
    """Runs a proxy until it answers, and as long as the body."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(place.folder), "XDG_DATA_HOME": str(place.folder)}
    command = PROXIES[name](place)
    log = (place.folder / "proxy.log").open("wb")
    process = await trio.lowlevel.open_process(
        command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=place.folder
    )
    try:
        with trio.fail_after(30):
            while not await _listens(place.port):
                assert process.poll() is None, (place.folder / "proxy.log").read_text()
                await trio.sleep(0.05)  # another process: there is nothing to wait on
        yield
    finally:
        log.close()
        with trio.CancelScope(shield=True):
            process.terminate()
            with trio.move_on_after(10):
                await process.wait()
            process.kill()  # a proxy may wait for connections
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        await trio.aclose_forcefully(await trio.open_tcp_stream("127.0.0.1", port))
    except OSError:
        return False
    return True
