"""Every example of the reference is run, with curl and with Node, against the server that it was made for."""

import html
import json
import re
from pathlib import Path

import httpx
import trio

from tests.peer.required import find_program
from tests.system.server import open_server, sign_up

BLOCK = re.compile(r'<article id="([\w-]+)">(.*?)</article>', re.DOTALL)
CODE = re.compile(r"<figcaption>(curl|JavaScript)</figcaption><pre[^>]*><code>(.*?)</code>", re.DOTALL)
ENDLESS = {"get_room_events"}
LAST = ("delete_login_token", "post_login_password", "delete_login_delete")
"""Examples after which the token is worth nothing."""
UNFIT = {"BadJson", "RouteNotFound", "MethodNotAllowed", "BadContentType", "INVALID_JSON_REQUEST"}
"""Refusals of requests that nobody should print."""


async def _examples(http: httpx.AsyncClient, language: str) -> dict[str, str]:
    """Anchor → example, those that end the session at the end."""
    page = (await http.get("/docs")).text
    found = {
        anchor: html.unescape(code)
        for anchor, block in BLOCK.findall(page)
        for kind, code in CODE.findall(block)
        if kind == language and anchor not in ENDLESS
    }
    return {
        anchor: found[anchor]
        for anchor in sorted(found, key=lambda one: LAST.index(one) if one in LAST else -1)
    }


async def _check(http: httpx.AsyncClient, answers: dict[str, tuple[int, str]]) -> None:
    """Each is an answer that the document names, and says that the request was well made."""
    paths = (await http.get("/openapi.json")).json()["paths"]
    operations = {each["operationId"]: each for path in paths.values() for each in path.values()}
    for anchor, (status, body) in answers.items():
        expected = operations[anchor]["responses"] if anchor in operations else {"200": None}
        assert str(status) in expected, f"{anchor} {status} {body}"
        assert status < 500, f"{anchor} {body}"
        assert status < 400 or not any(f'"{name}"' in body for name in UNFIT), f"{anchor} {body}"
        assert not (anchor.startswith("method-") and '"code":-32' in body), f"{anchor} {body}"


async def _run(command: list[str], folder: Path, given: str) -> str:
    ran = await trio.run_process(command, cwd=folder, stdin=given.encode(), capture_stdout=True, check=False)
    assert ran.returncode == 0
    return ran.stdout.decode()


async def test_with_curl(tmp_path: Path) -> None:
    find_program("curl", "curl")
    async with open_server(tmp_path) as server, server.client() as http:
        ann = await sign_up(http, "ann")
        examples = await _examples(http, "curl")
        lines = [f"TOKEN={ann.token}"]
        lines += [f"echo '<<{anchor}>>'\n{code} --max-time 20" for anchor, code in examples.items()]
        printed = await _run(["bash", "-s"], tmp_path, "\n".join(lines))
        parts = re.split(r"(?m)^.*?<<([\w-]+)>>\n", printed)[1:]
        answers = {}
        for anchor, text in zip(parts[::2], parts[1::2], strict=True):
            status = re.match(r"HTTP/1.1 (\d+)", text)
            answers[anchor] = (
                int(status[1]) if status else 200,
                text,
            )  # a stream is printed without its head
        assert answers.keys() == examples.keys()
        await _check(http, answers)


async def test_with_javascript(tmp_path: Path) -> None:
    node = find_program("node", "nodejs")
    async with open_server(tmp_path) as server, server.client() as http:
        ann = await sign_up(http, "ann")
        examples = await _examples(http, "JavaScript")
        sockets = {anchor for anchor, code in examples.items() if "new WebSocket(" in code}
        blocks = [
            "const answers = {}, token = " + json.dumps(ann.token) + ";",
            "globalThis.WebSocket = class { constructor(url) { console.log('opened', url); } };",
        ]
        for anchor, code in examples.items():
            recorded = code.replace(
                "console.log(response.status, await response.text());",
                f"answers[{json.dumps(anchor)}] = [response.status, await response.text()];",
            )
            blocks.append(f"{{\n{recorded}\n}}")
        blocks.append("console.log(JSON.stringify(answers));")
        (tmp_path / "examples.mjs").write_text("\n".join(blocks))
        printed = await _run([node, "examples.mjs"], tmp_path, "")
        answers = json.loads(printed.splitlines()[-1])
        assert examples.keys() - answers.keys() == sockets | {
            anchor for anchor, code in examples.items() if "getReader" in code
        }
        assert len(re.findall(r"^opened ws://", printed, re.MULTILINE)) == len(sockets) == 2
        await _check(http, answers)
