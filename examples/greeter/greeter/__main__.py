"""python -m greeter URL BOOKMARK, with the token in GREETER_TOKEN."""

import os
import sys
from pathlib import Path

import trio

from greeter.service import greet
from regserver import client


def main() -> int:
    """The exit code: 1 when the session has ended, 2 for a wrong call."""
    match sys.argv[1:], os.environ.get("GREETER_TOKEN"):
        case [url, bookmark], str(token):
            try:
                trio.run(greet, url, token, Path(bookmark))
            except (client.BadToken, client.UserIsDeleted) as ended:
                print(f"greeter: the session has ended: {ended.name}", file=sys.stderr)
            return 1
        case _:
            print("usage: GREETER_TOKEN=… python -m greeter URL BOOKMARK", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
