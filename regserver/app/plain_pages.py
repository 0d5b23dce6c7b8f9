"""Builds the pages for browsers without scripts, a client of all other routes."""

from regserver.app.base import Base
from regserver.web.http.route import Route
from regserver.web.site.plain.client import DoorClient, Serve
from regserver.web.site.plain.page import PlainApi
from regserver.web.site.plain.sheet import PlainSheet


def open_plain_pages(base: Base, serve: Serve) -> tuple[Route, ...]:
    """The routes below /plain. serve: the whole server."""
    sheet = PlainSheet(base.brand, base.captcha.proves, base.captcha.elsewhere)
    return PlainApi(sheet, DoorClient(serve), base.web.forwarded, base.randomness).routes()
