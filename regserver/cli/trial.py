"""The four doors, one after the other, as `regserver try` knocks at them."""

import re
from collections.abc import Mapping
from typing import Any, TextIO

import httpx
import msgspec

from regserver.log.line import redact

MOST_SHOWN = 600
"""Characters of an answer."""
SECRET = re.compile(r'("(?:password|token|captcha)": ?")[^"]+(")')
FAULT = 500
UNAVAILABLE = 503
"""An answer that says what is not there now; it is none of the server's faults."""


class Trial:
    """Asks through the client, and prints. asked, faults: counts of requests."""

    def __init__(self, client: httpx.Client, output: TextIO, *, as_json: bool) -> None:
        self._client = client
        self._output = output
        self._as_json = as_json
        self._token = ""
        self.asked = 0
        self.faults = 0

    def sign_in(self, username: str, password: str) -> None:
        """The first door: a first sign-in is watched to its end."""
        self._title("Sign-in and live registration")
        body = {"username": username, "password": password}
        answer = self._ask("POST", "/login", body, {"Prefer": "respond-async"})
        location = answer.get("location")
        if isinstance(location, str):
            self._watch(f"/register/{location.rpartition('/')[2]}/events")

    def rooms(self, name: str) -> None:
        """The second door: an account, a room, a post, and their end. name: of the account."""
        self._title("Rooms")
        fields = {"username": name, "email": f"{name}@example.org", "password": f"{name} {name}"}
        self._token = str(self._ask("POST", "/login/register", fields).get("token", ""))
        if not self._token:
            return
        room = self._ask("POST", "/room/create", {"name": "Trial"}).get("roomId")
        self._ask("POST", f"/room/post/{room}", {"content": "Hello"})
        self._ask("GET", f"/room/readAll/{room}")
        self._ask("POST", "/login/ticket")
        self._ask("DELETE", "/login/delete")
        self._token = ""

    def steps(self, name: str) -> None:
        """The third door, by e-mail: up to the code, which only its receiver has."""
        self._title("Registration steps")
        email = f"{name}s@example.org"
        self._call("getState", email=email)
        self._call("firstStepEmail", email=email, captcha="", captchaType="web")
        self._call("verifyEmail", email=email, code="000000")
        self._call("getState", email=email)

    def directory(self, name: str) -> None:
        """The fourth door: up to the mail, which only its receiver has."""
        self._title("Directory")
        own = f"{name}d"
        self._ask("GET", f"/{own}/check")
        fields = {"userName": own, "password": f"{name} {name}", "email": f"{own}@example.org"}
        self._ask("POST", "/init", {**fields, "languageCode": "en"})
        self._ask("GET", f"/{own}/server")

    # --- requests
    def _call(self, method: str, **params: str) -> None:
        self._ask("POST", "/rpc", {"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params})

    def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Asks and prints; what the answer says, if it is an object."""
        fields = {**(headers or {}), **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        self._say("→", f"{method} {path}", body)
        answer = self._client.request(method, path, json=body, headers=fields)
        self.asked += 1
        if answer.status_code >= FAULT and answer.status_code != UNAVAILABLE:
            self.faults += 1
        try:
            told = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            told = answer.text or None
        self._say("←", str(answer.status_code), told)
        return told if isinstance(told, dict) else {}

    def _watch(self, path: str) -> None:
        self._say("→", f"GET {path}", None)
        self.asked += 1
        with self._client.stream("GET", path) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self._say(
                        "←", str(answer.status_code), msgspec.json.decode(line.removeprefix("data:").strip())
                    )

    # --- what is printed
    def _title(self, text: str) -> None:
        if not self._as_json:
            self._print(f"\n{text}")

    def _say(self, sign: str, head: str, body: Any) -> None:
        if self._as_json:
            told = {"sent": head} if sign == "→" else {"status": int(head)}
            self._print(_masked(msgspec.json.encode({**told, "body": body}).decode()))
            return
        text = "" if body is None else msgspec.json.encode(body).decode()
        shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} …"
        self._print(_masked(f"  {sign} {head}  {shown}".rstrip()))

    def _print(self, line: str) -> None:
        """At once: who watches a registration wants to see it go on."""
        print(line, file=self._output, flush=True)


def _masked(text: str) -> str:
    """The text with secrets cut short: terminals are recorded, and shown to others."""
    return redact(SECRET.sub(r"\1…\2", text))
