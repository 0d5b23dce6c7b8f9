"""What can be done at the page, as a table: each act has a form of its own at /operator/do/NAME, or a button that does it at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from regserver.domain.audit import AuditAction
from regserver.domain.operator_key import Operation, Role
from regserver.domain.outcome import Refusal
from regserver.service.operator.unit import OperatorCredential
from regserver.text import OperatorText
from regserver.web.operator.view import Button, Input, InputKind

ROLE_NAMES: tuple[Role, ...] = ("support", "read", "publish", "admin")
ACTION_NAMES: tuple[AuditAction, ...] = AuditAction.__args__  # type: ignore[attr-defined]
LIVES = {"3600": "oneHour", "86400": "oneDay", "604800": "oneWeek", "2592000": "oneMonth"}
"""Seconds that a form offers as the life of a link or an invitation."""


class InputKindRow(msgspec.Struct, frozen=True):
    """How a field is asked for. label: its text, where several fields have the same."""

    input: InputKind = "text"
    is_needed: bool = True
    value: str = ""
    label: str = ""


INPUTS: Mapping[str, InputKindRow] = {
    "username": InputKindRow(),
    "email": InputKindRow("email", is_needed=False),
    "verified": InputKindRow("checkbox", is_needed=False),
    "password": InputKindRow("password"),
    "firstPassword": InputKindRow("password", is_needed=False),
    "life": InputKindRow("select", value="86400"),
    "linkLife": InputKindRow("select", value="3600", label="life"),
    "uses": InputKindRow("number", value="1"),
    "note": InputKindRow(is_needed=False),
    "keyName": InputKindRow(),
    "role": InputKindRow("select", value="support"),
    "post": InputKindRow("number"),
    "address": InputKindRow("email"),
    "url": InputKindRow(),
    "events": InputKindRow(value="*"),
    "network": InputKindRow(),
}
"""Fields that people fill in; those of an act that are not here come with its link or button."""


class Done(msgspec.Struct, frozen=True):
    """An act was done. to: the page that comes next. thing: with what, for its text. secret: shown this once."""

    to: str
    thing: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return f"Done({self.to!r}, …)"


Values = Mapping[str, str]
ActRun = Callable[[OperatorCredential, Values], Awaitable[Done | Refusal]]


class PageAct(msgspec.Struct, frozen=True):
    """name: of its texts and its address. fields: what its form has, in order. asks: it is confirmed on a page of its own, as is
    every act with fields to fill in. back: the page to go to instead.
    """

    name: str
    operation: Operation
    run: ActRun
    fields: tuple[str, ...] = ()
    asks: bool = False
    is_danger: bool = False
    back: Callable[[Values], str] = lambda values: ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The fields that people fill in."""
        return tuple(name for name in self.fields if name in INPUTS)

    @property
    def has_page(self) -> bool:
        """Whether its form stands on a page of its own."""
        return self.asks or bool(self.inputs)

    def button(self, t: OperatorText, thing: str = "", **values: str) -> Button:
        """What leads to it. thing: with what it is done, for screen readers."""
        text = t.act[self.name]
        label = f"{text.button}: {thing}" if thing else text.button
        return Button(self.name, text.button, label, values, self.has_page, self.is_danger)


class ActTable:
    """All acts by name."""

    def __init__(self, acts: Iterable[PageAct]) -> None:
        self._acts = {act.name: act for act in acts}

    def __getitem__(self, name: str) -> PageAct:
        return self._acts[name]

    def find(self, name: str) -> PageAct | None:
        """The act of an address."""
        return self._acts.get(name)


def act_inputs(act: PageAct, t: OperatorText, values: Values) -> tuple[Input, ...]:
    """The fields of its form. values: what was typed before, or came with the link."""
    return tuple(_input(name, t, values.get(name)) for name in act.fields)


def _input(name: str, t: OperatorText, value: str | None) -> Input:
    row = INPUTS.get(name)
    if row is None:
        return Input(name, name, "hidden", value or "")
    kept = value or row.value
    return Input(
        name=name,
        label=t.field[row.label or name],
        input=row.input,
        value="" if row.input == "password" else kept,
        hint=t.hint.get(name, ""),
        options=_options(row.label or name, t),
        is_needed=row.is_needed,
    )


def _options(name: str, t: OperatorText) -> tuple[tuple[str, str], ...]:
    if name == "role":
        return tuple((role, f"{role}: {t.role[role]}") for role in ROLE_NAMES)
    if name == "life":
        return tuple((seconds, t.word[word]) for seconds, word in LIVES.items())
    return ()
