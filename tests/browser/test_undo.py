"""The page behind the link that undoes a change of the address, in each language: what it says, and what is true afterwards."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.server import Server, running_server

Site = tuple[Server, Mailbox]
WORDS = {
    "en": ("its password stops working", "your account’s again", "no longer valid"),
    "fr": ("son mot de passe ne sert plus", "de nouveau celle de votre compte", "n’est plus valable"),
    "ru": ("пароль перестанет действовать", "снова принадлежит", "больше не действует"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that sends real mail, and the mailbox it goes to."""
    folder: Path = tmp_path_factory.mktemp("undo")
    with open_mailbox() as mailbox, running_server(folder, *mailbox.settings) as server:
        yield server, mailbox


def changed(site: Site, name: str, language: str) -> tuple[str, str]:
    """Somebody with another address: the token, and the path of the link that undoes it."""
    server, mailbox = site
    token, link = mailbox.sign_up(server.url, name, language)
    answer = httpx.post(f"{server.url}/login/email/verify", json={"token": link.partition("#")[2]})
    assert answer.status_code == 200
    return token, mailbox.change(server.url, token, name)


def address_of(server: Server, token: str) -> object:
    """Of the account behind the token; None once that has ended."""
    answer = httpx.get(f"{server.url}/login/info", headers={"authorization": f"Bearer {token}"})
    return answer.json()["user"]["email"] if answer.status_code == 200 else None


@pytest.mark.parametrize(("language", "mark"), [("en", "#"), ("fr", "%23"), ("ru", "#")])
def test_open_and_press(visit: Visit, site: Site, language: str, mark: str) -> None:
    server, mailbox = site
    about, done, unknown = WORDS[language]
    name = f"{language}{'x' if mark == '#' else 'y'}1"
    token, path = changed(site, name, language)
    assert path.startswith(f"/undo?lang={language}#")
    path = path.replace("#", mark)
    secret = path.partition(mark)[2]
    owner = visit(server.url)
    owner.open(path)
    owner.sees("main", about)
    owner.sees("main", f"{name}@example.org")
    assert secret not in owner.page.url
    expect(owner.find("#code")).to_be_hidden()
    assert address_of(server, token) == f"{name}@example.net"  # opening it uses nothing up
    count = mailbox.count
    owner.find("main button").focus()
    owner.page.keyboard.press("Enter")
    owner.sees("h1", done)
    owner.sees("main", f"{name}@example.org")
    assert address_of(server, token) is None
    assert mailbox.wait_link(count + 1).startswith(f"/recover?lang={language}#")
    again = visit(server.url)
    again.open(path)
    again.sees("h1", unknown)
    expect(again.find("main button")).to_be_hidden()


def test_without_a_script_the_code_is_entered_by_hand(visit: Visit, site: Site) -> None:
    server, mailbox = site
    token, path = changed(site, "carol", "en")
    count = mailbox.count
    carol = visit(server.url, java_script_enabled=False)
    carol.open(path)
    carol.field("Code").fill(path.partition("#")[2])
    carol.page.keyboard.press("Enter")
    carol.sees("h1", "your account’s again")
    assert address_of(server, token) is None
    assert mailbox.wait_link(count + 1).startswith("/recover?lang=en#")
    carol.page.get_by_role("link", name="Go to sign-in").click()


def test_on_a_telephone_nothing_is_cut_off(visit: Visit, site: Site) -> None:
    server, _ = site
    _, path = changed(site, "dorothy", "ru")
    dorothy = visit(server.url, viewport={"width": 320, "height": 568}, is_mobile=True, color_scheme="dark")
    dorothy.open(path)
    dorothy.sees("main", WORDS["ru"][0])
    widths = dorothy.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    expect(dorothy.find("main button")).to_be_visible()
    assert violations(dorothy.page) == []
