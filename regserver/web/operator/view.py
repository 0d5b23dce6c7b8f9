"""What a page of the operator's consists of: headings, facts, rows, forms. `frame` renders it; no markup is made elsewhere.

Links are relative to /operator/, and begin with the section: "users/5".
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

InputKind = Literal["text", "email", "password", "number", "select", "textarea", "checkbox", "hidden"]


class PageLink(msgspec.Struct, frozen=True):
    """A link to another page."""

    href: str
    text: str


class Button(msgspec.Struct, frozen=True):
    """What can be done with something. values: of the form. asks: a page of its own comes first. label: what a screen reader says."""

    act: str
    text: str
    label: str
    values: Mapping[str, str]
    asks: bool
    is_danger: bool = False


class ListRow(msgspec.Struct, frozen=True):
    """One thing of a list. marks: states that stand out. facts: what else is said of it."""

    title: str
    href: str = ""
    facts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()


class RowsBlock(msgspec.Struct, frozen=True):
    """A list. more: the page that continues it. empty: what stands there without rows."""

    title: str
    rows: tuple[ListRow, ...]
    empty: str
    more: PageLink | None = None
    kind: Literal["rows"] = "rows"


class FactsBlock(msgspec.Struct, frozen=True):
    """Names and values. buttons: what can be done with the whole."""

    title: str
    facts: tuple[tuple[str, str], ...]
    buttons: tuple[Button, ...] = ()
    kind: Literal["facts"] = "facts"


class Input(msgspec.Struct, frozen=True):
    """A field of a form. options: of a select, value and text."""

    name: str
    label: str
    input: InputKind = "text"
    value: str = ""
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    is_needed: bool = False


class SearchBlock(msgspec.Struct, frozen=True):
    """A form that looks for something, at the same page."""

    title: str
    inputs: tuple[Input, ...]
    button: str
    kind: Literal["search"] = "search"


class ButtonsBlock(msgspec.Struct, frozen=True):
    """What can be done here, with nothing in particular."""

    title: str
    buttons: tuple[Button, ...]
    kind: Literal["buttons"] = "buttons"


class ActBlock(msgspec.Struct, frozen=True):
    """The form of an act. lead: what it does. back: where to go instead. fault: why it was refused."""

    act: str
    lead: str
    thing: str
    inputs: tuple[Input, ...]
    button: str
    back: PageLink
    fault: str = ""
    is_danger: bool = False
    kind: Literal["act"] = "act"


ViewBlock = RowsBlock | FactsBlock | SearchBlock | ButtonsBlock | ActBlock


class OperatorView(msgspec.Struct, frozen=True):
    """A whole page. section: of the navigation. back: the page above."""

    title: str
    section: str
    blocks: tuple[ViewBlock, ...]
    lead: str = ""
    back: PageLink | None = None
