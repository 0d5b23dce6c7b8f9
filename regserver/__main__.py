"""The entry of `regserver`, of `python -m regserver` and of the binary."""

import sys

from regserver.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
