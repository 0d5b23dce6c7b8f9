"""The static files of a page, read once, and their version, by which browsers may cache them for ever."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from regserver.endpoint import Request, Response
from regserver.web.http.answer import HeaderFields
from regserver.web.http.made_once import accepts_gzip
from regserver.web.site.brand import PLAIN, Brand

FOR_GOOD = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
}
PACKED = (".css", ".js", ".svg")
COMMENT = re.compile(rb"^[ \t]*(?://.*|/\*[^*]*(?:\*(?!/)[^*]*)*\*/)\n", re.MULTILINE)
"""Lines of a script or a style that are nothing but a comment: a sixth of what a first visit would have to load."""
IMPORTED = re.compile(rb'^import\s[^"]*"\./([\w.-]+)";', re.MULTILINE)
SHARED = "shared"
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Assets:
    """files: name → content type and bytes. version: changes with any of them.

    The version is a directory in the path, so that scripts import each other by relative names.
    """

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        digest = hashlib.sha256()
        for name in sorted(contents):
            digest.update(f"{name}\0{len(contents[name])}\0".encode() + contents[name])
        self.version = digest.hexdigest()[:16]
        self.files = {name: (_content_type(name), data) for name, data in contents.items()}

    def needs(self, *scripts: str) -> frozenset[str]:
        """These scripts and all that they import at once; what they import when they need it is left out."""
        found: set[str] = set()
        waiting = list(scripts)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += (match.decode() for match in IMPORTED.findall(self.files[name][1]))
        return frozenset(found)


def load_assets(*folders: str, brand: Brand = PLAIN) -> Assets:
    """The files of one page: those of these folders, the style of all pages, and the brand."""
    static = files(__package__) / "static"
    entries = [entry for folder in (*folders, SHARED) for entry in (static / folder).iterdir()]
    contents = {
        entry.name: _bare(entry.name, entry.read_bytes()) for entry in entries if _is_served(entry.name)
    }
    if brand.logo is not None:
        del contents[PLAIN.icon]
    return Assets({**contents, **brand.files})


def asset_response(asset: tuple[str, bytes], cache_control: str, request: Request | None = None) -> Response:
    """The answer to a GET of a file, compressed where the request accepts that. cache_control: the value of Cache-Control."""
    content_type, body = asset
    fields: HeaderFields = (("cache-control", cache_control), ("cross-origin-resource-policy", "same-origin"))
    if request is not None and content_type in {CONTENT_TYPES[kind] for kind in PACKED}:
        body, coded = packed(body, request)
        fields = (*fields, ("vary", "Accept-Encoding"), *coded)
    if (
        content_type == CONTENT_TYPES[".svg"]
    ):  # an operator's logo may be anything, also when it is opened by itself
        fields = (*fields, ("content-security-policy", IMAGE_POLICY))
    return Response(body=body, content_type=content_type, headers=fields)


def packed(body: bytes, request: Request) -> tuple[bytes, HeaderFields]:
    """A body that is the same for everybody in the coding that the request accepts, and the field that says so; Vary is the caller's."""
    if not accepts_gzip(request.headers.get("accept-encoding", "")):
        return body, ()
    return _compressed(body), (("content-encoding", "gzip"),)


@lru_cache(maxsize=256)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)


def _bare(name: str, data: bytes) -> bytes:
    return COMMENT.sub(b"", data) if name.endswith((".js", ".css")) else data


def _is_served(name: str) -> bool:
    return name[name.rfind(".") :] in CONTENT_TYPES


def _content_type(name: str) -> str:
    return CONTENT_TYPES[name[name.rfind(".") :]]
