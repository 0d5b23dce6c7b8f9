"""All bounds of the front door. Reaching one ends a request or a connection, never the server."""

from collections.abc import Callable

import msgspec

from regserver.endpoint import MAX_BODY_BYTES


class FrontLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of connections, requests and sessions, with the answers in the comments.

    Times are in seconds, sizes in bytes. Raises ValueError when values contradict each other.
    """

    # Connections. Above `connections`: 503; above those of one address (IPv6: one /64): 429.
    connections: int = 50_000  # fewer if the limit on open files allows fewer
    connections_per_address: int = 1_000
    exempt_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")  # proxies: one address, many clients
    backlog: int = 1024
    send_buffer_bytes: int = 64 * 1024  # SO_SNDBUF: held by the kernel for a peer that does not read

    # Requests. 414 for the target, 431 for the rest of the head, 413 for the body, 408 for head and body times.
    target_bytes: int = 8 * 1024
    head_bytes: int = 16 * 1024
    header_count: int = 100
    body_bytes: int = MAX_BODY_BYTES
    tls_seconds: float = 10.0
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    idle_seconds: float = 75.0  # longer than nginx's keep-alive of 60, so that the proxy closes first
    write_seconds: float = 20.0  # without any progress
    least_rate: int = 8 * 1024  # bytes a second that a client takes of a response, after write_seconds
    linger_seconds: float = 1.0  # reading after the last answer, so that no reset overtakes it

    # HTTP/2. Further streams end the connection; a body over the budget gets 503.
    http2_streams: int = 100  # at once; 0: HTTP/2 is not served
    http2_body_bytes: int = 1024 * 1024  # of bodies of one connection that are not answered yet

    # Held for peers who do not take it, and for bodies over HTTP/2. Beyond: 503 for a request, 1013 for a session.
    held_bytes: int = 128 * 1024 * 1024
    held_bytes_per_address: int = (
        16 * 1024 * 1024
    )  # IPv6: of a /64; exempt networks have no bound of their own
    held_bytes_per_connection: int = 4 * 1024 * 1024

    # Sessions. 1009 for a message, 1013 for the queue, 503 for a handshake that the endpoint does not answer.
    message_bytes: int = 64 * 1024
    queue_bytes: int = 256 * 1024
    accept_seconds: float = 10.0
    ping_seconds: float = 15.0
    pong_seconds: float = 10.0  # after a ping, until a silent peer is reset
    close_seconds: float = 2.0  # for the closing handshake

    # Header fields of every answer that the front door gives by itself.
    refusal_fields: Callable[[], tuple[tuple[str, str], ...]] = tuple

    grace_seconds: float = 5.0  # at shutdown, for requests and sessions

    def seconds_to_send(self, size: int) -> float:
        """How long a client may take to read so many bytes."""
        return self.write_seconds + size / self.least_rate

    def __post_init__(self) -> None:
        if self.pong_seconds >= self.ping_seconds:
            raise ValueError("pong_seconds must be less than ping_seconds")
        if self.target_bytes > self.head_bytes:
            raise ValueError("target_bytes must not pass head_bytes")
