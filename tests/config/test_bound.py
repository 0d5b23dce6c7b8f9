"""What numbers may be, and that the front door's bounds are by default what its own module says."""

from pathlib import Path

import msgspec
import pytest

from regserver.app.server import front_limits
from regserver.config import ConfigFault, Settings, load
from regserver.config.bound import RANGES
from regserver.config.setting import Size
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
    ],
)
def test_complaints(override: str, said: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        load(None, [override], {})
    assert str(caught.value).endswith(said)


def test_every_range_holds_its_default(tmp_path: Path) -> None:
    """And each is of a setting that there is; an ill-chosen one would be found at every start."""
    assert load(None, (), {}).settings == Settings()
    for keys, (low, high) in RANGES.items():
        assert low < high, keys


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
