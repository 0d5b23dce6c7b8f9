"""Failures belong to an account, not to what was typed: a hundred spellings and doors share one counter."""

import itertools
import unicodedata
from pathlib import Path

from tests.security.test_guessing import HOME, NETWORKS, PASSWORD, running


def spellings(name: str) -> list[str]:
    """The name in every mix of case, in full width, and with what keyboards and copying add."""
    cases = ["".join(each) for each in itertools.product(*((c.lower(), c.upper()) for c in name[:5]))]
    wide = ["".join(chr(ord(c) + 0xFEE0) for c in case) for case in cases]
    whole = [case + name[5:] for case in cases + wide]
    return whole + [f" {each}\u200b" for each in whole[:36]]


async def test_a_hundred_spellings_are_one_name(tmp_path: Path) -> None:
    typed = spellings("rosalind")
    assert len(set(typed)) == 100
    assert {unicodedata.normalize("NFKC", each).casefold().strip(" \u200b") for each in typed} == {"rosalind"}
    async with running(tmp_path) as site:
        await site.sign_up()
        answers = [await site.login(each, "wrong", NETWORKS[n]) for n, each in enumerate(typed)]
        assert [each.status_code for each in answers] == [401] * 5 + [429] * 95
        assert (await site.login("rosalind", PASSWORD, HOME)).status_code == 200
