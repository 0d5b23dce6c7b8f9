"""socketify, which is uWebSockets from Python, with its own topics. Usage: socketify_app PORT"""

import sys
from typing import Any

from socketify import App  # type: ignore[import-untyped]

app = App()


def subscribe(socket: Any) -> None:
    socket.subscribe("all")


def publish(_: Any, message: bytes, opcode: int) -> None:
    app.publish("all", message, opcode)


app.ws("/sub", {"open": subscribe, "idle_timeout": 0, "max_backpressure": 16 << 20, "compression": 0})
app.ws("/pub", {"message": publish, "idle_timeout": 0, "compression": 0})
app.listen({"host": "127.0.0.1", "port": int(sys.argv[1])}, lambda _: None)
app.run()
