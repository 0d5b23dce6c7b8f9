"""An operator of a browser: entering the page, and what is frequent there."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import httpx
from playwright.sync_api import expect

from tests.browser.server import Server
from tests.browser.visitor import PASSWORD, Visitor

Enter = Callable[..., Visitor]


def make_key(server: Server, name: str, role: str = "admin") -> str:
    """The secret of a new key."""
    return server.command("key", "create", name, "--role", role).splitlines()[0]


def enter(operator: Visitor, key: str) -> Visitor:
    """Enters by a key."""
    operator.open("/operator")
    operator.field("Operator key").fill(key)
    operator.page.keyboard.press("Enter")
    operator.sees(".desk")
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


def sign_up(server: Server, name: str) -> dict[str, str]:
    """The header fields of a new person."""
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    assert httpx.post(f"{server.url}/login/register", json=body).status_code in {200, 201}
    token = sign_in(server, name)
    assert token is not None
    return {"authorization": f"Bearer {token}"}


def sign_in(server: Server, name: str, password: str = PASSWORD) -> str | None:
    answer = httpx.post(f"{server.url}/login", json={"username": name, "password": password})
    return str(answer.json()["token"]) if answer.status_code == 200 else None


def press(operator: Visitor, name: str) -> None:
    """A link or button of an act, by what a screen reader says."""
    page = operator.page
    found = page.get_by_role("link", name=name, exact=True).or_(
        page.get_by_role("button", name=name, exact=True)
    )
    found.first.click()


def confirm(operator: Visitor, title: str, name: str) -> None:
    """On the second page of a dangerous act."""
    operator.sees("h1", title)
    operator.page.get_by_role("main").get_by_role("button", name=name).click()
