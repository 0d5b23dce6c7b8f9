"""Passwords: their one form, and which new ones are refused (NIST SP 800-63B-4, 3.1.1.2).

The same password may reach the server in several Unicode forms: some keyboards write é as one character, some as e and an
accent. So every password is normalised to NFC before anything else. Hashes of earlier versions were made of the text as
it was typed; `spellings` has the forms in which that may have been.
"""

import unicodedata
from collections.abc import Iterable


def normal_form(password: str) -> str:
    """The password in Unicode NFC."""
    return unicodedata.normalize("NFC", password)


def spellings(password: str) -> tuple[str, ...]:
    """The distinct forms of a typed password: NFC first, then as it was typed, then NFD. One, if it is plain ASCII."""
    typed = normal_form(password), password, unicodedata.normalize("NFD", password)
    return tuple(dict.fromkeys(typed))


def is_rooms_password(password: str) -> bool:
    """8 to 256 code points (NIST SP 800-63B-4, 3.1.1.2: at least eight, long ones allowed, no composition rules)."""
    return 8 <= len(normal_form(password)) <= 256


def is_directory_password(password: str) -> bool:
    """6 to 99 code points without white space at either end (the directory's protocol)."""
    return 6 <= len(normal_form(password)) <= 99 and password == password.strip()


def comparable(text: str) -> str:
    """A password as it is looked up among common ones: neither case, width nor white space around it matter."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def is_one_of(password: str, own: Iterable[str]) -> bool:
    """Whether the password is one of these texts, such as its owner's user name and e-mail address."""
    return comparable(password) in map(comparable, own)
