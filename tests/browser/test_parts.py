"""What a first visit loads and what it does not, and what becomes of a part of the page that does not come."""

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit

MOST_BYTES = 60_000
SOON_SLOW = """
const later = window.setTimeout;
window.setTimeout = (work, ms, ...more) => later(work, ms === 15_000 ? 300 : ms, ...more);
"""


def test_a_first_visit_is_light(visit: Visit) -> None:
    """In the language with the longest words; header fields are counted, and nothing is done on the page."""
    guest = visit(locale="ru-RU")
    tools = guest.page.context.new_cdp_session(guest.page)
    tools.send("Network.enable")
    sizes: list[float] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    guest.page.goto(guest.url, wait_until="networkidle")
    guest.sees("#sign-in-title")
    assert sum(sizes) < MOST_BYTES
    assert "rooms.js" not in asked
    with guest.page.expect_request("**/rooms.js"):
        guest.page.keyboard.press("Tab")


@pytest.mark.parametrize(
    ("name", "script"),
    [("offline", None), ("outdated", 'import { newer } from "./dom.js"; export const add = newer;')],
)
def test_a_part_that_cannot_be_loaded_shows_a_way_out(visit: Visit, name: str, script: str | None) -> None:
    """The connection is lost, or the server has another version by now, whose parts do not fit this page."""
    guest = visit()

    def answer(route: Route) -> None:
        if script is None:
            route.abort()
        else:
            route.fulfill(body=script, content_type="text/javascript")

    guest.page.route("**/log.js", answer)
    with guest.failing(""):
        guest.try_to_sign_up(name)
        guest.sees("#notice", "A part of this page could not be loaded.")
        expect(guest.find("#sign-up form")).to_have_attribute("aria-busy", "false")
    guest.page.unroute("**/log.js")
    guest.page.get_by_role("button", name="Load the page again").click()
    guest.sees_live()


def test_a_part_that_keeps_one_waiting_shows_a_way_out(visit: Visit) -> None:
    held: list[Route] = []
    guest = visit()
    guest.page.add_init_script(SOON_SLOW)
    guest.sign_up("patient")

    def hold(route: Route, *_: Any) -> None:
        held.append(route)

    guest.page.route("**/settings.js", hold)
    guest.page.evaluate("() => { location.hash = '#settings'; }")
    guest.sees("#notice", "A part of this page is still on its way.")
    expect(guest.page.get_by_role("button", name="Load the page again")).to_be_visible()
    held[0].continue_()
    guest.sees("#settings-title")
    expect(guest.find("#notice")).to_have_text("")
