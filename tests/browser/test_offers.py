"""Where people are asked before they become members, the page shows what they are offered, and takes the answer."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.look import OVERFLOW, PHONE
from tests.browser.server import Server, running_server
from tests.browser.visitor import Visitor

WORDS = {
    "en": ("Invitations", "invites you", "Join", "Decline"),
    "fr": ("Invitations", "vous invite", "Accepter", "Refuser"),
    "ru": ("Приглашения", "приглашает вас", "Принять", "Отклонить"),
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks people, and takes two posts of each a day."""
    settings = ("rooms.consent=ask", "rooms.daily_posts=2")
    with running_server(tmp_path_factory.mktemp("asking"), *settings) as server:
        yield server


def _signed_up(visit: Visit, server: Server, name: str) -> Visitor:
    visitor = visit(server.url)
    visitor.sign_up(name)
    return visitor


def test_join_and_decline_by_keyboard(visit: Visit, asking: Server) -> None:
    host, guest = _signed_up(visit, asking, "host"), _signed_up(visit, asking, "guest")
    host.create_room("Cellar", "guest")
    host.create_room("Attic", "guest")
    guest.sees("#notice", "host invites you to “Attic”. You decide whether to join.")
    expect(guest.find("#offer-list .room-name")).to_have_text(["Attic", "Cellar"])
    expect(guest.find("#room-list a")).to_have_count(0)
    cellar = guest.find("#offer-list li").filter(has_text="Cellar")
    decline = cellar.get_by_role("button", name="Decline")
    expect(decline).to_have_accessible_description("Cellar")
    decline.press("Enter")
    guest.sees("#notice", "You declined “Cellar”. Nobody is told.")
    join = guest.page.get_by_role("button", name="Join")
    expect(guest.page.get_by_role("button", name="Decline")).to_be_focused()
    guest.page.keyboard.press("Tab")
    expect(join).to_be_focused()
    guest.page.keyboard.press("Enter")
    expect(guest.find("#room-title")).to_have_text("Attic")
    expect(guest.find("#room-title")).to_be_focused()
    expect(guest.find("#offers")).to_be_hidden()
    host.sees("#room-members", "host and guest")
    guest.post("here I am")
    host.sees_posts("here I am")


def test_an_offer_waits_for_whoever_is_away_and_goes_with_its_room(visit: Visit, asking: Server) -> None:
    host, guest = _signed_up(visit, asking, "nadia"), _signed_up(visit, asking, "oleg")
    guest.page.goto("about:blank")
    host.create_room("Porch", "oleg")
    guest.open()
    guest.sees("#offer-list", "nadia invites you")
    host.find("#people summary").click()
    host.find("#room-leave").click()
    host.find("#confirm-yes").click()
    host.sees("#no-rooms")
    guest.page.get_by_role("button", name="Join").click()
    guest.sees("#notice", "This room does not exist any more.")
    expect(guest.find("#offers")).to_be_hidden()
    expect(guest.find("#rooms-title")).to_be_focused()


def test_what_somebody_is_refused_is_told_at_the_form(visit: Visit, asking: Server) -> None:
    eager, blocker = _signed_up(visit, asking, "eager"), _signed_up(visit, asking, "blocker")
    _signed_up(visit, asking, "third")
    eager.create_room("Hall")
    signed_in = {"authorization": f"Bearer {blocker.token()}"}
    found = blocker.page.request.get(f"{asking.url}/login/userId/eager", headers=signed_in).json()
    blocked = blocker.page.request.post(f"{asking.url}/login/block/{found['userId']}", headers=signed_in)
    assert blocked.ok
    eager.invite("third, blocker")
    eager.sees("#invite .error", "You cannot invite blocker at the moment.")
    expect(eager.find("#invite-people")).to_have_attribute("aria-invalid", "true")
    eager.find("#room-title").click()
    eager.post("one")
    eager.post("two")
    eager.field("Your post").fill("three")
    eager.page.keyboard.press("Enter")
    eager.sees("#room-waiting .refused", "That is more than one person may add in a day. You can go on in ")
    eager.sees("#room-waiting .refused", "three")


def test_an_offer_fits_a_narrow_screen_in_each_language(visit: Visit, asking: Server) -> None:
    host, guest = _signed_up(visit, asking, "host-of-all"), visit(asking.url, viewport=PHONE)
    guest.sign_up("narrow-guest")
    host.create_room("A-room-whose-name-has-no-space-at-all-to-break-it-", "narrow-guest")
    for language, (title, by, join, decline) in WORDS.items():
        guest.open(f"/?lang={language}")
        guest.sees("#offers-title", title)
        guest.sees("#offer-list .hint", by)
        for name in (join, decline):
            expect(guest.find("#offers").get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
        assert guest.page.evaluate(OVERFLOW) <= 0
