"""The endpoint of the export of everything that is kept about a person."""

from regserver.domain.outcome import Refusal, TooManyRequests
from regserver.domain.secret import SecretHash
from regserver.endpoint import Request
from regserver.ports.clock import Clock
from regserver.service.export_service import ExportService
from regserver.service.identity_service import Unidentified
from regserver.web.http.bearer import bearer
from regserver.web.http.pipeline import pipeline
from regserver.web.http.route import Route
from regserver.web.sign_in import export_wire as wire


class ExportApi:
    """The export."""

    def __init__(self, exports: ExportService, clock: Clock) -> None:
        self._exports = exports
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """The one."""
        return (Route("account.export", "GET", "/login/export", pipeline(self.export, bearer), "write"),)

    async def export(
        self, _: Request, token: SecretHash
    ) -> wire.AccountExport | Unidentified | TooManyRequests:
        """Get everything that is kept about the asker, as one JSON document; five times a day."""
        exporter = await self._exports.begin(token)
        if isinstance(exporter, Refusal):
            return exporter
        return wire.AccountExport(stream=wire.write_export(exporter, self._clock.now()))
