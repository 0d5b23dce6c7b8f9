"""The front door: sockets, HTTP and WebSocket sessions in front of the endpoints. See docs/front-door.md."""

from regserver.serving.answer import response_fields
from regserver.serving.asgi import asgi_sessions, local_path, request_from_scope
from regserver.serving.broadcast import broadcast_nowait
from regserver.serving.frame import binary_frame, text_frame
from regserver.serving.front import Front
from regserver.serving.limit import FrontLimits
from regserver.serving.listener import BindError
from regserver.serving.metric import FrontMetrics, NoMetrics
from regserver.serving.reference_cycle import UnsupportedLibrary
from regserver.serving.session import receive_text
from regserver.serving.session_core import SessionCore

__all__ = [
    "BindError",
    "Front",
    "FrontLimits",
    "FrontMetrics",
    "NoMetrics",
    "SessionCore",
    "UnsupportedLibrary",
    "asgi_sessions",
    "binary_frame",
    "broadcast_nowait",
    "local_path",
    "receive_text",
    "request_from_scope",
    "response_fields",
    "text_frame",
]
