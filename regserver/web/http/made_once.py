"""Documents that are made once: their compressed form, and their tag, by which clients ask whether they still have the right one."""

import gzip
import hashlib

from regserver.endpoint import Request, Response
from regserver.web.http.answer import HeaderFields

REVALIDATE = "no-cache"


class DocumentMadeOnce:
    """Answers GET with the same bytes to everybody, compressed for those who accept that.

    The tag is a weak one, since both forms have it (RFC 9110, 8.8.1). headers: further fields of the answer.
    """

    def __init__(self, body: bytes, content_type: str, headers: HeaderFields = ()) -> None:
        self.tag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
        fields = (
            ("cache-control", REVALIDATE),
            ("etag", self.tag),
            ("vary", "Accept-Encoding"),
            *headers,
        )
        coded = (*fields, ("content-encoding", "gzip"))
        self._plain = Response(body=body, content_type=content_type, headers=fields)
        packed = gzip.compress(body, 9, mtime=0)
        self._packed = Response(body=packed, content_type=content_type, headers=coded)
        self._unchanged = Response(status=304, headers=fields)

    def answer(self, request: Request) -> Response:
        """The document, or 304 for who has it."""
        if self.tag in request.headers.get("if-none-match", ""):
            return self._unchanged
        return self._packed if accepts_gzip(request.headers.get("accept-encoding", "")) else self._plain


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip and does not refuse it (RFC 9110, 12.5.3)."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in {"gzip", "x-gzip"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
