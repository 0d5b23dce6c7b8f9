"""Where the rooms take no new accounts, the page says so and shows no form for it."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import running_server

SAID = "New accounts cannot be created here."


def test_the_page_says_that_sign_up_is_closed(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "signup.doors.rooms=closed") as server:
        somebody = visit(server.url)
        somebody.open()
        somebody.sees("#sign-in", SAID)
        expect(somebody.page.get_by_role("link", name="Create an account")).to_have_count(0)
        somebody.open("/#sign-up")
        somebody.sees("#sign-up", SAID)
        expect(somebody.find("#sign-up form")).to_have_count(0)
        somebody.page.get_by_role("link", name="Sign in", exact=True).click()
        somebody.sign_in("grace", "nanosecond wire")  # whom the source knows
        somebody.find("#registration-continue").click()
        somebody.sees_live()
