"""What keeps a page to itself: its Content-Security-Policy, and the fields that go with it."""

from regserver.web.http.answer import HeaderFields

PAGE_FIELDS: HeaderFields = (
    ("vary", "Accept-Language"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
)
"""Of every page."""


def content_security_policy(*own: str) -> str:
    """The policy of a page (CSP 3): nothing but our own scripts, styles and forms. own: what this page needs beyond."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            *own,
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
