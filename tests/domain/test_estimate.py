"""The time that a registration will still take."""

from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.estimate import REMEMBERED_RUNS, Estimator, Run

EVEN = Run(10_000, ((1, 0), (2, 2500), (3, 5000), (4, 7500)))


def test_nothing_is_known_at_first() -> None:
    assert Estimator().left_ms(1, -1, 0) is None
    assert Estimator().left_ms(3, -1, 2000) is None


def test_without_past_runs_the_pace_counts_where_the_total_is_known() -> None:
    assert Estimator().left_ms(1, 5, 10) is None
    assert Estimator().left_ms(3, 5, 2000) == 3000


def test_past_runs_say_what_remains_after_a_step() -> None:
    estimator = Estimator([EVEN])
    assert estimator.left_ms(1, 4, 0) == 10_000
    assert estimator.left_ms(3, 4, 5000) == 5000
    assert estimator.left_ms(4, 4, 7500) == 2500


def test_a_step_that_past_runs_did_not_show_counts_as_the_one_before() -> None:
    assert Estimator([EVEN]).left_ms(9, -1, 7500) == 2500


def test_one_run_that_hung_changes_nothing() -> None:
    estimator = Estimator([EVEN] * 4)
    estimator.learn(Run(600_000, EVEN.marks))
    assert estimator.left_ms(3, 4, 5000) == 5000


def test_a_slow_day_stretches_the_estimate_within_bounds() -> None:
    estimator = Estimator([EVEN])
    assert estimator.left_ms(3, 4, 10_000) == 10_000
    assert estimator.left_ms(3, 4, 1_000_000) == 15_000


def test_old_runs_are_forgotten() -> None:
    estimator = Estimator([EVEN] * REMEMBERED_RUNS)
    for _ in range(REMEMBERED_RUNS):
        estimator.learn(Run(2000, ((1, 0),)))
    assert estimator.left_ms(1, -1, 0) == 2000


RUNS = st.lists(
    st.tuples(st.integers(0, 60_000), st.dictionaries(st.integers(1, 2**53 - 1), st.integers(0, 60_000))).map(
        lambda drawn: Run(
            drawn[0] + max(drawn[1].values(), default=0),
            tuple(zip(sorted(drawn[1]), sorted(drawn[1].values()), strict=True)),
        )
    ),
    max_size=10,
)


@given(RUNS, st.integers(1, 2**53 - 1), st.integers(-1, 2**53 - 1), st.floats(0, 1e9))
def test_no_estimate_is_negative(runs: list[Run], step: int, total: int, elapsed: float) -> None:
    left = Estimator(runs).left_ms(step, total, elapsed)
    assert left is None or left >= 0


def test_other_runs_take_the_place_of_these() -> None:
    """Those of all nodes, as the store has them."""
    estimator = Estimator([Run(1000, ((1, 0),))])
    assert estimator.left_ms(1, 2, 0) == 1000
    estimator.become([Run(5000, ((1, 0),))])
    assert estimator.left_ms(1, 2, 0) == 5000
