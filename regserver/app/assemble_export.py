"""Builds the export of what is kept about a person."""

from contextlib import AsyncExitStack

from regserver.app.base import AppPart, Base
from regserver.service.export_service import ExportParts, ExportService
from regserver.web.sign_in.export_endpoint import ExportApi


async def open_export(stack: AsyncExitStack, base: Base) -> AppPart:
    """Opens /login/export."""
    parts = ExportParts(identity=base.identity, outbox=base.outbox, pepper=base.pepper)
    return AppPart(routes=ExportApi(ExportService(parts), base.clock).routes())
