"""Rate limits: what a burst may do, how allowance comes back, and what one client is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.service.rate_limiter import MAX_KEYS, Limiter, Rate


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_spent_and_comes_back() -> None:
    seconds = Seconds()
    limiter = Limiter(Rate(3, 60), seconds)
    assert [limiter.take("a") for _ in range(3)] == [None] * 3
    assert limiter.take("a") == pytest.approx(20)
    assert limiter.take("b") is None
    seconds.now += 20
    assert limiter.take("a") is None
    assert limiter.take("a") is not None
    seconds.now += 1000
    assert [limiter.take("a") for _ in range(3)] == [None] * 3


@given(st.floats(0, 1e8), st.integers(1, 50), st.sampled_from([1, 10, 60, 3600, 86_400]))
def test_rounding_takes_nothing_of_a_burst(started: float, count: int, seconds: int) -> None:
    limiter = Limiter(Rate(count, seconds), lambda: started)
    assert [limiter.take("a") for _ in range(count)] == [None] * count
    assert dict(limiter.waits()).keys() == {"a"}
    wait = limiter.take("a")
    assert wait == pytest.approx(seconds / count, abs=1e-5)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_no_window_sees_more_than_twice_the_count(pauses: list[float]) -> None:
    seconds = Seconds()
    limiter = Limiter(Rate(5, 60), seconds)
    granted = []
    for pause in pauses:
        seconds.now += pause
        if limiter.take("a") is None:
            granted.append(seconds.now)
    for start in granted:
        assert sum(start <= at < start + 60 for at in granted) <= 10


def test_keys_are_bounded() -> None:
    limiter = Limiter(Rate(1, 60), Seconds())
    for number in range(MAX_KEYS + 10):
        limiter.take(str(number))
    assert len(limiter._whole_at) == MAX_KEYS


def test_rates_are_read() -> None:
    assert Rate.parse("60/1m") == Rate(60, 60)
    assert Rate.parse("5/10s") == Rate(5, 10)
    for text in ("", "60", "0/1m", "5/0s", "5/m", "-5/1m", "5/1w"):
        with pytest.raises(ValueError, match="expected a rate"):
            Rate.parse(text)
