"""The internals of Hypercorn that the hook relies on: a change fails here and not in production."""

import hashlib
import importlib.metadata
import inspect

import pytest
from hypercorn.protocol import ws_stream
from hypercorn.protocol.h2 import H2Protocol, StreamBuffer
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext

from regserver.serving import UnsupportedLibrary
from regserver.serving.hypercorn_hook import VERSION, check_version

DIGESTS = {
    TCPServer: "5593e38b83d3e22e",
    H2Protocol: "7257f8bafccaa2e5",
    StreamBuffer: "bc347b7c78068613",
    HTTPStream: "e0f656feb55ab89c",
    ws_stream.WSStream: "67434c428a1a3c04",
    ws_stream.Handshake: "701a154c29b5ab4c",
    Lifespan: "7c58a46fd0717442",
    TaskGroup: "8467a3a16a7e8763",
    WorkerContext: "45885f0c0bd5bc9d",
}


@pytest.mark.parametrize("hooked", DIGESTS, ids=lambda hooked: hooked.__name__)
def test_source_is_the_one_this_was_written_against(hooked: type) -> None:
    digest = hashlib.sha256(inspect.getsource(hooked).encode()).hexdigest()[:16]
    assert digest == DIGESTS[hooked], f"{hooked.__qualname__} has changed: read it, then correct the digest"


def test_version_is_pinned() -> None:
    check_version()
    assert f"hypercorn=={VERSION}" in (importlib.metadata.requires("regserver") or [])


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.19.0")
    with pytest.raises(UnsupportedLibrary, match=r"0\.19\.0 is installed, 0\.18\.0 is needed"):
        check_version()


def test_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(TCPServer, "_idle_timeout")
    with pytest.raises(UnsupportedLibrary, match="_idle_timeout"):
        check_version()
