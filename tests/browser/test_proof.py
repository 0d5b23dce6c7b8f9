"""Where a check against robots is demanded: the page's worker does a proof of work, and no other check has a form."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import INSECURE_HOST, Visit
from tests.browser.server import running_server

CAPTCHA = ("captcha.kind=altcha", "captcha.doors=rooms", "captcha.work=20")
FORGED = {
    "parameters": {
        "algorithm": "PBKDF2/SHA-256",
        "cost": 1,
        "expiresAt": 2**40,
        "keyLength": 32,
        "keyPrefix": "",
        "keySignature": "00" * 32,
        "nonce": "00" * 16,
        "salt": "00" * 16,
    },
    "signature": "00" * 32,
}
"""A puzzle that no server has made; every counter solves it."""


def test_the_page_does_the_work(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, *CAPTCHA) as server:
        ada = visit(server.url)
        used = []
        ada.page.on("response", lambda answer: used.append((answer.url.rsplit("/", 1)[1], answer.status)))
        ada.sign_up("worker")
        assert used.count(("challenge", 200)) == 1
        assert ("proof.worker.js", 200) in used
        assert ("register", 201) in used


def test_a_refused_proof_is_told_and_can_be_repeated(visit: Visit, tmp_path: Path) -> None:
    with running_server(tmp_path, *CAPTCHA) as server:
        ada = visit(server.url)
        ada.page.route("**/captcha/challenge", lambda route: route.fulfill(json=FORGED))
        ada.try_to_sign_up("forged", email="forged@example.org", password="long enough")
        ada.sees("#sign-up .error", "The check against robots failed.")
        ada.page.unroute("**/captcha/challenge")
        ada.sign_up("honest")


def test_by_http_from_another_machine_the_worker_counts_by_itself(visit: Visit, tmp_path: Path) -> None:
    """There browsers have no crypto.subtle."""
    with running_server(tmp_path, *CAPTCHA) as server:
        ada = visit(server.url.replace("127.0.0.1", INSECURE_HOST))
        with ada.failing("Cross-Origin-Opener-Policy"):  # browsers say that they leave it out
            ada.open()
            assert ada.page.evaluate("() => isSecureContext || crypto.subtle !== undefined") is False
            ada.sign_up("lovelace")
            ada.page.reload()
            ada.sees_live()


SAID = {
    "en": "Here this needs a check against robots by another service",
    "fr": "Ici, cela exige une vérification contre les robots par un autre service",
    "ru": "Здесь для этого нужна проверка от роботов в другом сервисе",
}


def test_the_check_of_a_service_has_no_form_but_words(visit: Visit, tmp_path: Path) -> None:
    """The script of such a check would come from that service, which the page's policy forbids."""
    service = ("captcha.kind=turnstile", "captcha.secret_web=1x0000", "captcha.doors=rooms,recover,code")
    with running_server(tmp_path, *service) as server:
        guest = visit(server.url, viewport={"width": 320, "height": 640})
        for language, said in SAID.items():
            guest.open(f"/?lang={language}")
            guest.sees("#sign-in form")
            expect(guest.find("#sign-in a[href='#code']")).to_have_count(0)
            for view in ("sign-up", "forgot", "code"):
                guest.open(f"/?lang={language}#{view}")
                guest.sees(f"#{view}", said)
                expect(guest.find(f"#{view} form")).to_have_count(0)
            assert violations(guest.page) == [], language
        guest.find("#code a[href='#sign-in']").click()
        guest.find("#sign-in-username").fill("grace")
        guest.find("#sign-in-password").fill("nanosecond wire")
        guest.page.keyboard.press("Enter")
        guest.find("#registration-continue").click()
        guest.sees_live()
        reader = visit(server.url, java_script_enabled=False)
        for language, said in SAID.items():
            reader.open(f"/plain?lang={language}")
            reader.sees("main", said)
            expect(reader.find("form")).to_have_count(1)
