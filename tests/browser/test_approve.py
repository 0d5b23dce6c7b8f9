"""The page behind the operator's link, in each language: whom it names, the button, and what is true afterwards."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.server import Server, running_server

Site = tuple[Server, Mailbox]
OPERATOR = "operator@example.net"
WORDS = {
    "en": ("Approve this account?", "Account approved", "no longer valid", "is approved"),
    "fr": ("Approuver ce compte", "Compte approuvé", "n’est plus valable", "est approuvé"),
    "ru": ("Одобрить эту учётную запись?", "Учётная запись одобрена", "больше не действует", "одобрена"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that asks its operator about users of the directory, by real mail."""
    folder: Path = tmp_path_factory.mktemp("approve")
    asks = ("signup.doors.directory=approve", f"signup.operator={OPERATOR}")
    with open_mailbox() as mailbox, running_server(folder, *mailbox.settings, *asks) as server:
        yield server, mailbox


def asked(server: Server, mailbox: Mailbox, name: str, language: str) -> str:
    """Signs somebody up and confirms it; the path of the link in the operator's mail."""
    challenge = mailbox.begin(server.url, name, language).partition("#")[2]
    expected = mailbox.count + 1
    assert httpx.post(f"{server.url}/{challenge}/confirm").status_code == 200
    return mailbox.wait_link(expected)


def may_sign_in(server: Server, name: str) -> bool:
    answer = httpx.post(f"{server.url}/login", json={"username": name, "password": "sixsix"})
    assert answer.status_code in {200, 403}
    return answer.status_code == 200


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
def test_open_and_press(visit: Visit, site: Site, language: str) -> None:
    server, mailbox = site
    ask, done, unknown, told = WORDS[language]
    name = f"person{language}"
    path = asked(server, mailbox, name, language).replace("lang=en", f"lang={language}")
    secret = path.partition("#")[2]
    operator = visit(server.url)
    operator.open(path)
    operator.sees("h1", ask)
    operator.sees("main", name)
    operator.sees("main", f"{name}@example.org")
    assert secret not in operator.page.url
    expect(operator.find("#code")).to_be_hidden()
    assert may_sign_in(server, name) is False  # opening it approves nothing
    expected = mailbox.count + 1
    operator.find("main button").click()
    operator.sees("h1", done)
    assert may_sign_in(server, name) is True
    subject = mailbox.subject(expected)
    assert f"{name}@example.org" in subject
    assert told in subject
    again = visit(server.url)
    again.open(path)
    again.sees("h1", unknown)
    expect(again.find("main button")).to_be_hidden()


def test_without_a_script_the_code_is_entered_by_hand(visit: Visit, site: Site) -> None:
    server, mailbox = site
    path = asked(server, mailbox, "carol", "en")
    operator = visit(server.url, java_script_enabled=False)
    operator.open(path)
    operator.field("Code").fill(path.partition("#")[2])
    operator.page.keyboard.press("Enter")
    operator.sees("h1", "Account approved")
    assert may_sign_in(server, "carol") is True
