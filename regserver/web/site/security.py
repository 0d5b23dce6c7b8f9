"""Security fields of pages, and their Content-Security-Policy."""

from regserver.web.http.answer import HeaderFields

PAGE_FIELDS: HeaderFields = (
    ("vary", "Accept-Language"),
    # Not "no-referrer": browsers would send "Origin: null" with the page's own forms, which reads like a foreign page.
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
)
"""Fields of every page."""


def content_security_policy(*own: str, trusted_types: str = "'none'") -> str:
    """The policy of a page (CSP 3): scripts, styles and forms of this server only. own: further directives.

    trusted_types: the name of the policy by which the page's script may make addresses of scripts.
    """
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
            f"trusted-types {trusted_types}",
        )
    )
