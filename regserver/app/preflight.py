"""What would stop a server at its start, beyond the values of its settings: the files, programs and folders that they name.

`serve`, `config check` and a reload all ask here. What only a running machine can tell is not looked at: whether an address
is free, a name resolves, or a database on another machine answers.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from ssl import SSLError, create_default_context

from regserver.adapters.derived_key import build_pepper
from regserver.adapters.ledger import check_chain
from regserver.adapters.server_key import KEY_BYTES, ServerKey, ServerKeyFault, check_server_key
from regserver.adapters.source import check_source
from regserver.app.assembly import build_limits
from regserver.app.base import build_mail_templates
from regserver.app.site_brand import load_brand
from regserver.config import ConfigFault, Loaded, SqlitePlace, store_place
from regserver.config.load import Reading
from regserver.config.section import Fault, Keys
from regserver.config.setting import sign_up_policy
from regserver.config.smtp_url import smtp_address
from regserver.config.tree import type_at
from regserver.owner import explain_refusal
from regserver.ports.store import StoreFault
from regserver.serving import BindError
from regserver.serving.listener import load_tls
from regserver.store.sqlite.history import refuse_lost

PreflightCheck = Callable[[Loaded], Iterator[Fault] | None]


def checked(reading: Reading) -> Loaded:
    """The settings, when a server can start with them. Raises ConfigFault with all that is wrong."""
    return reading.refuse(_all(reading))


def _all(reading: Reading) -> Iterator[Fault]:
    """A check is left out where the settings that it needs are wrong already."""
    for keys, check in CHECKS:
        if not any(map(reading.touches, keys)):
            yield from _found(keys[0], check, reading.loaded)


def _found(keys: Keys, check: PreflightCheck, loaded: Loaded) -> Iterator[Fault]:
    try:
        yield from check(loaded) or ()
    except ConfigFault as fault:
        yield from (_placed(line, keys, loaded) for line in fault.faults)
    except (StoreFault, ServerKeyFault) as fault:
        yield keys, str(fault)


def _placed(line: str, keys: Keys, loaded: Loaded) -> Fault:
    """A line of another module, which may begin with its setting, or with the configuration."""
    if loaded.file is not None and line.startswith(f"{loaded.file}:"):
        return (), line
    name, _, text = line.partition(": ")
    own = tuple(name.split("."))
    return (own, text) if type_at(own) is not None else (keys, line)


def _store(loaded: Loaded) -> Iterator[Fault]:
    place = store_place(loaded)
    if isinstance(place, SqlitePlace):
        folder = place.database.parent
        near = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if not near.is_dir():
            yield ("store", "url"), f"{near} is not a folder"
            return
        if place.database.is_dir():
            yield ("store", "url"), f"{place.database} is a folder; expected a file"
            return
        if refusal := explain_refusal(place.database):
            yield ("store", "url"), f"{place.database}{refusal}"
        refuse_lost(place.database, place.key)
    check_server_key(place.key)


def _listening(loaded: Loaded) -> Iterator[Fault]:
    for bind in loaded.binds:
        folder = Path(bind.removeprefix("unix:").partition("?")[0]).parent
        if bind.startswith("unix:") and not folder.is_dir():
            yield ("server", "bind"), f"{folder} is not there, so no socket can be in it"


def _tls(loaded: Loaded) -> Iterator[Fault]:
    server = loaded.settings.server
    if server.tls_cert:
        certificate, key = (str(loaded.resolve(path)) for path in (server.tls_cert, server.tls_key))
        try:
            load_tls(certificate, key)
        except BindError as error:
            yield (
                ("server", "tls_key" if error.address == key else "tls_cert"),
                f"{error.address}: {error.reason}",
            )


def _log(loaded: Loaded) -> Iterator[Fault]:
    if not loaded.settings.log.file:
        return
    path = loaded.resolve(loaded.settings.log.file)
    if path.is_dir():
        yield ("log", "file"), f"{path} is a folder; expected a file"
    elif not path.parent.is_dir():
        yield ("log", "file"), f"{path}: there is no folder {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        yield ("log", "file"), f"{path} cannot be written{explain_refusal(path)}"


def _site(loaded: Loaded) -> None:
    load_brand(loaded)


def _mail(loaded: Loaded) -> Iterator[Fault]:
    build_mail_templates(loaded)
    with suppress(ValueError):  # "log:"
        if (ca := smtp_address(loaded.settings.mail).ca) is not None:
            path = loaded.resolve(ca)
            try:
                create_default_context(cafile=str(path))
            except SSLError:  # an OSError, too
                yield ("mail", "smtp"), f"?ca={path} has no certificates in PEM"
            except OSError as error:
                yield ("mail", "smtp"), f"?ca={path}: {error.strerror}"


def _ledger(loaded: Loaded) -> None:
    if loaded.settings.ledger.kind == "antelope":
        check_chain(loaded.settings.ledger.antelope)


def _source(loaded: Loaded) -> None:
    if sign_up_policy(loaded.settings).serves("live"):
        check_source(loaded)


def _limits(loaded: Loaded) -> None:
    build_limits(loaded.settings, time.monotonic)


def _pepper(loaded: Loaded) -> None:
    build_pepper(loaded.settings, ServerKey(bytes(KEY_BYTES)))


CHECKS: tuple[tuple[tuple[Keys, ...], PreflightCheck], ...] = (
    ((("store", "url"), ("server", "data"), ("server", "key")), _store),
    ((("server", "bind"),), _listening),
    ((("server", "tls_cert"), ("server", "tls_key")), _tls),
    ((("log", "file"),), _log),
    ((("limits", "routes"),), _limits),
    ((("steps", "pepper"),), _pepper),
    ((("ledger",),), _ledger),
    ((("site",),), _site),
    ((("mail", "templates"), ("mail", "smtp"), ("mail", "user")), _mail),
    ((("live", "file", "path"), ("live", "source"), ("live", "http"), ("live", "command")), _source),
)
"""Each check, with the settings that it needs; a fault without a setting of its own is told at the first."""
