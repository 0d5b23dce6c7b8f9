"""Requests as people would write them, for curl and for JavaScript.

BASE and SOCKET_BASE stand for the server's address, which is put in when the page is asked for.
"""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

BASE = "@base@"
SOCKET_BASE = "@socket@"

READ_STREAM = """const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
for (let chunk; !(chunk = await reader.read()).done;) console.log(chunk.value);"""
READ_WHOLE = "console.log(response.status, await response.text());"


class Sample(msgspec.Struct, frozen=True):
    """One request. body: None for none. with_token: whether it needs one. streams: whether the answer has no end."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: Any = None
    with_token: bool = False
    streams: bool = False

    @property
    def curl(self) -> str:
        """For a shell in which TOKEN is set."""
        words = ["curl -sN" if self.streams else "curl -si"]
        if self.method == "HEAD":
            words.append("--head")
        elif self.method != "GET":
            words.append(f"-X {self.method}")
        words.append(shlex.quote(BASE + self.path))
        parts = [" ".join(words)]
        if self.with_token:
            parts.append('-H "Authorization: Bearer $TOKEN"')
        parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self._fields().items()]
        if self.body is not None:
            parts.append(f"-d {shlex.quote(_json(self.body))}")
        return " \\\n  ".join(parts)

    @property
    def script(self) -> str:
        """For a module in which `token` is set."""
        options = [] if self.method == "GET" else [f'method: "{self.method}"']
        fields = ["Authorization: `Bearer ${token}`"] if self.with_token else []
        fields += [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in self._fields().items()]
        if fields:
            options.append(f"headers: {{ {', '.join(fields)} }}")
        if self.body is not None:
            options.append(f"body: JSON.stringify({_json(self.body)})")
        given = "".join(f"\n  {option}," for option in options)
        asked = f", {{{given}\n}}" if options else ""
        address = json.dumps(BASE + self.path)
        return (
            f"const response = await fetch({address}{asked});\n{READ_STREAM if self.streams else READ_WHOLE}"
        )

    def _fields(self) -> dict[str, str]:
        kind = {} if self.body is None else {"Content-Type": "application/json"}
        return {**self.headers, **kind}


def listening(path: str, *, with_ticket: bool) -> str:
    """A script that listens on a WebSocket. with_ticket: whether a ticket has to be asked for."""
    if not with_ticket:
        return f'const socket = new WebSocket("{SOCKET_BASE}{path}");\n{_HEAR}'
    ask = Sample("POST", "/login/ticket", with_token=True).script.partition("\nconsole")[0]
    return (
        f"{ask}\nconst {{ ticket }} = await response.json();\n"
        f"const socket = new WebSocket(`{SOCKET_BASE}{path}?ticket=${{ticket}}&since=`);\n{_HEAR}"
    )


_HEAR = """socket.onmessage = ({ data }) => console.log(data);
socket.onclose = ({ code }) => console.log("closed", code);"""


def fill(pattern: str, values: Mapping[str, Any]) -> str:
    """The path with values in place of its parameters."""
    return re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), pattern)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
