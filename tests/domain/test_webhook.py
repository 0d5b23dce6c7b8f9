"""Webhooks: signatures as Standard Webhooks has them, what is told of what, and where nothing is sent to."""

import json

import pytest

from regserver.domain.account import AccountId
from regserver.domain.address import is_public
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId
from regserver.domain.room_event import Change, Created, EventId, Invited, Left, Offered, Posted, RoomEvent
from regserver.domain.webhook import (
    HOOK_KINDS,
    MAX_URL_LENGTH,
    HookDelivery,
    HookMessage,
    HookPosition,
    WebhookTarget,
    read_kinds,
    read_secret,
    room_hook,
    signed_fields,
    url_fault,
    write_message,
    write_secret,
)

AT = Instant(1_600_000_000_000)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of its libraries."""
    secret = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert secret is not None
    message = HookMessage("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert dict(signed_fields(message, secret, 1_614_265_330)) == {
        "content-type": "application/json",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_AAAA", "whsec_!" + "A" * 32, "sec_" + "A" * 32, "whsec_" + "A" * 400]
)
def test_other_texts_are_no_secrets(text: str) -> None:
    assert read_secret(text) is None


def test_a_secret_is_read_as_it_is_written() -> None:
    assert read_secret(write_secret(bytes(range(32)))) == bytes(range(32))
    assert "key" not in repr(WebhookTarget("https://example.org/key", b"key"))


def delivery(account: int | None = 7, data: str = '{"roomId":3}', at: Instant = AT) -> HookDelivery:
    number = None if account is None else AccountId(account)
    return HookDelivery(HookPosition(5), "room.left", "room:3", number, "ann", data, at, 0, AT)


def test_a_message_says_who_and_which() -> None:
    message = write_message(delivery(), b"k" * 32)
    assert json.loads(message.body) == {
        "type": "room.left",
        "timestamp": "2020-09-13T12:26:40Z",
        "position": 5,
        "data": {"userId": 7, "username": "ann", "roomId": 3},
    }
    assert write_message(delivery(), b"k" * 32) == message
    ids = {
        message.id,
        write_message(delivery(at=Instant(AT + 1)), b"k" * 32).id,
        write_message(delivery(), b"l" * 32).id,
    }
    assert len(ids) == 3
    alone = write_message(delivery(None, '{"username":"Ünal"}'), b"k" * 32)
    assert json.loads(alone.body)["data"] == {"username": "Ünal"}


@pytest.mark.parametrize(
    ("change", "kind", "data"),
    [
        (Created((AccountId(2),)), "room.created", {"roomId": 3}),
        (Left(deleted=True), "room.left", {"roomId": 3, "userDeleted": True}),
        (Posted(PostId(9), "what was written"), "post.created", {"roomId": 3, "postId": 9}),
        (Invited((AccountId(2),)), None, None),
        (Offered((AccountId(2),)), None, None),
    ],
)
def test_what_the_log_of_the_rooms_is_told_as(change: Change, kind: str | None, data: object) -> None:
    told = room_hook(RoomEvent(EventId(1), RoomId(3), AccountId(1), AT, change))
    if kind is None:
        assert told is None
    else:
        assert told is not None
        assert (told.kind, told.data, told.subject, told.account) == (kind, data, "room:3", 1)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("", "*"),
        ("*", "*"),
        (" , ", "*"),
        ("post.created, user.created", ",user.created,post.created,"),
        ("user.made", None),
        ("user.created,*", None),
    ],
)
def test_kinds(text: str, stored: str | None) -> None:
    assert read_kinds(text) == stored
    assert read_kinds(",".join(HOOK_KINDS)) == f",{','.join(HOOK_KINDS)},"


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "::169.254.169.254",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "2001:db8::1",
    "no address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_no_address_of_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "::ffff:8.8.8.8", "2a00:1450:4001:80b::200e", "2002:808:808::1", "64:ff9b::8.8.8.8"],
)
def test_what_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org",
        "http://example.org",
        "https://",
        "https://user:secret@example.org",
        "https://example.org/#there",
        "https://example.org:0",
        "https://example.org:99999",
        "https://example.org/a b",
        "https://exämple.org",
        "https://[::1",
        "https://example.org/" + "x" * MAX_URL_LENGTH,
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
    ],
)
def test_urls_that_nothing_is_sent_to(url: str) -> None:
    assert url_fault(url, allow_private=False) is not None


def test_urls_that_something_is_sent_to() -> None:
    assert url_fault("https://example.org:8443/hooks?key=1", allow_private=False) is None
    assert url_fault("http://127.0.0.1:9000/", allow_private=True) is None
    assert url_fault("http://crm/", allow_private=True) is None
