"""The attackers: python -m benchmarks.abuse.attack KIND PORT TOKEN …. Says one line when it is under way; runs until it is killed."""

import http.client
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived
from h2.settings import SettingCodes

CONNECTIONS = 40
SETTINGS_FRAME = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
POSTS_PER_SECOND = 100.0
GUESSING = 15  # connections of each network
ROOM_SIZE = 999  # and the attacker
AGAIN_SECONDS = 1.0  # until a connection that was ended comes again
_PIECE = 1000  # frames


def _connect(port: int, receive_buffer: int = 0) -> socket.socket:
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect(("127.0.0.1", port))
    return sock


def _http2(port: int, window: int | None = None) -> tuple[socket.socket, H2Connection]:
    sock, http = _connect(port), H2Connection(H2Configuration(client_side=True))
    if window is not None:
        http.local_settings.update({SettingCodes.INITIAL_WINDOW_SIZE: window})
        http.local_settings.acknowledge()
    http.initiate_connection()
    sock.sendall(http.data_to_send())
    return sock, http


def _fields(method: str, path: str, token: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    pseudo = [(":method", method), *more, (":scheme", "http"), (":path", path), (":authority", "x")]
    pseudo.sort(key=lambda field: not field[0].startswith(":"))
    return [*pseudo, ("authorization", f"Bearer {token}")]


def readers(port: int, token: str, room: str) -> None:
    """40 connections ask for a full page and take 2 KB of it every 5 s."""
    request = (
        f"GET /room/readAll/{room} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    socks = [_connect(port, 4096) for _ in range(CONNECTIONS)]
    for sock in socks:
        sock.sendall(request)
    _begin()
    while True:
        time.sleep(5)
        for sock in socks:
            sock.setblocking(False)
            try:
                sock.recv(2048)
            except OSError:
                continue


def streams(port: int, token: str, room: str) -> None:
    """40 streams of one connection ask for a full page behind a window of 0."""
    sock, http = _http2(port, 0)
    for number in range(CONNECTIONS):
        fields = _fields("GET", f"/room/readAll/{room}", token)
        http.send_headers(1 + 2 * number, fields, end_stream=True)
    sock.sendall(http.data_to_send())
    _begin()
    while True:
        time.sleep(5)
        http.ping(b"12345678")
        _send(sock, http.data_to_send())


def frames(port: int, token: str, connections: str) -> None:
    """Connections that send SETTINGS without pause, and come again when they are ended."""
    for _ in range(int(connections)):
        threading.Thread(target=_flood, args=(port,), daemon=True).start()
    _begin()
    threading.Event().wait()


def _flood(port: int) -> None:
    piece = SETTINGS_FRAME * _PIECE
    while True:
        sock, _ = _http2(port)
        threading.Thread(target=_drain, args=(sock,), daemon=True).start()
        while _send(sock, piece):
            pass
        sock.close()
        time.sleep(AGAIN_SECONDS)


def _drain(sock: socket.socket) -> None:
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


def sockets(port: int, tokens: str, each: str) -> None:
    """WebSockets on an HTTP/2 connection for each token, with shut windows; they read the heads of the answers."""
    kept = []
    for token in tokens.split(","):
        sock, http = _http2(port)
        for number in range(int(each)):
            fields = _fields("CONNECT", "/room/websocket", token, (":protocol", "websocket"))
            http.send_headers(1 + 2 * number, [*fields, ("sec-websocket-version", "13")])
        http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        sock.sendall(http.data_to_send())
        _await_answers(sock, http, int(each))
        kept.append(sock)
    _begin()
    threading.Event().wait()


def handshake(token: str, cursor: str) -> bytes:
    """Of a room socket with recovery."""
    return (
        f"GET /room/websocket?token={token}&since={cursor} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def returning(port: int, token: str, cursor: str, count: str) -> None:
    """Sockets that all resume at the same cursor, read what they missed, and do it again."""
    _begin()
    while True:
        socks = [_connect(port) for _ in range(int(count))]
        for sock in socks:
            sock.sendall(handshake(token, cursor))
            sock.setblocking(False)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            for sock in socks:
                try:
                    sock.recv(65536)
                except BlockingIOError:
                    continue
            time.sleep(0.01)
        for sock in socks:
            sock.close()


def _await_answers(sock: socket.socket, http: H2Connection, count: int) -> None:
    sock.settimeout(20)
    while count > 0 and (data := sock.recv(65536)):
        count -= sum(isinstance(event, ResponseReceived) for event in http.receive_data(data))
        _send(sock, http.data_to_send())


def posts(port: int, token: str, room: str) -> None:
    """Posts of 16 KiB at the pace of the default limit, 6,000 a minute."""
    _post(port, token, room, POSTS_PER_SECOND)


def burst(port: int, token: str, room: str) -> None:
    """The same without a pause, as far as the limit allows a burst."""
    _post(port, token, room, float("inf"))


def _post(port: int, token: str, room: str, rate: float) -> None:
    _begin()
    connection, body = http.client.HTTPConnection("127.0.0.1", port), {"content": "x" * 16 * 1024}
    next_at = time.monotonic()
    while True:
        _ask(connection, f"/room/post/{room}", token, body)
        next_at += 1 / rate
        time.sleep(max(0, next_at - time.monotonic()))


def rooms(port: int, token: str, strangers: str) -> None:
    """Rooms with a thousand strangers each, on four connections, without a pause. strangers: their ids are 1 to this."""

    def run(first: int) -> None:
        connection, numbers = http.client.HTTPConnection("127.0.0.1", port), itertools.count(first)
        while True:
            start = next(numbers) % (int(strangers) // ROOM_SIZE) * ROOM_SIZE
            others = list(range(start + 1, start + ROOM_SIZE + 1))
            _ask(connection, "/room/create", token, {"name": "abuse", "otherUsers": others})

    for number in range(4):
        threading.Thread(target=run, args=(number,), daemon=True).start()
    _begin()
    threading.Event().wait()


def guesses(port: int, token: str, networks: str) -> None:
    """Wrong sign-ins with a new name each, on 15 connections from each of so many networks behind a trusted proxy."""
    names = itertools.count()

    def run(network: int) -> None:
        fields = {"content-type": "application/json", "x-forwarded-for": f"203.0.113.{network + 1}"}
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            body = json.dumps({"username": f"nobody{next(names)}", "password": "wrong"})
            try:
                connection.request("POST", "/login", body, fields)
                response = connection.getresponse()
                response.read()
            except OSError:
                connection.close()
                continue
            if response.status in {429, 503}:
                time.sleep(0.1)

    for number in range(GUESSING * int(networks)):
        threading.Thread(target=run, args=(number % int(networks),), daemon=True).start()
    _begin()
    threading.Event().wait()


def _ask(connection: http.client.HTTPConnection, path: str, token: str, body: object) -> None:
    fields = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    connection.request("POST", path, json.dumps(body), fields)
    response = connection.getresponse()
    response.read()
    if response.status == 429:
        time.sleep(0.01)


def _send(sock: socket.socket, data: bytes) -> bool:
    try:
        sock.sendall(data)
    except OSError:
        return False
    return True


def _begin() -> None:
    time.sleep(1)
    print("begun", flush=True)


KINDS: dict[str, Callable[..., None]] = {
    "readers": readers,
    "streams": streams,
    "frames": frames,
    "sockets": sockets,
    "posts": posts,
    "burst": burst,
    "rooms": rooms,
    "returning": returning,
    "guesses": guesses,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
