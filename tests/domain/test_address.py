import pytest

from regserver.domain.address import Networks, client_key, parse_address, plain_address


@pytest.mark.parametrize(
    ("text", "plain", "key"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:0:0:0:9", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", "", ""),
        (":nonsense:", ":nonsense:", ":nonsense:"),
    ],
)
def test_an_address_has_one_spelling_and_one_key(text: str, plain: str, key: str) -> None:
    assert (plain_address(text), client_key(text)) == (plain, key)


@pytest.mark.parametrize("text", ["", "unix", "192.0.2", "192.0.2.1:80", "[::1]", "example.org"])
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None


def test_networks_hold_every_spelling_of_their_addresses() -> None:
    networks = Networks(["10.0.0.0/8", "fe80::/10", "::1", "192.0.2.9/24"])
    for inside in ("10.1.2.3", "::ffff:10.1.2.3", "fe80::7%eth0", "::1", "0:0:0:0:0:0:0:1", "192.0.2.200"):
        assert inside in networks
    for outside in ("11.0.0.1", "::2", "", "unix", "10.0.0.0/8"):
        assert outside not in networks
    assert networks
    assert not Networks([])
    assert "10.0.0.1" not in Networks([])


def test_a_network_that_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="proxy"):
        Networks(["proxy"])
