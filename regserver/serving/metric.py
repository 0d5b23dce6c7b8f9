"""What the front door counts. The composition root plugs its own counters in; by default nothing is kept."""

from typing import Protocol


class FrontMetrics(Protocol):
    """Events of the front door. No method may raise or block: they are called in the middle of everything."""

    def connection_opened(self) -> None:
        """A connection was accepted and is being served."""

    def connection_closed(self) -> None:
        """A connection that was counted as opened is gone."""

    def connection_refused(self, status: int) -> None:
        """A connection was turned away at the door: 429 for its address's share, 503 for the total."""

    def request_refused(self, status: int) -> None:
        """The front door itself answered a request with this error, so no endpoint has seen it."""

    def session_opened(self) -> None:
        """A WebSocket handshake was accepted."""

    def session_closed(self, code: int) -> None:
        """An accepted WebSocket is over; `code` is its close code, 1006 when it was lost, 1013 when too slow."""

    def error_contained(self) -> None:
        """An unexpected exception ended one connection (and nothing else). The log has it."""


class NoMetrics:
    """Counts nothing."""

    def connection_opened(self) -> None: ...
    def connection_closed(self) -> None: ...
    def connection_refused(self, status: int) -> None: ...
    def request_refused(self, status: int) -> None: ...
    def session_opened(self) -> None: ...
    def session_closed(self, code: int) -> None: ...
    def error_contained(self) -> None: ...
