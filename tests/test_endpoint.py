"""Close codes: numbers of RFC 6455, and what a client learns from each."""

import pytest
from wsproto.frame_protocol import CloseReason

from regserver.endpoint import CloseCode


@pytest.mark.parametrize("code", CloseCode)
def test_each_code_is_a_registered_one_with_a_meaning(code: CloseCode) -> None:
    assert int(code) in {int(reason) for reason in CloseReason}
    assert code.meaning.endswith(".")
    assert f"{code}" == str(int(code))


def test_a_client_comes_back_where_waiting_helps() -> None:
    assert {code.name for code in CloseCode if code.should_reconnect} == {
        "GOING_AWAY",
        "ABNORMAL",
        "INTERNAL_ERROR",
        "TRY_AGAIN_LATER",
    }
