"""The limit on open files, lowered for the test and put back."""

import resource
from collections.abc import Iterator

import pytest

from regserver.serving.descriptor import (
    connections_at_most,
    connections_now,
    connections_within,
    raise_limit,
)


@pytest.fixture
def hard() -> Iterator[int]:
    """The hard limit; the soft one is 300 meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_is_raised_as_far_as_needed(hard: int) -> None:
    assert connections_now() == 172
    raise_limit(100)
    assert connections_now() == 172  # enough already
    raise_limit(400)
    assert connections_now() == 400
    assert connections_at_most() == connections_within(hard) > 400


def test_it_is_raised_no_further_than_granted(hard: int) -> None:
    if hard == resource.RLIM_INFINITY:
        raise_limit(10**6)
        assert connections_now() == 10**6
    else:
        raise_limit(2 * hard)
        assert connections_now() == connections_at_most()
