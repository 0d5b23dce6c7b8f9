"""For operators and their machines: health and figures."""

from collections.abc import Awaitable, Callable, Mapping

from regserver.endpoint import Request, Response
from regserver.metric import CONTENT_TYPE, Metrics
from regserver.web.http.answer import NAMED, json
from regserver.web.http.route import Route

Check = Callable[[], Awaitable[str | None]]
"""Looks at one part of the server; None when it is well, else what is wrong, in words an operator can act on."""


class OperationsApi:
    """checks: the parts that readiness depends on, by name. version: shown by the health routes."""

    def __init__(self, metrics: Metrics, checks: Mapping[str, Check], version: str) -> None:
        self._metrics = metrics
        self._checks = checks
        self._version = version

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("operations.alive", "GET", "/health/alive", self.alive, "operation", NAMED),
            Route("operations.ready", "GET", "/health/ready", self.ready, "operation", NAMED),
            Route("operations.metrics", "GET", "/metrics", self.metrics, "operation", NAMED),
        )

    async def alive(self, request: Request) -> Response:
        """200 as long as the process answers at all."""
        return json({"status": "alive", "version": self._version})

    async def ready(self, request: Request) -> Response:
        """200 when every part is well, 503 otherwise; each failing part is named with what is wrong."""
        parts = {name: await check() for name, check in self._checks.items()}
        failing = {name: problem for name, problem in parts.items() if problem is not None}
        body = {
            "status": "degraded" if failing else "ready",
            "parts": {name: problem or "ok" for name, problem in parts.items()},
            "failing": sorted(failing),
        }
        return json(body, 503 if failing else 200)

    async def metrics(self, request: Request) -> Response:
        return Response(body=self._metrics.show(), content_type=CONTENT_TYPE)
