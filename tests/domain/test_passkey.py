"""For which pages passkeys are, and challenges that carry what they are for."""

import pytest

from regserver.domain.account import AccountId
from regserver.domain.instant import SECOND, Instant, after
from regserver.domain.passkey import CHALLENGE_LIFE, NOBODY, ChallengeSeal, PasskeySite, passkey_site

NOW = Instant(1_600_000_000_000)
ADA, BOB = AccountId(1), AccountId(2)
SEAL = ChallengeSeal(b"k" * 32)


@pytest.mark.parametrize(
    ("base", "origin", "rp_id"),
    [
        ("https://example.org", "https://example.org", "example.org"),
        ("https://Example.org:8443/base", "https://example.org:8443", "example.org"),
        ("https://example.org:443/", "https://example.org", "example.org"),
        ("http://localhost:8080", "http://localhost:8080", "localhost"),
        ("http://app.localhost", "http://app.localhost", "app.localhost"),
        ("http://example.org", None, None),
        ("https://192.0.2.1", None, None),
        ("https://[2001:db8::1]", None, None),
        ("http://127.0.0.1:8080", None, None),
        ("https://localhost.example.org", "https://localhost.example.org", "localhost.example.org"),
    ],
)
def test_pages(base: str, origin: str | None, rp_id: str | None) -> None:
    expected = None if origin is None or rp_id is None else PasskeySite(origin, rp_id)
    assert passkey_site(base, is_configured=True) == expected


def test_the_host_of_a_request_counts_on_localhost_alone() -> None:
    assert passkey_site("https://example.org", is_configured=False) is None
    assert passkey_site("http://localhost:1", is_configured=False) is not None


def test_a_challenge_is_for_one_thing_one_account_and_five_minutes() -> None:
    challenge = SEAL.issue("add", ADA, NOW, bytes(16))
    end = after(NOW, CHALLENGE_LIFE)
    assert SEAL.open(challenge, "add", ADA, NOW) == end
    assert SEAL.open(challenge, "add", ADA, Instant(end - 1)) == end
    assert SEAL.open(challenge, "add", ADA, end) is None
    assert SEAL.open(challenge, "add", ADA, Instant(NOW - SECOND)) is None, "the clock was set back"
    assert SEAL.open(challenge, "add", BOB, NOW) is None
    assert SEAL.open(challenge, "sign_in", ADA, NOW) is None
    assert SEAL.open(challenge, "sign_in", NOBODY, NOW) is None
    assert ChallengeSeal(b"x" * 32).open(challenge, "add", ADA, NOW) is None


@pytest.mark.parametrize("at", range(56))
def test_a_changed_challenge_is_none(at: int) -> None:
    challenge = bytearray(SEAL.issue("add", ADA, NOW, bytes(16)))
    challenge[at] ^= 1
    assert SEAL.open(bytes(challenge), "add", ADA, NOW) is None


@pytest.mark.parametrize("junk", [b"", b"x", bytes(32), bytes(1000)])
def test_junk_is_no_challenge(junk: bytes) -> None:
    assert SEAL.open(junk, "sign_in", NOBODY, NOW) is None


def test_handles_differ_and_stay() -> None:
    assert SEAL.handle(ADA) == SEAL.handle(ADA) != SEAL.handle(BOB)
