"""Reading the configuration: file, environment and flags into one checked tree.

Values come from, in rising precedence: the defaults, the TOML file, the environment (REGSERVER_SECTION__KEY),
`--set section.key=value`. All of them end in one tree of plain values, remembered with their origin, so that every
complaint names where the value stands. Nothing outside this module reads the environment.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

import msgspec

from regserver.config.bound import out_of_bounds
from regserver.config.provider_check import check_providers
from regserver.config.setting import Loaded, Secret, Section, Settings, Size
from regserver.config.unit import read_duration, read_size
from regserver.domain.account import is_email
from regserver.domain.instant import Duration

ENV_PREFIX = "REGSERVER_"
SEARCHED = (Path("regserver.toml"), Path("/etc/regserver/regserver.toml"))


class ConfigFault(Exception):
    """The configuration cannot be used. The message names the place, the key and what was expected."""


Origins = dict[tuple[str, ...], str]


def load(
    file: Path | None = None, overrides: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> Loaded:
    """Reads and checks everything. file: None looks at the SEARCHED places. Raises ConfigFault."""
    path = file or next((place for place in SEARCHED if place.is_file()), None)
    tree: dict[str, Any] = {}
    origins: Origins = {}
    if path is not None:
        _merge(tree, origins, _read_file(path), str(path))
    for keys, value, origin in _environment(os.environ if environment is None else environment):
        _put(tree, origins, keys, value, origin)
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise ConfigFault(f"--set {override}: expected section.key=value")
        _put(tree, origins, tuple(name.strip().split(".")), value, f"--set {name}")
    _check_keys(tree, Settings, (), origins)
    return Loaded(_convert(tree, origins), path)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigFault(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFault(f"{path}: not valid TOML: {error}") from None


def _environment(environment: Mapping[str, str]) -> Iterable[tuple[tuple[str, ...], str, str]]:
    for name in sorted(environment):
        if name.startswith(ENV_PREFIX) and "__" in name:
            keys = tuple(part.lower() for part in name.removeprefix(ENV_PREFIX).split("__"))
            yield keys, environment[name], f"environment {name}"


def _merge(
    tree: dict[str, Any], origins: Origins, new: dict[str, Any], origin: str, at: tuple[str, ...] = ()
) -> None:
    for key, value in new.items():
        path = (*at, key)
        if isinstance(value, dict):
            tree[key] = {}
            origins[path] = origin
            _merge(tree[key], origins, value, origin, path)
        else:
            tree[key] = value
            origins[path] = origin


def _put(tree: dict[str, Any], origins: Origins, keys: tuple[str, ...], text: str, origin: str) -> None:
    node = tree
    for depth, key in enumerate(keys[:-1], 1):
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ConfigFault(f"{origin}: {'.'.join(keys[:depth])} is a value, not a section")
        node = child
        origins.setdefault(keys[:depth], origin)
    node[keys[-1]] = _from_text(text, _type_at(keys))
    origins[keys] = origin


def _from_text(text: str, wanted: Any) -> Any:
    """A value from the environment or the command line: TOML where it is TOML and no string is wanted, else text."""
    if wanted in {str, Secret, Duration, Size} or get_origin(wanted) is Literal:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return (
            [part.strip() for part in text.split(",") if part.strip()]
            if get_origin(wanted) is tuple
            else text
        )


def _type_at(keys: tuple[str, ...]) -> Any:
    kind: Any = Settings
    for key in keys:
        fields = _fields(kind)
        if key not in fields:
            return None
        kind = fields[key]
    return kind


def _fields(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, Section):
        return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    return {}


def _check_keys(tree: Mapping[str, Any], kind: Any, at: tuple[str, ...], origins: Origins) -> None:
    fields = _fields(kind)
    for key, value in tree.items():
        path = (*at, key)
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1, 0.6)
            hint = (
                f"; did you mean {'.'.join((*at, near[0]))}?"
                if near
                else f"; known here: {', '.join(fields)}"
            )
            raise ConfigFault(f"{origins.get(path, 'configuration')}: unknown key {'.'.join(path)}{hint}")
        if isinstance(value, dict) and _fields(fields[key]):
            _check_keys(value, fields[key], path, origins)


def _convert(tree: dict[str, Any], origins: Origins) -> Settings:
    try:
        settings = msgspec.convert(tree, Settings, dec_hook=_decode)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        keys = tuple(key for key in re.split(r"[.\[\]`]+", place) if key and key != "...")
        known = keys
        while known and known not in origins:
            known = known[:-1]
        shown = ".".join(keys) or "configuration"
        raise ConfigFault(
            f"{origins.get(known, 'configuration')}: {shown}: {text[:1].lower()}{text[1:]}"
        ) from None
    _check_values(settings, origins)
    return settings


def _decode(kind: type, value: object) -> object:
    if kind is Secret:
        if isinstance(value, str):
            return Secret(value)
        raise ValueError("expected a string")
    if kind is Duration:
        return read_duration(value)
    if kind is Size:
        return read_size(value)
    raise NotImplementedError(kind)


def _check_values(settings: Settings, origins: Origins) -> None:
    """What a type cannot say."""

    def wrong(keys: tuple[str, ...], expected: str) -> ConfigFault:
        return ConfigFault(f"{origins.get(keys, 'configuration')}: {'.'.join(keys)}: expected {expected}")

    for keys, expected in out_of_bounds(settings):
        raise wrong(keys, expected)
    if not settings.server.bind:
        raise wrong(("server", "bind"), "at least one address")
    if bool(settings.server.tls_cert) != bool(settings.server.tls_key):
        raise wrong(("server", "tls_cert"), "tls_cert and tls_key together")
    if settings.server.public_url and not re.fullmatch(
        r"https?://[^\s/?#]+(/[^\s?#]*)?", settings.server.public_url
    ):
        raise wrong(
            ("server", "public_url"), 'a URL such as "https://example.org" or "https://example.org/path"'
        )
    if not settings.store.url.startswith(("sqlite:", "postgresql://", "postgres://")):
        raise wrong(("store", "url"), '"sqlite:FILE" or "postgresql://…"')
    if not re.fullmatch(r"[a-z][a-z1-5]{0,7}", settings.steps.user_id_prefix):
        raise wrong(("steps", "user_id_prefix"), "1 to 8 of a-z and 1-5, beginning with a letter")
    _check_mail(settings, wrong)
    check_providers(settings, wrong)


def _check_mail(settings: Settings, wrong: Callable[[tuple[str, ...], str], ConfigFault]) -> None:
    mail, directory = settings.mail, settings.directory
    if mail.smtp != "log:":
        if not re.fullmatch(
            r"smtps?://([^\s/@]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?(\?\S*)?", mail.smtp
        ):
            raise wrong(("mail", "smtp"), '"log:", "smtp://user:password@host:587" or "smtps://…"')
        if not settings.server.public_url:
            # Whoever asks for a sign-up writes the Host field, and must not choose where a stranger's link leads.
            raise wrong(("server", "public_url"), "a URL, since links in real mail start with it")
    if not is_email(mail.from_):
        raise wrong(("mail", "from"), "an e-mail address")
    for server in directory.servers:
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}", server):
            raise wrong(("directory", "servers"), "host names or addresses, without scheme and port")
    if directory.pending_ttl < 1000:
        raise wrong(("directory", "pending_ttl"), 'at least "1s"')
