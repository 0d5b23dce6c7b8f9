"""What a number may be at least and at most: what its type cannot say."""

from collections.abc import Iterator
from typing import Any

from regserver.config.setting import Settings
from regserver.config.unit import format_value
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND

Keys = tuple[str, ...]
Fault = tuple[Keys, str]

KIB, MIB, GIB = 1024, 1024**2, 1024**3

RANGES: dict[Keys, tuple[int, int]] = {
    ("server", "grace"): (0, HOUR),
    ("server", "max_connections"): (1, 1_000_000),
    ("server", "max_connections_per_address"): (1, 1_000_000),
    ("server", "bounds", "target"): (256, 64 * KIB),
    ("server", "bounds", "head"): (KIB, 64 * KIB),
    ("server", "bounds", "header_count"): (10, 1000),
    ("server", "bounds", "body"): (KIB, MIB),
    ("server", "bounds", "message"): (125, MIB),
    ("server", "bounds", "tls_timeout"): (SECOND, MINUTE),
    ("server", "bounds", "head_timeout"): (SECOND, 10 * MINUTE),
    ("server", "bounds", "body_timeout"): (SECOND, 10 * MINUTE),
    ("server", "bounds", "idle_timeout"): (SECOND, HOUR),
    ("server", "bounds", "write_timeout"): (SECOND, 10 * MINUTE),
    ("server", "bounds", "ping_interval"): (SECOND, HOUR),
    ("server", "bounds", "pong_timeout"): (SECOND // 10, HOUR),
    ("live", "max_running"): (1, 100_000),
    ("steps", "code_digits"): (4, 10),
    ("steps", "max_resends"): (0, 100),
    ("steps", "code_ttl"): (SECOND, 3650 * DAY),
    ("steps", "cycle_ttl"): (SECOND, 3650 * DAY),
    ("steps", "claim_ttl"): (SECOND, 3650 * DAY),
    ("steps", "verified_ttl"): (SECOND, 3650 * DAY),
    ("steps", "daily_tries_per_contact"): (1, 1_000_000),
    ("steps", "daily_codes_per_contact"): (1, 1_000_000),
    ("steps", "daily_codes_per_address"): (1, 1_000_000),
    ("steps", "daily_codes_per_prefix"): (1, 1_000_000_000),
    ("rooms", "max_members"): (2, 1_000_000),
    ("rooms", "socket_queue"): (4 * KIB, GIB),
    ("password", "time_cost"): (1, 100),
    ("password", "parallelism"): (1, 64),
    ("password", "memory"): (512 * KIB, 4 * GIB),
}
"""Bytes for sizes, milliseconds for durations."""


def out_of_bounds(settings: Settings) -> Iterator[Fault]:
    """Each setting that is outside, and what was expected."""
    for keys, (low, high) in RANGES.items():
        value: Any = settings
        for key in keys:
            value = getattr(value, key)
        if not low <= value <= high:
            kind = type(value)
            yield keys, f"{format_value(kind(low))} to {format_value(kind(high))}, not {format_value(value)}"
    bounds = settings.server.bounds
    if bounds.target > bounds.head:
        yield ("server", "bounds", "target"), f"at most server.bounds.head, {format_value(bounds.head)}"
    if bounds.pong_timeout >= bounds.ping_interval:
        yield (
            ("server", "bounds", "pong_timeout"),
            f"less than server.bounds.ping_interval, {format_value(bounds.ping_interval)}",
        )
