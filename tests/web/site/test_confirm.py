"""The page behind a mailed link, without a browser: its words. What it does is tested with the directory door."""

import re
from importlib.resources import files
from typing import get_args

from msgspec.structs import fields

from regserver.text import CATALOGUES, ConfirmText
from regserver.web.site.confirm import STATUS, ConfirmState


def test_every_state_has_its_words_and_no_other_has() -> None:
    states = {*get_args(ConfirmState), "pending"}  # pending is told to the page's script alone
    for catalogue in CATALOGUES.values():
        assert catalogue.confirm.state.keys() == states
    assert STATUS.keys() == set(get_args(ConfirmState))


def test_every_text_is_used() -> None:
    template = (files("regserver.web.site") / "confirm.html").read_text("utf-8")
    used = set(re.findall(r"\bt\.(\w+)", template))
    assert used == {field.name for field in fields(ConfirmText)} - {"state"}
