"""Addresses: valid and failing binds with their reasons, and the bounds on connections."""

import os
import re
import resource
import socket
import stat
from pathlib import Path

import pytest
import trio

from regserver.domain.address import plain_address
from regserver.serving import BindError, FrontLimits
from regserver.serving.admission import Admission
from regserver.serving.held import Held
from regserver.serving.listener import open_listeners
from tests.serving.support import Peer, open_front

LIMITS = FrontLimits()


def _exists(path: str) -> bool:
    return Path(path).exists()


async def test_all_kinds_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "front.sock")
    inherited = socket.socket()
    inherited.bind(("127.0.0.1", 0))
    port = inherited.getsockname()[1]
    binds = ("127.0.0.1:0", "[::1]:0", f"unix:{path}", f"fd://{inherited.detach()}")
    async with open_front(binds=binds) as server:
        assert server.urls[2] == f"unix:{path}"
        assert server.urls[3] == f"http://127.0.0.1:{port}"
        v6 = re.fullmatch(r"http://\[::1\]:(\d+)", server.urls[1])
        assert v6 is not None
        for stream, peer in (
            (await trio.open_tcp_stream("127.0.0.1", server.port), "127.0.0.1"),
            (await trio.open_tcp_stream("::1", int(v6[1])), "::1"),
            (await trio.open_unix_socket(path), ""),
            (await trio.open_tcp_stream("127.0.0.1", port), "127.0.0.1"),
        ):
            client = Peer(stream)
            status, _, _ = await client.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status == 200, peer
            assert b"101" in await client.upgrade()
            await client.aclose()
    assert not _exists(path)


async def test_a_stale_unix_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "front.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    (listener,) = await open_listeners([f"unix:{path}"], LIMITS, tls=False)
    with pytest.raises(BindError, match="in use"):
        await open_listeners([f"unix:{path}"], LIMITS, tls=False)
    assert _exists(path)
    listener.close()
    assert not _exists(path)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
async def test_a_unix_socket_gets_the_mode_that_is_asked_for(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    if os.getuid() == 0:  # only root gives a folder to any group
        os.chown(folder, -1, 33)
    (listener,) = await open_listeners([f"unix:{folder / 'front.sock'}?mode={mode:04o}"], LIMITS, tls=False)
    found = (folder / "front.sock").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (mode, folder.stat().st_gid)
    assert listener.url == f"unix:{folder / 'front.sock'}"
    listener.close()
    assert not _exists(str(folder / "front.sock"))


def families(port: int) -> list[bool]:
    """Whether an IPv4 and an IPv6 client can connect."""
    found = []
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            found.append(False)
        else:
            found.append(True)
    return found


async def test_every_address_means_both_families_unless_said_otherwise() -> None:
    for bind, expected in (("[::]:0", [True, True]), ("[::]:0?only=ipv6", [False, True])):
        (listener,) = await open_listeners([bind], LIMITS, tls=False)
        assert families(listener.sock.getsockname()[1]) == expected
        listener.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    both = await open_listeners([f"[::]:{port}", f"0.0.0.0:{port}"], LIMITS, tls=False)
    assert families(port) == [True, True]
    for listener in both:
        listener.close()


async def test_an_ipv4_client_of_an_ipv6_socket_has_its_own_address() -> None:
    (listener,) = await open_listeners(["[::]:0"], LIMITS, tls=False)
    with socket.create_connection(("127.0.0.1", listener.sock.getsockname()[1])):
        client, address = listener.sock.accept()
        client.close()
        assert plain_address(address[0]) == "127.0.0.1"
    listener.close()


@pytest.mark.parametrize(
    "bind", ["8080", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "fd://x", "fd://999", "unix:/nowhere/a",
             "192.0.2.1:0", "no.such.host.invalid:80"]
)  # fmt: skip
async def test_what_cannot_be_bound(bind: str) -> None:
    with pytest.raises(BindError) as caught:
        await open_listeners(["127.0.0.1:0", bind], LIMITS, tls=False)
    assert caught.value.address == bind
    assert "\n" not in str(caught.value)


async def test_a_file_in_the_way_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "front.sock"
    path.write_text("mine")
    with pytest.raises(BindError):
        await open_listeners([f"unix:{path}"], LIMITS, tls=False)
    assert path.read_text() == "mine"


async def test_accepted_sockets_have_a_bounded_send_buffer() -> None:
    (listener,) = await open_listeners(["127.0.0.1:0"], FrontLimits(send_buffer_bytes=32768), tls=False)
    with socket.create_connection(listener.sock.getsockname()):
        client, _ = listener.sock.accept()
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 32768  # Linux doubles it
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        client.close()
    listener.close()


def _entered(admission: Admission, address: str) -> int:
    """0, or the status that refuses it."""
    held = admission.enter(address)
    return held if isinstance(held, int) else 0


def test_admission_by_address() -> None:
    admission = Admission(
        FrontLimits(connections=5, connections_per_address=2, exempt_networks=("10.0.0.0/8",))
    )
    first = admission.enter("1.1.1.1")
    assert isinstance(first, Held)
    assert [_entered(admission, address) for address in ("1.1.1.1", "1.1.1.1", "1.1.1.2")] == [0, 429, 0]
    admission.leave(first)
    assert _entered(admission, "1.1.1.1") == 0
    assert [_entered(admission, "10.1.1.1") for _ in range(3)] == [0, 0, 503]
    assert admission.total == 5


def test_admission_by_ipv6_prefix() -> None:
    admission = Admission(FrontLimits(connections_per_address=1))
    assert _entered(admission, "2001:db8:0:1::1") == 0
    assert _entered(admission, "2001:db8:0:1:ffff::2") == 429
    assert _entered(admission, "2001:db8:0:2::1") == 0
    assert _entered(admission, "") == _entered(admission, "") == 0  # unix sockets have no address


def test_admission_leaves_descriptors_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (130, 130))
    admission = Admission(FrontLimits())
    assert [_entered(admission, "1.1.1.1") for _ in range(3)] == [0, 0, 503]


def test_limits_that_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="pong_seconds"):
        FrontLimits(ping_seconds=5, pong_seconds=5)
    with pytest.raises(ValueError, match="target_bytes"):
        FrontLimits(head_bytes=100)
