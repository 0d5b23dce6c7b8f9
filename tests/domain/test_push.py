"""Which addresses a push service may have, and which addresses are of the whole Internet."""

import pytest

from regserver.domain.address import is_public
from regserver.domain.push import is_endpoint

GOOD = (
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
    "https://fcm.googleapis.com/fcm/send/abc:APA91",
    "https://ntfy.example.org:8443/upABC?up=1",
    "https://93.184.216.34/x",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/x",
)
INSIDE = (
    "http://push.example.net/x",
    "https://localhost/x",
    "https://127.0.0.1/x",
    "https://10.1.2.3/x",
    "https://192.168.0.1/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/x",
    "https://[fe80::1]/x",
    "https://[::ffff:10.0.0.1]/x",
)
BAD = (
    "",
    "push.example.net/x",
    "ftp://push.example.net/x",
    "https:///x",
    "https://user:password@push.example.net/x",
    "https://push.example.net/x#y",
    "https://push.example.net:99999/x",
    "https://push.example.net/a b",
    "https://push.example.net\\@10.0.0.1/x",
    "https://[::1/x",
    "https://пуш.example/x",
    "https://push.example.net/" + "x" * 1024,
)


@pytest.mark.parametrize("text", GOOD)
def test_push_services(text: str) -> None:
    assert is_endpoint(text, allow_private=False)
    assert is_endpoint(text, allow_private=True)


@pytest.mark.parametrize("text", INSIDE)
def test_push_services_inside_are_taken_where_all_people_are_trusted(text: str) -> None:
    assert not is_endpoint(text, allow_private=False)
    assert is_endpoint(text, allow_private=True)


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_endpoint(text: str) -> None:
    assert not is_endpoint(text, allow_private=False)
    assert not is_endpoint(text, allow_private=True)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),  # NAT64 of a public one
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),  # 169.254.169.254
        ("2002:0a00:0001::1", False),  # 6to4 of 10.0.0.1
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("0.0.0.0", False),  # noqa: S104  (nothing is bound)
        ("255.255.255.255", False),
        ("::", False),
        ("fd00::1", False),
        ("not an address", False),
    ],
)
def test_addresses_of_the_internet(text: str, public: bool) -> None:
    assert is_public(text) is public
