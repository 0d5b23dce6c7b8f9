"""A relay to a server that is as slow as a bad link, and can stop passing anything on without closing anything."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

CHUNK = 4096


class SlowLink:
    """url: of the server through the relay. delay: seconds before each piece of at most 4 KiB, in both directions."""

    def __init__(self, server_url: str, delay: float) -> None:
        host, _, port = server_url.removeprefix("http://").rpartition(":")
        self._server = (host, int(port))
        self._delay = delay
        self._passes = threading.Event()
        self._passes.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._passes.clear()

    def heal(self) -> None:
        """Everything comes through again, what was held up as well."""
        self._passes.set()

    def close(self) -> None:
        """Ends all connections."""
        self._passes.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += (client, server)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                time.sleep(self._delay)
                self._passes.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def slow_link(server_url: str, delay: float) -> Iterator[SlowLink]:
    link = SlowLink(server_url, delay)
    try:
        yield link
    finally:
        link.close()
