"""Who may sign up: every mode with every kind of contact, with and without an invitation."""

import pytest

from regserver.domain.contact import ContactClaim, contact_of_email, parse_identity, parse_phone
from regserver.domain.email import read_domain
from regserver.domain.sign_up_policy import DoorPolicy, SignUpMode, SignUpVerdict
from tests.fake import PEPPER, claim_of

DOMAINS = frozenset({"school.example"})
A, I, V, P, R, C = (  # noqa: E741
    SignUpVerdict.ADMITTED,
    SignUpVerdict.INVITED,
    SignUpVerdict.TO_VERIFY,
    SignUpVerdict.TO_APPROVE,
    SignUpVerdict.REFUSED,
    SignUpVerdict.CLOSED,
)


def phone_claim() -> ContactClaim:
    contact = parse_phone("+380501112233")
    assert contact is not None
    return PEPPER.claim(contact, is_verified=True)


CONTACTS: dict[str, ContactClaim | None] = {
    "none": None,
    "phone": phone_claim(),
    "foreign": claim_of("ada@example.org"),
    "foreign wish": claim_of("ada@example.org", is_verified=False),
    "ours": claim_of("Ada@School.Example"),
    "our wish": claim_of("ada@school.example", is_verified=False),
    "below ours": claim_of("ada@mail.school.example"),
    "like ours": claim_of("ada@evilschool.example"),
}

# Mode → for each contact: without an invitation, with one.
TABLE: dict[SignUpMode, dict[str, tuple[SignUpVerdict, SignUpVerdict]]] = {
    "open": dict.fromkeys(CONTACTS, (A, A)),
    "closed": dict.fromkeys(CONTACTS, (C, C)),
    "off": dict.fromkeys(CONTACTS, (C, C)),
    "invite": {**dict.fromkeys(CONTACTS, (R, I)), "ours": (A, A), "our wish": (V, I)},
    "approve": {**dict.fromkeys(CONTACTS, (P, I)), "ours": (A, A), "our wish": (V, I)},
}


@pytest.mark.parametrize("mode", TABLE)
@pytest.mark.parametrize("contact", CONTACTS)
def test_the_table(mode: SignUpMode, contact: str) -> None:
    policy, claim = DoorPolicy(mode, DOMAINS), CONTACTS[contact]
    found = tuple(policy.admission(claim, invited=invited) for invited in (False, True))
    assert found == TABLE[mode][contact]


def test_an_identity_that_looks_like_an_address_is_none() -> None:
    contact = parse_identity("ada@school.example")
    assert contact is not None
    claim = PEPPER.claim(contact, is_verified=True)
    assert DoorPolicy("invite", DOMAINS).admission(claim, invited=False) is R


def test_without_domains_nobody_is_welcome() -> None:
    claim = PEPPER.claim(contact_of_email("ada@school.example"), is_verified=True)
    assert DoorPolicy("invite").admission(claim, invited=False) is R


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org", "example.org"),
        ("@Example.ORG", "example.org"),
        (" bücher.example ", "xn--bcher-kva.example"),
        ("", None),
        ("*.example.org", None),
        ("example", None),
        ("a@b@example.org", None),
        ("exa mple.org", None),
    ],
)
def test_domains_are_read_as_the_domains_of_addresses_are(text: str, expected: str | None) -> None:
    assert read_domain(text) == expected
