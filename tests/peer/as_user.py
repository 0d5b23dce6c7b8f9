"""Runs `regserver` as another user: python -m tests.peer.as_user UID ARGUMENT…

The modules are loaded before, since the other user may not read the folder of the interpreter.
"""

import encodings.idna  # noqa: F401  (loaded when a host name is first looked up)
import importlib
import os
import pkgutil
import sys

import regserver
from regserver import cli

for module in pkgutil.walk_packages(regserver.__path__, "regserver."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

user = int(sys.argv[1])
if os.geteuid() != user:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
sys.exit(cli.main(sys.argv[2:]))
