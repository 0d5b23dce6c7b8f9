"""What `config show` prints in place of values that are secret, or may contain a secret."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from regserver.config.section import Keys

MASK = "…"

_OPEN_OPTIONS = frozenset(
    {"tls", "ca", "mode", "only", "sslmode", "sslrootcert", "host", "target_session_attrs"}
)
"""Options in URLs of ours that are no secrets."""
_PLACEHOLDER = re.compile(r"\{\w+\}")
_TOKEN = re.compile(r"(?=[\w.~+=-]*[0-9])(?=[\w.~+=-]*[A-Za-z])[\w.~+=:-]{16,}")
"""A word of letters and digits as long as a key, such as a bot's token in a path."""
_JSON_VALUE = re.compile(r'(:\s*)"((?:[^"\\]|\\.)*)"')


def mask_url(url: str) -> str:
    """A URL without the password of its user, the values of its query, and keys in its path."""
    head, question, query = url.partition("?")
    head = re.sub(r"(?<=://)([^/@:]*):[^/]*@", rf"\1:{MASK}@", head)
    head = re.sub(r"(?<=://)[^/@:]+@", f"{MASK}@", head)
    start, scheme, rest = head.partition("://")
    host, slash, path = rest.partition("/")
    words = [MASK if _TOKEN.fullmatch(word) else word for word in path.partition("#")[0].split("/")]
    shown = f"{start}{scheme}{host}{slash}{'/'.join(words)}" if scheme else head
    return shown + question + mask_form(query.partition("#")[0])


def mask_form(text: str) -> str:
    """Pairs such as a=1&b=2 without the values that are no placeholders."""
    pairs = [pair.partition("=") for pair in text.split("&")]
    return "&".join(
        name + equals + (value if _is_open(name, value) else MASK) if value else name + equals
        for name, equals, value in pairs
    )


def _is_open(name: str, value: str) -> bool:
    return name in _OPEN_OPTIONS or _PLACEHOLDER.fullmatch(value) is not None


def mask_body(body: str) -> str:
    """A template in JSON or as a form with its placeholders alone."""
    if body.lstrip().startswith(("{", "[")):
        return _JSON_VALUE.sub(
            lambda found: found[0] if _PLACEHOLDER.search(found[2]) else f'{found[1]}"{MASK}"', body
        )
    return mask_form(body) if "=" in body and "<" not in body else MASK if body else ""


def mask_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """The executable, the names of options, and paths; every other argument may be a secret."""
    return tuple(
        argument if position == 0 else _mask_argument(argument) for position, argument in enumerate(arguments)
    )


def _mask_argument(argument: str) -> str:
    if "://" in argument:
        return mask_url(argument)
    name, equals, value = argument.partition("=")
    if argument.startswith("-"):
        return name + equals + (MASK if value else "")
    return argument if re.fullmatch(r"[\w./-]*(/|\.(py|sh|js|rb|pl))[\w./-]*", argument) else MASK


def mask_environment(variables: Sequence[str]) -> tuple[str, ...]:
    """Names, and NAME=value without the value."""
    return tuple(
        name + (f"={MASK}" if equals else "") for name, equals, _ in (v.partition("=") for v in variables)
    )


MASKS: Mapping[Keys, Callable[[Any], Any]] = {
    ("live", "command", "argv"): mask_arguments,
    ("live", "command", "env"): mask_environment,
    ("sms", "http", "body"): mask_body,
}
"""The settings with a form of their own. Elsewhere a Secret is masked whole, and a URL by `mask_url`."""
