"""All texts for people: pages, mails, SMS, messages of a live registration. One catalogue for each language.

A catalogue is one TOML file without markup, so a translator works on one file. All files have the same keys and the same
{placeholders}; this is checked when they are loaded, at import. To add a language, add its file and its code in `Language`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Literal, get_args

import msgspec

Language = Literal["en", "fr", "ru"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The languages with a catalogue; the first is the default."""

OPTIONAL = "directory"
"""The one table that a language may lack: the directory's protocol has its messages in English and French only."""

_PLACEHOLDER = re.compile(r"\{\w+\}")


class TextFault(ValueError):
    """The catalogues differ; the message names the language and the key."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A table of a catalogue."""


class Passage(_Table, frozen=True):
    """A heading and the text below it."""

    title: str
    text: str


class ConfirmText(_Table, frozen=True):
    """The page behind the link in a confirmation mail. state: its text by the challenge's state."""

    code: str
    password: str
    new: str
    button: str
    server: str
    sign_in: str
    state: Mapping[str, Passage]


class AddressText(_Table, frozen=True):
    """A page behind a link that verifies an address, or undoes its change. state: its text by the link's state."""

    code: str
    button: str
    sign_in: str
    state: Mapping[str, Passage]


class RecoverText(_Table, frozen=True):
    """The page behind the link that sets a new password. state: its text by the link's state."""

    code: str
    password: str
    button: str
    sign_in: str
    state: Mapping[str, Passage]


class ApproveText(_Table, frozen=True):
    """The page behind the operator's link that approves an account. state: its text by the link's state."""

    code: str
    button: str
    state: Mapping[str, Passage]


class ActText(_Table, frozen=True):
    """What can be done at the operator's page. text: what it does. done: that it was done with {thing}."""

    title: str
    text: str
    button: str
    done: str


class OperatorText(_Table, frozen=True):
    """The operator's page. section: of the navigation. state: of accounts and messages. fault: by the refusal's name."""

    word: Mapping[str, str]
    section: Mapping[str, str]
    fact: Mapping[str, str]
    state: Mapping[str, str]
    field: Mapping[str, str]
    hint: Mapping[str, str]
    role: Mapping[str, str]
    fault: Mapping[str, str]
    act: Mapping[str, ActText]


class MailText(_Table, frozen=True):
    """One mail. text: paragraphs, an empty line between them. button: the label of its link in HTML, "" without one."""

    subject: str
    text: str
    button: str = ""


class MailTexts(_Table, frozen=True):
    """All mails by template name. copy_link: the line above a link that is also a button."""

    copy_link: str
    template: Mapping[str, MailText]


class SiteText(_Table, frozen=True):
    """What every page says at its foot."""

    imprint: str
    privacy: str


class SmsText(_Table, frozen=True):
    """Text messages. code: has one of the registration by steps. sign_in: has one that signs in."""

    code: str
    sign_in: str


class PushText(_Table, frozen=True):
    """What a push message says. post: one. posts: several, and who wrote the last. invited: into a room."""

    post: str
    posts: str
    invited: str


class DirectoryMessage(_Table, frozen=True):
    """A message of the directory: a headline and its explanation."""

    message: str
    detail: str


class Catalogue(_Table, frozen=True):
    """All texts of one language.

    name: the language's own name. page: of the page at `/`, by key. script: of that page's script, by group and key.
    site: of every page. plain: of the page without scripts, by key.
    live: messages of a live registration, by key. roster: the steps of people who have no own ones in it. directory: by message id.
    """

    name: str
    page: Mapping[str, str]
    script: Mapping[str, Mapping[str, str]]
    site: SiteText
    plain: Mapping[str, str]
    confirm: ConfirmText
    verify: AddressText
    undo: AddressText
    recover: RecoverText
    approve: ApproveText
    operator: OperatorText
    mail: MailTexts
    sms: SmsText
    push: PushText
    live: Mapping[str, str]
    roster: Mapping[str, str]
    directory: Mapping[str, DirectoryMessage] = {}


def parse_catalogues(sources: Mapping[Language, str]) -> Mapping[Language, Catalogue]:
    """The catalogues from their TOML. Raises TextFault."""
    tables = {language: _parse(language, source) for language, source in sources.items()}
    texts = {language: dict(_texts(table)) for language, table in tables.items()}
    wanted = texts[LANGUAGES[0]]
    for language, found in texts.items():
        lacks = () if OPTIONAL in tables[language] else (f"{OPTIONAL}.",)
        _compare(language, found, {key: text for key, text in wanted.items() if not key.startswith(lacks)})
    try:
        return {language: msgspec.convert(table, Catalogue) for language, table in tables.items()}
    except msgspec.ValidationError as error:
        raise TextFault(str(error)) from None


def _parse(language: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise TextFault(f"{language}.toml: {error}") from None


def _texts(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{path}{key}.")
        else:
            yield path + key, str(value)


def _compare(language: str, found: Mapping[str, str], expected: Mapping[str, str]) -> None:
    if different := sorted(found.keys() ^ expected.keys()):
        key = different[0]
        raise TextFault(f"{language}.toml: {key} is {'missing' if key in expected else 'unknown'}")
    for key, text in found.items():
        if not text.strip():
            raise TextFault(f"{language}.toml: {key} is empty")
        if set(_PLACEHOLDER.findall(text)) != set(_PLACEHOLDER.findall(expected[key])):
            raise TextFault(f"{language}.toml: {key} has other placeholders than {LANGUAGES[0]}.toml")


CATALOGUES = parse_catalogues(
    {language: (files(__package__) / f"{language}.toml").read_text("utf-8") for language in LANGUAGES}
)
