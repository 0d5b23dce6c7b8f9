"""The interface of the front door's counters. The composition root implements it; by default nothing is counted."""

from typing import Protocol


class FrontMetrics(Protocol):
    """Counts events of the front door. No method may raise or block."""

    def connection_opened(self) -> None:
        """A connection was accepted."""

    def connection_closed(self) -> None:
        """An accepted connection is gone."""

    def connection_refused(self, status: int) -> None:
        """A connection was refused: 429 for the bound per address, 503 for the total."""

    def connection_cut(self, reason: str) -> None:
        """A connection was ended by the server. reason: "idle" for its place, "flood" for frames that carry nothing."""

    def request_refused(self, status: int) -> None:
        """The front door itself answered a request with this status; no endpoint has seen it."""

    def session_opened(self) -> None:
        """A WebSocket handshake was accepted."""

    def session_closed(self, code: int) -> None:
        """An accepted WebSocket is over. code: its close code, such as 1006 when it was lost."""

    def error_contained(self) -> None:
        """An unexpected exception ended one connection; the log has it."""


class NoMetrics:
    """Counts nothing."""

    def connection_opened(self) -> None: ...
    def connection_closed(self) -> None: ...
    def connection_refused(self, status: int) -> None: ...
    def connection_cut(self, reason: str) -> None: ...
    def request_refused(self, status: int) -> None: ...
    def session_opened(self) -> None: ...
    def session_closed(self, code: int) -> None: ...
    def error_contained(self) -> None: ...
