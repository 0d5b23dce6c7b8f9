"""The ranges of numbers, and that the default bounds are those of the front door's own module."""

from collections.abc import Iterator

import msgspec
import pytest

from regserver.app.assembly import front_limits
from regserver.config import ConfigFault, Section, Settings, Size, load
from regserver.config.unit import format_value, read_duration, read_size
from regserver.domain.instant import Duration
from regserver.serving import FrontLimits


def test_defaults_are_the_front_doors_own() -> None:
    configured = front_limits(Settings())
    assert msgspec.structs.replace(configured, connections=FrontLimits().connections) == FrontLimits()


def test_settings_reach_the_front_door() -> None:
    overrides = [
        "server.bounds.head=32KiB",
        "server.bounds.ping_interval=1m",
        "server.bounds.header_count=50",
    ]
    limits = front_limits(load(None, overrides, {}).settings)
    assert (limits.head_bytes, limits.ping_seconds, limits.header_count) == (32768, 60.0, 50)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("server.bounds.head=1B", 'server.bounds.head: expected "1KiB" to "64KiB", not "1B"'),
        ("server.bounds.header_count=5", "server.bounds.header_count: expected 10 to 1000, not 5"),
        ("server.bounds.target=32KiB", 'server.bounds.target: expected at most server.bounds.head, "16KiB"'),
        (
            "server.bounds.pong_timeout=15s",
            'server.bounds.pong_timeout: expected less than server.bounds.ping_interval, "15s"',
        ),
        ("server.bounds.idle_timeout=0s", 'server.bounds.idle_timeout: expected "1s" to "1h", not "0ms"'),
        ("server.max_connections=0", "server.max_connections: expected 1 to 1000000, not 0"),
        ("steps.code_ttl=1ms", 'steps.code_ttl: expected "1s" to "3650d", not "1ms"'),
        ("live.deadline=0s", 'live.deadline: expected "100ms" to "1d", not "0ms"'),
        ("login.token_ttl=99999d", 'login.token_ttl: expected "1s" to "3650d", not "99999d"'),
        ("password.max_memory=16MiB", 'password.max_memory: expected at least password.memory, "19MiB"'),
    ],
)
def test_complaints(override: str, said: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        load(None, [override], {})
    assert said.removeprefix(override.partition("=")[0]) in str(caught.value).splitlines()[0]


def ranges(section: Section, at: str = "") -> Iterator[tuple[str, int, int, int]]:
    """Each number with a range: its key, the range, its default."""
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if isinstance(value, Section):
            yield from ranges(value, f"{at}{field.encode_name}.")
        for meta in getattr(field.type, "__metadata__", ()):
            if "least" not in meta.extra:  # a secret's length
                continue
            yield f"{at}{field.encode_name}", meta.extra["least"], meta.extra["most"], value


def unbounded(section: Section, at: str = "") -> Iterator[str]:
    """The numbers without a range."""
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        if isinstance(value, Section):
            yield from unbounded(value, f"{at}{field.encode_name}.")
        elif type(value) in {int, float, Duration, Size} and not hasattr(field.type, "__metadata__"):
            yield f"{at}{field.encode_name}"


def test_every_number_has_a_range() -> None:
    assert list(unbounded(Settings())) == []


def test_a_range_takes_its_ends_and_refuses_what_is_past_them() -> None:
    found = list(ranges(Settings()))
    assert len(found) > 30
    for key, least, most, default in found:
        kind = type(default)
        assert least <= default <= most, key
        for value in (least - 1, most + 1):
            text = format_value(kind(value)).strip('"')
            with pytest.raises(ConfigFault, match="expected"):
                load(None, [f"{key}={text}"], {})


def test_the_ends_of_a_range_are_in_it() -> None:
    for members in (2, 1_000_000):
        assert load(None, [f"rooms.max_members={members}"], {}).settings.rooms.max_members == members
    assert load(None, ["server.grace=0s"], {}).settings.server.grace == Duration(0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Duration(0), '"0ms"'),
        (Duration(1500), '"1500ms"'),
        (Duration(90_000), '"90s"'),
        (Duration(86_400_000), '"1d"'),
        (Size(0), '"0B"'),
        (Size(65536), '"64KiB"'),
        (Size(1000), '"1000B"'),
    ],
)
def test_what_is_written_is_read(value: Duration | Size, text: str) -> None:
    assert format_value(value) == text
    read = read_duration if isinstance(value, Duration) else read_size
    assert read(text.strip('"')) == value
