"""The forms of the pages without scripts. Each carries a secret that stands in a cookie, too.

A page of another site can make a browser post a form with our cookies. It knows no such secret, and cannot set the cookie, whose
name begins with `__Host-` (OWASP, Cross-Site Request Forgery Prevention, "double submit"). So neither does it act in somebody's name,
nor does it sign somebody in as another.
"""

import hmac

import msgspec

from regserver.domain.outcome import Refusal
from regserver.endpoint import Request
from regserver.ports.randomness import Randomness
from regserver.web.http.body import read_form
from regserver.web.http.session_cookie import CookieJar

COOKIE = "regserver-form"
FIELD = "form"
SECRET_BYTES = 16


class FormSecret(msgspec.Struct, frozen=True):
    """value: for the field. is_new: the cookie is to be set."""

    value: str
    is_new: bool

    @classmethod
    def of(cls, jar: CookieJar, randomness: Randomness) -> "FormSecret":
        """That of the browser, or a new one."""
        known = jar.read(COOKIE)
        return cls(known, False) if known else cls(randomness.bytes(SECRET_BYTES).hex(), True)


def own_form(request: Request, jar: CookieJar) -> dict[str, str] | None:
    """The fields of a form of ours; None for one of somebody else, and for one that is older than the browser's cookies."""
    fields, secret = read_form(request), jar.read(COOKIE)
    if isinstance(fields, Refusal):
        return None
    given = fields.pop(FIELD, "")
    return fields if secret and hmac.compare_digest(given.encode(), secret.encode()) else None
