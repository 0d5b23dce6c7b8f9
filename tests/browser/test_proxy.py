"""The page behind a proxy that ends TLS, where nobody told the server of it."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import running_server
from tests.peer.proxy import free_port
from tests.peer.required import find_program
from tests.serving.conftest import certificate

__all__ = ["certificate"]

# What many people write: no X-Forwarded-Host, no setting in the server, and no public_url.
CONFIG = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{own} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
    location / {{
      proxy_pass {url}; proxy_http_version 1.1; {fields}
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""
UPGRADE = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"


def wait_for(port: int) -> None:
    """Returns once somebody listens."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx did not start")


@contextlib.contextmanager
def running_nginx(folder: Path, certificate: tuple[str, str], url: str, fields: str) -> Iterator[str]:
    """Runs the proxy in front of the server at `url`; its own address. fields: further ones that it sets."""
    port = free_port()
    cert, key = certificate
    text = CONFIG.format(folder=folder, own=port, url=url, cert=cert, key=key, fields=fields)
    (folder / "nginx.conf").write_text(text)
    program = find_program("nginx-light", "nginx")
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)  # the browser would not try again
            yield f"https://localhost:{port}"
        finally:
            process.terminate()


@pytest.fixture
def proxied(tmp_path: Path, certificate: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the proxy. The parameter: further fields that it sets."""
    with (
        running_server(tmp_path) as server,
        running_nginx(tmp_path, certificate, server.url, request.param) as url,
    ):
        yield url


@pytest.mark.parametrize("proxied", [UPGRADE, f"{UPGRADE} proxy_set_header Host $host;"], indirect=True)
def test_a_registration_is_watched(visit: Visit, proxied: str) -> None:
    ada = visit(proxied, ignore_https_errors=True)
    ada.open()
    ada.sign_in("ada", "correct horse battery")
    ada.sees("#registration-name", "Hello, Ada King Lovelace!")
    ada.page.get_by_role("button", name="Continue to your rooms").click()
    ada.sees_live()


@pytest.mark.parametrize("proxied", [""], indirect=True)
def test_without_upgrades_the_page_says_that_it_is_not_connected(visit: Visit, proxied: str) -> None:
    """And shows what can be had without a socket."""
    bob = visit(proxied, ignore_https_errors=True)
    with bob.failing("WebSocket"):
        bob.try_to_sign_up("bob")
        expect(bob.find("#link-state")).to_contain_text("Connection lost")
        bob.sees("#no-rooms")
