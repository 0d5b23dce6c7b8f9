"""The client's words are those of the server, and its blocking form is that of the asynchronous one."""

import re
import subprocess
import sys

import httpx
import pytest

from regserver import errors, testing
from regserver.client.directory_refusal import DIRECTORY_REFUSALS
from regserver.client.refusal import REFUSALS
from regserver.client.step_refusal import STEP_REFUSALS
from regserver.domain import outcome
from regserver.web.directory.message import FAULT_IDS
from regserver.web.steps.wire import REPLIES
from tests.client.blocking_maker import CLIENT, MADE, SOURCES, blocking


def test_every_refusal_has_a_class() -> None:
    # Those of operators are Refused with their names.
    people = [kind for kind in errors.STATUS if kind.__module__ == outcome.__name__]
    names = {kind.wire_name or kind.__name__ for kind in people if kind is not outcome.MethodNotAllowed}
    assert names - REFUSALS.keys() == set()
    assert {code for code, _ in REPLIES.values()} - STEP_REFUSALS.keys() == set()
    assert set(FAULT_IDS.values()) - DIRECTORY_REFUSALS.keys() == set()


@pytest.mark.parametrize("name", SOURCES)
def test_the_blocking_client_is_made_from_the_other(name: str) -> None:
    assert (MADE / f"{name}.py").read_text("utf-8") == blocking(name)


def test_the_client_loads_nothing_of_the_server() -> None:
    code = (
        "import sys, regserver.client\n"
        "print(sorted({name.split('.')[1] for name in sys.modules if name.startswith('regserver.')}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "['client', 'group']"


ASKED = re.compile(r'ask\.(get|post|once|delete)\(\s*f?"(/[^"]*)"')
OTHER_WAYS = {
    "GET /room/events",  # the stream's other form
    "GET /register/{}/events",
    "POST /{}/server",  # other names
    "POST /user/login",
    "GET /messages-en.js",  # scripts
    "GET /messages-fr.js",
}
ELSEWHERE = re.compile(r" /(admin|health|metrics|\w+\.json|rpc|\{\}/confirm$)?(/|$)")
"""Of operators and of documents; /rpc is asked by Steps.call, and a challenge is confirmed by POST."""


async def test_every_operation_of_people_has_a_method() -> None:
    async with testing.server(captcha={"kind": "altcha"}) as server, httpx.AsyncClient() as http:
        paths = (await http.get(f"{server.url}/openapi.json")).json()["paths"]
    offered = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"
        for path, item in paths.items()
        for method in item
    }
    sources = [path.read_text("utf-8") for path in CLIENT.glob("*.py")]
    words = {"get": "GET", "post": "POST", "once": "POST", "delete": "DELETE"}
    asked = {
        f"{words[method]} {re.sub(r'{[^}]*}', '{}', path)}"
        for text in sources
        for method, path in ASKED.findall(text)
    }
    assert {it for it in offered if not ELSEWHERE.search(it)} - asked - OTHER_WAYS == set()
    assert asked - offered == set()
