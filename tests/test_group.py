import pytest
import trio

from regserver.group import leaves, unwrapped


async def fail(error: Exception) -> None:
    raise error


async def run(*errors: Exception, unwrap: tuple[type[Exception], ...] = (ValueError, KeyError)) -> None:
    """Raises the errors in tasks, two nurseries deep."""
    with unwrapped(*unwrap):
        async with trio.open_nursery() as outer, trio.open_nursery() as inner:
            outer.start_soon(trio.sleep_forever)
            for error in errors:
                inner.start_soon(fail, error)


def test_leaves_are_found_however_deep_and_in_order() -> None:
    first, second, third = ValueError("1"), KeyError("2"), OSError("3")
    group = ExceptionGroup("", [first, ExceptionGroup("", [second, ExceptionGroup("", [third])])])
    assert leaves(group) == [first, second, third]


async def test_an_error_of_a_task_leaves_as_itself_with_its_own_cause() -> None:
    cause, error = OSError("why"), ValueError("what")
    error.__cause__ = cause
    with pytest.raises(ValueError, match="what") as caught:
        await run(error)
    assert caught.value is error
    assert caught.value.__cause__ is cause


async def test_further_errors_are_kept_as_the_cause() -> None:
    with pytest.raises(ValueError, match=r"1|2") as caught:
        await run(ValueError("1"), ValueError("2"))
    further = caught.value.__cause__
    assert isinstance(further, ExceptionGroup)
    assert {str(caught.value), str(further.exceptions[0])} == {"1", "2"}


async def test_errors_of_other_kinds_stay_in_their_group() -> None:
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        await run(ZeroDivisionError())


async def test_a_bug_wins_over_an_expected_error() -> None:
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        await run(ValueError("expected"), ZeroDivisionError())


async def test_a_cancellation_wins_over_an_expected_error() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        with unwrapped(ValueError):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail, ValueError("expected"))
                nursery.start_soon(trio.sleep_forever)
    assert scope.cancelled_caught


def test_an_error_without_a_group() -> None:
    with pytest.raises(ValueError, match="alone"), unwrapped(ValueError):
        raise ValueError("alone")
