"""Signing in for the first time: the registration is watched live, by whatever way the page is used."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server

MOST_CONTROLS = 12
"""Stops of the Tab key between the head of a room and the field of a post."""


def test_watch_a_registration_then_enter_the_rooms(visit: Visit) -> None:
    ada = visit()
    ada.open()
    ada.sign_in("ada", "correct horse battery")

    bar = ada.page.get_by_role("progressbar")
    expect(bar).to_have_js_property("max", 6)
    ada.sees("#registration-step", "of 6")
    log = ada.page.get_by_role("log", name="What has happened so far")
    expect(log).to_contain_text("Looking up your record")
    ada.sees("#registration-name", "Hello, Ada King Lovelace!")
    expect(bar).to_have_js_property("value", 6)
    ada.page.get_by_role("button", name="Continue to your rooms").click()

    ada.sees_live()
    ada.sees("#who", "ada")
    ada.sees("#no-rooms")


def test_the_messages_come_in_the_language_of_the_page(visit: Visit) -> None:
    """Which need not be the browser's."""
    marie = visit(locale="en-GB")
    marie.open("/?lang=fr")
    marie.field("Nom d’utilisateur").fill("marie")
    marie.field("Mot de passe").fill("radium and polonium")
    marie.page.keyboard.press("Enter")
    marie.sees("#registration-log", "Connexion à la source de données")
    marie.sees("#registration-log", "Votre nom a été trouvé")
    marie.sees("#registration-log", "Inscription terminée")


def test_a_wrong_password_is_told_beside_the_form(visit: Visit) -> None:
    somebody = visit()
    somebody.open()
    somebody.sign_in("ada", "wrong")
    expect(somebody.page.get_by_role("alert").first).to_have_text("The user name or password is wrong.")
    somebody.sign_in("ada", "")
    expect(somebody.page.get_by_role("alert").first).to_have_text("Please fill this in.")
    expect(somebody.field("Password")).to_be_focused()


def test_a_reload_goes_on_watching_from_the_first_message(visit: Visit) -> None:
    edsger = visit()
    edsger.open()
    edsger.sign_in("edsger", "goto considered harmful")
    messages = edsger.find("#registration-log li")
    expect(messages.nth(1)).to_be_visible()
    edsger.page.reload()
    expect(messages.first).to_have_text("Connecting to the data source")
    edsger.sees("#registration-name", "Hello, Edsger Dijkstra!")
    expect(messages).to_have_count(8)  # six steps, the name, the end
    assert "u-" not in edsger.page.url
    edsger.page.reload()
    edsger.sees_live()


def test_keyboard_alone(visit: Visit) -> None:
    """From the first Tab to a post, without a pointer."""
    grace = visit()
    grace.open()
    keyboard = grace.page.keyboard
    keyboard.press("Tab")
    expect(grace.page.get_by_text("Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.type("grace")
    keyboard.press("Tab")
    keyboard.type("nanosecond wire")
    keyboard.press("Enter")
    expect(grace.page.get_by_role("button", name="Continue to your rooms")).to_be_focused()
    keyboard.press("Enter")
    grace.sees_live()
    expect(grace.find("#rooms-title")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")  # opens "New room"
    keyboard.press("Tab")
    keyboard.type("Compilers")
    keyboard.press("Enter")
    expect(grace.find("#room-title")).to_be_focused()
    written = grace.page.locator("#compose-content")
    for _ in range(MOST_CONTROLS):  # past what can be done with a room, and the posts
        keyboard.press("Tab")
        if written.evaluate("field => field === document.activeElement"):
            break
    expect(grace.field("Your post")).to_be_focused()
    keyboard.type("A ship in port is safe")
    keyboard.press("Enter")
    grace.sees_posts("A ship in port is safe")


def test_an_unknown_registration_leads_back_to_sign_in(visit: Visit, server: Server) -> None:
    somebody = visit()
    somebody.open()
    location = server.url.replace("http", "ws") + "/register/u-00000000-0000-4000-8000-000000000000"
    somebody.page.evaluate(
        "location => sessionStorage.setItem('registration', JSON.stringify({ location, began: Date.now() }))",
        location,
    )
    somebody.page.reload()
    somebody.sees("#registration-state", "can no longer be watched")
    somebody.page.get_by_role("button", name="Back to sign-in").click()
    somebody.sees("#sign-in")


def test_each_refusal_of_a_sign_up_is_told_at_its_field(visit: Visit) -> None:
    visit().sign_up("taken")
    somebody = visit()
    error = somebody.find("#sign-up .error")
    for username, email, password, field, words in (
        ("x", "x@example.org", "long enough", "User name", "Use 3 to 32 characters"),
        ("xavier", "nowhere", "long enough", "E-mail", "not a valid e-mail address"),
        ("xavier", "x@example.org", "short", "Password", "Use 8 to 256 characters."),
        ("Taken", "x@example.org", "long enough", "User name", "This user name is taken."),
    ):
        somebody.try_to_sign_up(username, email=email, password=password)
        expect(error).to_contain_text(words)
        expect(somebody.field(field)).to_be_focused()
        expect(somebody.field(field)).to_have_attribute("aria-invalid", "true")
    somebody.sign_up("xavier")


def test_sign_out_then_delete_the_account(visit: Visit) -> None:
    somebody = visit()
    somebody.sign_up("leaver")
    somebody.find("#account summary").click()
    somebody.page.get_by_role("button", name="Sign out").click()
    somebody.sees("#notice", "You are signed out.")
    assert somebody.page.evaluate("() => sessionStorage.length + localStorage.length") == 0
    assert "regs_" not in str(somebody.cookies())
    somebody.sign_in("leaver", "a long enough password")
    somebody.sees_live()

    somebody.open_settings("Your data")
    somebody.page.get_by_role("button", name=re.compile("Delete account")).click()
    dialog = somebody.page.get_by_role("dialog")
    expect(dialog).to_contain_text("the name “leaver” stays reserved")
    somebody.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    somebody.sees_live()
    somebody.page.get_by_role("button", name=re.compile("Delete account")).click()
    dialog.get_by_role("button", name="Delete account").click()
    somebody.sees("#notice", "Your account was deleted.")
    somebody.sign_in("leaver", "a long enough password")
    expect(dialog).to_contain_text("It was deleted, and can be brought back until")
    somebody.page.keyboard.press("Escape")
    somebody.sees("#sign-in-title")
