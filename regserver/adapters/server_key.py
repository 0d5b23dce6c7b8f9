"""The server's own secret: 32 random bytes in a file that only its owner reads, made at the first start.

Every part that needs a key (the HMAC of contacts, sealed mail) derives its own by name. So there is one file to back up,
and a leaked key does not reveal the others. HKDF's expand step with SHA-256 (RFC 5869, section 2.3): the file is uniform
and needs no extraction. cryptography's HKDFExpand would take as many lines.
"""

import hashlib
import hmac
import os
from contextlib import suppress
from pathlib import Path

from regserver.owner import create_private, explain_refusal

KEY_BYTES = 32


class ServerKeyFault(Exception):
    """The key cannot be read or made; the message is for the operator."""


class ServerKey:
    """secret: 32 bytes, from which every other key is derived."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "ServerKey(…)"

    def derive(self, label: str) -> bytes:
        """The key of `label`: 32 bytes, the same at every start."""
        return hmac.new(self._secret, f"regserver {label}".encode() + b"\x01", hashlib.sha256).digest()

    @property
    def fingerprint(self) -> bytes:
        """What tells this key from another one, and nothing else about it."""
        return self.derive("fingerprint")


def load_server_key(path: Path) -> ServerKey:
    """Reads the key; creates the file if there is none. Raises ServerKeyFault."""
    try:
        _create(path)
    except OSError as error:
        raise ServerKeyFault(f"{path}: {error.strerror}{explain_refusal(path)}") from None
    return read_server_key(path)


def read_server_key(path: Path) -> ServerKey:
    """Reads the key, and makes the file unreadable to other users. Raises ServerKeyFault."""
    return ServerKey(_read(path, is_narrowed=True))


def _read(path: Path, *, is_narrowed: bool = False) -> bytes:
    """is_narrowed: whether the file is made unreadable to other users."""
    try:
        secret = path.read_bytes()
        if is_narrowed and path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise ServerKeyFault(f"{path}: {error.strerror}{explain_refusal(path, os.R_OK)}") from None
    if len(secret) != KEY_BYTES:
        raise ServerKeyFault(f"{path}: expected {KEY_BYTES} bytes; restore it from a backup")
    return secret


def check_server_key(path: Path) -> None:
    """Whether the file, if it is there, has a key that this process may read. Raises ServerKeyFault."""
    if path.exists():
        _read(path)


def _create(path: Path) -> None:
    """Writes the key under another name and then links it, so that two first starts at once read the same key."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)  # of a process that was killed
    descriptor = create_private(draft)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
