"""Inputs made from the OpenAPI document: the part of `make schemathesis` that takes seconds."""

from pathlib import Path

from tests.peer.schema_fuzz import BRIEF, fuzz


async def test_no_input_makes_the_server_fail_or_answer_what_is_not_described(tmp_path: Path) -> None:
    assert await fuzz(tmp_path, BRIEF) == []
