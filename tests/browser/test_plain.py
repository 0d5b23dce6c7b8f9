"""The pages for browsers without scripts, in a browser whose scripts are off."""

import re
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.mailbox import open_mailbox
from tests.browser.server import Server, running_server
from tests.browser.visitor import PASSWORD, Visitor


def without_scripts(visit: Visit, url: str | None = None, **context: object) -> Visitor:
    return visit(url, java_script_enabled=False, **context)


def sign_in(visitor: Visitor, name: str, password: str) -> None:
    visitor.page.get_by_label("User name or e-mail").first.fill(name)
    visitor.find("#password").fill(password)
    visitor.page.get_by_role("button", name="Sign in").click()


def test_the_page_says_so_and_leads_there(visit: Visit) -> None:
    bernd = without_scripts(visit)
    bernd.open()
    expect(bernd.page.get_by_text("This page needs JavaScript")).to_be_visible()
    bernd.page.get_by_role("link", name="Go on without scripts").click()
    expect(bernd.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_registration_loads_itself_until_it_is_done(visit: Visit) -> None:
    alan = without_scripts(visit)
    alan.open("/plain")
    sign_in(alan, "alan", "wrong")
    expect(alan.page.get_by_role("alert")).to_have_text("The user name or password is wrong.")
    sign_in(alan, "alan", "enigma bombe")
    expect(alan.page.get_by_role("heading", level=1)).to_have_text("Your registration")
    assert "u-" not in alan.page.url
    expect(alan.page.get_by_text("You are signed in as alan.")).to_be_visible()
    expect(alan.find(".things li")).to_have_count(1)
    alan.page.get_by_role("button", name="Sign out").click()
    expect(alan.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_session_is_that_of_the_page_with_scripts(visit: Visit) -> None:
    clara = visit()
    clara.sign_up("clara")
    clara.open("/plain")
    expect(clara.page.get_by_text("You are signed in as clara.")).to_be_visible()
    expect(clara.page.get_by_text("clara@example.org (not verified yet)")).to_be_visible()
    clara.page.get_by_role("button", name="Sign out").click()
    sign_in(clara, "clara", PASSWORD)
    expect(clara.page.get_by_text("You are signed in as clara.")).to_be_visible()
    clara.open()
    clara.sees_live()


def test_another_device_is_signed_out(visit: Visit) -> None:
    dora, phone = visit(), without_scripts(visit)
    dora.sign_up("dora")
    phone.open("/plain")
    sign_in(phone, "dora", PASSWORD)
    expect(phone.find(".things li")).to_have_count(2)
    phone.find(".things button").click()
    expect(phone.find(".things li")).to_have_count(1)
    dora.sees("#notice", "Your session has ended.")


def test_the_second_step(visit: Visit, server: Server) -> None:
    emil = visit()
    emil.sign_up("emil")
    headers = {"authorization": f"Bearer {emil.token()}"}
    secret = httpx.post(f"{server.url}/login/totp", headers=headers).json()["secret"]
    code = {"code": pyotp.TOTP(secret).now()}
    (first, *_) = httpx.post(f"{server.url}/login/totp/confirm", headers=headers, json=code).json()[
        "recoveryCodes"
    ]
    plain = without_scripts(visit)
    plain.open("/plain")
    sign_in(plain, "emil", PASSWORD)
    expect(plain.page.get_by_role("heading", level=1)).to_have_text("One more step")
    for typed in ("000000", first):
        plain.field("Code").fill(typed)
        plain.page.get_by_role("button", name="Sign in").click()
    expect(plain.page.get_by_text("You are signed in as emil.")).to_be_visible()


def test_a_deleted_account_comes_back(visit: Visit, server: Server) -> None:
    olivia = visit()
    olivia.sign_up("olivia")
    httpx.delete(f"{server.url}/login/delete", headers={"authorization": f"Bearer {olivia.token()}"})
    plain = without_scripts(visit)
    plain.open("/plain")
    sign_in(plain, "olivia", PASSWORD)
    expect(plain.page.get_by_text("It was deleted, and can be brought back until")).to_be_visible()
    assert PASSWORD not in plain.page.content()
    for typed in ("another password", PASSWORD):
        plain.field("Password").fill(typed)
        plain.page.get_by_role("button", name="Bring it back").click()
        if typed != PASSWORD:
            expect(plain.page.get_by_role("alert")).to_have_text("The user name or password is wrong.")
            sign_in(plain, "olivia", PASSWORD)
    expect(plain.page.get_by_text("You are signed in as olivia.")).to_be_visible()
    plain.page.reload()
    expect(plain.find(".things li")).to_have_count(1)


def test_a_forgotten_password(visit: Visit, tmp_path: Path) -> None:
    with open_mailbox() as mailbox, running_server(tmp_path, *mailbox.settings) as server:
        frida = visit(server.url)
        frida.sign_up("frida")
        reader = without_scripts(visit, server.url)
        verify = mailbox.wait_link(1)
        reader.open(verify.partition("#")[0])
        reader.page.get_by_label("Code").fill(verify.partition("#")[2])
        reader.find("main button").click()
        expect(reader.page.get_by_role("heading", level=1)).to_have_text("Address verified")
        reader.open("/plain")
        reader.page.get_by_label("User name or e-mail").last.fill("frida")
        reader.page.get_by_role("button", name="Send the link").click()
        expect(reader.page.get_by_text("the e-mail is on its way")).to_be_visible()
        recover = mailbox.wait_link(2)
        reader.open(recover.partition("#")[0])
        reader.page.get_by_label("Code").fill(recover.partition("#")[2])
        reader.page.get_by_label("New password").fill("quite another long phrase")
        reader.find("main button").click()
        expect(reader.page.get_by_role("heading", level=1)).to_have_text("Your password is changed")


def test_a_form_of_another_page_does_nothing(visit: Visit, server: Server) -> None:
    """It has our cookies, by a neighbouring host for instance, and not the secret that stands in one."""
    gustav = visit()
    gustav.sign_up("gustav")
    gustav.open("/plain")
    for path, fields in (
        ("sign-in", {"username": "mallory", "password": PASSWORD}),
        ("sign-out", {}),
        ("recover", {"who": "gustav"}),
        ("factor", {"ticket": "x", "code": "1"}),
        ("restore", {"username": "mallory", "password": PASSWORD}),
    ):
        answer = gustav.page.request.post(f"{server.url}/plain/{path}", form={**fields, "form": "0" * 32})
        assert answer.status == 403, path
        assert "Nothing has happened." in answer.text()
    gustav.page.reload()
    expect(gustav.page.get_by_text("You are signed in as gustav.")).to_be_visible()


def test_what_needs_a_proof_of_work_is_not_offered(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "captcha.kind=altcha", 'captcha.doors=["recover"]') as server:
        plain = without_scripts(visit, server.url)
        plain.open("/plain")
        expect(plain.page.get_by_text("Asking for a new password needs scripts here")).to_be_visible()
        expect(plain.page.get_by_role("button", name="Send the link")).to_have_count(0)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark"), ("ru", "light")])
def test_it_is_accessible_and_narrow(visit: Visit, language: str, scheme: str) -> None:
    hanna = visit(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    hanna.open(f"/plain?lang={language}")
    assert violations(hanna.page) == []
    hanna.sign_up(f"hanna-{language}-{scheme}")
    hanna.open(f"/plain?lang={language}")
    assert re.search(r'<html lang="' + language, hanna.page.content())
    assert violations(hanna.page) == []
    width = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert hanna.page.evaluate(width) <= 0
