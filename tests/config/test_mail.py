"""The checks of the settings of mail and directory."""

import pytest

from regserver.config import ConfigFault, load

PUBLIC = "server.public_url=https://example.org"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["mail.smtp=http://x.org"], "smtp://user:password@host:587"),
        (["mail.smtp=smtp://x.org y"], "smtp://user:password@host:587"),
        (["mail.smtp=smtp://x.org"], "server.public_url"),
        (["mail.smtp=smtp://x.org?tls=maybe", PUBLIC], "mail.smtp: expected ?tls=none"),
        (["mail.from=nobody"], "an e-mail address"),
        (["mail.from=me@x.org\r\nBcc: eve@x.org"], "an e-mail address"),
        (["directory.servers=https://x.org/"], "host names"),
        (["directory.servers=x.org:8080"], "host names"),
        (["directory.pending_ttl=0s"], 'expected "1s" to'),
        (["directory.reserved_names=admin"], "did you mean directory.reserved?"),
    ],
)
def test_what_cannot_work_is_refused(overrides: list[str], words: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        load(None, overrides, {})
    assert words in str(caught.value)


def test_what_works() -> None:
    for url in ("smtp://me%40x.org:p%40ss@mail.x.org:587", "smtps://mail.x.org", "smtp://[::1]:25?tls=none"):
        assert load(None, [f"mail.smtp={url}", PUBLIC], {}).settings.mail.smtp == url
    loaded = load(None, ["directory.servers=a.example.org, 192.0.2.1, 2001:db8::1"], {})
    assert loaded.settings.directory.servers == ("a.example.org", "192.0.2.1", "2001:db8::1")
