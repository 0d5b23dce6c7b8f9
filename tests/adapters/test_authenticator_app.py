"""One-time codes of authenticator apps against the vectors of the RFC, and their QR codes."""

import xml.etree.ElementTree as ElementTree

import pytest

from regserver.adapters.authenticator_app import PyotpMethod
from regserver.domain.instant import SECOND, Instant

METHOD = PyotpMethod("example.org")
SECRET = METHOD.secret(b"12345678901234567890")
# RFC 6238, appendix B, SHA-1: the last six of its eight digits (RFC 4226, section 5.3: the value modulo 10^digits).
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


def at(seconds: int) -> Instant:
    return Instant(seconds * SECOND)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    assert METHOD.step(SECRET, code[-6:], at(seconds)) == seconds // 30


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_one_step_before_and_after_is_taken_and_no_more(seconds: int, code: str) -> None:
    step = seconds // 30
    for now in (step - 1, step, step + 1):
        assert METHOD.step(SECRET, code[-6:], at(now * 30)) == step
    assert METHOD.step(SECRET, code[-6:], at((step + 2) * 30)) is None
    if step > 1:
        assert METHOD.step(SECRET, code[-6:], at((step - 2) * 30)) is None


@pytest.mark.parametrize("code", ["", "287082x", "28708", "٢٨٧٠٨٢", "\ud800"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert METHOD.step(SECRET, code, at(59)) is None


def test_the_enrolment_names_service_and_person() -> None:
    enrolment = METHOD.enrolment(SECRET, "ada lovelace")
    assert enrolment.uri == f"otpauth://totp/example.org:ada%20lovelace?secret={SECRET}&issuer=example.org"
    assert SECRET not in repr(enrolment)
    image = ElementTree.fromstring(enrolment.qr)  # noqa: S314  (our own)
    assert image.tag == "{http://www.w3.org/2000/svg}svg"
    assert int(image.attrib["width"]) > 100
    assert not [part for part in image.iter() if part.tag.endswith(("script", "style"))]
