"""The account's life on the page: ways in without the password, second factors, passkeys, sessions, changes, one's own data."""

import json
import re
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.mailbox import BASE, Mailbox, open_mailbox
from tests.browser.server import Server, running_server
from tests.browser.visitor import PASSWORD, Visitor

ANOTHER = "quite another long phrase"
CODE = re.compile(r"\b(\d{6})\b")
NO_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def in_(visitor: Visitor) -> None:
    visitor.sees_live()
    expect(visitor.find("#rooms-title")).to_be_visible()


def verified(visit: Visit, server: Server, mailbox: Mailbox, name: str) -> Visitor:
    """Somebody who has signed up, and has opened the link in the mail."""
    person = visit(server.url)
    before = mailbox.count
    person.sign_up(name)
    reader = visit(server.url)
    reader.open(mailbox.wait_link(before + 1))
    reader.find("main button").click()
    reader.sees("h1", "Address verified")
    return person


# --- back in without the password
def test_a_newcomer_recovers_a_forgotten_password(visit: Visit, tmp_path: Path) -> None:
    with open_mailbox() as mailbox, running_server(tmp_path, *mailbox.settings) as server:
        verified(visit, server, mailbox, "frank").sign_out()
        frank = visit(server.url)
        frank.open()
        frank.page.get_by_role("link", name="Forgot your password?").click()
        expect(frank.find("#forgot-title")).to_be_focused()
        frank.field("User name or e-mail").fill("frank")
        frank.page.keyboard.press("Enter")
        frank.sees("#forgot-sent", "the e-mail is on its way")
        frank.open(mailbox.wait_link(2))
        frank.field("New password").fill(ANOTHER)
        frank.page.keyboard.press("Enter")
        frank.sees("h1", "Your password is changed")
        frank.page.get_by_role("link", name="Go to sign-in").click()
        frank.sign_in("frank", ANOTHER)
        in_(frank)


def test_whoever_is_unknown_is_told_the_same(visit: Visit) -> None:
    somebody = visit()
    somebody.open("/#forgot")
    somebody.field("User name or e-mail").fill("nobody@example.org")
    somebody.page.keyboard.press("Enter")
    somebody.sees("#forgot-sent", "If there is such an account")


def test_sign_in_by_a_code(visit: Visit, tmp_path: Path) -> None:
    with open_mailbox() as mailbox, running_server(tmp_path, *mailbox.settings) as server:
        verified(visit, server, mailbox, "grete").sign_out()
        grete = visit(server.url)
        grete.open()
        grete.page.get_by_role("link", name="Sign in by a code").click()
        grete.field("E-mail or phone number").fill("12")
        grete.page.keyboard.press("Enter")
        grete.sees("#code-ask-error", "This is not a phone number.")
        grete.field("E-mail or phone number").fill("grete@example.org")
        grete.page.keyboard.press("Enter")
        grete.sees("#code-sent", "the code is on its way")
        expect(grete.find("#code-enter-code")).to_be_focused()
        grete.find("#code-enter-code").fill("000000")
        grete.page.keyboard.press("Enter")
        grete.sees("#code-enter-error", "This code is wrong")
        code = CODE.search(mailbox.text(2))
        assert code is not None
        grete.find("#code-enter-code").fill(code[1])
        grete.page.keyboard.press("Enter")
        in_(grete)


def test_a_deleted_account_comes_back(visit: Visit) -> None:
    herbert = visit()
    herbert.sign_up("herbert")
    herbert.open_settings("Your data")
    herbert.find("#delete-account").click()
    herbert.find("#confirm-yes").click()
    herbert.sees("#notice", "Your account was deleted.")
    herbert.sign_in("herbert", PASSWORD)
    dialog = herbert.page.get_by_role("dialog")
    expect(dialog).to_contain_text("can be brought back until")
    dialog.get_by_role("button", name="Bring it back").click()
    in_(herbert)


# --- second factors
def switch_on(visitor: Visitor) -> tuple[str, list[str]]:
    """Sets an authenticator app up; its secret and the recovery codes."""
    visitor.open_settings("Authenticator app")
    visitor.sees("#totp-state", "It is off.")
    visitor.page.get_by_role("button", name="Set it up").click()
    expect(visitor.find("#totp-confirm-code")).to_be_focused()
    assert visitor.find("#totp-qr path").count() == 2
    secret = visitor.find("#totp-secret").inner_text()
    visitor.find("#totp-confirm-code").fill(pyotp.TOTP(secret).now())
    visitor.page.keyboard.press("Enter")
    visitor.sees("#recovery-codes")
    return secret, visitor.find("#recovery-codes-text").inner_text().split()


def test_an_authenticator_app_from_beginning_to_end(visit: Visit) -> None:
    ida = visit()
    ida.sign_up("ida")
    _, codes = switch_on(ida)
    assert len(codes) == 10
    ida.sees("#totp-state", "Recovery codes left: 10.")
    ida.sign_out()

    ida.sign_in("ida", PASSWORD)
    ida.sees("#factor-title")
    expect(ida.find("#factor-code")).to_be_focused()
    ida.find("#factor-code").fill("000000")
    ida.page.keyboard.press("Enter")
    ida.sees("#factor-error", "This code is wrong")
    ida.find("#factor-code").fill(codes[0])
    ida.page.keyboard.press("Enter")
    in_(ida)

    ida.open_settings("Authenticator app")
    ida.sees("#totp-state", "Recovery codes left: 9.")
    ida.find("#totp-remove-password").fill(PASSWORD)
    ida.page.keyboard.press("Enter")
    ida.sees("#totp-state", "It is off.")


def with_authenticator(visitor: Visitor) -> Any:
    """Chromium's own virtual authenticator, as a telephone has one. Passkeys are for names, so the page is at localhost."""
    visitor.url = visitor.url.replace("127.0.0.1", "localhost")
    protocol = visitor.page.context.new_cdp_session(visitor.page)
    protocol.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    number = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return protocol, number


def add_passkey(visitor: Visitor, name: str) -> None:
    visitor.open_settings("Passkeys")
    visitor.find("#set-passkeys-name").fill(name)
    visitor.page.get_by_role("button", name="Add a passkey").click()
    visitor.sees("#passkey-list", name)


def test_a_passkey_signs_in_and_goes(visit: Visit) -> None:
    jane = visit()
    # Or the offer in the field of the user name would sign in at once.
    jane.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false;")
    protocol, number = with_authenticator(jane)
    jane.sign_up("jane")
    add_passkey(jane, "Telephone")
    jane.sees("#passkey-list", "Not used yet.")
    (credential,) = protocol.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]
    assert (credential["isResidentCredential"], credential["rpId"]) == (True, "localhost")
    jane.page.get_by_role("button", name="Add a passkey").click()
    jane.sees("#set-passkeys-error", "This device has a passkey of your account already.")

    jane.sign_out()
    jane.page.get_by_role("button", name="Sign in with a passkey").click()
    in_(jane)

    jane.open_settings("Passkeys")
    jane.sees("#passkey-list", "Last used:")
    jane.page.get_by_role("button", name="Remove: Telephone").click()
    expect(jane.find("#passkey-list li")).to_have_count(0)


def test_a_passkey_is_offered_in_the_field_of_the_user_name(visit: Visit) -> None:
    kurt = visit()
    with_authenticator(kurt)
    kurt.sign_up("kurt")
    add_passkey(kurt, "Laptop")
    before = kurt.mark()
    kurt.find("#account summary").click()
    kurt.find("#sign-out").click()  # the virtual authenticator chooses its one passkey at once
    another = "before => ![null, before].includes(localStorage.getItem('session'))"
    kurt.page.wait_for_function(another, arg=before)
    in_(kurt)


def test_where_no_passkey_can_work_the_page_says_so(visit: Visit) -> None:
    lotte = visit()  # at an IP address
    lotte.open()
    expect(lotte.find("#passkey")).to_be_hidden()
    lotte.sign_up("lotte")
    lotte.open_settings("Passkeys")
    lotte.sees("#passkey-nowhere", "on https, or on localhost")
    expect(lotte.find("#passkey-add")).to_be_hidden()


# --- sessions and programs
def test_one_device_signs_another_out(visit: Visit) -> None:
    marta, phone = visit(), visit(viewport={"width": 390, "height": 800})
    marta.sign_up("marta")
    phone.open()
    phone.sign_in("marta", PASSWORD)
    in_(phone)
    marta.open_settings("Devices")
    expect(marta.find("#session-list li")).to_have_count(2)
    marta.sees("#session-list", "This device.")
    marta.sees("#session-list", "Chrome · Linux")
    marta.find("#session-list button").click()
    expect(marta.find("#session-list li")).to_have_count(1)
    phone.sees("#notice", "Your session has ended.")
    marta.page.get_by_role("button", name="Sign out everywhere").click()
    marta.sees("#notice", "You are signed out.")


def test_a_token_for_a_program_is_shown_once(visit: Visit) -> None:
    nadja = visit()
    nadja.sign_up("nadja")
    nadja.open_settings("Tokens for programs")
    nadja.find("#set-tokens-name").fill("backup at home")
    nadja.page.keyboard.press("Enter")
    nadja.sees("#new-token-text", "regs_")
    token = nadja.find("#new-token-text").inner_text()
    answer = nadja.page.request.get(f"{nadja.url}/login/info", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["user"]["username"] == "nadja"
    nadja.open_settings("Devices")
    nadja.sees("#session-list", "backup at home")
    nadja.page.get_by_role("button", name="Sign out: backup at home").click()
    expect(nadja.find("#session-list li")).to_have_count(1)
    nadja.find("#set-tokens summary").click()
    nadja.find("#set-tokens summary").click()
    expect(nadja.find("#new-token")).to_be_hidden()


# --- changes
def test_another_password(visit: Visit) -> None:
    oksana = visit()
    oksana.sign_up("oksana")
    oksana.open_settings("Change the password")
    for present, new, words in (("wrong", ANOTHER, "wrong"), (PASSWORD, "short", "Use 8 to 256 characters")):
        oksana.find("#set-password-password").fill(present)
        oksana.find("#set-password-newPassword").fill(new)
        oksana.page.keyboard.press("Enter")
        oksana.sees("#set-password-error", words)
    expect(oksana.find("#set-password-newPassword")).to_be_focused()
    oksana.find("#set-password-newPassword").fill(ANOTHER)
    oksana.page.keyboard.press("Enter")
    oksana.sees("#notice", "The password is changed.")
    oksana.sign_out()
    oksana.sign_in("oksana", ANOTHER)
    in_(oksana)


def test_another_address(visit: Visit, tmp_path: Path) -> None:
    with open_mailbox() as mailbox, running_server(tmp_path, *mailbox.settings) as server:
        paula = verified(visit, server, mailbox, "paula")
        paula.open_settings("Change the e-mail address")
        paula.sees("#set-email-present", "paula@example.org")
        paula.find("#set-email-email").fill("paula@example.net")
        paula.find("#set-email-password").fill(PASSWORD)
        paula.page.keyboard.press("Enter")
        paula.sees("#notice", "Open the link in the e-mail to paula@example.net")
        reader = visit(server.url)
        reader.open(mailbox.wait_link(2))
        reader.find("main button").click()
        reader.sees("h1", "Address verified")
        paula.find("#set-email summary").click()
        paula.sees("#set-email-present", "paula@example.net")


def test_the_data_of_an_account_as_a_file(visit: Visit) -> None:
    quentin = visit()
    quentin.sign_up("quentin")
    quentin.open_settings("Your data")
    with quentin.page.expect_download() as saved:
        quentin.page.get_by_role("button", name="Download my data").click()
    assert saved.value.suggested_filename == "account.json"
    told = json.loads(Path(saved.value.path()).read_text("utf-8"))
    assert "quentin@example.org" in json.dumps(told)


# --- signing up where not everybody may
def test_an_invitation_link_fills_the_field(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "signup.mode=invite", f"server.public_url={BASE}") as server:
        rita = visit(server.url)
        rita.try_to_sign_up("rita")
        rita.sees("#sign-up-error", "An invitation is needed here")
        expect(rita.find("#sign-up-invitation")).to_be_focused()
        link = server.command("invite", "create", "--url").strip()
        friend = visit(server.url)
        friend.open("/" + link.removeprefix(f"{BASE}/"))
        friend.sees("#sign-up-title")
        assert "invite=" not in friend.page.url
        friend.field("User name").fill("rita")
        friend.field("E-mail").fill("rita@example.org")
        friend.field("Password").fill(PASSWORD)
        friend.page.keyboard.press("Enter")
        in_(friend)


def test_whoever_waits_for_approval_is_told_so(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, "signup.mode=approve") as server:
        sven = visit(server.url)
        sven.try_to_sign_up("sven")
        sven.sees("#notice", "This account waits for its approval.")
        server.command("user", "approve", "sven")
        sven.sign_in("sven", PASSWORD)
        in_(sven)


# --- every language, narrow
WORDS = {"en": "Your account", "fr": "Votre compte", "ru": "Ваша учётная запись"}


@pytest.mark.parametrize("language", list(WORDS))
def test_the_view_fits_a_small_phone_in_every_language(visit: Visit, language: str) -> None:
    tanja = visit(viewport={"width": 320, "height": 640})
    tanja.sign_up(f"tanja{language}")
    tanja.open(f"/?lang={language}#settings")
    expect(tanja.find("#settings-title")).to_have_text(WORDS[language])
    for number in range(tanja.find("#settings summary").count()):
        tanja.find("#settings summary").nth(number).click()
        assert tanja.page.evaluate(NO_OVERFLOW) <= 0
    tanja.find("#totp-begin").click()
    expect(tanja.find("#totp-confirm-code")).to_be_focused()
    assert tanja.page.evaluate(NO_OVERFLOW) <= 0
    for view in ("forgot", "code"):
        outside = visit(viewport={"width": 320, "height": 640})
        outside.open(f"/?lang={language}#{view}")
        outside.sees(f"#{view}-title")
        assert outside.page.evaluate(NO_OVERFLOW) <= 0
