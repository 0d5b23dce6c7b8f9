"""docs/client.md: every block against the server of the quick start."""

import json
import re
from pathlib import Path

import pytest

from tests.document.block import CodeBlock, blocks, check, prepare, run
from tests.system.server import ROOT, open_server

QUICK_START = ("server.mailbox=true",)
BLOCKS = [block for block in blocks("client.md") if "pip install" not in block.code]
HEADINGS = list(dict.fromkeys(block.heading for block in BLOCKS))
LANGUAGES = {"sh", "js", "python"}


def of(heading: str) -> list[CodeBlock]:
    return [block for block in BLOCKS if block.heading == heading]


def test_each_door_has_each_language() -> None:
    assert len(HEADINGS) == 6
    assert all({block.language for block in of(heading)} == LANGUAGES for heading in HEADINGS[:5])


CONTACTS = ("phone", "identity", "email")
PUBLISHED = {
    *(("getState", contact) for contact in CONTACTS),
    *(("setUsername", contact) for contact in CONTACTS),
    *(("toBlockChain", contact) for contact in CONTACTS),
    *((method, "phone") for method in ("firstStep", "verify", "resendSmsCode")),
    *((method, "email") for method in ("firstStepEmail", "verifyEmail", "resendEmailCode")),
    ("onboardingCommunitySubscriptions", "userId"),
    ("onboardingDeviceSwitched", "userId"),
    ("onboardingSharedLink", "userId"),
}
"""The example calls of the registration steps: the method, and its first parameter."""


def test_every_published_call_of_the_steps_stands_there() -> None:
    code = "".join(block.code for block in of(HEADINGS[-1]))
    calls = [json.loads(call) for call in re.findall(r"^call '(\{[^']*\})'$", code, re.MULTILINE)]
    assert len(calls) == len(PUBLISHED)
    assert {(call["method"], next(iter(call["params"]))) for call in calls} == PUBLISHED
    assert all(list(call) == ["id", "method", "jsonrpc", "params"] for call in calls)


def test_the_server_of_the_tests_is_that_of_the_quick_start() -> None:
    assert "mailbox = true" in (ROOT / "config" / "quickstart.toml").read_text()


@pytest.mark.parametrize("heading", HEADINGS)
async def test_the_examples_of_a_door_run(heading: str, tmp_path: Path) -> None:
    async with open_server(tmp_path, QUICK_START) as server:
        await prepare(tmp_path, server.url)
        for block in of(heading):
            assert block.printed
            check(block, await run(block, tmp_path, server.url))
