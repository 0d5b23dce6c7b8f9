"""Reading the configuration: the sources of values, and the messages about wrong ones."""

import re
from pathlib import Path

import msgspec
import pytest

from regserver.cli.config import annotated
from regserver.config import ConfigFault, Secret, Section, Settings, load, show


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "regserver.toml"


def test_the_later_wins(file: Path) -> None:
    file.write_text('[log]\nlevel = "debug"\nformat = "text"\n[live]\nmax_running = 3\n')
    loaded = load(
        file, ["live.max_running=5"], {"REGSERVER_LIVE__MAX_RUNNING": "4", "REGSERVER_LOG__FORMAT": "json"}
    )
    settings = loaded.settings
    assert (settings.log.level, settings.log.format, settings.live.max_running) == ("debug", "json", 5)
    assert loaded.resolve("roster.toml") == file.parent / "roster.toml"
    assert loaded.resolve("/etc/roster.toml") == Path("/etc/roster.toml")


def test_lists_and_tables_from_the_command_line() -> None:
    settings = load(None, ["server.bind=a:1,b:2", 'sms.http.headers={x = "y"}'], {}).settings
    assert settings.server.bind == ("a:1", "b:2")
    assert settings.sms.http.headers == {"x": "y"}


def test_bare_sizes_and_durations_are_bytes_and_seconds_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "regserver.toml"
    file.write_text("[rooms]\ndaily_bytes = 0\n[live]\ndeadline = 20\n")
    written = load(file, [], {}).settings
    given = load(None, ["rooms.daily_bytes=0"], {"REGSERVER_LIVE__DEADLINE": "20"}).settings
    assert (written.rooms.daily_bytes, written.live.deadline) == (0, 20_000)
    assert (given.rooms.daily_bytes, given.live.deadline) == (0, 20_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[serve]", "serve: unknown key; did you mean server or store?"),
        ("[live]\ndeadlin = 1", "live.deadlin: unknown key; did you mean live.deadline?"),
        ("[live]\ndeadline = 'soon'", 'live.deadline: expected a duration such as "45s", "10m" or "7d"'),
        ("[live]\nmax_running = '9'", "live.max_running: expected a whole number, got a string"),
        ("[live]\nmax_running = 0", "live.max_running: expected 1 to 100000, not 0"),
        ("[server]\nbind = []", "server.bind: expected at least one address"),
        ("[server]\nbind = ['nonsense']", 'server.bind: expected "host:port", "[::]:port"'),
        ("[server]\nbind = ['0.0.0.0:65536']", 'server.bind: expected "host:port", "[::]:port"'),
        ("[server.bind]\nx = 1", 'server.bind: expected a list such as ["…"], got a table'),
        ("[limits]\nenabled = 1", "limits.enabled: expected true or false, got a whole number"),
        ("[log]\nlevel = 'loud'", 'log.level: expected "debug" or "info" or "warning" or "error"'),
        ("[server]\nbind = [1]", "server.bind.0: expected a string, got a whole number"),
        ("[server]\ntls_cert = 'x'", "server.tls_cert: expected tls_cert and tls_key together"),
        ("[server]\npublic_url = 'example.org'", "server.public_url: expected a URL"),
        (
            "[store]\nurl = 'mysql://x'",
            'store.url: expected "sqlite:FILE" or "postgresql://user@host/database"',
        ),
        ("[store]\nurl = 'postgresql://x'", 'store.url: expected "sqlite:FILE" or "postgresql://'),
        ("[store]\nurl = 'postgresql://a:b@c@host/x'", "%40"),
        ("[store]\nurl = 'postgresql://h/x?password=b'", "store.url: expected no password among the options"),
        (
            "[store]\nurl = 'postgresql://a:b@host/x'\npassword = 'c'",
            "store.url: expected a URL without a password, since store.password has one",
        ),
        ("[store]\npassword = 'c'", "store.password: expected none, since store.url is SQLite"),
        ("[store]\nurl = 'postgresql://a@h/x'", "store.url: expected server.key beside PostgreSQL"),
        ("[store]\npool_size = 1", "store.pool_size: expected 2 to 1000, not 1"),
        ("[node]\nname = 'two words'", "node.name: expected at most 64 letters, digits"),
        ("[fanout]\nengine = 'redis'", 'fanout.engine: expected "auto" or "local" or "postgres"'),
        ("[fanout]\nengine = 'postgres'", 'fanout.engine: expected "auto" or "local", since store.url'),
        (
            "[server]\ntrusted_proxies = ['proxy']",
            "server.trusted_proxies: expected addresses, networks such as",
        ),
        ("[rooms]\nsocket_queue = '1TB'", 'rooms.socket_queue: expected a size such as "256KiB"'),
        ("x = ", "not valid TOML"),
    ],
)
def test_complaints_name_file_key_and_what_was_expected(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigFault) as caught:
        load(file, (), {})
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize("file_says", [None, "[server]"])
def test_a_setting_that_is_missing_is_not_said_to_stand_in_another(file: Path, file_says: str | None) -> None:
    if file_says is not None:
        file.write_text(f"[mail]\n{file_says}\n")
    place = "configuration" if file_says is None else f"{file}:2"
    given = ["live.source=none", "mail.smtp=smtp://a.example"]
    for options, environment in (
        ([*given, "server.data=/"], {}),
        (given, {"REGSERVER_SERVER__DATA": "/"}),
    ):
        with pytest.raises(ConfigFault) as caught:
            load(None if file_says is None else file, options, environment)
        assert caught.value.faults == (
            f"{place}: server.public_url: expected a URL, since links in real mail start with it",
        )


def test_an_unknown_section_is_told_with_the_option(file: Path) -> None:
    with pytest.raises(ConfigFault, match=r"^--set servr\.data: servr: unknown key; did you mean server\?"):
        load(None, ["servr.data=/"], {})


def test_a_missing_file_is_one_line(file: Path) -> None:
    with pytest.raises(ConfigFault, match="cannot be read: No such file or directory"):
        load(file, (), {})


def test_show_masks_secrets_and_can_be_read_again(file: Path) -> None:
    overrides = [
        "mail.smtp=smtp://joe:hunter2@mail:587",
        "steps.pepper=spicy pepper of many letters",
        "live.http.bearer=abc",
    ]
    overrides.append("server.public_url=https://a.example")
    text = "\n".join(show(load(None, overrides, {}).settings))
    assert "hunter2" not in text
    assert "spicy" not in text
    assert "joe:…@mail" in text
    file.write_text(text)
    # What is masked is not the secret: a server that took it would serve with another one.
    with pytest.raises(ConfigFault, match=r"steps\.pepper: expected at least"):
        load(file, (), {})
    file.write_text(text.replace('pepper = "…"', 'pepper = ""'))
    assert load(file, (), {}).settings.live == load(None, ["live.http.bearer=…"], {}).settings.live


@pytest.mark.parametrize(
    ("text", "meant"),
    [("False", False), ("no", False), ("OFF", False), ("0", False), ("True", True), ("yes", True)],
)
def test_switches_as_people_write_them(text: str, meant: bool) -> None:
    assert load(None, (), {"REGSERVER_LIMITS__ENABLED": text}).settings.limits.enabled is meant
    assert load(None, [f"limits.enabled={text}"], {}).settings.limits.enabled is meant


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("REGSERVER_SERVER_BIND", "no setting has this name; did you mean REGSERVER_SERVER__BIND?"),
        ("REGSERVER_LIVE__MAX_RUNING", "no setting has this name; did you mean REGSERVER_LIVE__MAX_RUNNING?"),
        ("REGSERVER_SMTP", "no setting has this name; "),
        ("REGSERVER_LOG__LEVEL__X", "no setting has this name; did you mean REGSERVER_LOG__LEVEL?"),
        ("REGSERVER_", "no setting has this name; "),
        (
            "REGSERVER_ZZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "no setting has this name; names look like REGSERVER_SERVER__BIND",
        ),
    ],
)
def test_unknown_names_with_the_prefix_are_refused(name: str, said: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        load(None, (), {name: "s3cr3t"})
    assert str(caught.value).startswith(f"environment {name}: {said}")
    assert "s3cr3t" not in str(caught.value)


def test_names_that_are_not_meant_for_us() -> None:
    """A cluster gives these to every program beside a service called regserver."""
    cluster = {
        "REGSERVER_PORT": "tcp://10.0.0.1:8080",
        "REGSERVER_PORT_8080_TCP_ADDR": "10.0.0.1",
        "REGSERVER_SERVICE_HOST": "10.0.0.1",
        "REGSERVER_SERVICE_PORT_HTTP": "8080",
        "REGSERVER_CONFIG": "regserver.toml",
        "REGSERVERX": "1",
    }
    assert load(None, (), cluster).settings == Settings()


def test_entries_of_a_table_can_be_set_one_by_one() -> None:
    settings = load(None, (), {"REGSERVER_LIMITS__ROUTES__SIGN_IN": "30/1m"}).settings
    assert settings.limits.routes == {"sign_in": "30/1m"}


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_a_file_from_notepad_is_taken(file: Path, before: bytes) -> None:
    file.write_bytes(before + b'[log]\r\nlevel = "debug"\r\n')
    assert load(file, (), {}).settings.log.level == "debug"


def test_another_encoding_is_named(file: Path) -> None:
    file.write_bytes('[log]\nlevel = "é"\n'.encode("latin-1"))
    with pytest.raises(ConfigFault, match="line 2 is not UTF-8, at its byte 10, 0xE9; it may be Latin-1"):
        load(file, (), {})


HUSH = "hush-0123456789-hush-0123456789"


def hushed(section: Section) -> Section:
    """The section with every secret set."""
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(type(section)):
        value = getattr(section, field.name)
        if isinstance(value, Section):
            values[field.name] = hushed(value)
        elif isinstance(value, Secret):
            values[field.name] = Secret(HUSH)
        elif "Secret" in str(field.type) and isinstance(value, dict):
            values[field.name] = {"x": Secret(HUSH)}
    return msgspec.structs.replace(section, **values)


def test_every_secret_is_masked_also_those_to_come() -> None:
    settings = hushed(Settings())
    assert HUSH not in repr(settings)
    text = "\n".join(show(settings))
    assert HUSH not in text
    assert text.count('"…"') > 10


def keys(kind: type[Section], at: str = "") -> set[str]:
    found = set()
    for field in msgspec.structs.fields(kind):
        name = f"{at}{field.encode_name}"
        if isinstance(field.type, type) and issubclass(field.type, Section):
            found |= keys(field.type, f"{name}.")
        else:
            found.add(name)
    return found


def test_the_annotated_file_holds_every_setting_at_its_default(file: Path) -> None:
    file.write_text(annotated())
    settings = load(file, (), {}).settings
    # Old clients need the default; for a new installation the file says what is right.
    assert settings.steps.require_token
    steps = msgspec.structs.replace(settings.steps, require_token=False)
    assert msgspec.structs.replace(settings, steps=steps) == load(None, (), {}).settings == Settings()
    written = set()
    section = ""
    for line in annotated().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            written.add(f"{section}.{line.partition(' ')[0]}")
    assert keys(Settings) - {"limits.routes", "sms.test"} == written


@pytest.mark.parametrize(
    "bind",
    [
        "127.0.0.1:8080",
        "example.org:443",
        ":80",
        "[::]:0",
        "[fe80::1%eth0]:80",
        "::1:8080",
        "unix:/run/s",
        "unix:s",
        "unix:/run/s?mode=0660",
        "unix:s?mode=777",
        "[::]:80?only=ipv6",
        "fd://3",
    ],
)
def test_addresses_to_listen_on(bind: str) -> None:
    assert load(None, [f"server.bind={bind}"], {}).settings.server.bind == (bind,)


@pytest.mark.parametrize(
    "bind",
    [
        "",
        "80",
        "host",
        "host:",
        "host:http",
        "http://x:80",
        "[::1]",
        "[::1:80",
        "unix:",
        "fd://",
        "a b:1",
        "unix:/s?mode=rw",
        "unix:/s?mode=0888",
        "unix:?mode=0660",
        "unix:/s?x",
        "0.0.0.0:80?only=ipv6",
    ],
)
def test_what_is_no_address_to_listen_on(bind: str) -> None:
    with pytest.raises(ConfigFault, match=r"server\.bind"):
        load(None, [f'server.bind=["{bind}"]'], {})


DOCUMENTS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    pytest.param(block, id=f"{document.stem}-{number}")
    for document in sorted(DOCUMENTS.glob("*.md"))
    for number, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    )
]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_documents_show_settings_that_there_are(file: Path, block: str) -> None:
    file.write_text(block)
    assert load(file, [], {}).file == file
