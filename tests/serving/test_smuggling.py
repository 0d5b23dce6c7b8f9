"""Requests that two parsers could read differently: each is refused, and is the last of its connection."""

import pytest

from tests.serving.support import open_front

_POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"
_SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

REFUSED = {
    "repeated length": (400, _POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "two lengths": (400, _POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    "list of lengths": (400, _POST + b"Content-Length: 3, 3\r\n\r\nabc"),
    "positive sign": (400, _POST + b"Content-Length: +3\r\n\r\nabc"),
    "negative length": (400, _POST + b"Content-Length: -1\r\n\r\n"),
    "hexadecimal length": (400, _POST + b"Content-Length: 0x3\r\n\r\nabc"),
    "underscore in length": (400, _POST + b"Content-Length: 1_0\r\n\r\n0123456789"),
    "empty length": (400, _POST + b"Content-Length: \r\n\r\n"),
    "length with a space inside": (400, _POST + b"Content-Length: 1 0\r\n\r\n0123456789"),
    "length of 30 digits": (400, _POST + b"Content-Length: " + b"0" * 29 + b"3\r\n\r\nabc"),
    "length and chunks": (400, _POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "chunks and length": (400, _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    "repeated coding": (
        400, _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "unknown coding": (400, _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "coding not last": (400, _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    "coding we cannot undo": (501, _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "vertical tab before chunked": (400, _POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "chunks in HTTP/1.0": (
        400, b"POST /a HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "space before the colon": (400, _POST + b"Content-Length : 3\r\n\r\nabc"),
    "space before the name": (400, b"POST /a HTTP/1.1\r\n Host: x\r\n\r\n"),
    "folded field": (400, _POST + b"X-A: 1\r\n 2\r\n\r\n"),
    "folded with a tab": (400, _POST + b"X-A: 1\r\n\tTransfer-Encoding: chunked\r\n\r\n"),
    "bare LF after the request line": (400, b"POST /a HTTP/1.1\nHost: x\r\n\r\n"),
    "bare LF after a field": (400, _POST + b"X-A: 1\nContent-Length: 3\r\n\r\nabc"),
    "bare LF only": (400, b"GET /a HTTP/1.1\nHost: x\n\n"),
    "bare LF ends the head": (400, b"GET /a HTTP/1.1\r\nHost: x\r\n\n"),
    "bare CR in a value": (400, _POST + b"X-A: 1\rContent-Length: 3\r\n\r\nabc"),
    "NUL in a value": (400, _POST + b"X-A: 1\x002\r\n\r\n"),
    "NUL in a name": (400, _POST + b"X\x00A: 1\r\n\r\n"),
    "no colon": (400, _POST + b"X-A\r\n\r\n"),
    "no name": (400, _POST + b": 1\r\n\r\n"),
    "non-ASCII name": (400, _POST + b"X-\xc3\xa9: 1\r\n\r\n"),
    "DEL in a value": (400, _POST + b"X-A: \x7f\r\n\r\n"),
    "length as a trailer": (
        400, _POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\nabc"
    ),
    "absolute form with a user": (400, b"GET http://a@x/a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "absolute form without an authority": (400, b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "absolute form of another scheme": (400, b"GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "absolute form without a Host": (400, b"GET http://x/a HTTP/1.1\r\nX-A: 1\r\n\r\n"),
    "absolute form with a fragment": (400, b"GET http://x/a#a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "authority form": (400, b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\nX: /a\r\n\r\n"),
    "asterisk form": (400, b"OPTIONS * HTTP/1.1\r\nHost: x\r\nX: /a\r\n\r\n"),
    "fragment": (400, b"GET /a#a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "non-ASCII target": (400, b"GET /a\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no Host": (400, b"GET /a HTTP/1.1\r\nX-A: 1\r\n\r\n"),
    "no field at all": (400, b"GET /a HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET /a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
    "empty Host": (400, b"GET /a HTTP/1.1\r\nHost: \r\n\r\n"),
    "Host with a path": (400, b"GET /a HTTP/1.1\r\nHost: x/y\r\n\r\n"),
    "Host with a user": (400, b"GET /a HTTP/1.1\r\nHost: a@x\r\n\r\n"),
    "Host with a space": (400, b"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "Host with an empty label": (400, b"GET /a HTTP/1.1\r\nHost: a..b\r\n\r\n"),
    "Host with a long label": (400, b"GET /a HTTP/1.1\r\nHost: " + b"a" * 64 + b"\r\n\r\n"),
    "Host with half an address": (400, b"GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    "Host with an address that is none": (400, b"GET /a HTTP/1.1\r\nHost: [::::]\r\n\r\n"),
    "Host with IPv4 in brackets": (400, b"GET /a HTTP/1.1\r\nHost: [1.2.3.4]:80\r\n\r\n"),
    "Host with too long an address": (400, b"GET /a HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8:9]\r\n\r\n"),
    "two spaces in the request line": (400, b"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "space in the target": (400, b"GET /a a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "tab in the request line": (400, b"GET\t/a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "lower-case method": (400, b"get /a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "method of 40 letters": (400, b"G" * 40 + b" /a HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no version": (400, b"GET /a\r\nHost: x\r\n\r\n"),
    "lower-case version": (400, b"GET /a http/1.1\r\nHost: x\r\n\r\n"),
    "version with two digits": (400, b"GET /a HTTP/1.10\r\nHost: x\r\n\r\n"),
    "version 1.2": (505, b"GET /a HTTP/1.2\r\nHost: x\r\n\r\n"),
    "version 2.0": (505, b"GET /a HTTP/2.0\r\nHost: x\r\n\r\n"),
    "version 0.9": (505, b"GET /a HTTP/0.9\r\nHost: x\r\n\r\n"),
    "unknown expectation": (417, _POST + b"Expect: 200-maybe\r\n\r\n"),
    "TLS on a plain port": (400, b"\x16\x03\x01\x02\x00\x01\x00/a"),
    "chunk size with a sign": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n"),
    "chunk size that is none": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n"),
    "empty chunk size": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n\r\n"),
    "chunk size with 0x": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"),
    "chunk size past 32 bits": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n100000003\r\nabc\r\n0\r\n\r\n"),
    "chunk line with bare LF": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"),
    "chunk longer than it says": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"),
    "chunk extension without end": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"a" * 300),
    "NUL in a chunk extension": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n3;\0\r\nabc\r\n0\r\n\r\n"),
    "bad trailer": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX A: 1\r\n\r\n"),
    "trailer without colon": (400, _POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nGET / HTTP/1.1\r\n\r\n"),
}  # fmt: skip


async def test_refused_once_and_closed() -> None:
    """One server takes the whole table, which shows too that nothing in it ends more than its own connection."""
    async with open_front() as server:
        for name, (status, raw) in REFUSED.items():
            async with server.peer() as peer:
                await peer.send(raw + _SMUGGLED)
                answer = await peer.response()
                assert (answer[0], answer[1].get("connection")) == (status, "close"), name
                assert await peer.ended(), name
                assert peer.buffer == b"", name
        assert sum(server.counts.refused.values()) == len(REFUSED)
        assert server.counts.errors == 0
        assert await server.is_fine()


ACCEPTED = {
    "plain": b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "with a port": b"GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    "an empty line ahead": b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "odd but legal fields": b"GET /a HTTP/1.1\r\nhOsT:x\r\nX-A:\t a  b\t\r\nX-Empty:\r\n!#$%&'*+.^_`|~: \xe9\r\n\r\n",
    "repeated field": b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n",
    "hop-by-hop fields": b"GET /a HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nKeep-Alive: 5\r\nTrailer: X\r\n\r\n",
    "upgrade to something else": b"GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, "
    b"HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "upgrade of another path": b"GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "percent in the path": b"GET /a/a%20b%2Fc%C3%A9%ff?200 HTTP/1.1\r\nHost: x\r\n\r\n",
    "body": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "empty body": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "leading zeros": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 003\r\n\r\nabc",
    "chunks": b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
    b"0\r\nX-Trailer: dropped\r\n\r\n",
    "Chunked": b"POST /a HTTP/1.1\r\nHost: x\r\ntransfer-encoding:\tChunked\r\n\r\n0\r\n\r\n",
    "a body with GET": b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "another status": b"GET /a?404 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no content": b"DELETE /a?204 HTTP/1.1\r\nHost: x\r\n\r\n",
    "not modified": b"GET /a?304 HTTP/1.1\r\nHost: x\r\n\r\n",
    "close": b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n",
    "HTTP/1.0": b"GET /a HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with keep-alive": b"GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
    "expectation in HTTP/1.0": b"POST /a HTTP/1.0\r\nHost: x\r\nExpect: 1\r\nContent-Length: 3\r\n\r\nabc",
    "HEAD": b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "oversized": b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n",
    "oversized chunk": b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n",
}


LAST = {
    name
    for name in ACCEPTED
    if name.startswith(("close", "HTTP/1.0", "expectation in HTTP/1.0", "oversized"))
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepted_and_answered_once(name: str) -> None:
    """Whole, with one Date, and the connection goes on where it may."""
    async with open_front() as server, server.peer() as peer:
        await peer.send(ACCEPTED[name])
        head = await peer.read_head()
        assert head.startswith(b"HTTP/1.1 ")
        assert head.count(b"date: ") == 1
        fields = head.split(b"\r\n")
        size = [int(line[16:]) for line in fields if line.startswith(b"content-length: ")]
        if size and name != "HEAD":
            assert b"'/a" in await peer.read(size[0])
        if b"Connection: close" in fields:
            assert name in LAST
            assert await peer.ended()
        else:
            assert (await peer.ask(b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
        assert peer.buffer == b""
        assert server.counts.errors == 0
