"""A user of a browser in a session of its own, with frequent actions.

Whatever a script throws, the policy blocks or the server breaks is kept in `problems`; the fixture fails on it.
"""

import contextlib
import json
import math
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

MOST_TABS = 60
LATE_SECONDS = 5.0
PASSWORD = "a long enough password"
REFUSED = "Failed to load resource: the server responded with a status of 4"
FAILED = "net::ERR_"
"""Connections that fail."""
LEFT = "WebSocket is closed before the connection is established."
"""The page itself has no use for it any more, as when it was signed out meanwhile."""


class Visitor:
    """One person's page. Keyword arguments are those of a browser context: viewport, locale, color_scheme."""

    def __init__(self, browser: Browser, url: str, beside: "Visitor | None" = None, **context: Any) -> None:
        """beside: the page is another tab of this visitor's browser."""
        self._context: BrowserContext = (
            beside._context if beside else browser.new_context(**{"locale": "en-GB", **context})
        )
        self.url = url
        self.problems: list[str] = []
        self._expected = ""
        self._expected_until = 0.0
        self.page: Page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"thrown: {error}"))
        self.page.on("request", self._watch)

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser itself notes each refusal of the server; those are what many tests are about.
        if (
            message.type not in {"error", "warning"}
            or message.text.startswith(REFUSED)
            or LEFT in message.text
        ):
            return
        is_expected = self._expected in message.text and time.monotonic() < self._expected_until
        if not is_expected and (FAILED not in message.text or self._is_served()):
            self.problems.append(f"{message.type}: {message.text}")

    def _is_served(self) -> bool:
        """Whether the server is there. Many end while a page is open, at the end of their test."""
        place = urlsplit(self.url)
        try:
            socket.create_connection((place.hostname, place.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _watch(self, request: Any) -> None:
        if not request.url.startswith(self.url):
            self.problems.append(f"a request elsewhere: {request.url}")
        if "token=" in request.url:
            self.problems.append("a token in an address")

    @contextlib.contextmanager
    def failing(self, expected: str = FAILED) -> Iterator[None]:
        """While inside, such messages are what is wanted; without an argument, connections that fail.

        The browser tells of them late: also LATE_SECONDS afterwards.
        """
        self._expected, self._expected_until = expected, math.inf
        try:
            yield
        finally:
            self._expected_until = time.monotonic() + LATE_SECONDS

    def go_offline(self) -> None:
        """New connections fail; an open WebSocket stays."""
        self._context.set_offline(True)

    def go_online(self) -> None:
        self._context.set_offline(False)

    def close(self) -> None:
        self._context.close()

    # --- what they see
    def find(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def field(self, label: str) -> Locator:
        """The field with this label in the view that is shown."""
        return self.page.get_by_label(label).filter(visible=True)

    def sees(self, selector: str, text: str | None = None) -> None:
        shown = self.find(selector).filter(visible=True)
        if text is None:
            expect(shown).to_be_visible()
        else:
            expect(shown).to_contain_text(text)

    def follow(self, selector: str) -> None:
        """From now on keeps each text that this element shows, until the next load: some are gone soon."""
        self.page.evaluate(
            """selector => {
                const element = document.querySelector(selector), shown = [];
                (window.followed ??= {})[selector] = shown;
                new MutationObserver(() => shown.push(element.textContent)).observe(element, { childList: true });
            }""",
            selector,
        )

    def saw(self, selector: str, text: str) -> bool:
        """Whether a followed element has shown such a text."""
        shown: list[str] = self.page.evaluate("selector => window.followed[selector]", selector)
        return any(text in one for one in shown)

    def waits_to_be_told(self) -> None:
        """A lost connection is opened again only on request; otherwise after a second or so."""
        self.page.evaluate("() => { Math.random = () => 1000; }")  # what the pause is multiplied with

    def tries_soon(self) -> None:
        """A lost connection is opened again after a twentieth of the usual pauses."""
        self.page.evaluate("() => { Math.random = () => -1.4; }")

    def reach(self, selector: str) -> None:
        """Comes to a control by the keyboard alone."""
        for _ in range(MOST_TABS):
            if self.find(selector).first.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached")

    def sees_posts(self, *contents: str) -> None:
        expect(self.find("#room-posts .content")).to_have_text(list(contents))

    def sees_live(self) -> None:
        expect(self.find("#link")).to_have_attribute("data-state", "live")

    # --- what they do
    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def sign_in(self, username: str, password: str) -> None:
        self.field("User name").fill(username)
        self.field("Password").fill(password)
        self.page.keyboard.press("Enter")

    def sign_up(self, username: str) -> None:
        """Only then others can find them."""
        self.try_to_sign_up(username)
        self.sees_live()

    def try_to_sign_up(self, username: str, *, email: str | None = None, password: str = PASSWORD) -> None:
        self.open("/#sign-up")
        self.sees("#sign-up-title")
        self.field("User name").fill(username)
        self.field("E-mail").fill(f"{username}@example.org" if email is None else email)
        self.field("Password").fill(password)
        self.page.keyboard.press("Enter")

    def create_room(self, name: str, people: str = "") -> None:
        self.find("#create summary").click()
        self.field("Name (optional)").fill(name)
        self.field("People to invite").fill(people)
        self.page.keyboard.press("Enter")
        expect(self.find("#room-title")).to_have_text(name)

    def enter(self, room: str) -> None:
        self.find("#room-list a").filter(has_text=room).click()
        expect(self.find("#room-title")).to_have_text(room)

    def token(self) -> str:
        """That of the session: in the cookie, or kept by this tab alone."""
        found = [
            str(cookie["value"]) for cookie in self.cookies() if str(cookie["value"]).startswith("regs_")
        ]
        return found[0] if found else str(self.page.evaluate("() => sessionStorage.getItem('token')"))

    def cookies(self) -> list[Any]:
        """The cookies of the server."""
        return list(self._context.cookies(self.url))

    def mark(self) -> str | None:
        """By which the tabs of a browser tell sessions apart."""
        found: str | None = self.page.evaluate("() => localStorage.getItem('session')")
        return found

    def post_directly(self, *contents: str) -> None:
        """Posts to the open room past the page, as other clients of this person might: the page does not hear of it."""
        room = self.page.url.rpartition("-")[2]
        for content in contents:
            self.ask(f"/room/post/{room}", {"content": content})

    def ask(self, path: str, body: Mapping[str, str]) -> None:
        """Calls the server past the page."""
        answer = self.page.request.post(
            self.url + path,
            data=json.dumps(body),
            headers={"authorization": f"Bearer {self.token()}", "content-type": "application/json"},
        )
        assert answer.ok

    def invite(self, people: str) -> None:
        self.find("#invite summary").click()
        self.field("People to invite").fill(people)
        self.page.keyboard.press("Enter")

    def open_settings(self, part: str) -> None:
        """Opens one part of the view of one's own account, by the words of its heading."""
        if self.find("#settings").is_hidden():
            self.find("#account summary").click()
            self.page.get_by_role("link", name="Your account").click()
        self.find("#settings summary").filter(has_text=part).click()

    def sign_out(self) -> None:
        self.find("#account summary").click()
        self.find("#sign-out").click()
        self.sees("#notice", "You are signed out.")

    def post(self, content: str) -> None:
        self.field("Your post").fill(content)
        self.page.keyboard.press("Enter")
        expect(self.field("Your post")).to_have_value("")
