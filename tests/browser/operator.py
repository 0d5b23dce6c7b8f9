"""An operator of a browser: entering the page, and what is frequent there."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor

Enter = Callable[..., Visitor]


def make_key(server: Server, name: str, role: str = "admin") -> str:
    """The secret of a new key."""
    return server.command("key", "create", name, "--role", role).splitlines()[0]


def enter(operator: Visitor, key: str) -> Visitor:
    """Enters by a key."""
    operator.open("/operator")
    operator.field("Operator key").fill(key)
    operator.page.keyboard.press("Enter")
    operator.sees(".sections")
    return operator


def go(operator: Visitor, section: str) -> None:
    """Follows a link of the navigation."""
    operator.page.get_by_role("navigation", name="Sections").get_by_role("link", name=section).click()
    expect(operator.page.get_by_role("heading", level=1)).to_have_text(section)


def told(operator: Visitor, text: str) -> None:
    """Waits for what was done."""
    operator.sees(".told", text)


def rows(server: Server, statement: str, *values: object) -> list[tuple[object, ...]]:
    """What is in the store."""
    with closing(sqlite3.connect(server.database, timeout=20)) as connection:
        return connection.execute(statement, values).fetchall()
