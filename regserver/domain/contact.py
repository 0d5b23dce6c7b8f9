"""Contacts: parsing, hashing and masking of phone numbers, e-mail addresses and identities.

A contact is normalised once, where it enters. The store has two keyed hashes and a mask of it. The hashes use a key (the
pepper) that is not in the database: there are so few phone numbers that a plain hash could be reversed by trying all.
Each use of the pepper has its own key, derived by a label.
"""

import hashlib
import hmac
import re
from typing import Literal, NewType

import msgspec

from regserver.domain.address import client_key
from regserver.domain.email import read_email
from regserver.domain.phone import read_phone

ContactKind = Literal["phone", "email", "identity"]
ContactKey = NewType("ContactKey", bytes)
"""HMAC of one contact, by which its row is found."""
LookupKey = NewType("LookupKey", bytes)
"""The same without an identity's provider, for clients that do not name it."""
CodeMac = NewType("CodeMac", bytes)
BudgetKey = NewType("BudgetKey", bytes)
"""HMAC of the owner of a budget: a contact, an address or a country prefix."""
NetworkKey = NewType("NetworkKey", bytes)
"""HMAC of a client's network: an IPv4 address or an IPv6 /64."""

MAX_IDENTITY_LENGTH = 256

_PROVIDER = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

# ITU-T E.164 country codes of one and two digits; all others have three.
_ONE_DIGIT = frozenset("17")
_TWO_DIGIT_RANGES = (
    *((20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58), (60, 66)),
    *((81, 82), (84, 84), (86, 86), (90, 95), (98, 98)),
)
_TWO_DIGITS = frozenset(str(code) for first, last in _TWO_DIGIT_RANGES for code in range(first, last + 1))


class Contact(msgspec.Struct, frozen=True):
    """A normalised phone number, e-mail address or identity. provider: of an identity; None when unknown."""

    kind: ContactKind
    value: str
    provider: str | None = None

    def __repr__(self) -> str:
        return f"Contact({self.mask})"

    @property
    def mask(self) -> str:
        """The contact as an operator may see it: enough to recognise it, too little to use it."""
        if self.kind == "phone":
            return _mask_phone(self.value)
        return _mask_email(self.value) if self.kind == "email" else "***"


def parse_phone(text: str) -> Contact | None:
    """A phone number as people write it; None for what no country can have, and for masked numbers."""
    phone = read_phone(text)
    return None if phone is None else Contact("phone", phone)


def parse_email(text: str) -> Contact | None:
    """An e-mail address in lower case; None for any other text."""
    email = read_email(text)
    return None if email is None else Contact("email", email.lower())


def contact_of_email(email: str) -> Contact:
    """An address that was read before, as a contact."""
    return Contact("email", email.lower())


def parse_identity(text: str, provider: str | None = None) -> Contact | None:
    """An identity service's name for a person: printable text. provider: the service, if there are several."""
    if not 0 < len(text) <= MAX_IDENTITY_LENGTH or not text.isprintable() or text == "***":
        return None
    if provider is not None and _PROVIDER.fullmatch(provider) is None:
        return None
    return Contact("identity", text, provider)


def country_prefix(phone: str) -> str:
    """The country code of an E.164 number, with its plus sign."""
    digits = phone[1:]
    if digits[:1] in _ONE_DIGIT:
        return phone[:2]
    return phone[:3] if digits[:2] in _TWO_DIGITS else phone[:4]


def _mask_phone(phone: str) -> str:
    digits = phone[1:]
    if len(digits) < 7:
        return "+" + "*" * len(digits)
    return f"+{digits[:3]}{'*' * (len(digits) - 5)}{digits[-2:]}"


def _mask_email(email: str) -> str:
    local, _, host = email.rpartition("@")
    _, dot, top = host.rpartition(".")
    return f"{local[:1]}***@{host[:1]}***{dot}{top if dot else ''}"


class ContactClaim(msgspec.Struct, frozen=True):
    """A phone number or address of an account to be, with its key.

    is_verified: whether it is proved to be its person's. A wish otherwise, which is refused only if it is another account's.
    """

    contact: Contact
    key: ContactKey
    is_verified: bool


class Pepper:
    """The keyed hashes of this installation. key: at least 16 bytes; without it no stored contact can be found."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a pepper has at least 16 bytes")
        self._contact, self._code, self._sign_in, self._budget, self._network = (
            _mac(key, label) for label in (b"contact", b"code", b"sign-in code", b"budget", b"network")
        )

    def contact_key(self, contact: Contact) -> ContactKey:
        """The key of this contact, including an identity's provider."""
        return ContactKey(_mac(self._contact, _join(contact.kind, contact.provider or "", contact.value)))

    def claim(self, contact: Contact, *, is_verified: bool) -> ContactClaim:
        """The contact with its key, for an account to be."""
        return ContactClaim(contact, self.contact_key(contact), is_verified)

    def lookup_key(self, contact: Contact) -> LookupKey:
        """The key of all contacts with this value, whatever the provider."""
        return LookupKey(_mac(self._contact, _join(contact.kind, contact.value)))

    def code_mac(self, contact: ContactKey, code: str) -> CodeMac:
        """The stored form of a code: bound to the contact, so that equal codes of two people differ."""
        return CodeMac(_mac(self._code, contact + code.encode("utf-8", "surrogatepass")))

    def sign_in_mac(self, contact: ContactKey, account: int, code: str) -> CodeMac:
        """The stored form of a code that signs an account in: it is no code of the steps, and none of another account.

        account: its number.
        """
        message = contact + account.to_bytes(8, "big") + code.encode("utf-8", "surrogatepass")
        return CodeMac(_mac(self._sign_in, message))

    def budget_key(self, scope: str, of: str | bytes) -> BudgetKey:
        """The key of one budget. scope: the thing counted, such as "codes". of: its owner."""
        return BudgetKey(
            _mac(self._budget, scope.encode() + b"\0" + (of.encode() if isinstance(of, str) else of))
        )

    def network_key(self, address: str) -> NetworkKey:
        """The key of a client's network. address: the client's; "" if unknown."""
        return NetworkKey(_mac(self._network, client_key(address).encode()))


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


def _join(*parts: str) -> bytes:
    """A unique byte string for each list of parts: no part contains a zero byte."""
    return "\0".join(parts).encode()
