"""The page behind the mailed link: it names the user, a button confirms, and it links to sign-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.server import Server, running_server

Site = tuple[Server, Mailbox]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that sends real mail, and the mailbox it goes to."""
    folder: Path = tmp_path_factory.mktemp("confirm")
    with open_mailbox() as mailbox, running_server(folder, *mailbox.settings) as server:
        yield server, mailbox


def test_open_press_sign_in(visit: Visit, site: Site) -> None:
    server, mailbox = site
    path = mailbox.begin(server.url, "Alice", "en")
    alice = visit(server.url)
    alice.open(path)
    alice.sees("h1", "Confirm your registration")
    alice.sees("main", "The name Alice is about to be registered")
    alice.sees("main", "from the network 127.0.0.0/24")
    expect(alice.page.get_by_role("link")).to_have_count(0)
    assert "#" not in alice.page.url  # nothing for the history or a shoulder surfer
    expect(alice.find("#code")).to_be_hidden()
    alice.field("Password of this registration").fill("another")
    alice.find("main button").click()
    alice.sees("h1", "Wrong password")
    alice.field("Password of this registration").fill("sixsix")
    alice.find("main button").click()
    alice.sees("h1", "Registration confirmed")
    assert path.partition("#")[2] not in alice.page.url
    alice.page.get_by_role("link", name="Go to sign-in").click()
    alice.sign_in("alice", "sixsix")
    alice.sees("#who", "Alice")


def test_a_second_look_says_that_it_is_done(visit: Visit, site: Site) -> None:
    server, mailbox = site
    path = mailbox.begin(server.url, "Bobby", "fr")
    bobby = visit(server.url)
    bobby.open(path.replace("#", "%23"))  # as some mail programs write it
    assert path.partition("#")[2] not in bobby.page.url
    bobby.field("Mot de passe de cette inscription").fill("sixsix")
    bobby.find("main button").click()
    bobby.sees("h1", "Inscription confirmée")
    again = visit(server.url)
    again.open(path)
    again.sees("h1", "Déjà confirmé")
    expect(again.find("main button")).to_be_hidden()
    expect(again.page.get_by_role("link", name="Se connecter")).to_be_visible()


def test_a_link_that_is_no_longer_good(visit: Visit, site: Site) -> None:
    somebody = visit(site[0].url)
    somebody.open("/confirm?lang=ru#abcdefghijklmnopqrstuvwx")
    somebody.sees("h1", "Эта ссылка больше не действует")
    expect(somebody.find("main button")).to_be_hidden()


def test_without_a_script_the_code_is_entered_by_hand(visit: Visit, site: Site) -> None:
    server, mailbox = site
    path = mailbox.begin(server.url, "Carol", "en")
    carol = visit(server.url, java_script_enabled=False)
    carol.open(path)
    carol.field("Confirmation code").fill(path.partition("#")[2])
    carol.field("Password of this registration").fill("sixsix")
    carol.page.keyboard.press("Enter")
    carol.sees("h1", "Registration confirmed")


def test_by_keyboard_on_a_narrow_screen(visit: Visit, site: Site) -> None:
    server, mailbox = site
    path = mailbox.begin(server.url, "Dora5", "fr")
    dora = visit(server.url, viewport={"width": 320, "height": 568}, color_scheme="dark")
    dora.open(path)
    dora.sees("main", "Le nom Dora5 va être enregistré")
    assert dora.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dora.page.keyboard.press("Tab")
    dora.page.keyboard.type("sixsix")
    dora.page.keyboard.press("Tab")
    expect(dora.find("[name=new]")).to_be_focused()
    dora.page.keyboard.press("Tab")
    expect(dora.find("main button")).to_be_focused()
    dora.page.keyboard.press("Enter")
    dora.sees("h1", "Inscription confirmée")
    dora.page.keyboard.press("Tab")
    expect(dora.page.get_by_role("link", name="Se connecter")).to_be_focused()


def test_who_did_not_sign_up_sets_a_password_of_their_own(visit: Visit, site: Site) -> None:
    """The stranger's password opens nothing, although it was theirs that the sign-up was made with."""
    server, mailbox = site
    path = mailbox.begin(server.url, "Edith", "ru")
    edith = visit(server.url)
    edith.open(path)
    edith.field("Пароль этой регистрации").fill("мой собственный пароль")
    edith.find("[name=new]").check()
    edith.find("main button").click()
    edith.sees("h1", "Регистрация подтверждена")
    stranger = visit(server.url)
    stranger.open("/?lang=en")
    stranger.sign_in("edith", "sixsix")
    stranger.sees("main", "wrong")
    edith.open("/?lang=en")
    edith.sign_in("edith", "мой собственный пароль")
    edith.sees("#who", "Edith")
