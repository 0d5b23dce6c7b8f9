"""regserver as it is started, but for its SMS. Usage: ours PORT CODE_PORT FOLDER"""

import sys

from benchmarks.steps.code_post import DatagramSms
from regserver.adapters import sms
from regserver.cli import run


def main() -> int:
    port, code_port, folder = sys.argv[1:]
    sms.DRIVERS = {"log": lambda settings, exchange: DatagramSms(int(code_port))}
    settings = {
        "server.bind": f"127.0.0.1:{port}",
        "store.url": f"sqlite:{folder}/ours.db",
        "live.source": "none",
        "limits.enabled": "false",
        "log.level": "warning",
    }
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return run(["serve", *words])


if __name__ == "__main__":
    sys.exit(main())
