"""`regserver try`: knocks at the four doors of a running server, and prints each request with its answer.

It makes one account, with a name of its own, and deletes it at the end; addresses are of example.org, which gets no mail.
"""

import argparse
import secrets
import sys

import httpx

from regserver.cli import FAILED, CommandFault, configuration
from regserver.cli.running import tcp_address
from regserver.cli.trial import Trial
from regserver.config import Loaded

TIMEOUT_SECONDS = 30.0


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "url", metavar="URL", nargs="?", help="of the server (default: the first address of server.bind)"
    )
    parser.add_argument(
        "--username", default="ada", help="of the live registration (default: that of the example roster)"
    )
    parser.add_argument("--password", default="correct horse battery", help="of the live registration")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each request")


def run(chosen: argparse.Namespace) -> int | None:
    """Walks the doors. FAILED when the server does not answer, or answers with a fault of its own."""
    loaded = configuration(chosen)
    url = chosen.url or _address(loaded)
    try:
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, verify=not _is_own(url)) as client:
            trial = Trial(client, sys.stdout, as_json=chosen.json)
            trial.sign_in(chosen.username, chosen.password)
            name = f"try{secrets.token_hex(5)}"
            trial.rooms(name)
            trial.steps(name)
            trial.directory(name)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CommandFault(f"{url} does not answer: {error or type(error).__name__}") from None
    if not chosen.json:
        print(f"\n{trial.asked} requests; {trial.faults} answered with a fault of the server")
    return FAILED if trial.faults else None


def _address(loaded: Loaded) -> str:
    server = loaded.settings.server
    binds = [bind for bind in server.bind if not bind.startswith(("unix:", "fd:"))]
    if not binds:
        raise CommandFault("server.bind has no TCP address: give the server's URL")
    host, port = tcp_address(binds[0])
    scheme = "https" if server.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _is_own(url: str) -> bool:
    """Whether the address is this machine's, for which no certificate is."""
    return httpx.URL(url).host in {"127.0.0.1", "::1", "localhost"}
