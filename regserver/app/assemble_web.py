"""Builds the parts that every request uses: rate limits, forwarded fields, cross-origin rules, metrics."""

import time

from regserver.config import ConfigFault, Settings
from regserver.log import AccessLog
from regserver.metric import Metrics
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.dispatch import WebParts
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.rate_limit import LIMITS, RateLimits


def build_web_parts(settings: Settings, access: AccessLog | None) -> WebParts:
    """The parts that every request uses. access: the access log, or None. Raises ConfigFault."""
    return WebParts(
        build_limits(settings),
        ForwardedReader(settings.server.trusted_proxies, settings.server.public_url),
        CorsPolicy(settings.server.cors_origins),
        Metrics(),
        access,
    )


def build_limits(settings: Settings) -> RateLimits:
    """The rate limits with the operator's rates. Raises ConfigFault."""
    unknown = settings.limits.routes.keys() - LIMITS.keys()
    if unknown:
        raise ConfigFault(f"limits.routes: unknown {', '.join(sorted(unknown))}; known: {', '.join(LIMITS)}")
    try:
        return RateLimits(time.monotonic, enabled=settings.limits.enabled, overrides=settings.limits.routes)
    except ValueError as error:
        raise ConfigFault(f"limits.routes: {error}") from None
