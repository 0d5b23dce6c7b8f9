"""Whom the operator's routes take for the operator."""

import pytest

from regserver.endpoint import Request
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.operator import OperatorGate

TOKEN = "a token of the operator"
PROXY = "10.0.0.1"


def admits(peer: str, host: str = "127.0.0.1:8080", networks: tuple[str, ...] = (), **fields: str) -> bool:
    gate = OperatorGate(ForwardedReader([PROXY], ""), networks, TOKEN)
    headers = {"host": host} | {name.replace("_", "-"): value for name, value in fields.items()}
    return gate.admits(Request(method="GET", path="/metrics", headers=headers, peer=peer))


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.0.1", "::1", ""])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"])
def test_programs_of_this_machine_are_admitted(peer: str, host: str) -> None:
    assert admits(peer, host)


def test_a_proxy_names_the_operator() -> None:
    assert admits(PROXY, x_forwarded_for="127.0.0.1")
    assert admits(PROXY, "reg.example", ("192.0.2.0/24",), x_forwarded_for="6.6.6.6, 192.0.2.7")


@pytest.mark.parametrize("peer", ["192.0.2.7", PROXY])
def test_strangers_are_not(peer: str) -> None:
    assert not admits(peer)
    assert not admits(peer, x_forwarded_for="127.0.0.1, 192.0.2.7")
    assert not admits(PROXY, x_forwarded_for="127.0.0.1, unknown")
    assert not admits(PROXY, forwarded="for=127.0.0.1")


def test_a_loopback_peer_that_forwards_requests_is_not() -> None:
    """A proxy whose setting is missing, whatever its clients send."""
    for networks in ((), ("127.0.0.0/8",)):
        assert not admits("127.0.0.1", networks=networks, x_forwarded_for="127.0.0.1")
        assert not admits("127.0.0.1", networks=networks, forwarded="for=127.0.0.1")
        assert not admits("127.0.0.1", networks=networks, x_real_ip="127.0.0.1")
        assert not admits("127.0.0.1", networks=networks, cf_connecting_ip="127.0.0.1")
        assert not admits("127.0.0.1", networks=networks, x_forwarded_proto="https")


def test_a_page_whose_name_was_made_to_lead_here_is_not() -> None:
    assert not admits("127.0.0.1", "evil.example:8080")
    assert not admits("", "reg.example")
    assert admits("127.0.0.1", "reg.example", ("127.0.0.0/8",))


def test_the_bearer_is_enough() -> None:
    assert admits("192.0.2.7", "reg.example", authorization=f"Bearer {TOKEN}")
    for wrong in (f"Bearer {TOKEN}x", TOKEN, "Bearer", "Basic eA=="):
        assert not admits("192.0.2.7", "reg.example", authorization=wrong)


def test_without_a_token_no_bearer_is() -> None:
    gate = OperatorGate(ForwardedReader([], ""))
    headers = {"host": "x", "authorization": "Bearer "}
    assert not gate.admits(Request(method="GET", path="/", headers=headers, peer="192.0.2.7"))
