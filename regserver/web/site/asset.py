"""The page's static files, read once, and the version under which browsers may keep them for good."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Assets:
    """files: name → content type and bytes. version: changes with any of them.

    One version for all, as a directory in the path, so that modules import their neighbours by plain relative names.
    """

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        digest = hashlib.sha256()
        for name in sorted(contents):
            digest.update(f"{name}\0{len(contents[name])}\0".encode() + contents[name])
        self.version = digest.hexdigest()[:16]
        self.files = {name: (_content_type(name), data) for name, data in contents.items()}

    @property
    def modules(self) -> list[str]:
        return sorted(name for name in self.files if name.endswith(".js"))


def load_assets() -> Assets:
    directory = files(__package__) / "static"
    return Assets({entry.name: entry.read_bytes() for entry in directory.iterdir() if _is_served(entry.name)})


def _is_served(name: str) -> bool:
    return name[name.rfind(".") :] in CONTENT_TYPES


def _content_type(name: str) -> str:
    return CONTENT_TYPES[name[name.rfind(".") :]]
