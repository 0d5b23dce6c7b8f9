"""Reads the brand of the pages from the settings."""

from pathlib import Path

from regserver.config.fault import ConfigFault
from regserver.config.setting import Loaded
from regserver.domain.colour import read_colour
from regserver.web.site.brand import NAME, Brand

MOST_LOGO = 64 * 1024
"""Bytes: it is loaded with every first visit."""
SIGNATURES = {".png": b"\x89PNG\r\n", ".webp": b"RIFF", ".svg": b"<"}
"""How a file of each kind begins."""


def load_brand(loaded: Loaded) -> Brand:
    """The brand. Raises ConfigFault for a logo that cannot be shown."""
    site = loaded.settings.site
    logo = _load_logo(loaded.resolve(site.logo)) if site.logo else None
    return Brand(site.name or NAME, read_colour(site.color), site.imprint, site.privacy, logo)


def _load_logo(path: Path) -> tuple[str, bytes]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigFault(f"site.logo: {path}: {error.strerror}") from None
    ending = path.suffix.lower()
    if len(data) > MOST_LOGO:
        raise ConfigFault(f"site.logo: {path} has {len(data)} bytes; at most {MOST_LOGO}")
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(SIGNATURES[ending]):
        raise ConfigFault(f"site.logo: {path} is no image of the kind {ending}")
    return ending, data
