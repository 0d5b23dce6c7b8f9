"""The entry of `regserver`, of `python -m regserver` and of the binary."""

import sys

from regserver import cli


def main() -> None:
    """Runs the command line of this process and ends it with the command's exit code."""
    sys.exit(cli.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
