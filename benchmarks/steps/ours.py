"""regserver as it is started, but for its SMS. Usage: ours PORT CODE_PORT FOLDER"""

import sys
from pathlib import Path

from benchmarks.product import command_line
from benchmarks.steps.code_post import DatagramSms
from regserver.adapters import sms
from regserver.cli import run


def main() -> int:
    port, code_port, folder = sys.argv[1:]
    sms.DRIVERS = {"log": lambda settings, exchange: DatagramSms(int(code_port))}
    return run(command_line(int(port), Path(folder) / "ours.db"))


if __name__ == "__main__":
    sys.exit(main())
