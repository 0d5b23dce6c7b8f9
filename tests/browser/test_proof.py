"""Signing up where a proof of work is demanded: the page's worker does it, under the page's own policy."""

from pathlib import Path

from tests.browser.conftest import Visit
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
