"""The entry of `regserver`, of `python -m regserver` and of the binary."""

import gc
import sys


def main() -> None:
    """Runs the command line of this process and ends it with the command's exit code."""
    gc.disable()  # until the command has been imported: nothing of it is garbage, and looking for some takes a tenth of a start
    from regserver import cli  # 0.1 s of a start, by the line above

    sys.exit(cli.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
