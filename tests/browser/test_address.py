"""Whoever has not verified the e-mail address yet is told so, and can have the mail sent again."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.look import OVERFLOW
from tests.browser.mailbox import open_mailbox
from tests.browser.server import running_server
from tests.browser.visitor import Visitor

WORDS = {
    "en": ("Verify your e-mail address", "Send the e-mail again"),
    "fr": ("Vérifiez votre adresse e-mail", "Renvoyer l’e-mail"),
    "ru": ("Подтвердите адрес электронной почты", "Отправить письмо ещё раз"),
}
WAIT = {
    "en": re.compile("in (59|60) minutes"),
    "fr": re.compile("dans (59|60)"),
    "ru": re.compile("через (59|60)"),
}
LATER = "() => document.dispatchEvent(new Event('visibilitychange'))"


def _come_back(visitor: Visitor) -> None:
    """As from another window: the page becomes visible again."""
    visitor.page.evaluate(LATER)


def test_send_again_and_verify(visit: Visit, tmp_path: Path) -> None:
    with open_mailbox() as mailbox, running_server(tmp_path, *mailbox.settings) as server:
        anna = visit(server.url)
        anna.sign_up("anna")
        anna.sees("#address", "Open the link in the e-mail that was sent to anna@example.org.")
        mailbox.wait_link(1)
        anna.page.get_by_role("button", name="Send the e-mail again").press("Enter")
        anna.sees("#address-state", "The e-mail is on its way.")
        link = mailbox.wait_link(2)
        reader = visit(server.url)
        reader.open(link)
        reader.find("main button").click()
        reader.sees("h1", "Address verified")
        anna.sees("#address")
        _come_back(anna)
        anna.sees("#notice", "Your e-mail address is verified.")
        expect(anna.find("#address")).to_be_hidden()
        anna.page.reload()
        anna.sees_live()
        expect(anna.find("#address")).to_be_hidden()


def test_where_rooms_wait_for_the_address(visit: Visit, tmp_path: Path) -> None:
    settings = ("login.verify_email=require",)
    with open_mailbox() as mailbox, running_server(tmp_path, *mailbox.settings, *settings) as server:
        boris = visit(server.url)
        with boris.failing("403"):
            boris.try_to_sign_up("boris")
            boris.sees("#address", "The rooms open once the address is verified")
            expect(boris.find("#link")).to_be_hidden()
            boris.find("#create summary").click()
            boris.find("#create button").click()
            boris.sees("#create .error", "Please verify your e-mail address first")
        reader = visit(server.url)
        reader.open(mailbox.wait_link(1))
        reader.find("main button").click()
        reader.sees("h1", "Address verified")
        boris.find("#address-resend").click()  # which looks first whether that is needed
        boris.sees_live()
        expect(boris.find("#address")).to_be_hidden()
        boris.find("#create button").click()
        boris.sees("#room")


def test_too_many_mails_are_told(visit: Visit, tmp_path: Path) -> None:
    settings = ("limits.enabled=true", "limits.routes.mail=1/1h")
    with running_server(tmp_path, *settings) as server:
        clara = visit(server.url, viewport={"width": 320, "height": 640})
        clara.sign_up("clara")
        clara.page.get_by_role("button", name=WORDS["en"][1]).click()
        expect(clara.find("#address-state")).not_to_be_empty()
        for language, (title, button) in WORDS.items():
            clara.open(f"/?lang={language}")
            clara.sees("#address-title", title)
            clara.page.get_by_role("button", name=button).click()
            expect(clara.find("#address-state")).to_contain_text(WAIT[language])
            assert clara.page.evaluate(OVERFLOW) <= 0


def test_whoever_has_no_address_is_told_nothing(visit: Visit) -> None:
    rosalind = visit()
    rosalind.open()
    rosalind.sign_in("rosalind", "photograph 51")
    rosalind.find("#registration-continue").click()
    rosalind.sees_live()
    expect(rosalind.find("#address")).to_be_hidden()
