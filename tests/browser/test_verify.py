"""The page behind the link that verifies an address, in each language: what it says, the button, and what is true afterwards."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.server import Server, running_server

Site = tuple[Server, Mailbox]
WORDS = {
    "en": ("is about to be verified for the account", "Address verified", "no longer valid"),
    "fr": ("va être vérifiée pour le compte", "Adresse vérifiée", "n’est plus valable"),
    "ru": ("будет подтверждён для учётной записи", "Адрес подтверждён", "больше не действует"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that sends real mail, and the mailbox it goes to."""
    folder: Path = tmp_path_factory.mktemp("verify")
    with open_mailbox() as mailbox, running_server(folder, *mailbox.settings) as server:
        yield server, mailbox


def is_verified(server: Server, token: str) -> object:
    answer = httpx.get(f"{server.url}/login/info", headers={"authorization": f"Bearer {token}"})
    return answer.json()["user"]["emailVerified"]


@pytest.mark.parametrize(("language", "mark"), [("en", "#"), ("fr", "%23"), ("ru", "#")])
def test_open_and_press(visit: Visit, site: Site, language: str, mark: str) -> None:
    server, mailbox = site
    about, done, unknown = WORDS[language]
    name = f"{language}{'x' if mark == '#' else 'y'}"
    token, path = mailbox.sign_up(server.url, f"{name}1", language)
    path = path.replace("#", mark)
    secret = path.partition(mark)[2]
    reader = visit(server.url)
    reader.open(path)
    reader.sees("main", about)
    reader.sees("main", f"{name}1@example.org")
    assert secret not in reader.page.url
    expect(reader.find("#code")).to_be_hidden()
    assert is_verified(server, token) is False  # opening it uses nothing up
    reader.find("main button").click()
    reader.sees("h1", done)
    assert is_verified(server, token) is True
    again = visit(server.url)
    again.open(path)
    again.sees("h1", unknown)
    expect(again.find("main button")).to_be_hidden()


def test_without_a_script_the_code_is_entered_by_hand(visit: Visit, site: Site) -> None:
    server, mailbox = site
    token, path = mailbox.sign_up(server.url, "carol", "en")
    carol = visit(server.url, java_script_enabled=False)
    carol.open(path)
    carol.field("Code").fill(path.partition("#")[2])
    carol.page.keyboard.press("Enter")
    carol.sees("h1", "Address verified")
    assert is_verified(server, token) is True
    carol.page.get_by_role("link", name="Go to sign-in").click()
