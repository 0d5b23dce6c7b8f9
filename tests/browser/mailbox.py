"""A mail server beside the browser's blocking calls, and what a reader takes out of its mails."""

import contextlib
import json
import queue
import re
import threading
import urllib.request
from collections.abc import Iterator

import trio

from tests.peer.smtp import SmtpPeer, open_smtp_peer

BASE = "http://mailed.example"
"""What links in mails start with; the tests open them on the server under test."""

_LINK = re.compile(re.escape(BASE) + r"(/(?:confirm|verify|undo|recover|approve)\?lang=\w\w#[\w-]+)")


class Mailbox:
    """Everybody's mail, in the order of its arrival."""

    def __init__(self, peer: SmtpPeer, token: trio.lowlevel.TrioToken) -> None:
        self._peer = peer
        self._token = token

    @property
    def settings(self) -> tuple[str, ...]:
        """What makes a server send its mail here."""
        return (f"mail.smtp=smtp://127.0.0.1:{self._peer.port}", f"server.public_url={BASE}")

    @property
    def count(self) -> int:
        """How many mails there were."""
        return len(self._peer.received)

    def begin(self, url: str, name: str, language: str) -> str:
        """Signs somebody up at the directory and waits for the mail; the path of the link in it."""
        fields = {
            "userName": name,
            "password": "sixsix",
            "email": f"{name}@example.org",
            "languageCode": language,
        }
        return self._mailed(f"{url}/init", fields)[1]

    def sign_up(self, url: str, name: str, language: str) -> tuple[str, str]:
        """Signs somebody up with the rooms and waits for the mail; the token, and the path of the link in it."""
        fields = {"username": name, "email": f"{name}@example.org", "password": "a long password"}
        answer, path = self._mailed(f"{url}/login/register?lang={language}", fields)
        return str(json.loads(answer)["token"]), path

    def change(self, url: str, token: str, name: str) -> str:
        """Gives somebody who has signed up and verified another address; the path of the link that undoes it."""
        fields = {"password": "a long password", "email": f"{name}@example.net"}
        link = self._mailed(f"{url}/login/email", fields, token)[1]
        return self._mailed(f"{url}/login/email/verify", {"token": link.partition("#")[2]})[1]

    def subject(self, number: int) -> str:
        """Waits until there are so many mails; recipient and subject of the last of them."""
        trio.from_thread.run(self._peer.wait_received, number, trio_token=self._token)
        mail = self._peer.received[number - 1]
        return f"{mail.recipient}: {mail.message['Subject']}"

    def _mailed(self, url: str, fields: dict[str, str], token: str = "") -> tuple[bytes, str]:
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        request = urllib.request.Request(  # noqa: S310  (our own server)
            url, json.dumps(fields).encode(), headers
        )
        expected = self.count + 1
        with urllib.request.urlopen(request) as response:  # noqa: S310
            answer = response.read()
        return answer, self.wait_link(expected)

    def text(self, number: int) -> str:
        """The text of the mail of that number, once it has come."""
        trio.from_thread.run(self._peer.wait_received, number, trio_token=self._token)
        return self._peer.received[number - 1].part("plain")

    def wait_link(self, number: int) -> str:
        """Waits until there are so many mails; the path of the link in the last of them."""
        trio.from_thread.run(self._peer.wait_received, number, trio_token=self._token)
        found = _LINK.search(self._peer.received[number - 1].part("plain"))
        assert found is not None
        return found[1]


@contextlib.contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    started: queue.SimpleQueue[tuple[SmtpPeer, trio.lowlevel.TrioToken, trio.Event]] = queue.SimpleQueue()

    async def main() -> None:
        async with open_smtp_peer() as (peer, _):
            stop = trio.Event()
            started.put((peer, trio.lowlevel.current_trio_token(), stop))
            await stop.wait()

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    peer, token, stop = started.get(timeout=20)
    try:
        yield Mailbox(peer, token)
    finally:
        token.run_sync_soon(stop.set)
        thread.join()
