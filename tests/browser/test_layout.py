"""The page's layout and accessibility: languages, narrow and wide screens, names of all controls."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

NARROW = {"width": 320, "height": 640}  # the narrowest that WCAG 1.4.10 asks for
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(
    ("locale", "heading"),
    [("en-GB", "Sign in"), ("fr-CA", "Se connecter"), ("ru-RU", "Войти"), ("de-DE", "Sign in")],
)
def test_the_browser_language_is_spoken(visit: Visit, locale: str, heading: str) -> None:
    visitor = visit(locale=locale)
    visitor.open()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(heading)


def test_the_language_can_be_switched(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/#sign-up")
    visitor.page.get_by_role("link", name="fr Français").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Créer un compte")
    expect(visitor.page.get_by_role("link", name="fr Français")).to_have_attribute("aria-current", "true")
    assert visitor.page.url.endswith("/?lang=fr#sign-up")
    visitor.find("#sign-up button").click()
    visitor.sees("#sign-up .error", "Veuillez remplir ce champ.")


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_nothing_sticks_out_of_a_narrow_screen(visit: Visit, language: str) -> None:
    visitor = visit(viewport=NARROW)
    name = f"a-rather-long-user-name.{language}"
    visitor.sign_up(name)
    visitor.open(f"/?lang={language}")
    visitor.sees("#room-list, #no-rooms >> visible=true")
    assert visitor.page.evaluate(OVERFLOW) <= 0
    visitor.find("#create summary").click()
    visitor.find("#create-name").fill("A-room-whose-name-has-no-space-at-all-to-break-it-" * 2)
    visitor.page.keyboard.press("Enter")
    visitor.sees("#room")
    visitor.find("#compose-content").fill("w" * 300)
    visitor.page.keyboard.press("Enter")
    visitor.sees("#room-posts .content")
    assert visitor.page.evaluate(OVERFLOW) <= 0
    tops = "menus => menus.map((menu) => menu.getBoundingClientRect().top)"
    assert len(set(visitor.find("#room .actions summary").evaluate_all(tops))) == 1  # in one row
    visitor.find("#invite summary").click()
    assert visitor.page.evaluate(OVERFLOW) <= 0
    expect(visitor.find("#compose button.primary")).to_be_in_viewport(ratio=1)
    expect(visitor.find(".lobby")).to_be_hidden()
    visitor.find("#room .back").click()
    expect(visitor.find("#room")).to_be_hidden()
    expect(visitor.find("#room-list a")).to_be_focused()


def test_list_and_room_stand_side_by_side_on_a_wide_screen(visit: Visit) -> None:
    visitor = visit(viewport={"width": 1280, "height": 800})
    visitor.sign_up("wide")
    visitor.create_room("Atlas")
    expect(visitor.find("#room-list")).to_be_visible()
    expect(visitor.find("#room-list a")).to_have_attribute("aria-current", "page")
    assert visitor.page.evaluate(OVERFLOW) <= 0


def test_everything_that_can_be_used_has_a_name(visit: Visit) -> None:
    visitor = visit()
    visitor.sign_up("named")
    visitor.create_room("Names")
    # Hidden views included: each control has a label, or words of its own.
    nameless = visitor.page.evaluate(
        """() => [...document.querySelectorAll("input, textarea, button, a, summary, progress, [role=log]")]
            .filter((element) => !(element.labels?.length || element.ariaLabel || element.textContent.trim()))
            .map((element) => element.outerHTML)"""
    )
    # The dialog's button and the notice's get their words when there is something to be done.
    assert [html for html in nameless if not re.search('id="(confirm-yes|notice-act)"', html)] == []


def test_a_menu_closes_on_escape_and_on_a_click_elsewhere(visit: Visit) -> None:
    visitor = visit()
    visitor.sign_up("menus")
    button = visitor.page.get_by_role("button", name="Sign out")
    visitor.find("#account summary").click()
    expect(button).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(button).to_be_hidden()
    expect(visitor.find("#account summary")).to_be_focused()
    visitor.find("#account summary").click()
    visitor.find("#rooms-title").click()
    expect(button).to_be_hidden()
