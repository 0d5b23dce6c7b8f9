"""What is kept of a program and its network, and the names of tokens."""

import pytest

from regserver.domain.address import coarse_network
from regserver.domain.session import MAX_AGENT_LENGTH, clean_agent, is_token_name, session_id


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", ""),
        ("curl/8.5.0", "curl/8.5.0"),
        (" Mozilla/5.0 (X11) ", "Mozilla/5.0 (X11)"),
        ("a\tb\x1b[31m\x7f\u202ec", "a b [31m  c"),
        ("a\r\nb\ud800", "a  b"),
        ("é" * 500, "é" * MAX_AGENT_LENGTH),
    ],
)
def test_an_agent_is_one_printed_line(sent: str, kept: str) -> None:
    assert clean_agent(sent) == kept


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unix", ""),
    ],
)
def test_a_network_is_coarse(address: str, network: str) -> None:
    assert coarse_network(address) == network


def test_ids_are_positive_numbers_of_four_bytes() -> None:
    assert (session_id(bytes(4)), session_id(b"\xff" * 4)) == (1, 2**32)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("backup", True),
        ("my phone, 2", True),
        ("Küche", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        (" a", False),
        ("a\n", False),
        ("a\x00b", False),
        ("a\u200bb", False),
        ("a\ud800", False),
    ],
)
def test_names_of_tokens(name: str, fits: bool) -> None:
    assert is_token_name(name) is fits
