"""The floor in Python: for each message on /pub one `send` per subscriber, and nothing else. Usage: floor PORT

What the language itself leaves to be reached; benchmarks/front/floor.c is what the kernel leaves.
"""

import select
import socket
import sys

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
MASKED_BYTES = 208  # the client's masks are zero and its messages 200 bytes
HEAD = bytes((0x82, 126, 0, 200))


class Floor:
    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._poller = select.epoll()
        self._poller.register(self._listener, select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._subscribers: dict[int, socket.socket] = {}

    def run(self) -> None:
        while True:
            for number, _ in self._poller.poll():
                if number == self._listener.fileno():
                    self._accept()
                else:
                    self._serve(self._sockets[number])

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[sock.fileno()] = sock
        self._poller.register(sock, select.EPOLLIN)

    def _serve(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._subscribers.pop(sock.fileno(), None)
            del self._sockets[sock.fileno()]
            sock.close()
        elif data.startswith(b"GET "):
            if not data.startswith(b"GET /pub"):
                self._subscribers[sock.fileno()] = sock
            sock.send(ACCEPTED)
        elif sock.fileno() not in self._subscribers:
            for at in range(8, len(data), MASKED_BYTES):
                self._fan_out(HEAD + data[at : at + 200])

    def _fan_out(self, frame: bytes) -> None:
        for subscriber in self._subscribers.values():
            try:  # as cheap as can be: no context manager
                subscriber.send(frame)
            except BlockingIOError:
                continue


if __name__ == "__main__":
    Floor(int(sys.argv[1])).run()
